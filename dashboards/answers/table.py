"""A table read from a file, sifted and sorted without a query language, a page at a time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    type Test = Literal["is", "is not", "contains", "at least", "at most", "is empty"]

LARGEST = 300_000_000  # bytes of a file that is opened
MOST_ROWS = 3_000_000
MOST_CELLS = 100_000_000  # a small file may unpack to more than there is memory
LONGEST = 400  # letters of a cell
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")  # as numbers are shown
LARGE = 1e5  # numbers from here on have five digits before the point
MOST_POINTS = 5000
"""Points of a chart: more cannot be seen, and would be megabytes on the way to the browser."""
TESTS: tuple[Test, ...] = ("is", "is not", "contains", "at least", "at most", "is empty")


@dataclass(frozen=True)
class Sieve:
    """One condition on the rows: ``column`` passes the ``test`` with ``value``."""

    column: str
    test: Test
    value: str = ""


def read(path: Path) -> pd.DataFrame:
    """Table of a Parquet or CSV file. Raises InputError where it is too large or none."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path.name}: {size / 1e6:,.0f} MB, more than the {LARGEST / 1e6:,.0f} MB shown here; "
                             "read it with pandas")  # fmt: skip
        if path.suffix == ".csv":
            return pd.read_csv(path, nrows=MOST_ROWS)
        import pyarrow.parquet as pq

        held = pq.read_metadata(path)
        for many, most, what in (
            (held.num_rows, MOST_ROWS, "rows"), (held.num_rows * held.num_columns, MOST_CELLS, "cells"),
        ):  # fmt: skip
            if many > most:
                more = f"{many:,} {what}, more than the {most:,} shown here"
                raise InputError(f"{path.name}: {more}; read it with pandas")
        table: pd.DataFrame = pq.read_table(path).to_pandas()
    except InputError:
        raise
    except Exception as error:  # whatever a damaged file makes a reader say
        raise InputError(f"{path.name}: cannot be read as a table ({_short(str(error))}); it may be damaged") from None
    named = table.index.name is not None or any(table.index.names)
    return table.reset_index() if named else table.reset_index(drop=True)


def sift(table: pd.DataFrame, sieves: Sequence[Sieve]) -> pd.DataFrame:
    """Rows that pass all conditions. Raises InputError for a column that is not there, or a value that is no number."""
    kept = table
    for sieve in sieves:
        if sieve.column not in kept:
            raise InputError(f"{sieve.column}: no such column; choose one of {', '.join(map(str, table.columns))}")
        kept = kept[_passes(kept[sieve.column], sieve)]
    return kept


def _passes(column: pd.Series, sieve: Sieve) -> pd.Series:
    if sieve.test == "is empty":
        return column.isna()
    words = column.astype("str").str.casefold()
    wanted = sieve.value.strip()
    if sieve.test == "contains":
        return words.str.contains(wanted.casefold(), regex=False)
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if sieve.test in ("at least", "at most") or numbers:
        try:
            number = float(wanted.replace(",", "") if THOUSANDS.fullmatch(wanted) else wanted)
        except ValueError:
            raise InputError(f"{sieve.column}: {sieve.value!r} is no number; give one, such as 0.5") from None
        values = pd.to_numeric(column, errors="coerce")
        if sieve.test == "at least":
            return values >= number
        if sieve.test == "at most":
            return values <= number
        near = (values - number).abs() <= 1e-9 * max(1.0, abs(number))
        return near if sieve.test == "is" else ~near
    same = words == wanted.casefold()
    return same if sieve.test == "is" else ~same


def ordered(table: pd.DataFrame, column: str | None, *, falling: bool = False) -> pd.DataFrame:
    """Rows sorted by a column, the empty ones last; as they are without one."""
    if column is None or column not in table:
        return table
    try:
        return table.sort_values(column, ascending=not falling, kind="stable", na_position="last")
    except TypeError:  # words and numbers in one column
        return table.sort_values(column, ascending=not falling, kind="stable", key=lambda values: values.astype("str"))


def page(table: pd.DataFrame, at: int, rows: int) -> list[list[str]]:
    """Cells of one page as they are shown, a list a row."""
    part = table.iloc[at * rows : (at + 1) * rows]
    return [[shown(value) for value in row] for row in part.itertuples(index=False, name=None)]


def shown(value: Any) -> str:
    """A cell in a few letters: numbers to five digits, nothing for what is missing."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0):
        number = float(value)
        if math.isnan(number):
            return ""
        whole = number.is_integer() or abs(number) >= LARGE
        return f"{number:,.0f}" if whole and abs(number) < 1e15 else f"{number:,.5g}"
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def numeric(table: pd.DataFrame) -> list[str]:
    """Columns that can be drawn: numbers, and no yes or no."""
    return [
        str(name)
        for name in table.columns
        if pd.api.types.is_numeric_dtype(table[name]) and not pd.api.types.is_bool_dtype(table[name])
    ]


def thinned(table: pd.DataFrame, across: str, up: str) -> tuple[Any, Any]:
    """Two columns of numbers as arrays, rows without either left out, every k-th row of very many."""
    both = table[[across, up]].dropna() if across != up else table[[across]].dropna()
    step = -(-len(both) // MOST_POINTS) or 1
    part = both.iloc[::step]
    return part[across].to_numpy(dtype=float), part[up].to_numpy(dtype=float)


COUNTED = frozenset({"run", "point", "replicate", "seed", "day", "x"})
FIRST = ("total_production", "loss.production_percent", "effect", "d", "lost_percent")


def worth_showing(numbers: list[str], across: str) -> str:
    """Column that a chart begins with: one that is usually asked for, else the last one that is no counting."""
    known = next((name for name in FIRST if name in numbers), None)
    return known or next((name for name in numbers[::-1] if name != across and name not in COUNTED), "")
