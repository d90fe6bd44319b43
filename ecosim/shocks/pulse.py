"""A pulse: one channel of some firms is scaled for some days, and comes back in equal steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.errors import InputError
from ecosim.shocks.shock import Shock
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World


class Pulse(Shock):
    """Something that scales a channel of the sheet: what customers want, credit lines, labour at work, a platform.

    The core listens to ``capacity`` and ``demand``; each mechanism opens channels of its own, which docs/mechanisms.md
    lists. The channel of the chosen firms is multiplied by ``factor`` from day ``when`` on for ``days`` days, and then
    returns to 1 in ``ease`` equal daily steps.
    """

    kind: Literal["pulse"] = "pulse"
    channel: str = "demand"
    """What is scaled."""
    who: Who = Who()
    """Which firms."""
    when: int = Field(default=0, ge=0)
    """Day on which it begins; the first day is 0."""
    days: int = Field(default=30, ge=1, le=100_000)
    """Days at full strength."""
    factor: float = Field(default=0.5, ge=0, le=100)
    """What the channel is multiplied by: 0.3 leaves 30 % of it, 2 doubles it."""
    ease: int = Field(default=0, ge=0, le=100_000)
    """Days over which it eases off afterwards."""

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose who will be hit, once, before the first day."""
        if self.channel not in world.sheet.channels:
            instead = world.sheet.instead(self.channel)
            raise InputError(f"{where}.channel: nobody listens to {self.channel!r} in this scenario; {instead}")
        world.memory[self.label] = {"rows": self.who.pick(world, rng, f"{where}.who")}

    def apply(self, world: World, rng: Stream) -> None:
        """Scale the channel today."""
        since = world.day - self.when
        end = self.days + self.ease
        if not 0 <= since <= end:
            return
        rows = world.memory[self.label]["rows"]
        if since == end:
            world.happened(f"{self.label} is over", rows, 1.0)
            return
        if since == 0:
            world.happened(f"{self.label} begins", rows, self.factor)
        strength = 1.0 if since < self.days else (end - since) / (self.ease + 1)
        world.sheet.multiply(self.channel, rows, np.full(len(rows), 1.0 + strength * (self.factor - 1.0)))
