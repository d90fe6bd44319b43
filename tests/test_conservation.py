"""Conservation in small economies with any mechanisms on: every day's goods, money and people, counted by hand.

Nothing here asks the engine what it did: a witness notes columns between the steps of the day, payments are written
down one by one, and all sums are made again from these.
"""

from collections import defaultdict
from functools import partial
from types import SimpleNamespace
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecosim import Ecosystem, Scenario
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.metrics import OF_CHANNELS
from ecosim.model import MECHANISM_CHANNELS
from ecosim.money import SECTORS
from ecosim.spread import Spread, parameter
from ecosim.state import CORE_CHANNELS

KINDS = sorted(known("mechanisms"))
TOWN = Scenario(
    name="town",
    days=90,
    economy={"kind": "table", "firms": 100, "headroom": 0.25, "smoothing_days": 30, "rationing": 1},
    network={"kind": "reconstructed", "suppliers": 4},
)
NEAR = 1e-9  # of what is compared, or of what it is the difference of
TINY = 1e-12  # of the output of all firms
#: Columns that may be below 0: days before the first, numbers of nobody, results and differences.
SIGNED = {
    "failed_on", "entered_on", "closed_on", "closes_on", "trial_ends", "platform", "cloud", "usual_profit", "room",
    "acquired", "value_added_share", "urge", "searching", "permitting", "lost_wages", "saved", "savings",
}  # fmt: skip
#: What may be paid back, where a price falls.
TWO_WAY = {"platform fees", "dearer inputs"}
#: What a closed firm still pays: its creditors, and its owners what is left.
WINDING_UP = {"arrears paid", "interest", "invoices paid", "repayments", "recoveries", "drawings"}


class Witness(Mechanism):
    """Notes what is there at the end of each phase; it changes nothing."""

    kind: Literal["witness"] = "witness"

    def prepare(self, world, rng):
        """Start with nothing noted."""
        world.memory[self.kind] = {}

    def note(self, world, phase, *names):
        """Copy columns of firms and links."""
        for name in names:
            table, _, column = name.rpartition(".")
            held = getattr(world.links, column) if table == "links" else world.firms.columns.get(column)
            if held is not None:
                world.memory[self.kind][f"{phase}.{column}"] = held.copy()

    def morning(self, world, rng):
        """What people want before anybody is turned away."""
        self.note(world, "morning", "final_demand", "market_share", "posted_price")
        world.memory[self.kind] |= {
            f"morning.{channel}": world.sheet.multipliers[channel].copy()
            for channel in ("demand", "stocks", "delivery")
        }

    def expect(self, world, rng):
        """What is there before stocks are used."""
        self.note(world, "expect", "links.stock", "links.delivered", "links.flow", "alive")

    def order(self, world, rng):
        """What is there after that."""
        self.note(world, "order", "links.stock", "links.ordered")

    def trade(self, world, rng):
        """What was made and shipped."""
        self.note(
            world, "trade", "links.stock", "links.delivered", "links.supplier", "production", "consumption", "lost",
            "wanted", "alive", "posted_price", "capacity", "ceiling",
        )  # fmt: skip


def with_needs(*kinds):
    """These mechanisms and those without which they mean nothing, in the order of the alphabet."""
    wanted = list(kinds)
    for kind in wanted:
        wanted += [needed for needed in find("mechanisms", kind).needs if needed not in wanted]
    return sorted(wanted)


def level(rng, field):
    """A value somewhere in the range of a parameter, sometimes at its end; None for the default."""
    low, high = (field.json_schema_extra[end] for end in ("low", "high"))
    options = [option for option in get_args(field.annotation) if isinstance(option, str)]
    if rng.random() < 0.6:
        return None
    if options:
        return str(rng.choice(options))
    if isinstance(field.default, bool):
        return bool(rng.random() < 0.5)
    if low is None or high is None or not isinstance(field.default, int | float | Spread):
        return None
    part = float(rng.choice([0.0, 1.0, *rng.random(4) ** 3]))
    found = low + part * (high - low)
    return int(found) if isinstance(field.default, int) else found


