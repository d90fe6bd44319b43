"""Strikes as they were recorded: dated events in a CSV file."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from ecosim.errors import InputError, hint
from ecosim.part import Part
from ecosim.shocks.strike import GIVEN, Strike

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

SHOWN = 20  # mistakes of a file that are told
COLUMNS = ("day", "date", "firm", "region", "sector", "severity")


@dataclass
class _Held:
    """What was read. All are equal: it is no part of what a replay says."""

    raw: bytes | None = field(default=None, compare=False)


class Replay(Part):
    """Events of a CSV file with columns ``day`` or ``date``; as wanted, ``firm``, ``region``, ``sector``, ``severity``.

    A line strikes the firms that its cells name and ``who`` chooses among; an empty cell names nobody in particular. A
    file is read once, when the economy is first built from a scenario.
    """

    replay: str = Field(min_length=1)
    """CSV file, relative to the scenario's."""
    first_day: date | None = None
    """Date of day 0, as 2020-03-01; needed for a column ``date``."""

    _held: _Held = PrivateAttr(default_factory=_Held)

    @field_validator("first_day", mode="before")
    @classmethod
    def _written_out(cls, value: Any) -> Any:
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(f"{value!r} is no date; write it as 2020-03-01") from None

    @field_validator("replay")
    @classmethod
    def _beside_the_scenario(cls, value: str, info: ValidationInfo) -> str:
        base = (info.context or {}).get("base_dir")
        return str(Path(base).resolve() / value) if base is not None and not Path(value).is_absolute() else value

    def strikes(self, world: World, stream: Stream, where: str) -> list[Strike]:
        """The recorded strikes by day, in the order of the file within a day; InputError names file, line and mend."""
        from ecosim.calibration.imports import csv_table, read_bytes

        if self._held.raw is None:
            self._held.raw = read_bytes(self.replay, f"{where}.replay")
        raw = self._held.raw
        world.sources[self.replay] = hashlib.sha256(raw).hexdigest()
        table, source = csv_table(raw, self.replay)
        told = f"{where}.replay: "
        self._check(list(table.columns), f"{told}{source.header}", where)
        found, wrong = [], []
        for row, cells in enumerate(table.to_dict("records")):
            named = {str(name): str(cell).strip() for name, cell in cells.items()}
            try:
                found.append(self._strike(named, world, source.at(row)))
            except InputError as error:
                wrong.append(f"{told}{error}")
        if wrong:
            raise InputError("\n".join(wrong[:SHOWN] + [f"... and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN)))
        return sorted(found, key=lambda strike: strike.day)

    def _check(self, columns: list[str], header: str, where: str) -> None:
        unknown = [name for name in columns if name not in COLUMNS]
        if unknown:
            raise InputError(f"{header}: unknown column {unknown[0]!r}; {hint(unknown[0], COLUMNS)}")
        if ("day" in columns) == ("date" in columns):
            both = "day and date say the same; drop one" if "day" in columns else "a column is missing; add day or date"
            raise InputError(f"{header}: {both}")
        twice = next((name for name in columns if columns.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"{header}: column {twice!r} stands twice; remove one")
        if "date" in columns and self.first_day is None:
            raise InputError(f"{where}.first_day: missing, and the file has dates; give the date of day 0")

    def _strike(self, cells: dict[str, str], world: World, place: str) -> Strike:
        day = self._day(cells, place)
        last = world.horizon - 1
        if not 0 <= day <= last:
            side = f"beyond the last day {last}; set days: {day + 1} or more" if day > last else "before day 0"
            told = f" ({cells['date']})" if "date" in cells else ""
            raise InputError(f"{place}: day {day}{told} is {side}, or drop the line")
        return Strike(day, GIVEN, _firms_of(cells, world, place), _share_of(cells, place), place)

    def _day(self, cells: dict[str, str], place: str) -> int:
        if "day" in cells:
            try:
                return int(cells["day"])
            except ValueError:
                raise InputError(f"{place}: {cells['day']!r} is no day; give a whole number of at least 0") from None
        try:
            return (date.fromisoformat(cells["date"]) - (self.first_day or date.min)).days
        except ValueError:
            raise InputError(f"{place}: {cells['date']!r} is no date; write it as 2020-03-01") from None


def _firms_of(cells: dict[str, str], world: World, place: str) -> Array | None:
    """Rows that a line names; None for all."""
    plan = world.plan
    rows = None
    if cells.get("firm"):
        if cells["firm"] not in plan.rows_by_name:
            raise InputError(f"{place}: no firm is named {cells['firm']!r}; {hint(cells['firm'], plan.rows_by_name)}")
        rows = np.array([plan.rows_by_name[cells["firm"]]])
    for name, column, names in (
        ("region", plan.firms.region, plan.firms.region_names),
        ("sector", plan.firms.sector, plan.firms.sector_names),
    ):
        if not cells.get(name):
            continue
        if cells[name] not in names:
            raise InputError(f"{place}: no {name} is named {cells[name]!r}; {hint(cells[name], names)}")
        theirs = np.flatnonzero(column == names.index(cells[name]))
        rows = theirs if rows is None else np.intersect1d(rows, theirs)
        if not len(rows):
            raise InputError(f"{place}: no firm is in all that this line names; leave a cell empty")
    return rows


def _share_of(cells: dict[str, str], place: str) -> float | None:
    """Severity of a line; None where it says nothing."""
    text = cells.get("severity", "")
    if not text:
        return None
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise InputError(f"{place}: {text!r} is not a share of capacity; give a number from 0 to 1")
    return share
