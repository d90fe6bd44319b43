"""What every metric does: one number a day from the state of the world."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.state import World


class Metric(Part, ABC):
    """One number a day; the kind is its column in ``series``."""

    kind: str
    of: ClassVar[str | None] = None
    """Kind of the mechanism without which there is nothing to measure."""

    @abstractmethod
    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
