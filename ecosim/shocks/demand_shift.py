"""A demand shift: for a while customers turn from some firms to others, and want as much as ever in sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Spell
from ecosim.shocks.shift import GAINERS, losses, move, name_gainers
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class DemandShift(Spell):
    """Customers turn from some firms to others for a while: from restaurants to groceries, from shops to the web.

    Equation, in each community, with w usual wants and s what is left of the severity: those hit lose s w, and each
    of those who gain wants in proportion to w, so that the community wants as much as ever. Where a community has
    nobody to turn to, nobody turns away. Channel ``demand``; the core listens. With ``customers`` a firm feels
    1/segments of its loss or gain; the sum stays as long as firms that lose and gain have as many segments.
    """

    kind: Literal["demand_shift"] = "demand_shift"
    to: Who = Who()
    """Who gains: of these firms, those that do not lose."""

    writes: ClassVar[tuple[str, ...]] = ("demand",)

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose who loses, and who gains."""
        super().prepare(world, rng, where)
        name_gainers(world, self.to, self.label, f"{where}.to")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Move what customers want today."""
        gaining = np.zeros(world.firms.rows, dtype=np.bool_)
        gaining[world.memory[GAINERS.format(self.label)]["rows"]] = True
        move(world, losses(world, rows, strength), gaining, world.plan.customer)
