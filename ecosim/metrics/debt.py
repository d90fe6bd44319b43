"""What firms owe the bank, currency units (where finance is on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.metrics.metric import Metric

if TYPE_CHECKING:
    from ecosim.state import World


class Debt(Metric):
    """What firms owe the bank, currency units (where finance is on)."""

    kind: Literal["debt"] = "debt"
    of: ClassVar[str | None] = "finance"

    def measure(self, world: World) -> float:
        """Return the value at the end of the day."""
        return float(world.firms.debt.sum())
