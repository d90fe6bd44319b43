"""Where harm came from: hand-made cascades whose true cause is known, and what must hold for any run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.config import find
from ecosim.kernels.lineage import harm_through
from ecosim.lineage.cascade import Cascade, _depths
from ecosim.lineage.story import Story
from ecosim.paired import RunStopped, finish

SUPPLIER, CLIENT, STRUCK = "a supplier delivers too little", "a client orders less", "struck by a shock"
LEFT, NO_CASH, CLOSED = "a client buys elsewhere", "it had no cash to order", "closed"
FLOOD = {"kind": "outage", "name": "flood", "when": 5, "recovery": {"law": "at_once", "start": 29}}


def town(firms, links, *, days=60, mechanisms=(), **economy):
    """Firms by name with their sales to customers, and flows by (supplier, client)."""
    return Scenario(
        name="town",
        days=days,
        economy={"kind": "given", "inventory_days": 10, "smoothing_days": 5, "rationing": 1} | economy,
        network={
            "kind": "imported",
            "firms": [{"firm": name, "sector": name, "final_demand": sales} for name, sales in firms.items()],
            "links": [{"supplier": one, "client": other, "flow": flow} for (one, other), flow in links.items()],
        },
        mechanisms=list(mechanisms),
    )


def on(firm, **shock):
    """A flood, or another shock, on one firm."""
    return FLOOD | {"who": {"firms": firm}} | shock


def pulse(firm, channel, factor, **more):
    """A channel of one firm scaled for thirty days from day 5 on."""
    return {"kind": "pulse", "name": channel, "who": {"firms": firm}, "channel": channel, "factor": factor,
            "when": 5, "days": 30} | more  # fmt: skip


def followed(scenario, *shocks):
    """The cascade of a run with these shocks, and the run."""
    result = ecosim.run(scenario.with_({"shocks": list(shocks)}), lineage="full")
    return Cascade.of(result), result


def largest(cascade, firm):
    """The entry by which a firm lost most."""
    entries = cascade.of_firm(firm)
    assert len(entries), firm
    return entries.loc[entries["loss"].idxmax()]


def back(cascade, firm):
    """Firms and causes from a firm's largest entry back to where it began."""
    trail = cascade.entries.loc[cascade.trail(largest(cascade, firm).name)]
    return list(zip(trail["firm"].astype(str), trail["cause"].astype(str), strict=True))


CHAIN = town({"Mill": 0, "Bakery": 0, "Cafe": 200}, {("Mill", "Bakery"): 50, ("Bakery", "Cafe"): 100})


def test_a_chain_is_followed_down_to_the_supplier_that_was_struck():
    cascade, result = followed(CHAIN, on("Mill", severity=1.0))
    mill, bakery, cafe = (largest(cascade, name) for name in ("Mill", "Bakery", "Cafe"))
    assert (mill.cause, mill.shock, mill.through, mill.generation) == (STRUCK, "flood", "capacity", 0)
    assert (mill.first_day, mill.last_day, mill.loss) == (5, 34, pytest.approx(30 * 50.0))
    # Ten days in stock and what was shipped on day 4 feed the bakery from day 5 to day 14 (see test_goods).
    assert (bakery.cause, bakery.from_firm, bakery.first_day) == (SUPPLIER, "Mill", 15)
    assert (cafe.cause, cafe.from_firm, cafe.generation) == (SUPPLIER, "Bakery", 2)
    assert cafe.first_day > bakery.first_day
    assert back(cascade, "Cafe") == [("Cafe", SUPPLIER), ("Bakery", SUPPLIER), ("Mill", STRUCK)]
    assert cafe.path == f"flood > {STRUCK} > {SUPPLIER} > {SUPPLIER}"
    assert set(cascade.entries["root"]) == {"flood"}
    assert set(cascade.entries["root_firm"]) == {"Mill"}
    lost = result.firms.set_index("firm")["lost"]
    own = cascade.entries.groupby("firm", observed=True)["loss"].sum()
    assert own["Cafe"] == pytest.approx(lost["Cafe"], rel=2e-3)
    through = cascade.conduits().set_index("firm")["passed_on"]
    assert through["Mill"] == pytest.approx(own["Bakery"] + own["Cafe"])
    later = cascade.of_firm("Mill").iloc[
        1:
    ]  # when it is repaired, the bakery that it had brought to a halt orders less
    assert set(later["from_firm"]) == {"Bakery"}
    assert through["Bakery"] == pytest.approx(own["Cafe"] + later["loss"].sum())


