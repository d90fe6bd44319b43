"""Insolvency: some firms go out of business on a day, whatever their books say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Hit
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Insolvency(Hit):
    """Firms close for good: a fraud that comes to light, an owner abroad who gives up, a licence withdrawn.

    Equation: a firm closes where a draw of its own, uniform on 0 to 1, is below the severity; so 1 closes everybody
    who is hit, and whoever fails at one severity fails at every higher one. It makes and orders nothing from that day
    on. With ``finance`` the estate is wound up as after any closure: the firm pays its debt and its invoices as they
    fall due, and the rest goes to its owners; with ``turnover`` somebody takes over its place; without them it stays
    closed. Not a channel: it is the closing itself.
    """

    kind: Literal["insolvency"] = "insolvency"

    writes: ClassVar[tuple[str, ...]] = ("closing",)

    @property
    def course(self) -> Recovery:
        """Once."""
        return Recovery(law="at_once")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Close those who fail and are still in business."""
        draw = world.streams[f"shock: {self.label}: fails"].uniform(world.day, rows)
        failing = np.unique(rows[draw < strength])
        if "alive" in world.firms:
            failing = failing[world.firms.alive[failing] > 0.0]
        if len(failing):
            world.close(failing, self.label)
