"""Destroyed stocks: part of what firms hold of their inputs is lost in a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Hit
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class InventoryDestruction(Hit):
    """Stocks of inputs burn, rot or are stolen; buildings and machines stay whole.

    Equation: every stock of inputs that a firm holds is multiplied by 1 - severity, once, before it is used that day.
    What is lost is booked in the firm's column ``destroyed``, and the firm orders it again. Channel ``stocks``; the
    core listens.
    """

    kind: Literal["inventory_destruction"] = "inventory_destruction"

    writes: ClassVar[tuple[str, ...]] = ("stocks",)

    @property
    def course(self) -> Recovery:
        """Once: what comes back comes from suppliers."""
        return Recovery(law="at_once")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Destroy stocks."""
        world.sheet.multiply("stocks", rows, 1.0 - strength)
