"""A change of preferences: customers turn from some firms to others for good, more of them each day at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Hit
from ecosim.shocks.listening import since
from ecosim.shocks.shift import GAINERS, losses, move, name_gainers
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class PreferenceChange(Hit):
    """Customers change their tastes for good: less meat, less paper, what is bought from a distance.

    Equation: like ``demand_shift``, with s = severity x min(1, (t + 1) / spread_days) on day t since it began, and no
    way back. Channel ``demand``; the core listens.
    """

    kind: Literal["preference_change"] = "preference_change"
    to: Who = Who()
    """Who gains: of these firms, those that do not lose."""
    spread_days: int = Field(default=90, ge=1, le=100_000)
    """Days until everybody who changes has changed."""

    writes: ClassVar[tuple[str, ...]] = ("demand",)

    @property
    def course(self) -> None:
        """It stays."""
        return

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose who loses, and who gains."""
        super().prepare(world, rng, where)
        name_gainers(world, self.to, self.label, f"{where}.to")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Move what customers want today."""
        gaining = np.zeros(world.firms.rows, dtype=np.bool_)
        gaining[world.memory[GAINERS.format(self.label)]["rows"]] = True
        spread = np.minimum((since(world, self.label) + 1.0) / self.spread_days, 1.0)
        move(world, losses(world, rows, strength * spread), gaining, world.plan.customer)
