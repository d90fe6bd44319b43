"""Goods that customers wanted and did not get, currency units a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class UnmetDemand(Metric):
    """Goods that customers wanted and did not get, currency units a day."""

    kind: Literal["unmet_demand"] = "unmet_demand"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.customers.unmet.sum())
