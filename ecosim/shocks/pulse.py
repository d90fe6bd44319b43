"""A pulse: one channel of some firms is scaled for some days, and comes back in equal steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.errors import InputError
from ecosim.shocks.hit import Spell

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Pulse(Spell):
    """Something that scales a channel of the sheet: what customers want, credit lines, labour at work, a platform.

    The core listens to ``capacity`` and ``demand``; each mechanism opens channels of its own, which docs/mechanisms.md
    lists. The channel of the chosen firms is multiplied by 1 + s (``factor`` - 1), with s the severity, for ``days``
    days, and then returns to 1 in ``ease`` equal daily steps.
    """

    kind: Literal["pulse"] = "pulse"
    channel: str = "demand"
    """What is scaled."""
    factor: float = Field(default=0.5, ge=0, le=100)
    """What the channel is multiplied by at severity 1: 0.3 leaves 30 % of it, 2 doubles it."""

    begins: ClassVar[str] = "begins"

    def may_write(self) -> tuple[str, ...]:
        """The one it scales."""
        return (self.channel,)

    def told(self, strength: Array) -> Array:
        """What the channel is multiplied by."""
        return np.where(strength == 1.0, self.factor, 1.0 + strength * (self.factor - 1.0))

    def check(self, world: World, where: str) -> None:
        """Somebody must listen to the channel."""
        if self.channel not in world.sheet.channels:
            instead = world.sheet.instead(self.channel)
            raise InputError(f"{where}.channel: nobody listens to {self.channel!r} in this scenario; {instead}")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Scale the channel today."""
        world.sheet.multiply(self.channel, rows, 1.0 + strength * (self.factor - 1.0))
