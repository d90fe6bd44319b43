"""Sourcing: reliability, searches, second sources, natural change; goods stay where they are and totals too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.agents import Firm
from ecosim.kernels import sourcing as kernel
from ecosim.mechanisms.sourcing import Sourcing

TOWN = Scenario(
    days=120,
    economy={"kind": "table", "firms": 150, "headroom": 0.2, "smoothing_days": 30},
    mechanisms=[{"kind": "sourcing", "link_survival": 1.0}],
    shocks=[{"kind": "outage", "name": "flood", "who": {"region": "Riverside"}, "when": 5, "severity": 0.8,
             "recovery": {"days": 60}}],
)  # fmt: skip
CALM = TOWN.with_({"shocks": []})


def purchases(world):
    """Total usual purchases of each buyer and product."""
    links = world.links
    sectors = len(world.plan.firms.sector_names)
    return np.bincount(links.buyer.astype(np.int64) * sectors + links.product, links.flow, minlength=links.ptr.size)


def kept_links(eco, before):
    return float((eco.world.links.supplier == before).mean())


class Same(Firm):
    """Decides by itself, and decides what the rule decides."""

    def choose_supplier(self, candidates):
        return super().choose_supplier(candidates)


class SameIfSmall(ecosim.SMB):
    """Small businesses decide by themselves, among firms that follow the rule."""

    def choose_supplier(self, candidates):
        return super().choose_supplier(candidates)


class Nobody(Firm):
    """Stays with its suppliers, whatever happens."""

    def choose_supplier(self, candidates):
        return -1


class Wrong(Firm):
    """Names a firm that was not offered."""

    def choose_supplier(self, candidates):
        return 10**6


@pytest.mark.parametrize("more", [1.0, 2.0])
def test_rest_is_exact_without_natural_change(more):
    eco = Ecosystem(CALM.with_({"mechanisms.0.suppliers_per_input": more}))
    before = eco.world.firms.production.copy()
    eco.run_for(100)
    assert np.array_equal(eco.world.firms.production, before)
    assert np.array_equal(eco.world.links.columns["reliability"], np.ones(len(eco.world.links)))


def test_reliability_is_smoothed_and_counts_the_usual_as_enough():
    ptr, flow = np.array([0, 3]), np.array([1.0, 1.0, 1.0])
    ordered, delivered = np.array([2.0, 1.0, 1.0]), np.array([1.0, 0.5, 1.0])
    reliability, short = np.ones(3), np.zeros(3, np.int16)
    for day in range(1, 5):
        due = kernel.watch(ptr, flow, ordered, delivered, 0.25, np.array([0.8]), np.array([2.0]), np.ones(1),
                           reliability, short)  # fmt: skip
        np.testing.assert_allclose(reliability, [1.0, 0.5 + 0.5 * 0.75**day, 1.0])
        assert due.tolist() == ([1] if short[1] >= 2 else [])
    # 0.875, 0.781, 0.711, 0.658: below 0.8 on three of the four days.
    assert short.tolist() == [0, 3, 0]


def test_a_failing_supplier_is_left_and_found_again():
    eco = Ecosystem(TOWN.with_({"days": 365}))
    world, before = eco.world, eco.world.links.supplier.copy()
    totals, left = purchases(world), 1.0
    for _ in range(365):
        eco.step()
        left = min(left, kept_links(eco, before))
    assert left < 0.99
    assert kept_links(eco, before) == 1.0
    assert np.array_equal(purchases(world), totals)
    assert any(event["event"] == "takes another supplier" for event in world.events)


def test_searching_limits_the_loss_and_a_second_source_does_so_at_once():
    def made(*mechanisms):
        eco = Ecosystem(TOWN.with_({"mechanisms": list(mechanisms), "economy.firms": 400}))
        eco.run_for(60)
        total = eco.series["total_production"] / eco.series["total_production"].iloc[0]
        return total.iloc[5:25].mean(), total.iloc[25:].mean()

    none = made()
    searching = made({"kind": "sourcing", "link_survival": 1.0})
    second = made({"kind": "sourcing", "link_survival": 1.0, "suppliers_per_input": 2.0})
    assert none[0] < searching[0] < second[0]  # whoever has to look for others needs days, and two weeks to start up
    assert none[1] < min(searching[1], second[1])


def test_second_sources_are_contracts_without_a_flow():
    plain, eco = Ecosystem(CALM), Ecosystem(CALM.with_({"mechanisms.0.suppliers_per_input": 2.0}))
    links, plan = eco.world.links, eco.world.plan
    spare = links.flow == 0.0
    assert spare.any()
    assert np.array_equal(links.supplier[~spare], plain.world.links.supplier)
    assert np.array_equal(links.flow[~spare], plain.world.links.flow)
    assert np.array_equal(plan.firms.sector[links.supplier], links.product)
    assert (np.diff(links.buyer.astype(np.int64) * 1000 + links.product) >= 0).all()
    pairs = links.buyer.astype(np.int64) * 1000 + links.supplier
    assert len(np.unique(pairs)) == len(pairs)
    assert not (links.buyer == links.supplier).any()


def test_spare_links_come_before_columns():
    eco = Ecosystem(CALM)
    with pytest.raises(RuntimeError, match="too late"):
        eco.world.links.add_spare(np.array([0]), np.array([0]), np.array([1]))


def test_links_survive_a_year_as_told():
    eco = Ecosystem(CALM.with_({"mechanisms.0.link_survival": 0.92, "economy.firms": 1000, "days": 365}))
    before, made = eco.world.links.supplier.copy(), eco.world.firms.production.sum()
    rest = purchases(eco.world)
    eco.run_for(365)
    assert kept_links(eco, before) == pytest.approx(0.92, abs=0.01)
    assert np.array_equal(purchases(eco.world), rest)
    assert eco.series["total_production"].iloc[1:].mean() == pytest.approx(made, rel=0.002)


@pytest.mark.parametrize("seed", range(3))
def test_natural_change_keeps_sales_near_output(seed):
    eco = Ecosystem(CALM.with_({"mechanisms.0.link_survival": 0.3, "seed": seed}))
    eco.run_for(120)
    firms, links = eco.world.firms, eco.world.links
    assert (np.bincount(links.supplier, links.flow, minlength=150) + firms.final_demand <= firms.potential).all()
    assert not (links.buyer == links.supplier).any()


@given(seed=st.integers(0, 10**6), second=st.sampled_from([1.0, 1.6]), survival=st.sampled_from([1.0, 0.5]))
@settings(max_examples=8)
def test_goods_are_neither_made_nor_lost_by_switching(seed, second, survival):
    """Per buyer: stock tomorrow = stock today + delivered - used, whoever delivers; shipped = received."""
    changes = {"seed": seed, "mechanisms.0.suppliers_per_input": second, "mechanisms.0.link_survival": survival}
    eco = Ecosystem(TOWN.with_(changes))
    world, links = eco.world, eco.world.links
    for _ in range(50):
        stock, delivered, supplier = links.stock.copy(), links.delivered.copy(), links.supplier
        used = world.firms.production / world.firms.output
        eco.step()
        assert (links.stock >= 0).all()
        expected = np.bincount(links.buyer, stock + delivered - used[links.buyer] * links.flow)
        np.testing.assert_allclose(np.bincount(links.buyer, links.stock), expected, rtol=1e-9, atol=1e-6)
        sent = np.bincount(supplier, links.delivered, minlength=150) + world.firms.consumption + world.firms.lost
        np.testing.assert_allclose(sent, world.firms.production, rtol=1e-9)


@pytest.mark.parametrize("cls", [Same, SameIfSmall])
def test_the_rule_in_python_is_the_kernel_for_every_firm(cls):
    plain, own = Ecosystem(TOWN), Ecosystem(TOWN, agents={cls: None})
    for _ in range(70):
        plain.step()
        own.step()
    assert np.array_equal(plain.world.links.supplier, own.world.links.supplier)
    assert np.array_equal(plain.world.firms.production, own.world.firms.production)
    assert any(event["event"] == "takes another supplier" for event in plain.world.events)


def test_decisions_of_ones_own_are_followed_and_checked():
    eco = Ecosystem(TOWN, agents={Nobody: None})
    before = eco.world.links.supplier.copy()
    eco.run_for(70)
    assert kept_links(eco, before) == 1.0
    with pytest.raises(InputError, match=r"Wrong\.choose_supplier\(\) of .* returned 1000000; return one of"):
        Ecosystem(TOWN, agents={Wrong: None}).run_for(70)


class Sloppy(Firm):
    """Answers what nobody asked for."""

    answer = None

    def choose_supplier(self, candidates):
        if self.answer == "itself":
            return self.unique_id - 1
        return candidates if self.answer == "all" else self.answer


class Forger(Firm):
    """Writes its own candidate into what it was given."""

    def choose_supplier(self, candidates):
        candidates[0] = self.unique_id - 1
        return int(candidates[0])


@pytest.mark.parametrize("answer", ["itself", "all", None, [1], "1", 1.0, True, -2, 10**6])
def test_an_answer_must_be_one_of_the_candidates(answer):
    cls = type("Odd", (Sloppy,), {"answer": answer})
    with pytest.raises(InputError, match=r"(?s)Odd\.choose_supplier\(\) of .* returned .*; return one of"):
        Ecosystem(TOWN, agents={cls: None}).run_for(70)


def test_what_was_offered_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Ecosystem(TOWN, agents={Forger: None}).run_for(70)


@pytest.mark.parametrize(("reach", "seen"), [(1.0, 5), (2.0, 10), (1.5, 8), (0.0, 0)])
def test_who_is_on_a_platform_sees_more_candidates(reach, seen):
    eco = Ecosystem(CALM.with_({"economy.firms": 400, "mechanisms.0.local_share": 0.0}))
    part, world = eco.world.mechanisms["sourcing"], eco.world
    eco.step()
    links, stream = np.arange(40), world.streams["test"]
    usual = part._seen(world, stream, links)
    world.firms.search_reach[world.links.buyer[:20]] = reach
    found = part._seen(world, stream, links)
    there = np.isin(world.links.buyer[:40], world.links.buyer[:20])
    assert ((found >= 0).sum(axis=1)[there] == seen).all()
    assert ((found >= 0).sum(axis=1)[~there] == 5).all()
    assert np.array_equal(found[:, :5][~there], usual[~there])
    assert np.array_equal(found[there, : min(seen, 5)], usual[there, : min(seen, 5)])
    if seen == 10:
        assert not np.array_equal(found[there, 5:], found[there, :5])


@pytest.mark.parametrize(("agreed", "days"), [(0.0, 14), (0.5, 7), (1.0, 1)])
def test_a_plan_with_second_suppliers_shortens_onboarding(agreed, days):
    eco = Ecosystem(TOWN)
    eco.world.firms.second_source[:] = agreed
    kept = eco.world.memory["sourcing"]
    while not len(kept["new_day"]):
        eco.step()
    assert (kept["new_day"] == eco.world.day + days).all()


def test_needs_are_the_leontief_inverse():
    eco = Ecosystem(CALM)
    links, firms = eco.world.links, eco.world.firms
    final = firms.final_demand * np.linspace(0.5, 1.5, len(firms.output))
    kernel.follow(links.ptr, links.supplier, links.flow, final, firms.output, 1e-12, 200, firms.promised, firms.pace)
    found = final + firms.promised
    np.testing.assert_allclose(firms.pace, found / firms.output, atol=1e-12)
    A = np.zeros((150, 150))
    np.add.at(A, (links.supplier, links.buyer), links.flow / firms.output[links.buyer])
    np.testing.assert_allclose(found, np.linalg.solve(np.eye(150) - A, final), rtol=1e-8)


def test_what_is_promised_adds_up_after_a_year_of_moves():
    """Every link asks its supplier-to-be for its flow at the buyer's pace, whatever has moved, been told and gone."""
    eco = Ecosystem(TOWN.with_({"mechanisms.0.suppliers_per_input": 1.3, "mechanisms.0.link_survival": 0.5}))
    eco.run_for(120)
    links, firms, kept = eco.world.links, eco.world.firms, eco.world.memory["sourcing"]
    planned = links.supplier.copy()
    planned[kept["new_link"]] = kept["new_supplier"]
    assert np.ptp(firms.pace) > 0.01
    asked = np.bincount(planned, links.flow * firms.pace[links.buyer], minlength=firms.rows)
    np.testing.assert_allclose(firms.promised, asked, rtol=1e-9, atol=1e-9 * firms.output.mean())


