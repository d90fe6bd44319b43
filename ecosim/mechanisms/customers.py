"""Customers: budgets, baskets and loyalty; who is turned away tries elsewhere, and comes back or does not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.kernels import customers as kernels
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

NOISE = 1e-12  # relative; a smaller difference is rounding


class Customers(Mechanism):
    """Communities spread a budget over sectors and over the businesses they like, and remember who served them.

    A market g is what community c buys from sector p. Its basket share b is that of the economy at rest, and each firm
    of it has a market share w, adding up to 1. Each morning

        final_demand_i = B_c b_cp s_i v_i / price_i,   s_i = w_i a_i / sum_g w a,

    where B is the budget of the day (income moves it), a the pull of the moment (1 + support x focus x hit x what is
    left; and what pricing makes of dear offers) and v = 1 - joint_visits (1 - share of the district that is open): what
    is not spent because the district has lost its attraction, is saved. Then what shocks do to demand is applied: with
    k segments a firm feels 1/k of it directly and the rest as the average over all such segments, which keeps the sum.
    Nobody spends more than the budget: where demand is pushed up, the community's wants are scaled back to it.

    In the evening rush (trade) a share of those turned away tries other firms of the market the same day, in proportion
    to market share, as the duplication of purchase law has it (Ehrenberg, Uncles & Goodhardt 2004), and again where
    a firm has nothing left: firm j serves min(spare_j, level x w_j). The rest is unmet, and its money is saved.

    Overnight loyalty drifts by the replicator equation of market shares (Silverberg, Dosi & Orsenigo 1988; Metcalfe
    1994), with memory of where people usually go:

        d ln w_i = kappa_i (fill_i - mean fill) - grievance_i + rho_i ln(w0_i / w_i),   then sum w = 1,

        kappa_i = switching (1 - intimacy_i)(1 - forgiveness x focus_i x hit_i),
        rho_i = win_back (1 + personalisation_i).

    The last term makes the rest shares the one state in which the economy rests, so that what a shock does to
    customers is not for ever, and a run can be compared with its undisturbed twin; ``win_back: 0`` drops it.
    A firm out of business has no share, and its customers go to the others; one that opens again starts with
    a small share that grows.
    """

    kind: Literal["customers"] = "customers"

    switching: float = parameter(
        0.01,
        unit="1/day",
        low=0,
        high=1,
        source="assumption",
    )
    """How fast customers leave a firm that serves nobody for one that serves all, without any intimacy. At the default
    and an intimacy of 0.5, a month without goods costs 14 % of the market share. No study gives a daily rate; that bad
    service is the commonest reason to leave is known (Keaveney 1995)."""
    intimacy: Level = parameter(
        0.5,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Customer intimacy: how well a business knows its customers; they leave more slowly by that share (retention:
    Reichheld & Sasser 1990, who give no daily rate). At 1 nobody leaves because goods are short."""
    personalisation: Level = parameter(
        0.2,
        unit="share",
        low=0,
        high=10,
        source="assumption",
    )
    """Hyper-personalisation: how much faster lost customers are won back because the offer is made for them."""
    win_back: float = parameter(
        0.005,
        unit="1/day",
        low=0,
        high=1,
        source="assumption",
    )
    """Rate at which shares return to the usual ones once service is equal; half of a loss is made good in ln 2 / rate
    days (139 at the default, without personalisation). Place and habit outlast a crisis; how fast is not measured."""
    redirect: float = parameter(
        0.31,
        unit="share",
        low=0,
        high=1,
        source="Corsten & Gruen (2003): 31 % of shoppers who find a shelf empty buy the item at another store",
    )
    """Share of customers turned away who try another business of the same kind the same day."""
    switching_cost: Level = parameter(
        0.0,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Brand and switching cost: share of a firm's customers who would rather go without than go elsewhere (Klemperer
    1995 for the idea). They are lost to the day's trade but not to the firm's rivals. 0: nobody."""
    fill_days: float = parameter(
        10.0,
        unit="days",
        low=1,
        high=365,
        source="assumption",
    )
    """Days over which people judge how well they are served: some shopping trips, not one."""
    newcomer_share: float = parameter(
        0.3,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Share of its usual market with which a business that opens (again) starts. New plants start with little demand
    and grow into it over years (Foster, Haltiwanger & Syverson 2016)."""
    community_focus: Level = parameter(
        0.3,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Community focus: how far a business is a part of its community, which then stands by it in a crisis (Besser 1999
    for the idea)."""
    support: float = parameter(
        0.2,
        unit="share",
        low=0,
        high=10,
        source="assumption",
    )
    """Community support, or trust in the community: extra spending at a firm that was hit and can serve again, at full
    focus and full damage. It is taken from the other firms of the market (after Aldrich 2012)."""
    forgiveness: float = parameter(
        0.5,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Share of the bad service of a firm that was hit which its community forgives, at full focus."""
    support_days: float = parameter(
        60.0,
        unit="days",
        low=1,
        high=3650,
        source="assumption",
    )
    """Days until sympathy for a firm that was hit has faded to 37 %."""
    joint_visits: Level = parameter(
        0.1,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Experience economy: share of a firm's customers who come for the district as a whole, and stay at home as far as
    it is closed. That closures next door cost sales is measured for anchor stores (Shoag & Veuger 2018; Benmelech et
    al. 2014), not as this share."""
    segments: Level = parameter(
        1.5,
        unit="segments",
        low=1,
        high=100,
        source="assumption",
    )
    """Diversified segments: number of equal groups of customers; a shock to its own customers' wants reaches 1/segments
    of its sales, the rest feels the average of all shocks. 1: none."""

    columns: ClassVar[dict[str, str]] = {
        "market_share": "share of its market (community and sector), adds up to 1 in each",
        "fill": "share of its customers' wants that is served, smoothed, 0 to 1",
        "intimacy": "customer intimacy, 0 to 1",
        "personalisation": "how much faster it wins customers back, share",
        "switching_cost": "share of customers who buy nowhere else",
        "community_focus": "how far it is a part of its community, 0 to 1",
        "joint_visits": "share of customers who come for the district",
        "segments": "number of groups of customers",
        "sympathy": "damage that its community remembers, 0 to 1",
        "appeal": "pull of its offer on the spending of its market, 1 as usual",
        "grievance": "rate at which customers turn away for another reason than bad service, 1/day",
    }
    people_columns: ClassVar[dict[str, str]] = {"saved": "part of today's budget not spent, currency units a day"}

    def prepare(self, world: World, rng: Stream) -> None:
        """Markets, their members in order, and everyone at the usual share."""
        firms, plan = world.firms, world.plan
        sectors = len(plan.firms.sector_names)
        _, market = np.unique(plan.customer.astype(np.int64) * sectors + plan.firms.sector, return_inverse=True)
        size = np.bincount(market, plan.firms.final_demand)
        total = size[market]
        usual = np.divide(plan.firms.final_demand, total, out=np.zeros(firms.rows), where=total > 0)
        world.memory["customers"] = {
            "market": market,
            "order": np.argsort(market, kind="stable"),
            "start": np.concatenate(([0], np.cumsum(np.bincount(market)))),
            "usual": usual,
            "asked": firms.final_demand.copy(),  # usual wants, put aside while goods are rationed
        }
        for name in ("intimacy", "personalisation", "switching_cost", "community_focus", "joint_visits", "segments"):
            firms.add(name, self.per_firm(world, name))
        firms.add("market_share", usual)
        firms.add("sympathy", 0.0)
        for name, neutral in (
            ("fill", 1.0),
            ("alive", 1.0),
            ("posted_price", 1.0),
            ("appeal", 1.0),
            ("grievance", 0.0),
        ):
            firms.ensure(name, neutral)
        world.customers.add("saved", 0.0)

    def morning(self, world: World, rng: Stream) -> None:
        """Let loyalty drift overnight, then say what customers want today."""
        firms, plan, memory = world.firms.columns, world.plan, world.memory["customers"]
        left, markets = world.sheet.multipliers["capacity"], len(memory["start"]) - 1
        share, usual, market, sympathy = firms["market_share"], memory["usual"], memory["market"], firms["sympathy"]
        kernels.remember(left, firms["alive"], sympathy, math.exp(-1.0 / self.support_days))
        kernels.drift(
            share, usual, market, markets, firms["alive"], firms["fill"], firms["intimacy"], firms["personalisation"],
            firms["community_focus"], sympathy, firms["grievance"], self.switching, self.forgiveness, self.win_back,
            self.newcomer_share,
        )  # fmt: skip
        kernels.wants(
            plan.firms.final_demand, share, usual, market, markets, firms["appeal"], firms["community_focus"],
            sympathy, left, self.support, plan.firms.region, len(plan.firms.region_names), firms["alive"],
            firms["joint_visits"], firms["posted_price"], plan.customer, self._means(world), firms["final_demand"],
        )  # fmt: skip
        memory["asked"][:] = firms["final_demand"]
        self._share_shocks(world)

    def expect(self, world: World, rng: Stream) -> None:
        """Put regulars first: where goods are short, customers beyond the usual ones are no better than big orders.

        Rule 2 of rationing serves customers at their usual wants like a client. If newcomers counted as usual, a firm
        that won more customers than it can serve would starve its clients day after day, and in a circle of clients
        without spare capacity production would spiral to nothing.
        """
        usual = world.plan.firms.final_demand
        np.minimum(world.firms.final_demand, usual, out=world.firms.final_demand)

    def trade(self, world: World, rng: Stream) -> None:
        """Serve a share of those turned away at other businesses of the market."""
        firms, memory = world.firms.columns, world.memory["customers"]
        firms["final_demand"][:] = memory["asked"]
        offered = np.zeros(len(memory["start"]) - 1)
        kernels.served(
            firms["wanted"], firms["consumption"], firms["lost"], firms["fill"], 1.0 / self.fill_days,
            firms["posted_price"], self.redirect, firms["switching_cost"], memory["market"], offered,
        )  # fmt: skip
        if offered.any():
            kernels.redirect(
                memory["start"], memory["order"], offered, self.redirect, firms["switching_cost"],
                firms["market_share"], firms["posted_price"], firms["capacity"], firms["ceiling"], firms["wanted"],
                firms["demand"], firms["production"], firms["consumption"],
            )  # fmt: skip

    def evening(self, world: World, rng: Stream) -> None:
        """What is left of the budget."""
        people, firms = world.customers, world.firms.columns
        budget, paid = self._budget(world), np.zeros(people.rows)
        kernels.takings(world.plan.customer, firms["consumption"], firms["posted_price"], paid)
        left = budget - paid
        people.saved[:] = np.where(abs(left) <= NOISE * budget, 0.0, left)

    def _budget(self, world: World) -> Array:
        """What each community can spend today."""
        people = world.customers
        return people.spending if "spending" in people else people.budget

    def _means(self, world: World) -> Array:
        """Today's budget over the usual one."""
        usual = world.customers.budget
        means = np.divide(self._budget(world), usual, out=np.ones(len(usual)), where=usual > 0)
        means[abs(means - 1.0) <= NOISE] = 1.0
        return means

    def _share_shocks(self, world: World) -> None:
        """Spread what shocks do to demand over each firm's segments, and keep every community within its budget."""
        today = world.sheet.read("demand")
        if today is None:
            return
        firms, customer = world.firms, world.plan.customer
        shared = 1.0 - 1.0 / firms.segments
        pool = shared * firms.final_demand
        total = float(pool.sum())
        if total > 0.0:
            # A multiplier of 0 cannot be scaled back up, so today's are replaced; shocks are done for today.
            today += shared * (float((pool * today).sum()) / total - today)
        asked = np.bincount(customer, firms.final_demand * firms.posted_price * today, world.customers.rows)
        budget = self._budget(world)
        over = asked > budget * (1.0 + NOISE)
        if over.any():
            world.sheet.scale("demand", np.divide(budget, asked, out=np.ones(len(asked)), where=over)[customer])
