"""Stocks of inputs that shocks have destroyed since the first day, currency units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim import goods
from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class GoodsDestroyed(Metric):
    """Stocks of inputs that shocks have destroyed since the first day, currency units."""

    kind: Literal["goods_destroyed"] = "goods_destroyed"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return goods.destroyed(world)
