"""An outage: firms lose capacity on a day and get it back by one of six laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Hit
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Outage(Hit):
    """Firms lose a share of their capacity: a flood, a fire, a strike, a machine that breaks."""

    kind: Literal["outage"] = "outage"
    recovery: Recovery | None = Recovery()
    """How capacity comes back; null for never."""

    damages: ClassVar[bool] = True
    writes: ClassVar[tuple[str, ...]] = ("capacity", "intact")

    @property
    def course(self) -> Recovery | None:
        """The law of recovery."""
        return self.recovery

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Take the damage off today's capacity."""
        world.sheet.multiply("capacity", rows, 1.0 - strength)
        if "intact" in world.sheet.channels:  # what is damaged has to be repaired, and paid for (recovery)
            world.sheet.multiply("intact", rows, 1.0 - strength)
