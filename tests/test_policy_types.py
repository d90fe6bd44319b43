"""Every kind of policy: one contract for all of them, and for each the numbers that it should write or pay."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from test_conservation import assert_same

from ecosim import Ecosystem, Scenario, parameters
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import SEQUENCE
from ecosim.state import CORE_CHANNELS

KINDS = known("policies")
#: In the issue's list, and so to be found by name.
PROMISED = {
    "emergency_grant", "loan_guarantee", "wage_subsidy", "payment_moratorium", "strategic_stock",
    "diversification_subsidy", "local_sourcing", "supplier_matching", "digital_infrastructure", "skills_development",
    "collaborative_marketing", "streamlined_regulation", "mutual_fund_seed", "continuity_subsidy",
    "platform_redundancy", "demand_voucher", "fee_cap", "systemic_protection", "early_warning",
}  # fmt: skip
#: Something of everything, so that each policy has something to do.
TROUBLE = [
    {
        "kind": "outage", "name": "flood", "who": {"share": 0.5}, "when": 3, "severity": 0.7,
        "recovery": {"law": "exponential", "days": 20, "start": 3},
    },
    {"kind": "labour_shortage", "name": "illness", "who": {"share": 0.4}, "when": 3, "severity": 0.5},
    {"kind": "demand_collapse", "name": "slump", "who": {"share": 0.4}, "when": 3, "severity": 0.3},
    {"kind": "platform_outage", "name": "outage", "when": 3, "severity": 0.8},
    {"kind": "cloud_outage", "name": "cloud", "when": 3, "severity": 1.0},
    {"kind": "insolvency", "name": "ruin", "who": {"count": 4}, "when": 4},
]  # fmt: skip
TOWN = Scenario(
    name="town",
    days=60,
    economy={"kind": "table", "firms": 60, "headroom": 0.25, "smoothing_days": 30, "rationing": 1},
    mechanisms=[{"kind": kind} for kind in SEQUENCE],
    shocks=TROUBLE,
)


def policy(kind, **values):
    """A policy of some kind, in force from day 2 on."""
    return {"kind": kind, "trigger": {"day": 2}} | values


def lived(*policies, days=16, town=TOWN):
    """The town some days later, with policies."""
    eco = Ecosystem(town.with_({"policies": list(policies)}))
    eco.run_for(days)
    return eco


def mornings(kind, day, **values):
    """Today's multipliers after the shocks alone, and after the policy, some day; and the economy."""
    eco = lived(policy(kind, **values), days=day)
    world = eco.world
    world.day += 1
    world.sheet.reset()
    for part, stream in eco._shocks:
        part.apply(world, stream)
    before = {name: values.copy() for name, values in world.sheet.multipliers.items()}
    for part, stream in eco._policies:
        part.apply(world, stream)
    return before, world.sheet.multipliers, eco


def test_the_page_is_up_to_date():
    page = (Path(__file__).parent.parent / "docs" / "policies.md").read_text(encoding="utf-8")
    assert page.endswith(parameters.policies_section()), (
        "write it again: ecosim parameters --policies, from ## Kinds on"
    )


def test_every_intervention_of_the_issue_is_a_kind():
    assert set(KINDS) == PROMISED


def test_every_channel_has_a_listener_and_every_parameter_a_source():
    opened = set(CORE_CHANNELS) | {channel for part in parameters.mechanisms() for channel in part.channels}
    for part in parameters.policies():
        assert set(part.writes) <= opened, part
        own = {name: field for name, field in part.model_fields.items() if name not in parameters.SHARED}
        for name, field in own.items():
            assert {"unit", "source", "low", "high"} <= set(field.json_schema_extra), (part, name)
            assert field.description, (part, name)
        assert "Equation" in part.__doc__, part
        for named in (*part.writes, *part.needs):
            assert named in part.__doc__, (part, named)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_frozen_value_that_reads_back(kind):
    scenario = TOWN.with_({"policies": [policy(kind, budget=0.5, who={"region": "Riverside"}, need={"struck": True})]})
    (part,) = scenario.policies
    assert Scenario.from_yaml(scenario.to_yaml()) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    with pytest.raises(ValidationError, match="frozen"):
        part.name = "other"
    with pytest.raises(ValidationError):
        type(part)(budgte=0.5)
    assert find("policies", kind)().label == kind


@pytest.fixture(scope="module")
def unaided():
    return lived(days=8)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_neutral_without_money_or_occasion_and_else_the_same_each_time(kind, unaided):
    nothing = policy(kind, name="none", budget=0.0)
    never = policy(kind, name="never", trigger={"day": 3, "closed_above": 0.99})
    assert_same(lived(nothing, never, days=8), unaided, but=["policy: none", "policy: never"])
    one, two = (lived(policy(kind, name="help"), days=8) for _ in range(2))
    assert_same(one, two)
    assert one.world.memory["policy: help"]["state"][1] > 0
    if kind not in {"streamlined_regulation", "local_sourcing", "supplier_matching", "diversification_subsidy"}:
        with pytest.raises(AssertionError):
            assert_same(one, unaided, but=["policy: help"])


