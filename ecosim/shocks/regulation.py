"""Regulation: new rules forbid some activity, cost money to follow, and slow down who wants to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import require

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Regulation(Spell):
    """New rules: a ban, opening hours, a duty to report, a licence.

    Equation, with s what is left of the severity: capacity x (1 - activity s), cost of a unit x (1 + cost s), speed at
    which firms open x (1 - entry s). Channels ``capacity`` (the core), ``input_cost`` (``pricing``) and ``entry``
    (``turnover``); a part that nobody listens to is refused where it is above 0. With ``finance``, the cost is paid to
    the outside.
    """

    kind: Literal["regulation"] = "regulation"
    days: int = Field(default=365, ge=1, le=100_000)
    """Days at full strength."""
    activity: float = Field(default=0.1, ge=0, le=1)
    """Share of what a firm can make that the rules forbid at severity 1."""
    cost: float = Field(default=0.0, ge=0, le=100)
    """What it costs to follow them at severity 1, share of the usual price."""
    entry: float = Field(default=0.0, ge=0, le=1)
    """By how much opening a firm becomes slower at severity 1, share of the usual speed."""

    writes: ClassVar[tuple[str, ...]] = ("capacity", "input_cost", "entry")

    def check(self, world: World, where: str) -> None:
        """Every part needs its listener."""
        if self.cost > 0.0:
            require(world, "input_cost", f"{where}.cost", "what the rules cost")
        if self.entry > 0.0:
            require(world, "entry", f"{where}.entry", "slower entry")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Apply the rules today."""
        if self.activity > 0.0:
            world.sheet.multiply("capacity", rows, 1.0 - self.activity * strength)
        if self.cost > 0.0:
            world.sheet.multiply("input_cost", rows, 1.0 + self.cost * strength)
        if self.entry > 0.0:
            world.sheet.multiply("entry", rows, 1.0 - self.entry * strength)
