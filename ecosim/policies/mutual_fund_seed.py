"""A mutual fund with a public seed: members who stand still draw on it, all refill it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class MutualFundSeed(Policy):
    """The state puts up the seed of a mutual fund: members who were struck draw on it, and all refill it later.

    Equation: claim = ``cover`` x (1 - production / output) x value added a day, of members that a shock has struck;
    each day all members with as much cash as they aim at, and no claim, pay back 1 / ``refill_days`` of what is
    missing, by their value added. The budget is the seed: what is out never exceeds it (without a budget there is
    no limit), and what was paid back can be drawn again. Mutual insurance among neighbours is Townsend (1994).

    Acts through money alone. Needs finance.
    """

    kind: Literal["mutual_fund_seed"] = "mutual_fund_seed"
    need: Need = Need(struck=True)
    """In what state a member draws; struck by a shock unless something else is said."""
    cover: float = parameter(0.5, unit="share of lost value added", source="assumption", low=0, high=1)
    """What a claim replaces."""
    refill_days: float = parameter(365.0, unit="days", source="assumption", low=1, high=36_500)
    """Days in which members would refill the fund at their first day's pace."""

    needs: ClassVar[tuple[str, ...]] = ("finance",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Claims."""
        firms = world.firms.columns
        missing = np.maximum(1.0 - firms["production"][rows] / firms["output"][rows], 0.0)
        return np.asarray(self.cover * missing * self._earned(world)[rows])

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Nothing but the payment."""

    def last(self, world: World, kept: dict[str, Array]) -> None:
        """Refill the fund."""
        firms, money = world.firms.columns, world.money
        assert money is not None
        out = float(kept["amount"].sum()) - float(kept["returned"].sum())
        if out <= 1e-9 * world.output_at_rest:
            return
        stake = np.zeros(world.firms.rows)
        stake[kept["rows"]] = self._earned(world)[kept["rows"]]
        able = (firms["alive"] > 0.0) & (firms["cash"] >= firms["cash_target"]) & (kept["last"] != world.day)
        paid = np.minimum(out / self.refill_days * stake / max(float(stake.sum()), 1e-300), firms["cash"]) * able
        money.pay(f"policy: {self.label}, refilled", "firms", self.payer, paid)
        kept["returned"] += paid

    @staticmethod
    def _earned(world: World) -> Array:
        """Value added a day at rest, (n,)."""
        firms = world.firms
        return np.asarray(firms.output * np.maximum(firms.value_added_share, 0.0))