def drawn(kind, on, rng):
    """A mechanism with parameters drawn at random, without those that contradict each other or the others."""
    part = find("mechanisms", kind)
    fields = {name: field for name, field in part.model_fields.items() if name != "kind"}
    values = {name: value for name in fields if (value := level(rng, fields[name])) is not None}
    try:
        while wrong := part(**values).check(frozenset(on)):
            del values[wrong.split(":")[0]]
    except ValidationError:
        return {"kind": kind}
    return {"kind": kind, **values}


def channels(kinds):
    """Everything that a pulse can touch."""
    own = {channel for kind in kinds for channel in find("mechanisms", kind).channels}
    return sorted({*CORE_CHANNELS, *own, *(MECHANISM_CHANNELS if kinds else ())})


#: Mechanisms without which a shock is refused.
ASKS = {
    "credit_freeze": "finance", "input_cost": "pricing", "price_war": "pricing", "platform_outage": "platforms",
    "cloud_outage": "platforms",
}  # fmt: skip


def possible(parts):
    """Kinds of shocks that an economy with these mechanisms can have."""
    on = {part["kind"]: part for part in parts}
    # Where few are on a platform by design, it may be that nobody is, and the shock is refused.
    spared = {"platform_outage", "cloud_outage"} if len(on.get("platforms", ())) > 1 else set()
    return sorted(kind for kind in known("shocks") if ASKS.get(kind, kind) in {kind, *on} and kind not in spared)


def special(kind, kinds, rng):
    """Values of a kind of its own, beside who, when and how hard, drawn where they matter to what is counted."""
    share = partial(rng.uniform, 0.0, 1.0)
    return {
        "lead_time": lambda: {"extra_days": float(rng.uniform(0, 20))},
        "link_loss": lambda: {"side": str(rng.choice(["sales", "purchases", "both"]))},
        "reputation": lambda: {"to_rivals": float(share())},
        "platform_outage": lambda: {"platform": None, "who": {}},
        "cloud_outage": lambda: {"cloud": None, "who": {}},
        "disaster": lambda: {"radius": float(rng.uniform(1, 30)), "stock_loss": float(share())},
        "obsolescence": lambda: {} if "automation" in kinds and share() < 0.5 else {"of": "product"},
        "price_war": lambda: {"cut": float(rng.uniform(0, 0.5))},
        "pandemic": lambda: {
            "phases": [{"days": int(rng.integers(1, 20)), "labour": float(share()), "demand": float(share())}] * 2
        },
        "policy_mistake": lambda: {"measure": str(rng.choice(["closure", "austerity"]))},
        "regulation": lambda: {"cost": 0.1 if "pricing" in kinds else 0.0, "entry": 0.5 * ("turnover" in kinds)},
        "insolvency": lambda: {"severity": float(rng.uniform(0, 0.3))},
    }.get(kind, dict)()