def test_a_chain_is_followed_up_from_the_client_that_was_struck():
    cascade, _ = followed(CHAIN, on("Cafe", severity=1.0))
    assert back(cascade, "Mill") == [("Mill", CLIENT), ("Bakery", CLIENT), ("Cafe", STRUCK)]
    mill = largest(cascade, "Mill")
    assert (mill.from_firm, mill.generation, mill.root_firm) == ("Bakery", 2, "Cafe")
    assert mill.path == f"flood > {STRUCK} > {CLIENT} > {CLIENT}"


DIAMOND = town({"Mill": 50, "Dairy": 50, "Bakery": 300}, {("Mill", "Bakery"): 100, ("Dairy", "Bakery"): 100})


@pytest.mark.parametrize(("worse", "other"), [("Mill", "Dairy"), ("Dairy", "Mill")])
def test_of_two_failing_suppliers_the_scarcer_input_binds(worse, other):
    cascade, _ = followed(DIAMOND, on(worse, severity=0.9), on(other, severity=0.4, name="fire"))
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.from_firm, bakery.root_firm, bakery.root) == (SUPPLIER, worse, worse, "flood")


def test_the_supplier_that_could_deliver_suffers_from_the_one_that_cannot():
    cascade, _ = followed(DIAMOND, on("Mill", severity=1.0))
    assert back(cascade, "Dairy") == [("Dairy", CLIENT), ("Bakery", SUPPLIER), ("Mill", STRUCK)]


def test_two_shocks_on_different_firms_are_kept_apart():
    twice = town(
        {"Mill": 0, "Bakery": 200, "Farm": 0, "Brewery": 300}, {("Mill", "Bakery"): 100, ("Farm", "Brewery"): 100}
    )
    cascade, result = followed(twice, on("Mill", severity=1.0), on("Farm", severity=0.8, name="fire", when=8))
    roots = cascade.entries.groupby("firm", observed=True)["root"].unique()
    assert {firm: list(found) for firm, found in roots.items()} == {
        "Bakery": ["flood"], "Brewery": ["fire"], "Farm": ["fire"], "Mill": ["flood"]
    }  # fmt: skip
    by_root = cascade.by_root()["loss"]
    lost = result.firms.set_index("firm")["lost"]
    assert by_root["flood"] == pytest.approx(lost["Mill"] + lost["Bakery"], rel=2e-3)
    assert by_root["fire"] == pytest.approx(lost["Farm"] + lost["Brewery"], rel=2e-3)


def test_two_shocks_on_one_firm_go_by_the_stronger():
    cascade, _ = followed(
        CHAIN, on("Mill", severity=0.5), on("Mill", severity=0.8, name="fire", when=10, recovery={"law": 2, "start": 5})
    )
    struck = cascade.of_firm("Mill")
    assert [(row.shock, row.first_day) for row in struck.itertuples()][:3] == [
        ("flood", 5),
        ("fire", 10),
        ("flood", 16),
    ]


# --- money ------------------------------------------------------------------------------------------------------------

PAIR = {"Mill": 0, "Bakery": 200, "Farm": 0, "Brewery": 200}
PAIR_LINKS = {("Mill", "Bakery"): 100, ("Farm", "Brewery"): 100}


