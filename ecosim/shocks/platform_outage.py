"""A platform outage: customers cannot order through a marketplace for a while."""

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


class PlatformOutage(Spell):
    """A marketplace is down, bans its sellers, or is blocked.

    Equation: the platform works at 1 - s for its members among the firms named, s being what is left of the severity:
    a member loses the part of its customers who order there and have no other way. Channel ``platform``; ``platforms``
    listens. Without it nobody sells through a platform, and the shock is refused.
    """

    kind: Literal["platform_outage"] = "platform_outage"
    platform: int | None = Field(default=0, ge=0)
    """Which platform, 0 the largest; null for all of them."""
    days: int = Field(default=3, ge=1, le=100_000)
    """Days at full strength."""

    writes: ClassVar[tuple[str, ...]] = ("platform",)

    def check(self, world: World, where: str) -> None:
        """There must be platforms."""
        require(world, "platform", f"{where}.kind", "a platform that is down")

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose firms, and of them the platform's members."""
        super().prepare(world, rng, where)
        on = world.firms.platform
        reached = on >= 0 if self.platform is None else on == self.platform
        narrow(world, self.label, reached, f"{where}.platform", "none of these firms is on it; name another platform")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Stop the platform today."""
        world.sheet.multiply("platform", rows, 1.0 - strength)
