"""Goods that customers received, currency units a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class FinalConsumption(Metric):
    """Goods that customers received, currency units a day."""

    kind: Literal["final_consumption"] = "final_consumption"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.customers.spent.sum())
