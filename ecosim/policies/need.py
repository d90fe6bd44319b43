"""In what state a firm gets help today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ecosim.errors import InputError
from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Need(Part):
    """Firms that are in business and meet every condition given; it is looked at each morning, from last evening."""

    struck: bool = False
    """Whether a shock has struck the firm that is not over."""
    below: float | None = Field(default=None, gt=0, le=1)
    """Production below this share of usual output."""
    cash_below: float | None = Field(default=None, gt=0, le=100)
    """Cash below this share of the cash that the firm aims at (finance)."""
    distress: bool = False
    """Whether the firm could not pay in full what was due (finance)."""

    def check(self, world: World, where: str) -> None:
        """Raise InputError where nobody could tell who is in need."""
        asked = next((name for name in ("cash_below", "distress") if getattr(self, name)), None)
        if asked is not None and world.money is None:
            raise InputError(f"{where}.{asked}: nobody has cash where finance is off; add {{kind: finance}} or drop it")

    def met(self, world: World, rows: Array) -> Array:
        """Those of some firms, rows ascending, that are in need today."""
        firms = world.firms.columns
        fits = np.ones(len(rows), dtype=np.bool_)
        if "alive" in firms:
            fits &= firms["alive"][rows] > 0.0
        if self.below is not None:
            fits &= firms["production"][rows] < self.below * firms["output"][rows]
        if self.cash_below is not None:
            fits &= firms["cash"][rows] < self.cash_below * firms["cash_target"][rows]
        if self.distress:
            fits &= firms["distress"][rows] > 0.0
        if self.struck:
            fits &= struck_now(world)[rows]
        return rows[fits]


def struck_now(world: World) -> Array:
    """Whether each firm is under a shock that is not over, shape (n,)."""
    found = np.zeros(world.firms.rows, dtype=np.bool_)
    for kept in world.memory.values():
        if "origin" in kept:
            found[kept["rows"][(kept["left"] > 0.0) & (kept["day"] <= world.day)]] = True
    return found
