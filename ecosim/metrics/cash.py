"""Cash of all firms, currency units (where finance is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class Cash(Metric):
    """Cash of all firms, currency units (where finance is on)."""

    kind: Literal["cash"] = "cash"
    of: ClassVar[str | None] = "finance"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.cash.sum())