def test_nobody_agrees_to_what_a_supplier_of_its_own_cannot_make():
    """Firm 0 would move its 4 from firm 1 to firm 2, who buys half of what it makes from firm 3, who is nearly full."""
    ptr, planned, flow = np.array([0, 1, 1, 2, 2]), np.array([1, 3], np.int32), np.array([4.0, 5.0])
    output, final = np.array([8.0, 10.0, 10.0, 10.0]), np.array([8.0, 6.0, 10.0, 5.0])

    def moves(room):
        promised, pace, plans = np.array([0.0, 4.0, 0.0, 5.0]), np.ones(4), planned.copy()
        found = kernel.agree(np.array([0]), np.array([0]), np.array([2]), ptr, plans, flow, final, output,
                             np.array([8.0, 10.0, 15.0, 10.0 + room]), 1e-3, 100, promised, pace)  # fmt: skip
        return bool(found[0]), plans.tolist(), promised.tolist(), pace.tolist()

    # Firm 2 would need 4 / 10 more of its usual purchases, 2 in all.
    assert moves(1.9) == (False, [1, 3], [0.0, 4.0, 0.0, 5.0], [1.0] * 4)
    assert moves(2.1) == (True, [2, 3], [0.0, 0.0, 4.0, 7.0], [1.0, 0.6, 1.4, 1.2])


