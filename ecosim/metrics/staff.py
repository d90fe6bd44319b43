"""Staff at work, share of the usual, weighted by output at rest (where workforce is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class Staff(Metric):
    """Staff at work, share of the usual, weighted by output at rest (where workforce is on)."""

    kind: Literal["staff"] = "staff"
    of: ClassVar[str | None] = "workforce"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float((world.firms.staff * world.firms.output).sum() / world.firms.output.sum())
