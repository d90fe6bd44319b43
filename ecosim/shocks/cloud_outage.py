"""A cloud outage: firms that work in one cloud stand still together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import narrow, require

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class CloudOutage(Spell):
    """A cloud provider is down: firms with nothing else in common fail at once.

    Equation: the cloud works at 1 - s for its users among the firms named, s being what is left of the severity: a
    user loses the share of its capacity that needs the cloud. Channel ``cloud``; ``platforms`` listens. Without it
    nobody works in a cloud, and the shock is refused.
    """

    kind: Literal["cloud_outage"] = "cloud_outage"
    cloud: int | None = Field(default=0, ge=0)
    """Which cloud, 0 the largest; null for all of them."""
    days: int = Field(default=2, ge=1, le=100_000)
    """Days at full strength."""

    writes: ClassVar[tuple[str, ...]] = ("cloud",)

    def check(self, world: World, where: str) -> None:
        """There must be clouds."""
        require(world, "cloud", f"{where}.kind", "a cloud that is down")

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose firms, and of them the cloud's users."""
        super().prepare(world, rng, where)
        uses = world.firms.cloud
        reached = uses >= 0 if self.cloud is None else uses == self.cloud
        narrow(world, self.label, reached, f"{where}.cloud", "none of these firms works in it; name another cloud")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Stop the cloud today."""
        world.sheet.multiply("cloud", rows, 1.0 - strength)
