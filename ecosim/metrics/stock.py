"""Value of all stocks of inputs, currency units at baseline prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class Stock(Metric):
    """Value of all stocks of inputs, currency units at baseline prices."""

    kind: Literal["stock"] = "stock"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.links.stock.sum())
