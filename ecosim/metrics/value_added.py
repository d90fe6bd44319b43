"""Production times the baseline share of value added, summed over firms, currency units a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class ValueAdded(Metric):
    """Production times the baseline share of value added, summed over firms, currency units a day.

    Value added is output less purchases from other firms of the economy (Inoue & Todo 2019): with a national table it
    therefore includes imported inputs and taxes on products."""

    kind: Literal["value_added"] = "value_added"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day; not by a dot product, whose last bit depends on threads."""
        return float((world.firms.value_added_share * world.firms.production).sum())
