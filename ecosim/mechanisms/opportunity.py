"""Opportunity: firms with cash buy the capacity of those that failed, at a discount, and enter the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

GONE = 1e-6  # capacity below this share of baseline output is not worth a deal


class Opportunity(Mechanism):
    """Contrarian investment: whoever has cash left when others fail can grow cheaply.

    A firm that has been closed for ``wait_days`` offers what can be moved of its capacity (``movable``). Buyers are
    firms of its sector, since nobody else can use it as well: that is why prices fall when the sector is in trouble
    (fire sales, Shleifer & Vishny 1992). The price of a unit of daily capacity is ``price`` times what it would cost
    new, ``capital_years`` of value added. With u the use that a buyer expects of it,

        u = contrarian + (1 - contrarian) x production / output of the sector today,

    it buys where u x horizon_years x profit_share of value added is more than the price: a herd judges by today's
    slump, a contrarian by recovery. It wants at most ``appetite`` of its own capacity, and what cash above ``reserve``
    of its cash target pays. Buyers, or sellers, are rationed in proportion. What one loses the other gains, so total
    capacity stays; the money goes to the closed firm's account, from which finance pays its creditors and owners.

    Capacity bought is an option on demand that may come: it is kept for ``keep_days`` and scrapped in that time
    (exponentially), as real options expire. Where customers are on, buyers in the failed firm's own community also
    take over its place in the market: the share of the market that belonged to the capacity sold. A firm that opens
    again on a row that was sold out builds up the missing capacity at the price of new one, from its own cash, within
    ``build_days`` at the fastest.

    Expresses contrarian investment (contrarian), optionality (keep_days), entering the gap, and the niche: a firm buys
    only in its own sector.
    """

    kind: Literal["opportunity"] = "opportunity"

    needs: ClassVar[tuple[str, ...]] = ("finance",)

    reserve: Level = parameter(0.6, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash above which a firm can think of buying. Owners draw what is above the target, so it is below 1."""
    contrarian: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """1 reckons with full recovery, 0 with today's activity for good."""
    appetite: Level = parameter(0.2, unit="share of its capacity", source="assumption", low=0, high=10)
    """Most that a firm buys in a day; more cannot be managed at once."""
    price: float = parameter(
        0.28, unit="share of the price of new capacity", source="Ramey & Shapiro (2001)", low=0, high=1
    )
    """What equipment of closed plants brought at auction: 28 cents in the dollar of replacement cost."""
    capital_years: float = parameter(1.0, unit="years of value added", source="assumption", low=0.01, high=50)
    """Price of new capacity. Whole economies hold about three years' worth; most of it is buildings, which small firms
    rent."""
    movable: float = parameter(0.8, unit="share of capacity", source="assumption", low=0, high=1)
    """What is not tied to the place."""
    wait_days: int = parameter(10, unit="days", source="assumption", low=0, high=3650)
    """Days between closing and sale; whoever takes over the whole business in that time comes first."""
    horizon_years: float = parameter(3.0, unit="years", source="assumption", low=0.01, high=100)
    """Years in which the purchase must pay for itself."""
    profit_share: float = parameter(0.3, unit="share of value added", source="assumption", low=0, high=1)
    """What is left of value added after wages and rent."""
    keep_days: float = parameter(730.0, unit="days", source="assumption", low=1, high=100_000)
    """Life of the option: days until capacity bought has shrunk to 37 %."""
    build_days: float = parameter(180.0, unit="days", source="assumption", low=1, high=100_000)
    """Days in which a firm could build all of its capacity anew."""

    columns: ClassVar[dict[str, str]] = {
        "acquired": "capacity bought and not yet scrapped (+), or sold and not yet rebuilt (-), currency units a day",
        "shut_days": "days since the firm closed, 0 in business",
        "opportunity_reserve": "cash that is not used to buy, share of the cash target",
        "contrarian": "weight of recovery against the slump in what it expects of its sector, 0 to 1",
        "appetite": "most capacity bought in a day, share of its own",
    }

    def prepare(self, world: World, rng: Stream) -> None:
        """Nobody has bought anything yet."""
        firms = world.firms
        firms.ensure("alive", 1.0)
        firms.add("acquired", 0.0)
        firms.add("shut_days", 0.0)
        firms.add("opportunity_reserve", self.per_firm(world, "reserve"))
        firms.add("contrarian", self.per_firm(world, "contrarian"))
        firms.add("appetite", self.per_firm(world, "appetite"))

    def evening(self, world: World, rng: Stream) -> None:
        """Sell off what was closed for long enough; scrap and build."""
        firms = world.firms.columns
        closed = np.flatnonzero(firms["alive"] == 0.0)
        days = firms["shut_days"][closed] + 1.0
        firms["shut_days"].fill(0.0)
        firms["shut_days"][closed] = days
        if (days >= max(1, self.wait_days)).any():
            self._sell_off(world)
        changed = np.flatnonzero(firms["acquired"])
        if len(changed):
            self._scrap(firms, changed[firms["acquired"][changed] > 0])
            self._build(world, changed[(firms["acquired"][changed] < 0) & (firms["alive"][changed] > 0)])

    # --- buying ---------------------------------------------------------------------------------------------------

    def _offered(self, world: World) -> Array:
        """Capacity that firms closed for long enough offer today, shape (n,)."""
        firms = world.firms.columns
        rows = np.flatnonzero((firms["shut_days"] >= max(1, self.wait_days)) & (firms["alive"] == 0.0))
        fixed = (1.0 - self.movable) * (firms["potential"][rows] - firms["acquired"][rows])
        movable = np.maximum(firms["potential"][rows] - fixed, 0.0)
        offered = np.zeros(world.firms.rows)
        offered[rows] = np.where(movable < GONE * firms["output"][rows], 0.0, movable)
        return offered

    def _new_price(self, firms: dict[str, Array]) -> Array:
        """Price of a new unit of daily capacity of each firm, shape (n,)."""
        return self.capital_years * YEAR * np.maximum(firms["value_added_share"], 0.0)

    def _sell_off(self, world: World) -> None:
        """Match what is offered and what is wanted, sector by sector."""
        firms, plan = world.firms.columns, world.plan.firms
        offered = self._offered(world)
        if not offered.any():
            return
        sector, sectors = plan.sector, len(plan.sector_names)
        supply = np.bincount(sector, offered, sectors)
        asked = np.bincount(sector, offered * self.price * self._new_price(firms), sectors)
        price = np.divide(asked, supply, out=np.zeros(sectors), where=supply > 0)
        wanted = self._wanted(world, price, supply > 0)
        demand = np.bincount(sector, wanted, sectors)
        sold = np.minimum(supply, demand)
        given = offered * np.divide(sold, supply, out=np.zeros(sectors), where=supply > 0)[sector]
        taken = wanted * np.divide(sold, demand, out=np.zeros(sectors), where=demand > 0)[sector]
        if not taken.any():
            return
        assert world.money is not None
        world.money.pay("capacity bought", "firms", "firms", taken * price[sector], given * price[sector])
        self._enter_gap(world, given / np.maximum(firms["potential"], 1e-300), taken)
        firms["potential"] += taken - given
        firms["acquired"] += taken - given
        for event, amounts in (("buys capacity", taken), ("sells capacity", given)):
            rows = np.flatnonzero(amounts > 0)
            world.happened(event, rows, amounts[rows])

    def _wanted(self, world: World, price: Array, on_offer: Array) -> Array:
        """Capacity that each firm wants today at these prices a unit by sector, shape (n,)."""
        firms, sector = world.firms.columns, world.plan.firms.sector
        made = np.bincount(sector, firms["production"], len(price))
        usual = np.bincount(sector, firms["output"], len(price))
        activity = np.divide(made, usual, out=np.ones(len(price)), where=usual > 0).clip(max=1.0)[sector]
        use = firms["contrarian"] + (1.0 - firms["contrarian"]) * activity
        earns = self.horizon_years * YEAR * self.profit_share * np.maximum(firms["value_added_share"], 0.0)
        spare = np.maximum(firms["cash"] - firms["opportunity_reserve"] * firms["cash_target"], 0.0)
        cost = price[sector]
        payable = np.divide(spare, cost, out=np.full(len(spare), np.inf), where=cost > 0)
        buys = on_offer[sector] & (firms["alive"] > 0) & (use * earns > cost) & (spare > 0)
        return np.where(buys, np.minimum(firms["appetite"] * firms["potential"], payable), 0.0)

    def _enter_gap(self, world: World, part: Array, taken: Array) -> None:
        """Give buyers the place in the market that goes with the capacity, ``part`` of each seller's."""
        firms, plan = world.firms.columns, world.plan
        if "market_share" not in firms:
            return
        sectors = len(plan.firms.sector_names)
        market = plan.customer.astype(np.int64) * sectors + plan.firms.sector
        size = int(market.max()) + 1
        total = np.bincount(market, plan.firms.final_demand, size)
        bought = np.bincount(market, taken, size)
        gap = np.bincount(market, part * plan.firms.final_demand, size)
        gap = np.divide(gap, total, out=np.zeros(size), where=(total > 0) & (bought > 0))
        own = np.divide(taken, bought[market], out=np.zeros(len(taken)), where=bought[market] > 0)
        firms["market_share"][:] = firms["market_share"] * (1.0 - gap[market]) + gap[market] * own

    # --- afterwards -----------------------------------------------------------------------------------------------

    def _scrap(self, firms: dict[str, Array], rows: Array) -> None:
        """Let options on demand that did not come run out."""
        bought = firms["acquired"][rows]
        rest = bought < GONE * firms["output"][rows]
        scrapped = np.where(rest, bought, bought / self.keep_days)
        firms["acquired"][rows] -= scrapped
        firms["potential"][rows] -= scrapped

    def _build(self, world: World, rows: Array) -> None:
        """Make up for what an earlier owner sold, as fast as time and cash allow."""
        firms = world.firms.columns
        missing = -firms["acquired"][rows]
        spare = np.maximum(firms["cash"] - firms["opportunity_reserve"] * firms["cash_target"], 0.0)[rows]
        price = self._new_price(firms)[rows]
        payable = np.divide(spare, price, out=np.full(len(rows), np.inf), where=price > 0)
        pace = (firms["potential"][rows] + missing) / self.build_days
        built = np.minimum(np.minimum(missing, pace), payable)
        paid = np.zeros(len(firms["output"]))
        paid[rows] = built * price
        firms["acquired"][rows] += built
        firms["potential"][rows] += built
        assert world.money is not None
        world.money.pay("capacity built", "firms", "households", paid)
