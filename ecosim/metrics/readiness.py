"""Mean readiness for trouble, 0 to 1 (where learning is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class Readiness(Metric):
    """Mean readiness for trouble, 0 to 1 (where learning is on)."""

    kind: Literal["readiness"] = "readiness"
    of: ClassVar[str | None] = "learning"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.readiness.mean())
