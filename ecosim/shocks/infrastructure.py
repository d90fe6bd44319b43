"""Infrastructure that fails: power, water or roads of a region, so that firms make less and goods arrive late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Infrastructure(Spell):
    """Power, water, roads or telephones fail in a region; what firms own stays whole, so nothing is to be repaired.

    Equation, with s what is left of the severity: capacity x (1 - s), and of what is on its way to a firm the share
    1 / (1 + extra_days x s) arrives each day. Channels ``capacity`` and ``delivery``; the core listens to both.
    """

    kind: Literal["infrastructure"] = "infrastructure"
    days: int = Field(default=7, ge=1, le=100_000)
    """Days at full strength."""
    extra_days: float = Field(default=3.0, ge=0, le=10_000)
    """Mean days that goods take longer at severity 1."""

    writes: ClassVar[tuple[str, ...]] = ("capacity", "delivery")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Stop work and hold goods back today."""
        world.sheet.multiply("capacity", rows, 1.0 - strength)
        if self.extra_days > 0.0:
            world.sheet.multiply("delivery", rows, 1.0 / (1.0 + self.extra_days * strength))
