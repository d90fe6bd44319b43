"""Firms in business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class FirmsOpen(Metric):
    """Firms in business."""

    kind: Literal["firms_open"] = "firms_open"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float((world.firms.alive > 0).sum()) if "alive" in world.firms else float(world.firms.rows)