@given(seed=st.integers(0, 10**6), changes=st.integers(0, 60))
@settings(max_examples=30)
def test_the_index_by_supplier_is_the_same_whether_mended_or_made_anew(seed, changes):
    eco = Ecosystem(TOWN.with_({"economy.firms": 40, "mechanisms": []}))
    links, draw = eco.world.links, np.random.default_rng(seed)
    for flows in (None, draw.random(changes) * (draw.random(changes) < 0.7)):
        rows = draw.choice(len(links), changes, replace=False)
        links.rewire(rows, draw.integers(40, size=changes), flows)
        mended = links.out_ptr, links.out_link, links.out_flow
        links.index()
        for one, other in zip(mended, (links.out_ptr, links.out_link, links.out_flow), strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)


def test_more_clients_are_found_more_often():
    eco = Ecosystem(CALM.with_({"economy.firms": 400, "mechanisms.0.local_share": 0.0}))
    part, world, links = eco.world.mechanisms["sourcing"], eco.world, eco.world.links
    row = np.zeros(1, np.int64)
    near = world.firms.local_preference
    drawn = part._draw(world, world.streams["test"], 0, row, near, 40_000)
    pool = world.plan.firms.sector == world.plan.firms.sector[links.supplier[0]]
    weight = pool * (np.diff(links.out_ptr) + 1.0) ** 1.08
    seen = np.bincount(drawn[0], minlength=400) / drawn.size
    np.testing.assert_allclose(seen, weight / weight.sum(), atol=0.01)