def test_a_lack_of_cash_is_told_from_a_supplier_that_fails():
    poor = town(
        PAIR, PAIR_LINKS, days=90, inventory_days=2,
        mechanisms=[{"kind": "finance", "cash_days": 15, "credit_days": 0, "bootstrapping": 1.0, "grace_days": 200}],
    )  # fmt: skip
    cascade, _ = followed(poor, on("Farm", severity=1.0), pulse("Bakery", "rent", 9.0, days=60))
    brewery, bakery = largest(cascade, "Brewery"), largest(cascade, "Bakery")
    assert (brewery.cause, brewery.from_firm, brewery.root) == (SUPPLIER, "Farm", "flood")
    assert (bakery.cause, bakery.root, bakery.root_firm, bakery.generation) == (NO_CASH, "rent", "Bakery", 0)
    mill = largest(cascade, "Mill")
    assert (mill.cause, mill.from_firm, mill.root, mill.generation) == (CLIENT, "Bakery", "rent", 1)
    # It orders less before it makes less, and then because it makes less.
    first = cascade.of_firm("Mill").iloc[0]
    assert first["first_day"] < bakery.first_day
    assert (first["through"], first["root_firm"], first["path"]) == (
        "finance",
        "Bakery",
        f"rent > {NO_CASH} > {CLIENT}",
    )
    assert set(cascade.of_firm("Mill")["root"]) == {"rent"}
    drained = cascade.debts[cascade.debts["debtor"].isna()]
    assert list(drained["creditor"].astype(str)) == ["Bakery"]
    assert (drained["shock"].iloc[0], drained["through"].iloc[0], drained["day"].iloc[0]) == ("rent", "rent", 5)


def test_a_bankruptcy_goes_to_the_creditor_by_its_unpaid_invoices():
    owing = town(
        {"Wholesaler": 300, "Shop": 400}, {("Wholesaler", "Shop"): 100}, days=200,
        mechanisms=[{"kind": "finance", "cash_days": 5, "credit_days": 0, "payment_days": 300, "grace_days": 5,
                     "rigid_wages": 0.0, "resourcefulness": 0.0}],
    )  # fmt: skip
    cascade, result = followed(owing, pulse("Shop", "rent", 50.0, days=150))
    debts = cascade.debts[cascade.debts["debtor"].notna()]
    assert [(row.creditor, row.debtor) for row in debts.itertuples()] == [("Wholesaler", "Shop")]
    noted = result.events[result.events["event"] == "loses unpaid invoices"]
    assert debts["amount"].sum() == pytest.approx(noted["amount"].sum())
    assert debts["day"].tolist() == noted["day"].tolist()
    shop = largest(cascade, "Shop")
    assert (shop.cause, shop.through, shop.root, shop.generation) == (CLOSED, "finance", "rent", 0)


def test_a_creditor_that_closes_over_a_bad_debt_leads_back_to_the_debtor():
    # All that it sold the shop in sixty days is owed, and it has cash for three.
    owing = town(
        {"Wholesaler": 100, "Shop": 400}, {("Wholesaler", "Shop"): 100}, days=300,
        mechanisms=[{"kind": "finance", "cash_days": 3, "credit_days": 0, "payment_days": 60, "grace_days": 3}],
    )  # fmt: skip
    cascade, _ = followed(owing, pulse("Shop", "rent", 50.0, days=250))
    closed = cascade.of_firm("Wholesaler")
    closed = closed[closed["cause"] == CLOSED]
    assert len(closed) == 1
    trail = cascade.entries.loc[cascade.trail(int(closed.index[0]))]
    assert list(zip(trail["firm"].astype(str), trail["cause"].astype(str), strict=True)) == [
        ("Wholesaler", CLOSED), ("Shop", CLOSED)
    ]  # fmt: skip
    assert closed["root_firm"].iloc[0] == "Shop"
    assert closed["path"].iloc[0] == "rent > closed > closed"


def test_a_firm_closed_by_a_shock_was_struck():
    cascade, _ = followed(CHAIN, {"kind": "insolvency", "name": "fraud", "who": {"firms": "Bakery"}, "when": 7})
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through, bakery.first_day) == (STRUCK, "fraud", "closing", 7)
    assert back(cascade, "Cafe") == [("Cafe", SUPPLIER), ("Bakery", STRUCK)]
    assert back(cascade, "Mill") == [("Mill", CLIENT), ("Bakery", STRUCK)]


