"""Every kind of shock: one contract for all of them, and for each the numbers that it should write."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ecosim import Ecosystem, InputError, Scenario, parameters
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import SEQUENCE
from ecosim.state import CORE_CHANNELS

KINDS = known("shocks")
#: In the issue's list, and so to be found by name.
PROMISED = {
    "outage", "demand_collapse", "demand_shift", "input_cost", "lead_time", "link_loss", "insolvency", "credit_freeze",
    "labour_shortage", "inventory_destruction", "cyber_attack", "platform_outage", "cloud_outage", "regulation",
    "price_war", "reputation", "infrastructure", "pandemic", "disaster", "preference_change", "obsolescence",
    "policy_mistake",
}  # fmt: skip
#: They stay.
LASTING = {"preference_change", "obsolescence"}
TOWN = Scenario(
    name="town",
    days=60,
    economy={"kind": "table", "firms": 60, "headroom": 0.25, "smoothing_days": 30, "rationing": 1},
    mechanisms=[{"kind": kind} for kind in SEQUENCE],
)
BARE = TOWN.with_({"mechanisms": []})


def shock(kind, **values):
    """A shock of some kind to a third of the firms on day 3, that lasts a week at most where it lasts at all."""
    fields = find("shocks", kind).model_fields
    if kind not in {"platform_outage", "cloud_outage"}:
        values = {"who": {"share": 0.3}} | values
    lasts = {"days": 4, "ease": 3} if "ease" in fields else {"days": 7} if "days" in fields else {}
    if "recovery" in fields:
        lasts = {"recovery": {"law": "proportional", "days": 6}}
    if kind == "pandemic":
        lasts = {"phases": [{"days": 4, "labour": 0.5, "demand": 0.3}, {"days": 3, "labour": {"Construction": 0.2}}]}
    return {"kind": kind, "when": 3} | lasts | values


def lived(*shocks, days=30, town=TOWN):
    """The town some days after these shocks."""
    eco = Ecosystem(town.with_({"shocks": list(shocks)}))
    eco.run_for(days)
    return eco


def written(kind, day=0, town=TOWN, **values):
    """What a shock writes on some day since it began: multipliers by channel, neutral ones left out."""
    eco = Ecosystem(town.with_({"shocks": [shock(kind, **values)]}))
    eco.run_for(3 + day)
    world = eco.world
    world.day += 1
    world.sheet.reset()
    part, stream = eco._shocks[0]
    part.apply(world, stream)
    return {name: world.sheet.multipliers[name].copy() for name in world.sheet.written}, world


def test_the_page_is_up_to_date():
    page = (Path(__file__).parent.parent / "docs" / "shocks.md").read_text(encoding="utf-8")
    assert page.endswith(parameters.shocks_section()), "write it again: ecosim parameters --shocks, from ## Types on"
    for kind in KINDS:
        assert f"### {kind}\n" in page


def test_every_channel_has_a_listener():
    opened = set(CORE_CHANNELS) | set(parameters.OTHER_WAYS)
    opened |= {channel for part in parameters.mechanisms() for channel in part.channels}
    for part in parameters.shocks():
        assert set(part.writes) <= opened
        assert part.writes or part.model_fields["kind"].default == "pulse"


def test_every_type_of_the_issue_is_a_kind():
    assert set(KINDS) >= PROMISED


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_frozen_value_that_reads_back(kind):
    scenario = TOWN.with_({"shocks": [shock(kind)]})
    (part,) = scenario.shocks
    assert part.kind == kind
    assert Scenario.from_yaml(scenario.to_yaml()) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    with pytest.raises(ValidationError, match="frozen"):
        part.name = "other"
    with pytest.raises(ValidationError):
        type(part)(severty=0.5)
    assert type(part).__doc__
    assert find("shocks", kind)().label == kind


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_same_each_time_and_neutral_at_zero(kind):
    force = {"factor": 0.6} if kind == "pulse" else {"severity": 0.8}
    none = {"factor": 1.0} if kind == "pulse" else {"severity": 0.0}
    one, two = (lived(shock(kind, **force), days=8) for _ in range(2))
    np.testing.assert_array_equal(one._series, two._series)
    hit = [event for event in one.world.events if event["day"] == 3 and event["event"].startswith(kind)]
    assert hit
    assert len(hit[0]["rows"])
    calm, idle = lived(days=8), lived(shock(kind, **none), days=8)
    for name in calm.series:
        np.testing.assert_array_equal(calm.series[name], idle.series[name], err_msg=name)
    for name, column in calm.world.firms.columns.items():
        np.testing.assert_array_equal(column, idle.world.firms.columns[name], err_msg=name)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - LASTING))
def test_it_passes_and_leaves_a_neutral_sheet(kind):
    force = {"factor": 0.6} if kind == "pulse" else {"severity": 0.8}
    # Where firms repair at speeds of their own, damage may last longer than its law says.
    found, world = written(kind, 8, town=BARE if "recovery" in find("shocks", kind).model_fields else TOWN, **force)
    assert not found
    assert not world.sheet.cuts
    assert [event["day"] for event in world.events if event["event"] == f"{kind} is over"]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"pulse", "insolvency", "link_loss", "pandemic"}))
def test_two_at_once_multiply(kind):
    first, _ = written(kind, severity=0.5)
    eco = Ecosystem(TOWN.with_({"shocks": [shock(kind, severity=0.5) | {"name": kind}]}))
    eco.run_for(3)
    both = Ecosystem(TOWN.with_({"shocks": [shock(kind, severity=0.5), shock(kind, severity=0.5, name="again")]}))
    both.run_for(3)
    rows = both.world.memory["again"]["rows"]
    other = Ecosystem(TOWN.with_({"shocks": [shock(kind, severity=0.5, name="again")]}))
    other.run_for(3)
    for each in (both, other):
        each.world.day += 1
        each.world.sheet.reset()
        for part, stream in each._shocks:
            part.apply(each.world, stream)
    assert len(rows)
    assert first
    for name, values in both.world.sheet.multipliers.items():
        alone = first.get(name, 1.0) * other.world.sheet.multipliers[name]
        np.testing.assert_allclose(values, alone, rtol=1e-14, err_msg=name)


# --- what each writes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("demand_collapse", {}, {"demand": 0.6}),
        ("lead_time", {"extra_days": 5.0}, {"delivery": 1 / 3}),
        ("credit_freeze", {"interest_rise": 0.5}, {"credit": 0.6, "interest": 1.2}),
        ("labour_shortage", {}, {"labour": 0.6}),
        ("inventory_destruction", {}, {"stocks": 0.6}),
        ("cyber_attack", {}, {"cyber": 0.6}),
        ("input_cost", {"rise": 0.5}, {"input_cost": 1.2}),
        ("price_war", {"cut": 0.5}, {"price": 0.8}),
        ("infrastructure", {"extra_days": 5.0}, {"capacity": 0.6, "delivery": 1 / 3}),
        (
            "regulation",
            {"activity": 0.5, "cost": 0.5, "entry": 0.5},
            {"capacity": 0.8, "input_cost": 1.2, "entry": 0.8},
        ),
        ("policy_mistake", {"measure": "tight_money"}, {"credit": 0.6}),
        ("policy_mistake", {"measure": "austerity"}, {"demand": 0.6, "benefits": 0.6}),
        ("policy_mistake", {"measure": "red_tape"}, {"permits": 0.6, "entry": 0.6}),
        ("outage", {}, {"capacity": 0.6, "intact": 0.6}),
    ],
)  # fmt: skip
def test_it_writes_its_own_channels(kind, values, expected):
    found, world = written(kind, severity=0.4, **values)
    rows = world.memory[kind]["rows"]
    assert set(found) == set(expected)
    assert set(expected) <= set(find("shocks", kind).writes)
    for channel, factor in expected.items():
        assert found[channel][rows] == pytest.approx(factor)
        assert (np.delete(found[channel], rows) == 1.0).all()


@pytest.mark.parametrize("kind", ["labour_shortage", "cyber_attack"])
def test_without_its_mechanism_it_takes_capacity(kind):
    found, world = written(kind, severity=0.4, town=BARE)
    assert found["capacity"][world.memory[kind]["rows"]] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("kind", "values", "place", "mechanism"),
    [
        ("credit_freeze", {}, "kind", "finance"),
        ("input_cost", {}, "kind", "pricing"),
        ("price_war", {}, "kind", "pricing"),
        ("platform_outage", {}, "kind", "platforms"),
        ("cloud_outage", {}, "kind", "platforms"),
        ("obsolescence", {}, "kind", "automation"),
        ("regulation", {"cost": 0.1}, "cost", "pricing"),
        ("regulation", {"entry": 0.1}, "entry", "turnover"),
        ("policy_mistake", {"measure": "tight_money"}, "measure", "finance"),
        ("policy_mistake", {"measure": "red_tape"}, "measure", "recovery"),
    ],
)
def test_what_nobody_would_notice_is_refused(kind, values, place, mechanism):
    with pytest.raises(InputError, match=rf"^shocks\.0\.{place}: nobody would notice .* opened by {mechanism}; add it"):
        lived(shock(kind, **values), town=BARE)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"kind": "input_cost", "input": "Utilties"}, r"shocks\.0\.input: no sector .*did you mean 'Utilities'"),
        ({"kind": "pandemic", "phases": [{"labour": {"Mines": 0.5}}]}, r"shocks\.0\.phases\.0\.labour: no sector"),
        ({"kind": "pandemic", "phases": [{"labour": 1.5}]}, r"1\.5 is not a share"),
        ({"kind": "disaster", "centre": "Riversid"}, r"shocks\.0\.centre: no region .*Riverside"),
        ({"kind": "disaster", "centre": [900, 900]}, r"shocks\.0\.centre: no firm is near enough"),
        (
            {"kind": "demand_shift", "who": {"sector": "Mining"}, "to": {"sector": "Mining"}},
            r"shocks\.0\.to: every firm",
        ),
        (
            {"kind": "link_loss", "who": {"top": 1}, "partners": {"top": 1}},
            r"none of these firms trade",
        ),
        ({"kind": "platform_outage", "platform": 99}, r"shocks\.0\.platform: none of these firms is on it"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(values, told):
    with pytest.raises((InputError, ValueError), match=told):
        lived(values, days=1)


def test_what_some_lose_others_gain_in_every_community():
    found, world = written("demand_shift", town=BARE, severity=0.4, who={"sector": "Retail trade"})
    wants, customer = world.firms.final_demand, world.plan.customer
    after = np.bincount(customer, wants * found["demand"])
    assert after == pytest.approx(np.bincount(customer, wants), rel=1e-12)
    rows = world.memory["demand_shift"]["rows"]
    assert found["demand"][rows] == pytest.approx(0.6)
    gains = np.isin(customer, customer[rows[wants[rows] > 0]]) & (wants > 0)
    gains[rows] = False
    assert found["demand"][gains].min() > 1.0
    assert gains.any()


def test_reputation_moves_a_share_to_rivals_of_the_same_market():
    found, world = written("reputation", town=BARE, severity=0.5, to_rivals=0.6, who={"top": 1})
    row = int(world.memory["reputation"]["rows"][0])
    plan, wants = world.plan, world.firms.final_demand
    rivals = np.flatnonzero((plan.customer == plan.customer[row]) & (plan.firms.sector == plan.firms.sector[row]))
    rivals = rivals[(rivals != row) & (wants[rivals] > 0)]
    gained = (wants[rivals] * (found["demand"][rivals] - 1.0)).sum()
    # Without a rival, who would have gone to one stays.
    lost = 0.5 if len(rivals) else 0.5 * 0.4
    assert found["demand"][row] == pytest.approx(1.0 - lost)
    assert gained == pytest.approx(0.6 * 0.5 * wants[row] if len(rivals) else 0.0)


def test_a_change_of_preferences_spreads_and_stays():
    seen = [written("preference_change", day, town=BARE, severity=0.5, spread_days=10)[0] for day in (0, 4, 9, 30)]
    rows = written("preference_change", town=BARE, severity=0.5)[1].memory["preference_change"]["rows"]
    assert [float(found["demand"][rows].min()) for found in seen] == pytest.approx([0.95, 0.75, 0.5, 0.5])


def test_obsolete_technology_is_worth_less_for_good():
    found, world = written("obsolescence", 20, severity=0.5, spread_days=10)
    assert found["obsolescence"][world.memory["obsolescence"]["rows"]] == pytest.approx(0.5)


def test_dearer_inputs_hit_whoever_buys_them():
    found, world = written("input_cost", rise=2.0, input="Utilities", who={}, severity=0.5)
    plan = world.plan
    energy = plan.firms.sector[plan.supplier] == plan.firms.sector_names.index("Utilities")
    bought = np.bincount(plan.buyer[energy], plan.flow[energy], minlength=len(plan.firms))
    assert found["input_cost"] == pytest.approx(1.0 + bought / world.firms.output)


def test_a_disaster_falls_with_the_distance_and_takes_stocks_once():
    values = {"who": {}, "centre": [5.0, 5.0], "radius": 4.0, "severity": 0.8, "stock_loss": 0.5, "extra_days": 2.0}
    found, world = written("disaster", **values)
    firms = world.plan.firms
    away = np.hypot(firms.x - 5.0, firms.y - 5.0)
    damage = 0.8 * np.exp(-((away / 4.0) ** 2))
    damage[damage < 0.008] = 0.0
    assert found["capacity"] == pytest.approx(1.0 - damage)
    assert found["intact"] == pytest.approx(1.0 - damage)
    assert found["stocks"] == pytest.approx(1.0 - 0.5 * damage)
    assert found["delivery"] == pytest.approx(1.0 / (1.0 + 2.0 * damage))
    later, _ = written("disaster", 1, **values)
    assert set(later) == {"capacity", "intact", "delivery"}


def test_a_pandemic_lives_through_its_phases():
    sector = "Construction"
    phases = [{"days": 2, "labour": {sector: 0.5}}, {"days": 3, "labour": 0.1, "demand": 0.4}]
    for day, labour, others, demand in (
        (0, 0.75, 1.0, 1.0),
        (1, 0.75, 1.0, 1.0),
        (2, 0.95, 0.95, 0.8),
        (4, 0.95, 0.95, 0.8),
    ):
        found, world = written("pandemic", day, who={}, severity=0.5, phases=phases)
        plan = world.plan.firms
        builds = plan.sector == plan.sector_names.index(sector)
        assert found["labour"][builds] == pytest.approx(labour)
        assert found["labour"][~builds] == pytest.approx(others)
        assert found.get("demand", np.ones(1)) == pytest.approx(demand)
    assert not written("pandemic", 5, who={}, phases=phases)[0]


@pytest.mark.parametrize("mechanisms", [(), ("finance",), ("finance", "turnover")])
def test_insolvency_closes_firms_for_good_unless_somebody_takes_over(mechanisms):
    town = TOWN.with_({"mechanisms": [{"kind": kind} for kind in mechanisms]})
    eco = Ecosystem(town.with_({"shocks": [shock("insolvency", who={"count": 4})]}))
    eco.run_for(5)
    rows = eco.world.memory["insolvency"]["rows"]
    assert not eco.world.firms.alive[rows].any()
    assert not eco.world.firms.production[rows].any()
    assert [event["event"] for event in eco.world.events if event["day"] == 3][-1] == "closes: insolvency"
    eco.run_for(50)
    assert eco.world.firms.alive[rows].any() == ("turnover" in mechanisms)
    if mechanisms:  # an estate holds what its creditors are still to get, and the rest has gone to its owners
        closed = rows[eco.world.firms.alive[rows] == 0]
        owed = eco.world.firms.payables[closed] + eco.world.firms.debt[closed]
        assert eco.world.firms.cash[closed] == pytest.approx(owed, abs=1e-6)


def test_who_fails_at_one_severity_fails_at_every_higher_one():
    town = BARE.with_({"economy.firms": 400})
    failed = []
    for severity in (0.2, 0.5, 1.0):
        eco = lived(shock("insolvency", who={}, severity=severity), days=4, town=town)
        failed.append(set(np.flatnonzero(eco.world.firms.alive == 0).tolist()))
    assert failed[0] < failed[1] < failed[2]
    assert len(failed[2]) == 400
    assert 50 < len(failed[0]) < 110  # 80 are expected; the standard deviation is 8


def test_a_price_war_sets_prices_each_evening_and_ends():
    town = TOWN.with_({"mechanisms": [{"kind": "customers"}, {"kind": "pricing"}]})
    eco = Ecosystem(town.with_({"shocks": [shock("price_war", cut=0.2, severity=0.5, days=5, ease=0)]}))
    eco.run_for(3)
    rows = eco.world.memory["price_war"]["rows"]
    prices = []
    for _ in range(8):
        eco.step()
        prices.append(eco.world.firms.posted_price[rows] / eco.world.firms.unit_cost[rows])
    war, peace = np.array(prices[:5]), np.array(prices[5:])
    assert war.min() == pytest.approx(0.9)  # who has too little for all the customers it wins charges a little more
    assert war.max() <= 0.9 * 1.1 + 1e-12
    assert peace[0].min() == pytest.approx(1.0)
