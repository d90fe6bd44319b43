"""A strategic stock: firms are paid to hold more than they would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

YEAR = 365.0  # days


class StrategicStock(Policy):
    """Firms are paid to hold more stock than they would, so that others' failures reach them later.

    Equation: stock aimed at x (1 + ``extra``); the state pays ``carrying_cost`` of the value of the extra stock for
    as long as it lasts, and pays for the goods themselves where ``buys`` is true, once each firm. Firms order what
    is missing as they always do, so the stock takes weeks to build up and takes goods from others meanwhile; when
    the policy ends they use it up. Firms whose class has an ``order`` rule of its own decide by themselves.

    Channel ``buffer`` (the core).
    """

    kind: Literal["strategic_stock"] = "strategic_stock"
    extra: float = parameter(0.5, unit="share of the usual stock", source="assumption", low=0, high=20)
    """Extra stock: half as much again is a week and a half at the published 15 days."""
    carrying_cost: float = parameter(0.2, unit="share of its value a year", source="assumption", low=0, high=2)
    """Interest, room, and what goes to waste."""
    buys: bool = parameter(True, unit="", source="assumption")
    """Whether the state pays for the goods, too."""

    writes: ClassVar[tuple[str, ...]] = ("buffer",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def keeps(self, world: World) -> dict[str, Array]:
        """Share of the extra stock that was paid for, by firm."""
        return {"bought": np.zeros(world.firms.rows)}

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Carrying cost, and goods that were not yet paid for."""
        firms = world.firms.columns
        inputs = firms["output"][rows] * np.maximum(1.0 - firms["value_added_share"][rows], 0.0)
        value = self.extra * firms["inventory_days"][rows] * inputs
        goods = value * (1.0 - kept["bought"][rows]) if self.buys else 0.0
        return np.asarray(value * self.carrying_cost / YEAR + goods)

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Raise what firms aim at today."""
        held = kept["bought"][rows]
        kept["bought"][rows] = held + share * (1.0 - held)
        level = kept["bought"][rows] if self.buys else share
        world.sheet.multiply("buffer", rows, 1.0 + self.extra * level)