def trouble(parts, rng, days, kind=None):
    """A shock of some kind somewhere."""
    kinds = [part["kind"] for part in parts]
    who, when = {"share": float(rng.uniform(0.1, 0.8))}, int(rng.integers(0, days // 2))
    kind = str(rng.choice(possible(parts))) if kind is None else kind
    if kind == "outage":
        law, start = int(rng.integers(0, 6)), int(rng.integers(0, 5))
        recovery = {"law": law, "days": float(rng.uniform(1, 60)), "start": start} if rng.random() < 0.9 else None
        return {"kind": "outage", "who": who, "when": when, "severity": float(rng.uniform(0, 1)), "recovery": recovery}
    lasts = {"days": int(rng.integers(1, 30)), "ease": int(rng.integers(0, 10))}
    if kind != "pulse":
        own = lasts if "ease" in find("shocks", kind).model_fields else {}
        severity = float(rng.choice([1.0, rng.uniform(0, 1)]))
        return {"kind": kind, "who": who, "when": when, "severity": severity, **own, **special(kind, kinds, rng)}
    factor = float(rng.choice([0.0, 0.5, 2.0, rng.uniform(0, 3)]))
    return {
        "kind": "pulse",
        "channel": str(rng.choice(channels(kinds))),
        "who": who,
        "when": when,
        "factor": factor,
    } | lasts


def economy(kinds, seed, *, default=False, witness=True, days=None, shock=None, **changes):
    """A town with some mechanisms, their parameters and its troubles drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    days = int(rng.integers(30, 91)) if days is None else days
    parts = [{"kind": kind} if default else drawn(kind, kinds, rng) for kind in kinds]
    shocks = [trouble(parts, rng, days, shock) | {"name": f"trouble {at}"} for at in range(rng.integers(1, 4))]
    chosen = {
        "seed": seed, "days": days, "economy.firms": int(rng.integers(60, 151)),
        "economy.rationing": int(rng.integers(0, 4)), "shocks": shocks,
        "mechanisms": [*parts, *([{"kind": Witness}] if witness else [])],
    }  # fmt: skip
    return TOWN.with_(chosen | changes)


# The count ------------------------------------------------------------------------------------------------------------


class Count:
    """An economy and everything that is counted in it, day after day."""

    def __init__(self, scenario):
        self.eco = Ecosystem(scenario)
        self.world = self.eco.world
        self.on = set(self.world.mechanisms)
        self.scale, self.rule = float(self.world.firms.output.sum()), scenario.economy.rationing
        self.product = self.world.links.product.copy()
        self.needs = self.by_input(self.world.links.flow)
        self.means = self.world.firms.potential.copy()
        self.paid = []
        if self.world.money is not None:
            self.world.money.pay = partial(self.write_down, self.world.money.pay)
        self.people, self.budget = self.staff(), self.means_of_people()

    def live(self, days):
        """Live some days, and count each evening."""
        for _ in range(days):
            self.day()

    def day(self):
        """One day."""
        world, self.paid = self.world, []
        before = self.holdings()
        self.eco.step()
        seen = SimpleNamespace(**{name.replace(".", "_"): held for name, held in world.memory["witness"].items()})
        self.columns()
        self.goods(before, seen)
        self.wants(before, seen)
        self.closed(seen)
        if world.money is not None:
            self.money(before, seen)
        if "workforce" in self.on:
            np.testing.assert_allclose(self.staff(), self.people, rtol=NEAR)
        if "opportunity" in self.on:
            self.capacity()

    def same(self, one, other, what, size=0.0):
        """Both are equal but for rounding of what they are sums of."""
        size = np.maximum(size, np.maximum(np.abs(one), np.abs(other)))
        off = np.abs(np.asarray(one) - other) > NEAR * size + TINY * self.scale
        assert not off.any(), (
            f"day {self.world.day}, {what}: {np.asarray(one)[off][:3]} is not "
            f"{np.asarray(other)[off][:3] if np.ndim(other) else other} (rows {np.flatnonzero(off)[:3]})"
        )

    def least(self, one, other, what):
        """The first is nowhere below the second but for rounding."""
        one, other = np.broadcast_arrays(one, other)
        off = one < other - NEAR * np.maximum(np.abs(one), np.abs(other)) - TINY * self.scale
        assert not off.any(), (
            f"day {self.world.day}, {what}: {one[off][:3]} below {other[off][:3]} (rows {np.flatnonzero(off)[:3]})"
        )

    # --- what is there ----------------------------------------------------------------------------------------------

    def holdings(self):
        """What everybody holds now."""
        world = self.world
        firms, links, money = world.firms.columns, world.links, world.money
        found = SimpleNamespace(stock=links.stock.copy(), delivered=links.delivered.copy())
        found.waiting = links.columns.get("in_transit", np.zeros(len(links))).copy()
        found.destroyed = firms.get("destroyed", np.zeros(world.firms.rows)).copy()
        found.alive = firms.get("alive", np.ones(world.firms.rows)).copy()
        found.production, found.events = firms["production"].copy(), len(world.events)
        if money is not None:
            found.cash, found.debt, found.arrears = firms["cash"].copy(), firms["debt"].sum(), firms["arrears"].sum()
            found.deposits, found.owed = self.deposits(), self.owed()[1].sum()
            found.flows = {item: entry.copy() for item, entry in money.flows.items()}
            found.bad_loans = world.memory["finance"]["written_off_loans"].copy()
        return found

    def by_input(self, amounts):
        """Sums over the links of each buyer and product."""
        links = self.world.links
        key = links.buyer.astype(np.int64) * (int(self.product.max()) + 1) + self.product
        which = np.unique(key, return_inverse=True)[1]
        return np.bincount(which, amounts)[which]

    def columns(self):
        """Every column is a number, and none is negative that should not be."""
        world = self.world
        links = {name: getattr(world.links, name) for name in ("flow", "stock", "ordered", "delivered")}
        tables = world.firms.columns, world.customers.columns, world.links.columns, links
        for name, values in ((name, values) for table in tables for name, values in table.items()):
            assert not np.isnan(values).any(), f"day {world.day}, {name} is not a number"
            assert name == "ceiling" or np.isfinite(values).all(), f"day {world.day}, {name} is infinite"
            if name not in SIGNED and not (name == "unmet" and self.rule == 2 and "customers" not in self.on):
                self.least(values, 0.0, name)

    # --- goods ------------------------------------------------------------------------------------------------------

    def goods(self, before, seen):
        """What was shipped is received, what is used was there, what was made goes somewhere."""
        world = self.world
        links, firms, n = world.links, world.firms, world.firms.rows
        np.testing.assert_array_equal(seen.expect_stock, before.stock)
        np.testing.assert_array_equal(seen.expect_delivered, before.delivered)
        np.testing.assert_array_equal(links.delivered, seen.trade_delivered)
        self.same(self.by_input(links.flow), self.needs, "usual purchases of each input")

        used = (before.production / firms.output)[links.buyer] * self.by_input(seen.expect_flow)
        have = self.by_input(before.stock)
        share = np.divide(used, have, out=np.zeros(len(links)), where=have > 0)
        unused = np.maximum(before.stock * (1.0 - share), 0.0)
        destroyed = unused * np.maximum(1.0 - seen.morning_stocks, 0.0)[links.buyer]
        under_way = before.waiting + before.delivered
        arrived = under_way * np.minimum(seen.morning_delivery, 1.0)[links.buyer]
        left = unused - destroyed + arrived
        self.same(seen.order_stock, left, "stock after use", size=before.stock + under_way)
        told = world.firms.columns.get("destroyed", np.zeros(n)) - before.destroyed
        self.same(told, np.bincount(links.buyer, destroyed, minlength=n), "stocks destroyed", size=before.destroyed)
        waiting = links.columns.get("in_transit", np.zeros(len(links)))
        self.same(waiting, under_way - arrived, "on the road", size=under_way)
        binding = self.by_input(links.importance == 2) > 0
        self.least(have[binding], used[binding], "stock used")
        got = self.by_input(arrived - destroyed)
        self.same(self.by_input(seen.order_stock)[binding], (have + got - used)[binding], "stock, received less used",
                  size=(have + self.by_input(under_way))[binding])  # fmt: skip

        shipped = np.bincount(seen.trade_supplier, seen.trade_delivered, minlength=n)
        told = seen.trade_consumption + shipped + seen.trade_lost
        self.same(seen.trade_production, told, "made and sold", size=firms.output)
        sector = world.plan.firms.sector
        by_sector = np.bincount(sector, seen.trade_production)
        by_product = np.bincount(self.product, seen.trade_delivered, minlength=len(by_sector))
        sold = np.bincount(sector, seen.trade_consumption + seen.trade_lost) + by_product
        self.same(by_sector, sold, "made and sold, by product", size=self.scale)
        through = np.ones(len(links))
        for rows, part in world.sheet.cuts:
            through[rows] *= part
        if self.rule < 2:  # the others give goods to clients who ordered nothing
            self.least(seen.order_ordered * through, seen.trade_delivered, "orders, against deliveries")
            assert not seen.trade_lost.any()
        assert not seen.trade_delivered[through == 0.0].any(), "goods come through a link that is cut"
        self.least(seen.trade_capacity, seen.trade_production, "capacity, against production")
        self.least(seen.trade_ceiling, seen.trade_production, "inputs, against production")

        for later, earlier in ((seen.trade_stock, seen.order_stock), (links.stock, seen.trade_stock)):
            lent = [np.bincount(self.product, stock) for stock in (later, earlier)]
            self.same(*lent, "stock of each product, while goods are lent")

    # --- people -----------------------------------------------------------------------------------------------------

    def wants(self, before, seen):
        """Customers buy no more than they want and can pay for, and whoever is sent elsewhere is still counted."""
        world = self.world
        customer, people = world.plan.customer, world.customers
        price = getattr(seen, "morning_posted_price", np.ones(world.firms.rows))
        wants = seen.morning_final_demand * seen.morning_demand, seen.trade_wanted, seen.trade_consumption
        asked, still, bought = (self.by_place(np.bincount(customer, each * price, people.rows)) for each in wants)
        self.same(still, asked, "wants of all customers")
        if self.rule != 2 or "customers" in self.on:  # rule 2 of the core can hand customers more than they want
            self.least(asked, bought, "wants, against purchases")
        self.same(people.spent, np.bincount(customer, seen.trade_consumption, people.rows), "purchases")
        budget, self.budget = self.budget, self.means_of_people()
        if "customers" not in self.on:
            return
        self.least(budget, bought, "budget, against purchases")
        self.same(self.by_place(people.saved), budget - bought, "savings of the day", size=budget)
        market = np.unique(customer * 1000 + world.plan.firms.sector, return_inverse=True)[1]
        alive = getattr(seen, "expect_alive", before.alive)
        open_ = np.bincount(market, alive * (world.plan.firms.final_demand > 0)) > 0
        self.same(np.bincount(market, seen.morning_market_share), 1.0 * open_, "market shares", size=1.0)

    def by_place(self, amounts):
        """Amounts of each community, or of all of them where people buy from each other's firms."""
        return np.array([amounts.sum()]) if "platforms" in self.on else amounts

    def means_of_people(self):
        """What people can spend tomorrow."""
        people = self.world.customers.columns
        return self.by_place(people.get("spending", people["budget"]).copy())

    def staff(self):
        """Everybody who works or looks for work, in units of value added."""
        kept = self.world.memory.get("workforce")
        return 0.0 if kept is None else float((kept["employed"] * kept["usual"]).sum() + kept["pool"].sum())

    def closed(self, seen):
        """Who is out of business makes nothing, orders nothing and pays only what is owed."""
        shut = np.flatnonzero(getattr(seen, "trade_alive", np.ones(self.world.firms.rows)) == 0)
        buyer = self.world.links.buyer
        assert not seen.trade_production[shut].any()
        assert not seen.order_ordered[np.isin(buyer, shut)].any(), f"day {self.world.day}: a closed firm orders"
        if "wages" in self.world.firms:
            assert not self.world.firms.wages[shut].any()
        for item, payer, _, sent, _ in self.paid:
            if payer == "firms" and item not in WINDING_UP:
                assert not sent[shut].any(), f"day {self.world.day}: a closed firm pays {item}"

    def capacity(self):
        """Capacity that some bought others sold."""
        world, firms = self.world, self.world.firms
        self.same(firms.potential - firms.acquired, self.means, "own capacity", size=firms.output)
        traded = defaultdict(float)
        for event in world.events:
            if event["day"] == world.day and event["event"].endswith("capacity"):
                traded[event["event"]] += event["amount"].sum()
        self.same(traded["buys capacity"], traded["sells capacity"], "capacity bought and sold")

    # --- money ------------------------------------------------------------------------------------------------------

    def write_down(self, pay, item, payer, payee, amounts, received=None):
        """Make a payment, and note it; nobody pays what it does not have."""
        given = np.array(amounts, dtype=float)
        got = given.copy() if received is None else np.array(received, dtype=float)
        cash = self.world.firms.cash
        before = cash.copy()
        pay(item, payer, payee, amounts, received)
        change = np.zeros(len(cash))
        if payer == "firms":
            change -= given
        if payee == "firms":
            change += got
        self.same(cash, before + change, f"cash after {item}", size=self.scale / len(cash))
        self.same(given.sum(), got.sum(), item)
        if item not in TWO_WAY:
            self.least(given, 0.0, item)
            self.least(got, 0.0, item)
        assert np.isfinite(cash).all(), item
        assert cash.min() >= -NEAR * self.scale, f"day {self.world.day}: {item} overdraws {cash.argmin()}: {cash.min()}"
        self.paid.append((item, payer, payee, given, got))

    def deposits(self):
        """What each sector has on its accounts."""
        world, found = self.world, np.zeros(len(SECTORS))
        found[:2] = np.bincount(world.plan.firms.role, world.firms.cash, minlength=2)
        found[2], found[3:] = world.customers.savings.sum(), world.money.accounts
        return found

    def owed(self):
        """What each firm owes to suppliers, and what each is owed, invoice by invoice."""
        world, kept, n = self.world, self.world.memory["finance"], self.world.firms.rows
        owed = world.links.columns["owed"]
        debtor, creditor = (
            np.append(world.links.buyer, kept["old_buyer"]),
            np.append(kept["creditor"], kept["old_supplier"]),
        )
        amounts = np.append(owed, kept["old_owed"])
        return tuple(np.bincount(who.astype(int), amounts, minlength=n) for who in (debtor, creditor))

    def money(self, before, seen):
        """All accounts add up to nothing, and everything that changed was paid, lent, invoiced or written off."""
        world, firms, money = self.world, self.world.firms, self.world.money
        kept, item_total = world.memory["finance"], defaultdict(float)
        self.same(self.deposits().sum(), 0.0, "all accounts", size=self.scale)
        flows = {item: entry - before.flows.get(item, 0.0) for item, entry in money.flows.items()}
        for item, entry in money.flows.items():
            self.same(entry.sum(), 0.0, item, size=self.scale)
        self.same(self.deposits() - before.deposits, sum(flows.values()), "deposits", size=self.scale)
        change = np.zeros(firms.rows)
        for item, payer, payee, sent, got in self.paid:
            item_total[item] += sent.sum()
            change -= sent if payer == "firms" else 0.0
            change += got if payee == "firms" else 0.0
        self.same(firms.cash, before.cash + change, "cash", size=self.scale / firms.rows)

        price = getattr(seen, "trade_posted_price", np.ones(firms.rows))
        by_item = {item: (sent, got) for item, _, _, sent, got in self.paid}
        self.same(by_item["sales"][1], seen.trade_consumption * price, "sales")
        self.same(by_item["wages"][0], firms.wages, "wages")
        owing, waiting = self.owed()
        self.same(firms.payables, owing, "payables", size=firms.output)
        self.same(firms.receivables, waiting, "receivables", size=firms.output)
        self.same(owing.sum(), waiting.sum(), "payables and receivables")
        buyer = world.links.buyer
        billed = float((seen.trade_delivered * price[seen.trade_supplier] * seen.trade_alive[buyer]).sum())
        lost = [event for event in world.events[before.events :] if event["event"] == "loses unpaid invoices"]
        lost = sum(event["amount"].sum() for event in lost)
        expected = before.owed + billed - item_total["invoices paid"] - lost
        self.same(owing.sum(), expected, "unpaid invoices", size=self.scale)
        self.same(firms.debt.sum(), kept["books"][0], "loans", size=self.scale)
        self.same(firms.arrears.sum(), kept["books"][1], "arrears", size=self.scale)
        bad = (kept["written_off_loans"] - before.bad_loans)[:2].sum()
        lent = item_total["loans"] - item_total["repayments"] - bad
        self.same(firms.debt.sum(), before.debt + lent, "debt", size=self.scale)


# Every day ------------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(kinds=st.sets(st.sampled_from(KINDS), max_size=8), seed=st.integers(0, 10**6), default=st.booleans())
def test_goods_money_and_people_are_conserved_with_any_mechanisms(kinds, seed, default):
    scenario = economy(with_needs(*kinds), seed, default=default)
    Count(scenario).live(scenario.days)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), default=st.booleans())
