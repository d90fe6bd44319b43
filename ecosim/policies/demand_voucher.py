"""Vouchers: people get part of what they buy from some firms paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class DemandVoucher(Policy):
    """People get vouchers for purchases from some firms, and buy a little more there.

    Equation: vouchers for the share ``value`` of usual sales are handed out; what customers want of the firm rises
    by ``additional`` of that, and the rest replaces money that people would have spent anyway. The state pays for
    what is redeemed, the next day: ``value`` x sales / (1 + ``additional`` x ``value``). What people save thereby
    they spend little by little (income). No community spends more than its budget (customers): where people hold
    back, as in a slump, vouchers bring sales back; where they spend all they mean to, they only move them. Of the
    coupons of Japan in 1999 a tenth to a fifth was spent in addition (Hsieh, Shimizutani & Hori 2010).

    Channel ``demand`` (the core). Needs customers, which keeps budgets.
    """

    kind: Literal["demand_voucher"] = "demand_voucher"
    need: Need = Need(below=0.9)
    """In what state a firm takes vouchers; below 90 % of usual output unless something else is said."""
    value: float = parameter(0.2, unit="share of usual sales", source="assumption", low=0, high=1)
    """Worth of the vouchers."""
    additional: float = parameter(
        0.2, unit="share", source="Hsieh, Shimizutani & Hori (2010): 0.1 to 0.2", low=0, high=1
    )
    """Share of a voucher that is spent on top."""

    needs: ClassVar[tuple[str, ...]] = ("customers",)
    writes: ClassVar[tuple[str, ...]] = ("demand",)
    pays_later: ClassVar[bool] = True

    def keeps(self, world: World) -> dict[str, Array]:
        """Vouchers that yesterday's customers could redeem, share of usual sales."""
        return {"valid": np.zeros(world.firms.rows)}

    def due(self, world: World, kept: dict[str, Array]) -> Array | None:
        """Vouchers redeemed yesterday."""
        valid = kept["valid"]
        if not valid.any():
            return None
        firms = world.firms.columns
        usual = world.plan.firms.final_demand
        sales = np.minimum(firms["consumption"] / (1.0 + self.additional * valid), usual)
        bill = valid * sales * self._price(world)
        valid[:] = 0.0
        return np.asarray(bill)

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """What is redeemed if everybody buys as usual."""
        return np.asarray((self.value * world.plan.firms.final_demand * self._price(world))[rows])

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Hand out today's vouchers."""
        kept["valid"][rows] = share * self.value
        world.sheet.multiply("demand", rows, 1.0 + self.additional * share * self.value)

    @staticmethod
    def _price(world: World) -> Array | float:
        price: Array | float = world.firms.columns.get("posted_price", 1.0)
        return price
