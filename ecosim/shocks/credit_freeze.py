"""A credit freeze: banks lend less for a while, and ask more for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import require

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class CreditFreeze(Spell):
    """Banks cut credit lines, and may raise interest: a credit crunch.

    Equation, with s what is left of the severity: credit line x (1 - s), interest x (1 + interest_rise x s). What is
    drawn already stays drawn; whoever owes more than the line gets no more. Channels ``credit`` and ``interest``;
    ``finance`` listens. Without it nobody holds money, and the shock is refused.
    """

    kind: Literal["credit_freeze"] = "credit_freeze"
    interest_rise: float = Field(default=0.0, ge=0, le=100)
    """Rise of interest on debt at severity 1, share of the usual."""

    writes: ClassVar[tuple[str, ...]] = ("credit", "interest")

    def check(self, world: World, where: str) -> None:
        """Somebody must lend."""
        require(world, "credit", f"{where}.kind", "a lack of credit")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Cut today's credit lines."""
        world.sheet.multiply("credit", rows, 1.0 - strength)
        if self.interest_rise > 0.0:
            world.sheet.multiply("interest", rows, 1.0 + self.interest_rise * strength)
