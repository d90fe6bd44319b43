"""A validation as a table: expected, measured, tolerance, and whether it was met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

WIDE = 170  # characters of a line that no terminal breaks

if TYPE_CHECKING:
    from collections.abc import Iterable


def show(subject: str, checks: Iterable[Any]) -> int:
    """Print checks (`ecosim.validation.Check`); return how many were missed, without those that rest on too little."""
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table("what", "unit", title=subject)
    for name in ("expected", "measured", "tolerance", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("met")
    table.add_column("source")
    missed = 0
    for check in checks:
        missed += check.judged and not check.passed
        table.add_row(
            check.what,
            check.unit,
            f"{check.expected:g}",
            f"{check.measured:.4g}",
            f"{check.low:g} to {check.high:g}",
            f"{check.n:,}",
            ("yes" if check.passed else "NO") if check.judged else "too few",
            check.source,
        )
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    console.print(table)
    if missed:
        console.print(f"{missed} missed. What is known of misses is in docs/validation.md.", highlight=False)
    return missed