def test_goods_money_and_people_are_conserved_with_all_of_them(seed, default):
    scenario = economy(KINDS, seed, default=default)
    Count(scenario).live(scenario.days)


@pytest.mark.parametrize("kind", known("shocks"))
def test_each_kind_of_shock_conserves_goods_money_and_people(kind):
    Count(economy(KINDS, 11, default=True, days=30, shock=kind, **{"economy.firms": 60})).live(30)


class Thief(Mechanism):
    """Takes a thousandth of something, behind everybody's back."""

    kind: Literal["thief"] = "thief"
    what: str = parameter("stock", unit="column", source="assumption")
    """What it takes from."""

    def settle(self, world, rng):
        """Take it."""
        held = {
            "stock": world.links.stock, "delivered": world.links.delivered, "owed": world.links.columns["owed"],
            "pool": world.memory["workforce"]["pool"], "accounts": world.money.accounts,
        }  # fmt: skip
        held.get(self.what, world.firms.columns.get(self.what))[:3] *= 0.999


@pytest.mark.parametrize(
    "what",
    ["stock", "delivered", "owed", "pool", "accounts", "cash", "payables", "receivables", "potential", "wages"],
)
def test_whatever_is_taken_is_missed(what):
    """A count that never fails would show nothing."""
    kinds = [{"kind": kind} for kind in ("customers", "finance", "workforce", "opportunity")]
    honest, robbed = ([*kinds, *thief, {"kind": Witness}] for thief in ([], [{"kind": Thief, "what": what}]))
    Count(TOWN.with_({"mechanisms": honest})).live(2)
    with pytest.raises(AssertionError):
        Count(TOWN.with_({"mechanisms": robbed})).live(2)


