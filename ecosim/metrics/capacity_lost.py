"""Capacity out of order, currency units a day at baseline prices: the direct damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class CapacityLost(Metric):
    """Capacity out of order, currency units a day at baseline prices: the direct damage."""

    kind: Literal["capacity_lost"] = "capacity_lost"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.potential.sum()) - float(world.firms.capacity.sum())
