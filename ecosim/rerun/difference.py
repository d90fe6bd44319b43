"""What differs first between two tables: bit by bit, in the order of their columns and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """The first place at which a table of a folder is not what living it again gives."""

    table: str
    column: str
    row: str
    """What names the row, or empty where the tables differ as a whole."""
    here: str
    again: str

    def __str__(self) -> str:
        """Say it in one line."""
        place = ", ".join(filter(None, (self.table, self.column and f"column {self.column}", self.row)))
        return f"{place}: {self.here} in the folder, {self.again} when lived again"


def of_tables(table: str, here: pd.DataFrame, again: pd.DataFrame) -> Difference | None:
    """The first difference of two data frames, None where they agree to the bit; NaN agrees with NaN."""
    for name in [*here.columns, *again.columns]:
        there = [
            str(name in frame.columns).replace("True", "there").replace("False", "missing") for frame in (here, again)
        ]
        if there[0] != there[1]:
            return Difference(table, str(name), "", *there)
    if len(here) != len(again):
        return Difference(table, "", "", f"{len(here):,} rows", f"{len(again):,} rows")
    first: tuple[int, str] | None = None
    for name in here.columns:
        row = _first(here[name], again[name])
        if row is not None and (first is None or row < first[0]):
            first = row, name
    if first is None:
        index = _first(here.index.to_series(), again.index.to_series())
        return (
            None
            if index is None
            else Difference(table, "", f"row {index}", str(here.index[index]), str(again.index[index]))
        )
    row, name = first
    shown = [_shown(frame[name].iloc[row]) for frame in (here, again)]
    if shown[0] == shown[1]:
        shown = [f"{text} ({_bits(frame[name].iloc[row])})" for text, frame in zip(shown, (here, again), strict=True)]
    return Difference(table, str(name), _named(here, row), *shown)


def _first(here: pd.Series[Any], again: pd.Series[Any]) -> int | None:
    """Row of the first difference of two columns of equal length."""
    if not len(here):
        return None
    one, other = _plain(here), _plain(again)
    if one.dtype != other.dtype:
        return 0
    if one.dtype.kind == "f":
        size = f"u{one.dtype.itemsize}"
        differ = (one.view(size) != other.view(size)) & ~(np.isnan(one) & np.isnan(other))
    else:
        differ = one != other
    at = np.flatnonzero(differ)
    return int(at[0]) if len(at) else None


def _plain(column: pd.Series[Any]) -> Any:
    """A column as an array whose elements compare: texts and categories as texts, where what is missing is empty."""
    if column.dtype.kind in "iufb":
        return np.ascontiguousarray(column.to_numpy())
    texts = column.astype(object)
    return np.array(["" if value is None or value != value else str(value) for value in texts], dtype=object)  # noqa: PLR0124


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _bits(value: Any) -> str:
    return (
        f"bits {np.float64(value).tobytes().hex()}" if isinstance(value, float | np.floating) else type(value).__name__
    )


def _named(frame: pd.DataFrame, row: int) -> str:
    """A row by its number, and by the firm or the day that it is of."""
    told = [f"row {row}"]
    if frame.index.name:
        told.append(f"{frame.index.name} {frame.index[row]}")
    told += [
        f"{name} {frame[name].iloc[row]}"
        for name in ("firm", "supplier", "client", "replicate", "run")
        if name in frame
    ]
    return f"{told[0]} ({', '.join(told[1:])})" if len(told) > 1 else told[0]


def of_values(table: str, here: Any, again: Any, path: str = "") -> Difference | None:
    """The first difference of two values such as JSON holds."""
    if isinstance(here, dict) and isinstance(again, dict):
        return _of_keys(table, here, again, path)
    if isinstance(here, list) and isinstance(again, list) and len(here) == len(again):
        found = (
            of_values(table, one, other, f"{path}.{at}".lstrip("."))
            for at, (one, other) in enumerate(zip(here, again, strict=True))
        )
        return next((each for each in found if each is not None), None)
    same = type(here) is type(again) and (here == again or (here != here and again != again))  # noqa: PLR0124
    return None if same else Difference(table, path, "", _shown(here), _shown(again))


def _of_keys(table: str, here: Mapping[str, Any], again: Mapping[str, Any], path: str) -> Difference | None:
    for key in [*here, *(key for key in again if key not in here)]:
        below = f"{path}.{key}" if path else str(key)
        if (key in here) != (key in again):
            return Difference(table, below, "", *(_shown(of[key]) if key in of else NOTHING for of in (here, again)))
        found = of_values(table, here[key], again[key], below)
        if found is not None:
            return found
    return None