# To the bit -----------------------------------------------------------------------------------------------------------


def state(eco):
    """Every array that a day may change, but for what a witness noted."""
    world = eco.world
    tables = {"firms": world.firms.columns, "people": world.customers.columns, "link": world.links.columns}
    tables["links"] = {
        name: getattr(world.links, name) for name in ("supplier", "flow", "stock", "ordered", "delivered")
    }
    tables |= {f"memory of {who}": held for who, held in world.memory.items() if who != "witness"}
    if world.money is not None:
        tables |= {"flows": world.money.flows, "money": {"accounts": world.money.accounts}}
    found = {f"{table}.{name}": held for table, columns in tables.items() for name, held in columns.items()}
    # What only some shocks can do is measured only where there is one, and must then be 0 if it did nothing.
    series = {f"series.{name}": values.to_numpy() for name, values in eco.series.items()}
    rare = [f"series.{kind}" for kinds in OF_CHANNELS.values() for kind in kinds]
    return found | {name: held for name, held in series.items() if name not in rare or held.any()}


def assert_same(one, other, *, but=()):
    """Both are in the same state to the bit, ``but`` for the memory of some shocks."""
    left, right = (
        {
            name: held
            for name, held in state(eco).items()
            if not name.startswith(tuple(f"memory of {who}" for who in but))
        }
        for eco in (one, other)
    )
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


