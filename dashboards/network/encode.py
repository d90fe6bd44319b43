"""A whole run in a few kilobytes: a byte a firm and day, packed, so that a browser scrubs it by itself."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint

    type Array = NDArray[np.float64]
    type Bytes = NDArray[np.uint8]

CLOSED = 255
MOST = 254
CELLS_FROM = 20_000
"""Firms from which cells, sector by region, are shown and no firms."""


def codes(made: Array, usual: Array, alive: Array | None = None) -> Bytes:
    """Output as a percentage of the usual in a byte, any shape: 0 to 254, more is told as 254, and 255 is closed."""
    shares = np.divide(100.0 * made, usual, out=np.full(np.shape(made), 100.0), where=usual > 0)
    found: Bytes = np.minimum(np.rint(shares), MOST).astype(np.uint8)
    if alive is not None:
        found[alive <= 0.0] = CLOSED
    return found


def decoded(packed: bytes, days: int) -> Bytes:
    """Codes (days, firms) of packed frames: each day but the first is written as its difference from the day before."""
    changes = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(days, -1)
    found: Bytes = np.cumsum(changes, axis=0, dtype=np.uint8)
    return found


def cells(plan: Blueprint) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cell of each firm, sector by region, (n,), from 0; and sector x regions + region of each cell, (cells,)."""
    key = plan.firms.sector.astype(np.int64) * len(plan.firms.region_names) + plan.firms.region
    kept, of = np.unique(key, return_inverse=True)
    return of.astype(np.int64), kept


@dataclass
class Recording:
    """Days of a run as codes (days, firms or cells), noted one by one."""

    usual: Array
    cell: NDArray[np.int64] | None
    codes: Bytes = field(repr=False)

    @classmethod
    def of(cls, plan: Blueprint, days: int, usual: Array) -> Recording:
        """Begin to record an economy whose firms usually make ``usual`` (n,) a day."""
        cell = cells(plan)[0] if len(usual) > CELLS_FROM else None
        if cell is not None:
            usual = np.bincount(cell, usual)
        return cls(usual, cell, np.zeros((days, len(usual)), dtype=np.uint8))

    def note(self, day: int, made: Array, alive: Array | None = None) -> None:
        """Keep a day's output of every firm, (n,)."""
        if self.cell is None:
            self.codes[day] = codes(made, self.usual, alive)
        else:
            self.codes[day] = codes(np.bincount(self.cell, made), self.usual)

    def frames(self) -> bytes:
        """Everything noted, packed; see `decoded`."""
        changes = np.diff(self.codes, axis=0, prepend=np.zeros((1, self.codes.shape[1]), dtype=np.uint8))
        return zlib.compress(changes.tobytes(), 6)

    def struck(self, rows: NDArray[np.int64]) -> bytes:
        """Whether each firm is struck by a shock, or any firm of each cell: a byte each."""
        found = np.zeros(len(self.usual), dtype=np.uint8)
        found[rows if self.cell is None else self.cell[rows]] = 1
        return found.tobytes()
