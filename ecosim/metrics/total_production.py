"""Output of all firms, currency units a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class TotalProduction(Metric):
    """Output of all firms, currency units a day."""

    kind: Literal["total_production"] = "total_production"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.production.sum())