@settings(max_examples=10, deadline=None)
@given(kinds=st.sets(st.sampled_from(KINDS), min_size=2), seed=st.integers(0, 10**6), cut=st.integers(1, 40))
def test_a_saved_economy_goes_on_to_the_bit(kinds, seed, cut, tmp_path_factory):
    scenario = economy(with_needs(*kinds), seed, witness=False, days=60)
    whole, first = Ecosystem(scenario), Ecosystem(scenario)
    whole.run_for(55)
    first.run_for(cut)
    path = tmp_path_factory.mktemp("saved") / "state.npz"
    first.save(path)
    second = Ecosystem.restore(path)
    second.run_for(55 - cut)
    assert_same(second, whole)


@pytest.mark.parametrize("rationing", [1, 2])
def test_threads_change_no_bit(rationing):
    scenario = economy(KINDS, 7, witness=False, days=60, **{"economy.rationing": rationing, "economy.firms": 150})
    one, two = Ecosystem(scenario), Ecosystem(scenario, threads=2)
    for eco in (one, two):
        eco.run_for(60)
    assert_same(one, two)


@settings(max_examples=8, deadline=None)
@given(kinds=st.sets(st.sampled_from(KINDS), min_size=2), seed=st.integers(0, 10**6), data=st.data())
def test_what_does_nothing_changes_nothing(kinds, seed, data):
    """A shock without force and a mechanism that only looks leave every other number as it was, to the bit."""
    kinds = with_needs(*kinds)
    scenario = economy(kinds, seed, witness=False, days=60)
    quiet = [
        *(
            {"kind": kind, "name": "nothing", "who": {"share": 0.5}, "when": 3, "severity": 0.0}
            | ({"of": "product"} if kind == "obsolescence" else {})
            for kind in possible([{"kind": kind} for kind in kinds])
            if kind not in {"pulse", "platform_outage", "cloud_outage"}
        ),
        {"kind": "outage", "name": "nothing", "who": {"share": 0.5}, "when": 57, "severity": 1.0},
        {
            "kind": "pulse",
            "name": "nothing",
            "channel": data.draw(st.sampled_from(channels(kinds))),
            "when": 2,
            "days": 9,
        }
        | {"factor": 1.0},
    ]
    parts = [*scenario.mechanisms, {"kind": Witness}]
    shocks = [*scenario.shocks, data.draw(st.sampled_from(quiet))]
    plain, more = Ecosystem(scenario), Ecosystem(scenario.with_({"mechanisms": parts, "shocks": shocks}))
    for eco in (plain, more):
        eco.run_for(55)
    assert_same(plain, more, but=["nothing"])


# Closed and open again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", [["turnover"], ["turnover", "finance"], KINDS], ids=["alone", "finance", "all"])
def test_rows_that_open_again_work_again(kinds):
    parts = [*({"kind": kind} for kind in kinds), {"kind": Witness}]
    count = Count(TOWN.with_({"mechanisms": parts, "mechanisms.turnover.exit_rate": 0.4}))
    firms, back, made = count.world.firms, set(), defaultdict(float)
    for _ in range(90):
        count.day()
        back |= set(np.flatnonzero((firms.alive > 0) & (firms.entered_on == count.world.day)).tolist())
        for row in back:
            made[row] = max(made[row], firms.production[row] / firms.output[row])
    early = [row for row in back if firms.entered_on[row] < 60 and firms.alive[row] > 0]
    assert len(early) >= 2
    assert min(made[row] for row in early) > 0.5
