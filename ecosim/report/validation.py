"""A validation as a table, or for other programs: expected, measured, tolerance, and whether it was met."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

WIDE = 200  # characters of a line that no terminal breaks
FIELDS = (
    "subject", "what", "unit", "expected", "measured", "low", "high", "n", "judged", "passed", "tests", "source",
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterable


def show(title: str, checks: Iterable[Any]) -> int:
    """Print checks (`ecosim.validation.Check`); return how many were missed, without those that rest on too little."""
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table("what", "unit", title=title, title_justify="left")
    for name in ("expected", "measured", "tolerance", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("met", "tests", "source"):
        table.add_column(name)
    missed = 0
    for check in checks:
        missed += check.judged and not check.passed
        table.add_row(
            check.what,
            check.unit,
            f"{check.expected:.5g}",
            f"{check.measured:.4g}",
            tolerance(check),
            f"{check.n:,}",
            ("yes" if check.passed else "NO") if check.judged else "too few",
            check.tests,
            check.source,
        )
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    return missed


def tolerance(check: Any) -> str:
    """What a figure may be, in a few characters."""
    if check.high == math.inf:
        return f"at least {check.low:.4g}"
    middle, half = (check.low + check.high) / 2.0, (check.high - check.low) / 2.0
    around = abs(middle - check.expected) <= 1e-9 * abs(check.expected) and check.expected != 0.0
    if around and half < 1e-3 * abs(check.expected):
        return f"± {half:.1g}"
    return f"{check.low:.4g} to {check.high:.4g}"


def rows(subject: str, checks: Iterable[Any]) -> list[dict[str, Any]]:
    """Checks as plain values; a bound or a figure that is not finite is None."""
    found = []
    for check in checks:
        row = {name: subject if name == "subject" else getattr(check, name) for name in FIELDS}
        unknown = {name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
        found.append({name: None if name in unknown else value for name, value in row.items()})
    return found
