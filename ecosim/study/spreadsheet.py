"""Tables as CSV in which nothing is taken for a formula by a spreadsheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"\s*[=+\-@]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def csv(frame: pd.DataFrame) -> str:
    """The table without its index. Numbers read back to the bit; a text, or a column's name, that a spreadsheet would
    run as a formula (CWE-1236: names of packages, of values, of errors are free texts) has an apostrophe before it."""
    safe = frame.copy(deep=False)
    safe.columns = [harmless(name) for name in frame.columns]
    for at, kind in enumerate(frame.dtypes):
        if kind.kind not in "biuf":
            safe.isetitem(at, [harmless(cell) for cell in frame.iloc[:, at]])
    return safe.to_csv(index=False)


def harmless(cell: Any) -> Any:
    """A text that no spreadsheet takes for a formula; anything else as it is."""
    risky = isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell.strip())
    return f"'{cell}" if risky else cell
