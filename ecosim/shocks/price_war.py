"""A price war: some firms sell below what they would like to charge for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import require

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class PriceWar(Spell):
    """Firms undercut each other, or all others: who is hit sells cheap, and the others lose customers to it.

    Equation: the price that a firm would like is multiplied by 1 - cut x s, s being what is left of the severity, and
    set every evening, however seldom the firm changes prices otherwise; so it shows from the day after. Channel
    ``price``; ``pricing`` listens. Without it nobody has prices, and the shock is refused.
    """

    kind: Literal["price_war"] = "price_war"
    cut: float = Field(default=0.1, ge=0, le=0.9)
    """By how much firms lower their price at severity 1, share of what they would like."""

    writes: ClassVar[tuple[str, ...]] = ("price",)

    def check(self, world: World, where: str) -> None:
        """Somebody must set prices."""
        require(world, "price", f"{where}.kind", "a price war")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Lower tonight's prices."""
        world.sheet.multiply("price", rows, 1.0 - self.cut * strength)
