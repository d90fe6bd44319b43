"""Mean productivity through know-how, weighted by output at rest, 1 at rest (where experiments is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class KnowHow(Metric):
    """Mean productivity through know-how, weighted by output at rest, 1 at rest (where experiments is on)."""

    kind: Literal["know_how"] = "know_how"
    of: ClassVar[str | None] = "experiments"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float((world.firms.know_how * world.firms.output).sum() / world.firms.output.sum())