def test_local_sourcing_stays_in_the_region():
    eco = Ecosystem(CALM.with_({"mechanisms.0.local_share": 1.0}))
    part, world, links = eco.world.mechanisms["sourcing"], eco.world, eco.world.links
    rows = np.arange(len(links))
    near = world.firms.local_preference
    drawn = part._draw(world, world.streams["test"], 0, rows, near, 3)
    region, found = world.plan.firms.region, drawn >= 0
    assert found.mean() > 0.5
    assert (region[drawn] == region[links.buyer][:, None])[found].all()


def test_costs_are_paid_where_finance_is_on():
    mechanisms = [{"kind": "finance"}, {"kind": "sourcing", "switching_cost": 5.0}]
    eco = Ecosystem(TOWN.with_({"mechanisms": mechanisms}))
    eco.run_for(60)
    assert eco.world.money.flows["switching"][5] > 0
    assert eco.world.money.total() == pytest.approx(0.0, abs=1e-3)


def test_settings_that_contradict_others_are_refused():
    assert Sourcing(switching_cost=3.0).check(frozenset()).startswith("switching_cost: nothing comes of it")
    assert Sourcing(referrals=0.5).check(frozenset()).startswith("referrals: nothing comes of it")
    assert Sourcing().check(frozenset()) is None


def test_a_run_goes_on_to_the_bit(tmp_path):
    scenario = TOWN.with_({"mechanisms.0.suppliers_per_input": 1.5, "mechanisms.0.link_survival": 0.8})
    whole, cut = Ecosystem(scenario), Ecosystem(scenario)
    whole.run_for(60)
    cut.run_for(27)
    cut.save(tmp_path / "state.npz")
    rest = Ecosystem.restore(tmp_path / "state.npz")
    rest.run_for(33)
    for name in ("supplier", "stock", "delivered"):
        assert np.array_equal(getattr(rest.world.links, name), getattr(whole.world.links, name))