# --- goods, people, platforms -----------------------------------------------------------------------------------------


def test_customers_who_want_less_lead_to_the_shock():
    cascade, _ = followed(
        CHAIN, {"kind": "demand_collapse", "name": "slump", "who": {"firms": "Cafe"}, "when": 5, "severity": 0.5}
    )
    cafe = largest(cascade, "Cafe")
    assert (cafe.cause, cafe.shock, cafe.through, cafe.first_day, cafe.last_day) == (STRUCK, "slump", "demand", 5, 34)
    assert cafe.loss == pytest.approx(0.5 * 200 * 30)
    assert back(cascade, "Mill") == [("Mill", CLIENT), ("Bakery", CLIENT), ("Cafe", STRUCK)]


def test_stocks_that_are_destroyed_strike_the_firm_that_held_them():
    cascade, _ = followed(
        town({"Mill": 20, "Bakery": 200}, {("Mill", "Bakery"): 80}),
        {"kind": "inventory_destruction", "name": "fire", "who": {"firms": "Bakery"}, "when": 5},
        on("Mill", when=6, severity=0.3),
    )
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through, bakery.root) == (STRUCK, "fire", "stocks", "fire")


def test_goods_held_up_on_the_road_strike_the_firm_that_waits():
    cascade, _ = followed(
        CHAIN, {"kind": "lead_time", "name": "strike", "who": {"firms": "Bakery"}, "extra_days": 40, "when": 5}
    )
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through) == (STRUCK, "strike", "delivery")
    assert back(cascade, "Cafe")[-1] == ("Bakery", STRUCK)


@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_trade_that_is_cut_strikes_both_ends(rationing):
    cut = {"kind": "link_loss", "name": "embargo", "who": {"firms": "Bakery"}, "side": "purchases", "when": 5}
    both = town({"Mill": 50, "Bakery": 300}, {("Mill", "Bakery"): 100}, rationing=rationing)
    cascade, _ = followed(both, cut)
    mill, bakery = cascade.of_firm("Mill"), largest(cascade, "Bakery")
    first = mill.iloc[0]
    assert (first.cause, first.shock, first.through, first.first_day) == (STRUCK, "embargo", "trade", 5)
    assert set(mill["root"]) == {"embargo"}
    assert (bakery.cause, bakery.shock, bakery.through) == (STRUCK, "embargo", "trade")
    assert bakery.first_day > 10


def test_missing_staff_lead_through_workforce_to_the_shock():
    staffed = town({"Mill": 0, "Bakery": 200}, {("Mill", "Bakery"): 100}, mechanisms=[{"kind": "workforce"}])
    cascade, _ = followed(
        staffed, {"kind": "labour_shortage", "name": "flu", "who": {"firms": "Bakery"}, "severity": 0.8, "when": 5}
    )
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through) == (STRUCK, "flu", "labour")
    assert back(cascade, "Mill") == [("Mill", CLIENT), ("Bakery", STRUCK)]


PLATFORMS = {"kind": "platforms", "platforms": 1, "clouds": 1, "membership": 1.0, "cloud_users": 1.0,
             "divide_size": 0.0, "divide_region": 0.0}  # fmt: skip


def test_a_platform_that_is_down_strikes_its_members():
    town_ = town({"Mill": 0, "Bakery": 200}, {("Mill", "Bakery"): 100}, mechanisms=[PLATFORMS])
    cascade, _ = followed(town_, {"kind": "platform_outage", "name": "ban", "when": 5, "days": 20})
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through, bakery.first_day) == (STRUCK, "ban", "platform", 5)
    assert bakery.loss == pytest.approx(20 * 200 * 0.3 * (1 - 0.3))
    assert back(cascade, "Mill") == [("Mill", CLIENT), ("Bakery", STRUCK)]


