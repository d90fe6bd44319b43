"""Capacity out of order, currency units a day at baseline prices: the direct damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class CapacityLost(Metric):
    """Capacity that shocks put out of order, currency units a day at baseline prices: the direct damage."""

    kind: Literal["capacity_lost"] = "capacity_lost"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        left = world.sheet.read("capacity")
        return 0.0 if left is None else float((world.firms.potential * (1.0 - left)).sum())
