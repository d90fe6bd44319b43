"""Goods made but delivered to nobody, a trait of rationing rule 2, currency units a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class GoodsLost(Metric):
    """Goods made but delivered to nobody, a trait of rationing rule 2, currency units a day."""

    kind: Literal["goods_lost"] = "goods_lost"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.lost.sum())