def test_a_cloud_that_is_down_strikes_its_users():
    town_ = town({"Mill": 0, "Bakery": 200}, {("Mill", "Bakery"): 100}, mechanisms=[PLATFORMS])
    cascade, _ = followed(town_, {"kind": "cloud_outage", "name": "down", "when": 5, "days": 20})
    bakery = largest(cascade, "Bakery")
    assert (bakery.cause, bakery.shock, bakery.through, bakery.first_day) == (STRUCK, "down", "cloud", 5)


def test_a_client_that_buys_elsewhere_leads_back_to_what_it_was_let_down_by():
    sector = {"Mill": 100, "Other Mill": 100, "Bakery": 300}
    two = town(sector, {("Mill", "Bakery"): 100}, headroom=2.0, days=120, mechanisms=[
        {"kind": "sourcing", "link_survival": 1.0, "return_chance": 0.0, "onboarding_days": 0}
    ])  # fmt: skip
    network = two.network.model_dump()
    for firm in network["firms"]:
        firm["sector"] = "Baking" if firm["firm"] == "Bakery" else "Milling"
    cascade, result = followed(two.with_({"network": network}), on("Mill", severity=0.9))
    assert result.links["supplier"].astype(str).tolist() == ["Other Mill"]
    left = cascade.of_firm("Mill")
    left = left[left["cause"] == LEFT]
    assert left["from_firm"].astype(str).unique().tolist() == ["Bakery"]
    assert left["last_day"].max() == 119
    assert set(left["root"]) == {"flood"}
    assert set(left["path"]) == {f"flood > {STRUCK} > {LEFT}"}
    assert set(left["generation"]) == {0}


def test_people_who_earn_less_buy_less():
    paid = town(
        {"Mill": 300, "Bakery": 300}, {("Mill", "Bakery"): 100}, days=120,
        mechanisms=["finance", "income"],
    )  # fmt: skip
    cascade, _ = followed(paid, on("Mill", severity=1.0, recovery=None))
    entries = cascade.entries[cascade.entries["cause"] == "customers earn less"]
    assert len(entries)
    assert set(entries["root"]) == {"flood"}
    assert set(entries["root_firm"]) == {""}
    assert (entries["generation"] >= 1).all()


# --- what must hold for any run ---------------------------------------------------------------------------------------

MECHANISMS = ("recovery", "workforce", "platforms", "customers", "income", "finance", "pricing", "sourcing", "turnover",
              "continuity", "collaboration", "judgement")  # fmt: skip
SHOCKS = (
    {"kind": "outage", "who": {"share": 0.3}, "severity": 0.7},
    {"kind": "demand_collapse", "who": {"share": 0.5}, "severity": 0.4},
    {"kind": "link_loss", "who": {"share": 0.2}, "days": 15},
    {"kind": "lead_time", "who": {"share": 0.5}, "days": 20},
    {"kind": "inventory_destruction", "who": {"share": 0.4}},
    {"kind": "insolvency", "who": {"share": 0.1}},
    {"kind": "labour_shortage", "who": {"share": 0.5}, "severity": 0.5},
    {"kind": "disaster", "severity": 0.8, "radius": 50.0},
)


@st.composite
def disturbed(draw):
    """A small economy with a few mechanisms and shocks."""
    kinds = draw(st.lists(st.sampled_from(MECHANISMS), max_size=5, unique=True))
    for kind in kinds:  # those that one needs are looked at in their turn
        kinds += [needed for needed in find("mechanisms", kind).needs if needed not in kinds]
    shocks = draw(st.lists(st.sampled_from(SHOCKS), min_size=1, max_size=3, unique_by=lambda shock: shock["kind"]))
    days = draw(st.integers(2, 9))
    return Scenario(
        seed=draw(st.integers(0, 99)),
        days=40,
        economy={
            "kind": "table", "firms": draw(st.integers(30, 60)), "rationing": draw(st.integers(0, 3)),
            "inventory_days": draw(st.integers(2, 8)), "headroom": draw(st.sampled_from([0.0, 0.3])),
        },
        mechanisms=kinds,
        shocks=[shock | {"when": days + at} for at, shock in enumerate(shocks)],
    )  # fmt: skip