#: What people have learnt, and what is guaranteed, stays.
PASSING = [kind for kind in KINDS if kind not in {"skills_development", "loan_guarantee"}]


@pytest.mark.parametrize("kind", PASSING)
def test_what_it_writes_is_gone_when_it_is_over(kind):
    before, after, eco = mornings(kind, 9, days=3, repeat=False)
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)
    assert eco.world.memory[f"policy: {kind}"]["last"].max() < 6


SCALED = {
    "payment_moratorium": ({"share": 0.4}, {"invoices": 0.6}),
    "strategic_stock": ({"extra": 0.4}, {"buffer": 1.4}),
    "early_warning": ({"extra": 0.4}, {"buffer": 1.4}),
    "diversification_subsidy": ({"speed_up": 3.0, "reach": 0.5}, {"onboarding": 4.0, "search": 1.5}),
    "supplier_matching": ({"reach": 2.0}, {"search": 3.0}),
    "local_sourcing": ({"shift": 0.3}, {"elsewhere": 0.7}),
    "streamlined_regulation": ({"speed_up": 2.0}, {"entry": 3.0, "permits": 3.0}),
    "collaborative_marketing": ({"pull": 0.2}, {"demand": 1.2}),
    "demand_voucher": ({"value": 0.5, "additional": 0.2}, {"demand": 1.1}),
    "loan_guarantee": ({"line": 7.0}, {"guarantee": 8.0}),
    "fee_cap": ({"cap": 0.05}, {"platform_fee": 1 / 3}),
}
CUSHIONED = {
    "systemic_protection": ({"who": {}, "protection": 0.4}, 0.4, ("capacity", "intact")),
    "digital_infrastructure": ({"bridged": 0.4}, 0.4, ("demand", "labour")),
    "platform_redundancy": ({"taken_over": 0.4}, 0.4, ("platform", "cloud")),
}


@pytest.mark.parametrize("kind", SCALED)
def test_it_scales_its_own_channels(kind):
    values, expected = SCALED[kind]
    before, after, eco = mornings(kind, 3, need={}, **values)
    kept = eco.world.memory[f"policy: {kind}"]
    rows = np.flatnonzero(kept["last"] == eco.world.day)
    assert len(rows)
    for name, now in after.items():
        factor = np.ones(len(now))
        factor[rows] = expected.get(name, 1.0)
        np.testing.assert_allclose(now, before[name] * factor, rtol=1e-12, err_msg=name)
    assert set(expected) == set(find("policies", kind).writes)


@pytest.mark.parametrize("kind", CUSHIONED)
def test_it_gives_back_a_share_of_what_is_missing(kind):
    values, share, channels = CUSHIONED[kind]
    before, after, eco = mornings(kind, 3, **values)
    rows = np.flatnonzero(eco.world.memory[f"policy: {kind}"]["last"] == eco.world.day)
    missing = set()
    for name, now in after.items():
        expected = before[name].copy()
        if name in channels:
            expected[rows] += share * (1.0 - before[name][rows])
            missing |= {name} if (before[name][rows] < 1.0).any() else set()
        np.testing.assert_allclose(now, expected, rtol=1e-12, err_msg=name)
    assert missing == set(channels)


#: A second cap finds the fee capped already.
COMPOSING = [kind for kind in (*SCALED, *CUSHIONED) if kind != "fee_cap"]


@pytest.mark.parametrize("kind", COMPOSING)
def test_two_compose_and_never_compound(kind):
    values = (SCALED[kind] if kind in SCALED else CUSHIONED[kind])[0] | {"need": {}}
    eco = lived(policy(kind, name="one", **values), policy(kind, name="two", **values), days=3)
    alone, both = lived(policy(kind, name="one", **values), days=3), eco
    for each in (alone, both):
        world = each.world
        world.day += 1
        world.sheet.reset()
        for part, stream in (*each._shocks, *each._policies):
            part.apply(world, stream)
    plain = lived(days=3)
    plain.world.day += 1
    plain.world.sheet.reset()
    for part, stream in plain._shocks:
        part.apply(plain.world, stream)
    rows = np.flatnonzero(both.world.memory["policy: two"]["last"] == both.world.day)
    for name in find("policies", kind).writes:
        none, once, twice = (each.world.sheet.multipliers[name][rows] for each in (plain, alone, both))
        if kind in SCALED:
            np.testing.assert_allclose(twice * none, once**2, rtol=1e-9)
        else:
            np.testing.assert_allclose((1 - twice) * (1 - none), (1 - once) ** 2, atol=1e-12)


# Money ----------------------------------------------------------------------------------------------------------------


