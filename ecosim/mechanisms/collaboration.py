"""Collaboration: small businesses that help each other, and what it costs them to depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

NOISE = 1e-12  # relative rounding noise of wants and sales
WEEK = 7  # days between two meetings of a firm with its partners; a seventh of the firms meets each evening
FINANCE = ("pool_cover", "pool_days", "refill_days")
#: Settings of a help that may be switched off, which would then mean nothing.
OF_HELP = {"pool": FINANCE, "lend": ("critical_stock", "lend_above")}


class Collaboration(Mechanism):
    """Networked autonomy: firms that stay their own masters share goods, customers, money, knowledge and risk.

    Partners are small businesses of one region, near each other (homophily by distance and trade: McPherson,
    Smith-Lovin & Cook 2001). How much they share is one number, ``coupling`` c in 0..1, with which every help grows::

        lend        c x (stock above lend_above of target) goes to partners below critical_stock of theirs
        refer       c x (customers turned away) go to partners of the same sector and community with spare capacity
        pool        claim = c x pool_cover x damage x value added, of members short of cash; pro rata above its limit
        know        k_i += c x diffusion x mean_j (k_j - k_i)+ a day, for know-how and readiness
        rebuild     speed of repair x (1 + c x joint_recovery x (1 - mean_j x_j)),  x 1 where no partner is in business
        depend      s_i = c x exposure x mean_j x_j of yesterday's evening,  x = 1 - (1 - d)(1 - s)

    d is today's damage, j runs over partners in business. The last line is the dark side: shared data, premises and
    staff are missing when a partner is down, and what a firm loses in this way is missing at its partners in turn. In
    a group that is hit alike the loss is d / (1 - c exposure) in sum, convex in c, while each help saturates (there is
    no more to lend, to repair, to serve): so there is a coupling above which help turns to contagion. That integration
    first spreads and then helps, or the other way round, is the theme of Elliott, Golub & Jackson (2014).

    Lent stock comes back when the borrower is above lend_above itself; with finance on it is sold at cost and stays.
    The pool (with finance) is a mutual of ex-post assessments, and holds no money of its own: it is empty at first, the
    bank advances its claims up to ``pool_days``, and members pay the advances back over ``refill_days`` in proportion
    to the claims they may make, out of cash they have, without interest. So at rest nobody pays, and each member's
    expected payments equal its expected claims where damage strikes everybody alike. The ledger shows "claims on the
    pool" from the bank to firms, and "assessments of the pool" from firms to the bank; the difference is owed.

    Which idea is which parameter: networked autonomy ``partners``, ``coupling``, ``exposure``; shared resources
    ``lend``; niche complementarity and community ``refer``; mutual funds ``pool``; open innovation and shared data
    ``diffusion``; help in a crisis ``joint_recovery``; modularity ``coupling`` towards 0.
    """

    kind: Literal["collaboration"] = "collaboration"

    partners: float = parameter(4.0, unit="partners", source="assumption", low=0, high=100)
    """Mean number of partners of a small business; surveys count memberships and projects, not partners."""
    same_sector: float = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of partnerships sought in one's own sector; the others with any trade of the region."""
    coupling: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """How much a firm shares with its partners: scales every help and the dependence alike."""
    exposure: float = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of capacity at stake in what is shared, at full coupling: systems, premises, staff on loan."""
    lend: bool = parameter(True, unit="on or off", source="assumption")
    """Whether partners lend each other stock."""
    critical_stock: float = parameter(0.2, unit="share of target stock", source="assumption", low=0, high=1)
    """Stock below which a firm asks for a loan, and up to which it gets one."""
    lend_above: float = parameter(0.5, unit="share of target stock", source="assumption", low=0, high=1)
    """Stock that a lender keeps, and above which a borrower gives back."""
    refer: bool = parameter(True, unit="on or off", source="assumption")
    """Whether partners send each other the customers they cannot serve."""
    pool: bool = parameter(True, unit="on or off", source="assumption")
    """Whether partners pool liquidity (where finance is on)."""
    pool_cover: float = parameter(0.5, unit="share of value added lost", source="assumption", low=0, high=1)
    """Share of lost value added that the pool pays, at full coupling."""
    pool_days: float = parameter(10.0, unit="days of members' value added", source="assumption", low=0, high=365)
    """Most that the pool may owe the bank."""
    refill_days: float = parameter(180.0, unit="days", source="assumption", low=1, high=3650)
    """Days over which members pay back what the pool owes."""
    diffusion: float = parameter(0.02, unit="share of the gap a day", source="assumption", low=0, high=1)
    """How fast partners learn from each other, at full coupling: half of a gap in a month or so."""
    joint_recovery: float = parameter(1.0, unit="1", source="assumption", low=0, high=10)
    """How much partners who stand add to the speed of repair, at full coupling (where recovery is on)."""

    columns: ClassVar[dict[str, str]] = {
        "coupling": "how much the firm shares with its partners, share",
        "shared_loss": "capacity missing because partners are down, share",
    }

    def check(self, on: frozenset[str]) -> str | None:
        """Refuse what would have no effect."""
        money = next((name for name in FINANCE if self.changed(name)), None)
        if money is not None and "finance" not in on:
            return f"{money}: there is no money to pool where finance is off; add {{kind: finance}} or drop it"
        if self.changed("joint_recovery") and "recovery" not in on:
            return "joint_recovery: nothing listens where recovery is off; add {kind: recovery} or drop it"
        if self.changed("diffusion") and self.diffusion and not on & {"learning", "experiments"}:
            return (
                "diffusion: nobody learns anything where learning and experiments are off; add {kind: learning} or "
                "{kind: experiments}, or drop it"
            )
        for help_, settings in OF_HELP.items():
            idle = next((name for name in settings if self.changed(name)), None)
            if idle is not None and not getattr(self, help_):
                return f"{idle}: means nothing with {help_}: false; set {help_}: true or drop it"
        return None

    def prepare(self, world: World, rng: Stream) -> None:
        """Find partners; the pool owes nothing."""
        firms = world.firms
        firms.add("coupling", self.per_firm(world, "coupling"))
        firms.add("shared_loss", 0.0)
        firms.ensure("alive", 1.0)
        ptr, partner = self._partners(world)
        nobody = np.empty(0, dtype=np.int64)
        world.memory[self.kind] = {
            "ptr": ptr,
            "partner": partner,
            "lender": nobody,
            "borrower": nobody,
            "good": nobody,
            "lent": np.empty(0),
            "pool_owes": np.zeros(1),
        }

    def _partners(self, world: World) -> tuple[Array, Array]:
        """Pairs of small businesses: each looks at three of its region, of its sector or any, and takes the nearest."""
        plan, stream = world.plan.firms, world.streams["mechanism: collaboration: partners"]
        small = np.flatnonzero(plan.role == 0)
        turns = np.arange(int(np.ceil(self.partners / 2.0)))
        rows = small[:, None] * 128 + turns
        seeks = stream.uniform(0, rows, draw=0) * len(turns) < self.partners / 2.0
        seeker = np.repeat(small, len(turns))[seeks.ravel()]
        address = rows.ravel()[seeks.ravel()]
        alike = stream.uniform(0, address, draw=1) < self.same_sector
        sectors = len(plan.sector_names)
        # Every firm stands twice in the pools: with its sector in its region, and with all of its region.
        own = plan.region.astype(np.int64) * (sectors + 1) + plan.sector
        anyone = plan.region.astype(np.int64) * (sectors + 1) + sectors
        pools = np.concatenate((own[small], anyone[small]))
        order = np.argsort(pools, kind="stable")
        members, key = np.concatenate((small, small))[order], pools[order]
        wanted = np.where(alike, own[seeker], anyone[seeker])
        low, high = np.searchsorted(key, wanted), np.searchsorted(key, wanted, side="right")
        best, nearest = np.full(len(seeker), -1), np.full(len(seeker), np.inf)
        for look in range(3):
            other = members[low + (stream.uniform(0, address, draw=2 + look) * (high - low)).astype(np.int64)]
            far = np.hypot(plan.x[other] - plan.x[seeker], plan.y[other] - plan.y[seeker])
            better = (other != seeker) & (far < nearest)
            best, nearest = np.where(better, other, best), np.where(better, far, nearest)
        met = best >= 0
        pairs = np.unique(np.concatenate((seeker[met] * len(plan) + best[met], best[met] * len(plan) + seeker[met])))
        count = np.bincount(pairs // len(plan), minlength=len(plan))
        return np.concatenate(([0], np.cumsum(count))).astype(np.int64), (pairs % len(plan)).astype(np.int64)

    # --- the morning: dependence and help ---------------------------------------------------------------------------

    def morning(self, world: World, rng: Stream) -> None:
        """Miss what partners cannot share today, and help those who rebuild."""
        from ecosim.kernels.collaboration import depend

        firms, kept, left = world.firms.columns, world.memory[self.kind], world.sheet.read("capacity")
        loss = firms["shared_loss"]
        if left is None and not loss.any():
            return
        left = np.ones(world.firms.rows) if left is None else left
        standing = depend(
            kept["ptr"], kept["partner"], left, firms["alive"], firms["coupling"], self.exposure, loss
        )  # fmt: skip
        if loss.any():
            world.sheet.scale("capability", 1.0 - loss)
        if "repair" in world.sheet.channels and self.joint_recovery and left.min() < 1.0:
            world.sheet.scale("repair", 1.0 + firms["coupling"] * self.joint_recovery * standing)

    # --- trade: goods and customers ---------------------------------------------------------------------------------

    def trade(self, world: World, rng: Stream) -> None:
        """Refer customers, lend stock and give it back."""
        if self.refer:
            self._refer(world)
        if self.lend:
            self._give_back(world)
            self._lend(world)

    def _refer(self, world: World) -> None:
        """Serve those whom partners turned away, and who have not been served elsewhere, out of spare capacity."""
        from ecosim.kernels.collaboration import refer, turned_away

        firms, kept, plan = world.firms.columns, world.memory[self.kind], world.plan
        sector, customer, sectors = plan.firms.sector, plan.customer, len(plan.firms.sector_names)
        # Who is sent elsewhere brings money, and gets the less for it the dearer the goods are there.
        price = firms["posted_price"] if "pricing" in world.mechanisms else 1.0
        wanted, bought, most, inputs, made = (
            firms[name] * price if "pricing" in world.mechanisms else firms[name]
            for name in ("wanted", "consumption", "capacity", "ceiling", "production")
        )
        short, away, spare = turned_away(
            wanted, bought, firms["coupling"], most, inputs, made, sector, customer, sectors,
            sectors * world.customers.rows,
        )  # fmt: skip
        if not len(short):
            return
        served, before = np.zeros(world.firms.rows), away.copy()
        refer(short, kept["ptr"], kept["partner"], sector, customer, away, spare, served)
        firms["wanted"] += (served - (before - away)) / price
        served /= price
        for name in ("demand", "production", "consumption"):
            firms[name] += served

    def _lend(self, world: World) -> None:
        """Move surplus stock to partners who are about to run out."""
        from ecosim.kernels.collaboration import lend

        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        days = np.divide(
            firms["ceiling"], firms["output"], out=np.full(world.firms.rows, np.inf), where=firms["output"] > 0
        )
        short = (days < self.critical_stock * firms["inventory_days"]) & (firms["alive"] > 0.0)
        short &= np.diff(kept["ptr"]) > 0
        if not short.any():
            return
        purse = np.full(world.firms.rows, np.inf) if world.money is None else np.maximum(world.firms.cash, 0.0)
        lender, borrower, good, amount = lend(
            np.flatnonzero(short), kept["ptr"], kept["partner"], links.ptr, links.product, links.flow, links.stock,
            firms["inventory_days"], self._use(world), firms["alive"], firms["coupling"], self.critical_stock,
            self.lend_above, purse,
        )  # fmt: skip
        to, by = borrower.astype(np.int64), lender.astype(np.int64)
        if world.money is not None:
            n = world.firms.rows
            paid, received = np.bincount(to, amount, minlength=n), np.bincount(by, amount, minlength=n)
            world.money.pay("stock of partners", "firms", "firms", paid, received)
            return
        for name, values in (("lender", by), ("borrower", to), ("good", good.astype(np.int64)), ("lent", amount)):
            kept[name] = np.concatenate((kept[name], values))

    def _give_back(self, world: World) -> None:
        from ecosim.kernels.collaboration import give_back

        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        if not len(kept["lent"]):
            return
        give_back(
            kept["lender"], kept["borrower"], kept["good"], kept["lent"], links.ptr, links.product, links.flow,
            links.stock, firms["inventory_days"], self._use(world), firms["alive"], self.lend_above,
        )  # fmt: skip
        still = kept["lent"] > 0.0
        for name in ("lender", "borrower", "good", "lent"):
            kept[name] = kept[name][still]

    def _use(self, world: World) -> Array:
        """Days of usual use that today's production takes off the stocks tomorrow morning, shape (n,)."""
        firms = world.firms.columns
        n = world.firms.rows
        return np.divide(firms["production"], firms["output"], out=np.zeros(n), where=firms["output"] > 0.0)

    # --- money and knowledge ----------------------------------------------------------------------------------------

    def settle(self, world: World, rng: Stream) -> None:
        """Let the bank advance claims on the pool, and members pay it back."""
        if world.money is None or not self.pool:
            return
        firms, kept = world.firms.columns, world.memory[self.kind]
        stake, owed = self._stake(world, kept["ptr"]), float(kept["pool_owes"][0])
        limit = self.pool_days * float(stake.sum())
        left = world.sheet.read("capacity")
        if left is not None:
            hit = np.flatnonzero((left < 1.0) & (firms["alive"] > 0.0) & (firms["cash"] < firms["cash_target"]))
            claims = np.zeros(world.firms.rows)
            claims[hit] = self.pool_cover * (1.0 - left[hit]) * stake[hit]
            if claims.any() and limit > owed:
                claims *= min(1.0, (limit - owed) / float(claims.sum()))
                world.money.pay("claims on the pool", "bank", "firms", claims)
                owed += float(claims.sum())
        if owed > NOISE * limit and stake.any():
            due = owed / self.refill_days * stake / float(stake.sum())
            due = np.minimum(due, np.maximum(firms["cash"], 0.0)) * (firms["alive"] > 0.0)
            world.money.pay("assessments of the pool", "firms", "bank", due)
            owed -= float(due.sum())
        kept["pool_owes"] = np.array([max(owed, 0.0)])

    def _stake(self, world: World, ptr: Array) -> Array:
        """What a day of standing still costs each member, as far as it shares: its weight in the pool, shape (n,)."""
        from ecosim.kernels.collaboration import stakes

        firms = world.firms.columns
        stake: Array = stakes(ptr, firms["coupling"], firms["value_added_share"], firms["output"])
        return stake

    def evening(self, world: World, rng: Stream) -> None:
        """Learn from partners who know more, once a week: as much as in seven days."""
        from ecosim.kernels.collaboration import learn

        firms, kept, n = world.firms.columns, world.memory[self.kind], world.firms.rows
        first, last = (n * (world.day % WEEK + more) // WEEK for more in (0, 1))
        for name in ("know_how", "readiness"):
            if name in firms and self.diffusion and firms[name].max() > firms[name].min():
                learn(
                    kept["ptr"], kept["partner"], firms[name], firms["alive"], firms["coupling"], self.diffusion, WEEK,
                    first, last,
                )  # fmt: skip