@settings(max_examples=12)
@given(disturbed())
def test_every_unit_of_output_is_accounted_for_and_nothing_is_its_own_cause(scenario):
    result = ecosim.run(scenario, lineage="full")
    cascade, noted = Cascade.of(result), result.manifest["lineage"]
    scale = float(result.firms["produced"].sum())
    net = cascade.loss + noted["too_small_to_note"] - noted["gains_of_others"]
    assert net == pytest.approx(float(result.firms["lost"].sum()), abs=1e-9 * scale)
    entries = cascade.entries
    assert noted["entries"] == len(entries)
    assert (entries["first_day"] <= entries["last_day"]).all()
    assert (entries["loss"] > 0).all()
    assert not entries["root"].isna().any()
    parent = entries["parent"].to_numpy()
    has = np.flatnonzero(parent >= 0)
    begins = entries["first_day"].to_numpy()
    assert (begins[parent[has]] <= begins[has]).all()
    assert _depths(parent).max(initial=0) < max(len(entries), 1)  # it ends: there is no circle
    struck = entries["cause"] == STRUCK
    assert (entries["shock"].notna() == struck).all()
    assert (entries.loc[struck, "generation"] == 0).all()
    moved = entries["from_firm"].notna().to_numpy()
    assert (entries["generation"].to_numpy()[moved] >= 0).all()
    assert (entries["generation"].to_numpy()[has] >= entries["generation"].to_numpy()[parent[has]]).all()
    spans = entries.groupby("firm", observed=True)
    assert all((group["first_day"].to_numpy()[1:] > group["last_day"].to_numpy()[:-1]).all() for _, group in spans)
    if len(entries):
        assert all(Story(result).of_firm(cascade.worst()))


@settings(max_examples=6)
@given(disturbed())
def test_a_record_changes_no_number(scenario):
    off, full = ecosim.run(scenario, lineage="off"), ecosim.run(scenario, lineage="full")
    assert off.lineage is None
    for name in ("series", "firms", "links", "events"):
        pd.testing.assert_frame_equal(getattr(off, name), getattr(full, name), check_exact=True)


@settings(max_examples=6)
@given(disturbed(), st.integers(3, 30))
def test_a_run_that_was_interrupted_has_the_same_lineage(tmp_path_factory, scenario, day):
    whole = ecosim.run(scenario, lineage="full")
    path = tmp_path_factory.mktemp("stopped") / "state.npz"
    eco = Ecosystem(scenario)
    with pytest.raises(RunStopped) as stopped:
        finish(eco, stop=lambda: eco.day == day, lineage="full")
    stopped.value.eco.save(path)
    resumed = finish(Ecosystem.restore(path))
    pd.testing.assert_frame_equal(resumed.lineage, whole.lineage, check_exact=True)
    pd.testing.assert_frame_equal(resumed.debts, whole.debts, check_exact=True)
    assert resumed.manifest["lineage"] == whole.manifest["lineage"]


@lru_cache
def street(lineage="full"):
    """Main street with fewer firms."""
    scenario = ecosim.load("main_street").with_({"days": 120, "economy.firms": 300})
    return ecosim.run(scenario, lineage=lineage)


def test_the_top_keeps_those_who_lost_most_and_what_their_harm_came_through(tmp_path):
    full, top = Cascade.of(street()), Cascade.of(street(lineage=5))
    most = full.entries.groupby("firm", observed=True)["loss"].sum().nlargest(5)
    assert len(top.entries) < 0.3 * len(full.entries)
    columns = ["first_day", "last_day", "loss", "cause", "root", "root_firm", "path", "generation"]
    for firm, loss in most.items():
        one, other = full.of_firm(firm), top.of_firm(firm)
        assert one[columns].astype(str).values.tolist() == other[columns].astype(str).values.tolist()
        assert other["loss"].sum() == pytest.approx(loss)
    assert street(lineage=5).manifest["lineage"] == {**street().manifest["lineage"], "top": 5}
    # A file does not keep names that no row needs; the firms are the same for all that.
    loaded = Cascade.of(ecosim.Result.load(street(lineage=5).save(tmp_path / "run")))
    pd.testing.assert_frame_equal(loaded.conduits(), top.conduits())
    assert loaded.entries["path"].astype(str).tolist() == top.entries["path"].astype(str).tolist()


