"""The frame of policies: who gets what, when, at whose cost; accounts, triggers, conservation, saved states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conservation import KINDS, Count, assert_same, channels, economy, with_needs

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import SEQUENCE
from ecosim.policies.need import Need, struck_now
from ecosim.policies.trigger import Trigger
from ecosim.report import aid
from ecosim.report.ledger import Ledger
from ecosim.resilience.deadweight import deadweight

FLOOD = {
    "kind": "outage", "name": "flood", "who": {"share": 0.3}, "when": 5, "severity": 0.7,
    "recovery": {"law": "exponential", "days": 20, "start": 3},
}  # fmt: skip
TOWN = Scenario(
    name="town",
    days=40,
    economy={"kind": "table", "firms": 60, "headroom": 0.25, "smoothing_days": 30, "rationing": 1},
    mechanisms=[{"kind": kind} for kind in SEQUENCE],
    shocks=[FLOOD],
)
BARE = TOWN.with_({"mechanisms": []})
MONEY = TOWN.with_({"mechanisms": [{"kind": "finance"}]})


def lived(*policies, days=20, town=TOWN):
    """The town some days after the flood, with policies."""
    eco = Ecosystem(town.with_({"policies": list(policies)}))
    eco.run_for(days)
    return eco


def account(eco, label):
    """What is kept of a policy."""
    return eco.world.memory[f"policy: {label}"]


# Who and when ---------------------------------------------------------------------------------------------------------


def test_only_struck_open_and_chosen_firms_are_in_need():
    eco = lived(days=8, town=MONEY)
    world = eco.world
    rows = np.arange(60)
    hit = eco.world.memory["flood"]["rows"]
    np.testing.assert_array_equal(np.flatnonzero(struck_now(world)), hit)
    np.testing.assert_array_equal(Need(struck=True).met(world, rows), hit)
    world.firms.alive[hit[0]] = 0.0
    np.testing.assert_array_equal(Need(struck=True).met(world, rows), hit[1:])
    poor = world.firms.cash < 0.9 * world.firms.cash_target
    low = world.firms.production < 0.8 * world.firms.output
    both = Need(cash_below=0.9, below=0.8).met(world, rows)
    np.testing.assert_array_equal(both, np.flatnonzero(poor & low & (world.firms.alive > 0)))


@pytest.mark.parametrize(
    ("trigger", "day"),
    [
        ({}, 0),
        ({"day": 9}, 9),
        ({"after": "flood"}, 5),
        ({"after": "flood", "day": 7}, 7),
        ({"output_below": 0.97}, 6),  # it is seen the morning after
        ({"closed_above": 0.5}, None),
        ({"stock_below": 0.01}, None),
        ({"output_below": 0.01, "after": "flood"}, 5),  # any of them
    ],
)
def test_a_trigger_begins_on_its_day(trigger, day):
    eco = lived({"kind": "systemic_protection", "trigger": trigger, "lead_days": 2, "days": 3}, town=BARE)
    kept = account(eco, "systemic_protection")
    reached = kept["first"][kept["first"] >= 0]
    if day is None:
        assert kept["state"].tolist() == [-1, 0]
        assert not len(reached)
    else:
        assert kept["state"].tolist() == [day, 3]
        assert set(reached) == {day + 2}
        assert set(kept["last"][kept["first"] >= 0]) == {day + 4}


def test_a_policy_follows_another_and_repeats():
    first = {"kind": "strategic_stock", "name": "first", "trigger": {"day": 3}}
    then = {"kind": "early_warning", "name": "then", "trigger": {"after": "first"}, "days": 2, "repeat": True}
    eco = lived(first, then, days=12, town=BARE)
    assert account(eco, "then")["state"][1] == 9  # anew each time it is over
    assert account(eco, "then")["first"].max() == 3


def test_the_early_warning_is_variance_times_memory():
    eco = Ecosystem(BARE.with_({"shocks": []}))
    world, rows, watched = eco.world, np.arange(60), np.zeros(4)
    world.day = 0
    trigger = Trigger(warning=0.3, swing=0.05, watch_days=10)
    rng, x, seen, alarms = np.random.default_rng(3), 0.0, [], []
    for _ in range(60):
        x = 0.9 * x + rng.normal(0, 0.03)
        world.firms.production[:] = world.firms.output * (1.0 + x)
        alarms.append(trigger.says(world, rows, watched))
        seen.append(x)
    mean = last = variance = covariance = 0.0
    fading, expected = 2 / 11, []
    for value in seen:  # written out once more
        off = value - mean
        mean += fading * off
        variance = (1 - fading) * (variance + fading * off**2)
        covariance = (1 - fading) * (covariance + fading * off * last)
        last = off
        expected.append(min(1, np.sqrt(variance) / 0.05) * min(max(covariance / variance, 0), 1) > 0.3)
    assert alarms == expected
    assert any(alarms)
    assert not all(alarms)


def test_an_economy_at_rest_raises_no_alarm():
    eco = lived({"kind": "early_warning", "trigger": {"warning": 1e-6}}, days=30, town=BARE.with_({"shocks": []}))
    assert account(eco, "early_warning")["state"][0] == -1


# Budgets and accounts -------------------------------------------------------------------------------------------------


def test_every_unit_is_in_the_account_and_in_the_ledger():
    result = ecosim.run(TOWN.with_({"policies": [{"kind": "emergency_grant"}, {"kind": "fee_cap"}]}), lineage="off")
    firms = result.firms.set_index("firm")
    table = result.policies[result.policies["policy"] == "emergency_grant"].set_index("firm")
    hit = sorted(result.events.loc[result.events["event"] == "flood hits", "firm"])
    assert sorted(table.index) == hit
    usual = (firms["output"] - firms["usual_profit"]).loc[table.index]
    np.testing.assert_allclose(table["amount"], 14.0 * usual, rtol=1e-12)
    assert set(table["first_day"]) == {5}
    ledger = Ledger.of(result.ledger)
    assert not ledger.faults()
    row = ledger.transactions.loc["policy: emergency grant"]
    assert row["government"] == pytest.approx(-table["amount"].sum(), rel=1e-12)
    grant, cap = result.summary["policies"]
    assert grant["spent"] == pytest.approx(table["amount"].sum(), rel=1e-12)
    assert (grant["firms"], grant["first_day"], cap["spent"]) == (len(hit), 5, 0.0)
    assert aid.sentences([cap])[0].endswith("cost nothing.")


@pytest.mark.parametrize("kind", ["emergency_grant", "wage_subsidy", "strategic_stock", "skills_development"])
def test_a_budget_is_spent_to_the_last_unit_and_shared_in_proportion(kind):
    full = account(lived({"kind": kind}), kind)["amount"]
    half = lived({"kind": kind, "budget": 0.5 * full.sum() / lived(days=1).world.output_at_rest})
    spent = account(half, kind)["amount"]
    assert spent.sum() == pytest.approx(0.5 * full.sum(), rel=1e-9)
    if kind == "emergency_grant":
        np.testing.assert_allclose(spent, 0.5 * full, rtol=1e-9)


def test_a_donor_pays_instead_of_the_government():
    eco = lived({"kind": "emergency_grant", "payer": "outside"}, town=MONEY)
    flow = eco.world.money.flows["policy: emergency_grant"]
    assert flow[4] == 0.0
    assert flow[5] == pytest.approx(-account(eco, "emergency_grant")["amount"].sum(), rel=1e-12)


def test_without_money_the_account_is_kept_all_the_same():
    eco = lived({"kind": "systemic_protection", "cost": 0.01}, town=BARE)
    kept = account(eco, "systemic_protection")
    assert kept["amount"].sum() == pytest.approx(20 * 0.01 * eco.world.firms.output[kept["rows"]].sum(), rel=1e-12)


def test_deadweight_is_what_went_to_those_who_came_through_without():
    town = MONEY.with_({"days": 60, "shocks.flood.severity": 0.9, "mechanisms.finance.cash_days": 10})
    grant = {"kind": "emergency_grant", "need": {}, "trigger": {"after": "flood"}}
    helped = ecosim.run(town.with_({"policies": [grant]}), lineage="off")
    unaided = ecosim.run(town, lineage="off")
    found = deadweight(helped, unaided).loc["emergency_grant"]
    closed = unaided.events.loc[unaided.events["event"].str.startswith("closes"), "firm"].unique()
    fell = unaided.firms.loc[unaided.firms["failed_on"] >= 0, "firm"]
    needy = set(closed) | set(fell)
    amounts = helped.policies.set_index("firm")["amount"]
    assert found["spent"] == pytest.approx(amounts.sum())
    assert found["deadweight"] == pytest.approx(amounts[[firm not in needy for firm in amounts.index]].sum())
    assert 0.0 < found["percent"] < 100.0
    with pytest.raises(InputError, match="not the same scenario without policies"):
        deadweight(helped, ecosim.run(town.with_({"seed": 2}), lineage="off"))
    with pytest.raises(InputError, match="there are none"):
        deadweight(unaided, unaided)


def test_the_table_is_saved_with_the_result(tmp_path):
    result = ecosim.run(TOWN.with_({"days": 8, "policies": [{"kind": "emergency_grant"}]}), lineage="off")
    result.save(tmp_path / "run")
    again = ecosim.Result.load(tmp_path / "run")
    assert again.policies.equals(result.policies)
    assert again.scenario == result.scenario
    assert any("emergency_grant spent" in line for line in ecosim.report.summary.sentences(again.summary))
    assert ecosim.run(TOWN.with_({"days": 8}), lineage="off").policies is None


# Twins and saved states -----------------------------------------------------------------------------------------------


def test_the_twin_has_neither_shocks_nor_policies():
    eco = lived({"kind": "strategic_stock"}, days=1)
    twin = eco.twin()
    assert not twin.scenario.shocks
    assert not twin.scenario.policies
    helped, plain = (
        ecosim.run(BARE.with_({"days": 25, "policies": some}), lineage="off")
        for some in ([{"kind": "strategic_stock"}], [])
    )
    calm = [name for name in plain.series if name.startswith("twin_")]
    assert helped.series[calm].equals(plain.series[calm])
    assert not helped.series["total_production"].equals(plain.series["total_production"])


@pytest.mark.parametrize("day", [1, 6, 17])
def test_a_saved_economy_goes_on_to_the_bit(day, tmp_path):
    some = [{"kind": kind, "lead_days": 2} for kind in known("policies")]
    some[3] |= {"trigger": {"after": "flood"}}
    whole, first = lived(*some), lived(*some, days=day)
    first.save(tmp_path / "state.npz")
    second = Ecosystem.restore(tmp_path / "state.npz")
    second.run_for(20 - day)
    assert_same(second, whole)


# Conservation ---------------------------------------------------------------------------------------------------------


def possible(kinds):
    """Policies that an economy with these mechanisms can have."""
    heard = set(channels(kinds))
    parts = {kind: find("policies", kind) for kind in known("policies")}
    return [
        kind for kind, part in parts.items()
        if set(part.needs) <= set(kinds) and (not part.writes or heard & set(part.writes))
    ]  # fmt: skip


def drawn(rng, kinds, days, at):
    """A policy of some kind, for some, for a while, with some budget."""
    values = {"kind": str(rng.choice(possible(kinds))), "name": f"help {at}"}
    values["who"] = {"share": float(rng.uniform(0.2, 1.0))}
    if rng.random() < 0.7:
        values["budget"] = float(rng.choice([0.0, 0.01, 0.3, 5.0]))
    if rng.random() < 0.5:
        values["need"] = {}
    if rng.random() < 0.5:
        values["trigger"] = {"day": int(rng.integers(0, days // 2))}
    if rng.random() < 0.5:
        values |= {"days": int(rng.integers(1, 40)), "repeat": bool(rng.random() < 0.5)}
    return values


@settings(max_examples=4, deadline=None)
@given(kinds=st.sets(st.sampled_from(KINDS), min_size=2), seed=st.integers(0, 10**6), default=st.booleans())
def test_goods_money_and_people_are_conserved_with_any_policies(kinds, seed, default):
    rng, kinds = np.random.default_rng(seed), with_needs(*kinds)
    scenario = economy(kinds, seed, default=default, days=30)
    some = [drawn(rng, kinds, scenario.days, at) for at in range(rng.integers(1, 5))]
    Count(scenario.with_({"policies": some})).live(scenario.days)


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"kind": "emergency_grants"}, r"unknown kind of policy 'emergency_grants'.*emergency_grant"),
        ({"kind": "emergency_grant", "costs": -1}, r"policies\.0\.costs: .*-1.* is out of range; give 0 to 1000"),
        ({"kind": "emergency_grant", "budgt": 1}, r"policies\.0\.budgt"),
        ({"kind": "wage_subsidy", "trigger": {"after": "flod"}}, r"policies\.0\.trigger\.after: no shock, .*'flood'"),
        ({"kind": "wage_subsidy", "who": {"region": "Atlantis"}}, r"policies\.0\.who\.region: no region is named"),
        ({"kind": "wage_subsidy", "name": "flood"}, r"policies\.0\.name: 'flood' is taken by shocks\.0"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(policy, told):
    with pytest.raises((InputError, ValueError), match=told):
        lived(policy, days=1)


def test_what_needs_a_mechanism_says_which():
    with pytest.raises(InputError, match=r"^policies\.0\.kind: wage_subsidy means nothing without finance; add {kind:"):
        lived({"kind": "wage_subsidy"}, town=BARE)
    with pytest.raises(
        InputError, match=r"^policies\.0\.kind: nobody would notice streamlined_regulation; entry is op"
    ):
        lived({"kind": "streamlined_regulation"}, town=MONEY)
    with pytest.raises(InputError, match=r"^policies\.0\.need\.cash_below: nobody has cash where finance is off"):
        lived({"kind": "strategic_stock", "need": {"cash_below": 0.5}}, town=BARE)


def test_a_class_that_is_no_policy_is_refused():
    with pytest.raises((InputError, ValueError), match="kind"):
        lived(find("shocks", "outage")(name="other"), town=BARE)
