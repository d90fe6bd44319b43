"""Goods held up on the road by shocks, in nobody's stock in the evening, currency units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim import goods
from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class GoodsInTransit(Metric):
    """Goods held up on the road by shocks, in nobody's stock in the evening, currency units."""

    kind: Literal["goods_in_transit"] = "goods_in_transit"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return goods.in_transit(world)