def test_short_time_work_follows_yesterdays_wages():
    _, _, eco = mornings("wage_subsidy", 6, rate=0.5, need={"below": 0.8})
    world, kept = eco.world, eco.world.memory["policy: wage_subsidy"]
    again = Ecosystem(TOWN.with_({"policies": [policy("wage_subsidy", rate=0.5, need={"below": 0.8})]}))
    again.run_for(6)
    firms, before = again.world.firms, again.world.memory["policy: wage_subsidy"]["amount"]
    made = firms.production / firms.output
    expected = np.where((made < 0.8) & (firms.alive > 0), 0.5 * firms.wages * (1.0 - made), 0.0)
    assert expected.any()
    np.testing.assert_allclose(kept["amount"] - before, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(world.firms.cash - firms.cash, expected, rtol=1e-6, atol=1e-6)


def test_a_firm_gets_one_grant():
    eco = lived(policy("emergency_grant", costs=2.0), days=16)
    firms, kept = eco.world.firms, eco.world.memory["policy: emergency_grant"]
    got = kept["amount"] > 0
    np.testing.assert_allclose(kept["amount"][got], 2.0 * (firms.output - firms.usual_profit)[got], rtol=1e-12)
    np.testing.assert_array_equal(kept["first"], kept["last"])
    assert got.any()


def test_a_guarantee_pays_the_bank_for_what_it_lost():
    eco = lived(policy("loan_guarantee", cover=0.5, line=30.0, need={}), days=6)
    world, kept = eco.world, eco.world.memory["policy: loan_guarantee"]
    row = int(np.flatnonzero(world.firms.alive > 0)[0])
    loss = 3.0 * world.firms.output[row]
    world.firms.claim[row] += loss  # as finance does when a borrower fails
    spent, bank = kept["amount"].sum(), world.money.accounts[0]
    world.day += 1
    world.sheet.reset()
    part, stream = eco._policies[0]
    part.apply(world, stream)
    assert kept["amount"].sum() - spent == pytest.approx(0.5 * loss)
    assert world.money.accounts[0] - bank == pytest.approx(0.5 * loss)


def test_a_guarantee_is_never_larger_than_its_budget():
    eco = lived(policy("loan_guarantee", cover=0.5, line=30.0, need={}, budget=0.2), days=5)
    line = eco.world.memory["policy: loan_guarantee"]["line"]
    assert 0.5 * line.sum() == pytest.approx(0.2 * eco.world.output_at_rest)


def test_firms_without_a_line_of_their_own_borrow_on_a_guarantee():
    town = TOWN.with_({"mechanisms.finance.credit_access": 0.0, "mechanisms.finance.cash_days": 5})
    alone, helped = (lived(*some, town=town) for some in ([], [policy("loan_guarantee", need={})]))
    assert alone.world.firms.debt.sum() == 0.0
    assert helped.world.firms.debt.sum() > 0.0


def test_a_fund_is_refilled_and_can_be_drawn_again():
    eco = lived(policy("mutual_fund_seed", refill_days=5.0, budget=0.3), days=50)
    kept = eco.world.memory["policy: mutual_fund_seed"]
    out = kept["amount"].sum() - kept["returned"].sum()
    assert kept["returned"].sum() > 0.2 * kept["amount"].sum()
    assert -1e-9 <= out <= 0.3 * eco.world.output_at_rest * (1 + 1e-9)


def test_vouchers_are_paid_for_when_they_are_redeemed():
    eco = lived(policy("demand_voucher", value=0.5, additional=0.2, need={}, days=1), days=4)
    world, kept = eco.world, eco.world.memory["policy: demand_voucher"]
    usual = world.plan.firms.final_demand
    assert kept["amount"].sum() > 0
    assert (kept["amount"] <= 0.5 * usual * np.maximum(world.firms.posted_price, 1.1) + 1e-9).all()
    assert set(kept["last"]) <= {-1, 2, 3}
    assert not kept["valid"].any()


# What lasts -----------------------------------------------------------------------------------------------------------


def test_what_people_have_learnt_stays_and_is_lost_with_the_firm():
    eco = lived(policy("skills_development", days=5, training_days=10.0), days=16)
    learnt = eco.world.memory["policy: skills_development"]["learnt"]
    alive = eco.world.firms.alive > 0
    ever_closed = {row for event in eco.world.events if event["event"].startswith("closes") for row in event["rows"]}
    stayed = [row for row in range(60) if row not in ever_closed]
    np.testing.assert_allclose(learnt[stayed], 1.0 - 0.9**5, rtol=1e-12)
    assert not learnt[~alive].any()


def test_plans_are_bought_once():
    eco = lived(policy("continuity_subsidy", quality=0.8, cost=2.0), days=6)
    before = Ecosystem(TOWN).world.firms.plan_quality
    kept, firms = eco.world.memory["policy: continuity_subsidy"], eco.world.firms
    np.testing.assert_allclose(kept["amount"], 2.0 * np.maximum(0.8 - before, 0.0) * firms.output, rtol=1e-12)
    assert (firms.plan_quality[firms.alive > 0] >= 0.8).all()


def test_more_stock_is_aimed_at_and_ordered():
    eco = lived(policy("strategic_stock", extra=0.4), days=3, town=TOWN.with_({"mechanisms": [], "shocks": []}))
    links, firms = eco.world.links, eco.world.firms
    more = 0.4 * firms.inventory_days / firms.smoothing_days
    np.testing.assert_allclose(links.ordered, links.flow * (1.0 + more[links.buyer]), rtol=1e-9)