@settings(max_examples=60)
@given(st.data())
def test_harm_through_each_firm_agrees_with_a_plain_count(data):
    n = data.draw(st.integers(1, 25))
    parent = np.array([data.draw(st.integers(-1, at - 1)) for at in range(n)], dtype=np.int64)
    firm = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), dtype=np.int64)
    loss = np.arange(1.0, n + 1.0)
    through = np.zeros(6)
    harm_through(parent, firm, loss, through)
    plain = np.zeros(6)
    for at in range(n):
        met, up = set(), parent[at]
        while up >= 0:
            met.add(int(firm[up]))
            up = parent[up]
        for each in met - {int(firm[at])}:
            plain[each] += loss[at]
    assert through.tolist() == plain.tolist()


def test_the_graph_and_the_tables_agree_with_the_entries():
    cascade = Cascade.of(street())
    graph = cascade.graph()
    assert sum(loss for _, loss in graph.nodes(data="loss")) == pytest.approx(cascade.loss)
    handed = cascade.handed_on()
    assert sum(loss for *_, loss in graph.edges(data="loss")) == pytest.approx(handed["loss"].sum())
    for table in (cascade.by_generation(), cascade.by_cause(), cascade.by_root(), cascade.by_path()):
        assert table["loss"].sum() == pytest.approx(cascade.loss)
        assert table["share"].sum() == pytest.approx(1.0)


# --- what people may do wrong -----------------------------------------------------------------------------------------


def test_a_run_without_harm_has_an_empty_cascade():
    cascade, result = followed(CHAIN)
    assert cascade.loss == 0.0
    assert not len(cascade.graph())
    assert Story(result).of_all() == [
        "No firm made less than its undisturbed twin on any day: there is no harm to follow."
    ]
    assert Story(result).of_firm("Mill")[-1].startswith("On no day")
    with pytest.raises(InputError, match="no firm lost anything"):
        cascade.worst()


@pytest.mark.parametrize("wrong", ["x", "0", 0, -3, True, 1.5, None])
def test_a_lineage_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="none of full, off, or a number of firms"):
        ecosim.run(CHAIN, lineage=wrong)


def test_a_run_without_lineage_says_how_to_get_it():
    with pytest.raises(InputError, match="lineage full"):
        Cascade.of(ecosim.run(CHAIN, lineage="off"))


def test_a_firm_that_does_not_exist_is_refused_with_one_that_does():
    _, result = followed(CHAIN, on("Mill", severity=1.0))
    with pytest.raises(InputError, match="Bakery"):
        Story(result).named("Bakry")
    assert Story(result).named("worst") == "Cafe"


def test_a_shock_that_helps_is_never_blamed():
    """Two on the same channel and days: one brings customers, the other takes more away."""
    base = {"kind": "pulse", "channel": "demand", "when": 3, "days": 5}
    world = ecosim.Scenario(
        days=12,
        economy={"kind": "uniform", "firms": 30},
        shocks=[base | {"name": "boom", "factor": 1.7}, base | {"name": "bust", "factor": 0.45}],
    )
    entries = ecosim.run(world).lineage
    assert len(entries)
    assert set(entries["shock"].dropna()) == {"bust"}


def test_a_run_begun_without_a_record_gets_none_in_the_middle():
    eco = ecosim.Ecosystem(ecosim.load("tiny"))
    eco.run_for(9)
    with pytest.raises(InputError, match="this run was begun without it, 9 days ago"):
        finish(eco, lineage="full")
    assert finish(eco).lineage is None


@pytest.mark.parametrize("name", ["lineage", "finance", "out of cash", "a: links", "two\nlines", "  "])
def test_names_that_mean_something_else_are_refused(name):
    with pytest.raises(ValueError, match=r"means something else already|is no name"):
        ecosim.Ecosystem(ecosim.load("tiny").with_({"shocks.0.name": name}))
