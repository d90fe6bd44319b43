"""Dearer inputs: what firms need from outside costs more for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import require, sector_row

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class InputCost(Spell):
    """What firms need costs more: energy, imports, insurance.

    Equation: the cost of a unit rises by rise x s x a, as a share of its usual price, with s what is left of the
    severity. a is 1, or, where ``input`` names a sector, what the firm buys from that sector a unit of its output: who
    needs more energy is hit harder. Channel ``input_cost``; ``pricing`` listens and passes it on, and with ``finance``
    it is paid to the outside.
    """

    kind: Literal["input_cost"] = "input_cost"
    rise: float = Field(default=0.1, ge=0, le=100)
    """Rise of the cost at severity 1, share of the usual price."""
    input: str | None = None
    """Sector whose goods become dearer; by default all costs rise alike."""

    writes: ClassVar[tuple[str, ...]] = ("input_cost",)

    def check(self, world: World, where: str) -> None:
        """Somebody must set prices."""
        require(world, "input_cost", f"{where}.kind", "dearer inputs")
        if self.input is not None:
            sector_row(world, self.input, f"{where}.input")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Raise today's costs."""
        world.sheet.multiply("input_cost", rows, 1.0 + self.rise * strength * self._needs(world)[rows])

    def _needs(self, world: World) -> Array:
        """What each firm buys of the input a unit of its output, shape (n,)."""
        if self.input is None:
            return np.ones(world.firms.rows)
        plan, output = world.plan, world.firms.output
        bought = plan.firms.sector[plan.supplier] == sector_row(world, self.input, "input")
        amount = np.bincount(plan.buyer[bought], plan.flow[bought], minlength=world.firms.rows)
        return np.divide(amount, output, out=np.zeros(world.firms.rows), where=output > 0)
