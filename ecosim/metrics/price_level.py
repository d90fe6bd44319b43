"""Mean price, weighted by output at rest, 1 at rest (where pricing is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class PriceLevel(Metric):
    """Mean price, weighted by output at rest, 1 at rest (where pricing is on)."""

    kind: Literal["price_level"] = "price_level"
    of: ClassVar[str | None] = "pricing"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float((world.firms.posted_price * world.firms.output).sum() / world.firms.output.sum())
