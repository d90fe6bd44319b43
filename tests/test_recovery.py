"""Recovery: the speed of repairs, factor by factor, against closed forms and against its own words in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ecosim import Ecosystem, InputError, Scenario
from ecosim.config import ScenarioError

NEUTRAL = {"drag": 0.0, "community_help": 0.0, "permit_days": 0.0}
HIT = {"kind": "outage", "who": {"share": 0.5}, "severity": 0.6, "recovery": {"law": "uniform", "days": 40}}


def town(*mechanisms: dict[str, Any], hit: dict[str, Any] = HIT, shocks: tuple[Any, ...] = ()) -> Ecosystem:
    return Ecosystem(
        Scenario(
            economy={"kind": "uniform", "firms": 30, "headroom": 0.2},
            network={"kind": "random"},
            mechanisms=mechanisms,
            shocks=[hit, *shocks],
        )
    )


def lost(eco: Ecosystem, days: int) -> np.ndarray:
    """Damage of the firms that were hit, shape (days, hit)."""
    found = []
    for _ in range(days):
        eco.run_for(1)
        rows = eco.world.memory["outage"]["rows"]
        found.append(1.0 - eco.world.sheet.multipliers["capacity"][rows])
    return np.array(found)


def damage(eco: Ecosystem, days: int) -> np.ndarray:
    """Damage of the firms that the outage hit, by its own account, shape (days, hit)."""
    found = []
    for _ in range(days):
        eco.run_for(1)
        found.append(eco.world.memory["outage"]["left"].copy())
    return np.array(found)


@pytest.mark.parametrize("law", range(6))
def test_at_the_laws_own_speed_nothing_changes_by_a_bit(law: int) -> None:
    hit = {**HIT, "recovery": {"law": law, "days": 9, "start": 2}}
    plain, with_it = town(hit=hit), town({"kind": "recovery", **NEUTRAL}, hit=hit)
    np.testing.assert_array_equal(lost(plain, 15), lost(with_it, 15))
    np.testing.assert_array_equal(plain.world.firms.production, with_it.world.firms.production)


def closed_form(law: int, first: float, evenings: int, days: float, speed: float) -> float:
    if evenings == 0:
        return first
    left = {
        0: first * (1 - speed * evenings / days),
        1: first - speed * evenings / days,
        2: first * (1 - speed * evenings),
        3: first * (1 - speed / days) ** evenings,
        4: first * math.exp(-speed * (evenings - 1) / days),
    }
    return max(0.0, left[law])


@pytest.mark.parametrize("speed", [0.25, 2.0])
@pytest.mark.parametrize("law", range(5))
def test_a_speed_stretches_each_law(law: int, speed: float) -> None:
    hit = {**HIT, "recovery": {"law": law, "days": 12}}
    pace = {"kind": "pulse", "channel": "repair", "days": 1000, "factor": speed}
    found = lost(town({"kind": "recovery", **NEUTRAL}, hit=hit, shocks=(pace,)), 12)
    expected = [closed_form(law, 0.6, day, 12, speed) for day in range(12)]
    np.testing.assert_allclose(found, np.repeat(expected, found.shape[1]).reshape(found.shape), rtol=0, atol=1e-12)


def test_the_kernel_does_what_the_words_say() -> None:
    from ecosim.kernels.recovery import speeds

    draw = np.random.default_rng(3)
    n = 400
    high = {
        "potential": 9, "alive": 2, "standing": 1, "spare": 200, "readiness": 1, "delay": 5, "repair_today": 2,
        "aid": 3, "permits": 2, "days": 6, "permit": 9, "drag": 2, "cost": 40, "hands": 1, "aid_effect": 2,
        "ready_effect": 1, "help": 1, "trust": 1, "permit_days": 9, "above": 1,
    }  # fmt: skip
    value = {name: draw.uniform(0, top, n) for name, top in high.items()}
    value["alive"] = np.floor(value["alive"])
    value["days"], value["delay"] = np.floor(value["days"]), 1 + value["delay"]
    damage = np.where(draw.uniform(size=n) < 0.3, 0.0, draw.uniform(size=n))
    days, permit, repair = value["days"].copy(), value["permit"].copy(), np.empty(n)
    v = value
    speeds(
        damage, v["potential"], v["alive"], v["standing"], v["spare"], True, v["readiness"], v["delay"],
        v["repair_today"], v["aid"], v["permits"], days, permit, v["drag"], v["cost"], v["hands"], v["aid_effect"],
        v["ready_effect"], v["help"], v["trust"], v["permit_days"], v["above"], repair,
    )  # fmt: skip
    stopped = 0
    for i in range(n):
        f = {name: float(column[i]) for name, column in value.items()}
        d = float(damage[i])
        if d == 0:
            assert (repair[i], days[i], permit[i]) == (1.0, 0.0, 0.0)
            continue
        assert (days[i], permit[i]) == (f["days"] + 1, f["permit"] + f["permits"])
        if f["alive"] == 0:
            assert repair[i] == 1.0
            continue
        expected = f["repair_today"] * (1 + f["drag"] / 2) / (1 + f["drag"] * d)
        expected *= max(0.0, 1 + f["aid_effect"] * (f["aid"] - 1))
        afford = min(1.0, f["spare"] * max(f["aid"], 1.0) / (f["cost"] * f["potential"] * d))
        expected *= f["hands"] + (1 - f["hands"]) * afford
        expected *= 1 + f["ready_effect"] * f["readiness"]
        expected *= max(0.0, 1 + f["help"] * (f["trust"] * f["standing"] - 0.5))
        if d > f["above"] and permit[i] <= f["permit_days"]:
            expected = 0.0
            stopped += 1
        expected *= min(1.0, max(0.0, days[i] - f["delay"] + 1))
        assert repair[i] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert 10 < stopped < 200


@pytest.mark.parametrize(("hurry", "nights"), [(1.0, 6), (2.0, 3)])
def test_heavy_damage_waits_for_a_permit(hurry: float, nights: int) -> None:
    quick = {"kind": "pulse", "channel": "permits", "days": 1000, "factor": hurry}
    part = {"kind": "recovery", **NEUTRAL, "permit_days": 6.0, "permit_above": 0.5}
    found = lost(town(part, shocks=(quick,)), 12)
    still = (found == 0.6).all(axis=1).sum() - 1  # the first morning comes before any night
    assert still == nights
    light = lost(town({**part, "permit_above": 0.7}, shocks=(quick,)), 2)
    assert (light[1] < 0.6).all()


def test_permits_and_trust_differ_between_regions() -> None:
    part = {"kind": "recovery", **NEUTRAL, "permit_above": 0.0}
    eco = town({**part, "permit_days_by_region": {"Riverside": 5.0}})
    found = lost(eco, 4)
    firms = eco.world.plan.firms
    there = firms.region[eco.world.memory["outage"]["rows"]] == firms.region_names.index("Riverside")
    assert there.any()
    assert not there.all()
    assert (found[3, there] == 0.6).all()
    assert (found[3, ~there] < 0.6).all()


def test_who_decides_slowly_starts_late() -> None:
    eco = town({"kind": "recovery", **NEUTRAL})
    rows = eco.world.memory["outage"]["rows"]
    eco.world.firms.delay[rows[:3]] = 4.0
    found = lost(eco, 10)
    np.testing.assert_allclose(found[9, :3], 0.6 - (9 - 3) / 40, atol=1e-12)
    np.testing.assert_allclose(found[9, 3:], 0.6 - 9 / 40, atol=1e-12)


def test_heavier_damage_takes_longer_than_in_proportion() -> None:
    def nights(severity: float, drag: float) -> int:
        part = {"kind": "recovery", **NEUTRAL, "drag": drag}
        found = lost(town(part, hit={**HIT, "severity": severity, "recovery": {"law": "uniform", "days": 40}}), 70)
        return int((found > 0).all(axis=1).sum())

    assert nights(0.8, 0.0) == 2 * nights(0.4, 0.0)
    assert nights(0.8, 1.0) > 2 * nights(0.4, 1.0)


# --- money ------------------------------------------------------------------------------------------------------------


def test_what_is_rebuilt_is_paid_for_and_without_money_own_hands_remain() -> None:
    part = {"kind": "recovery", **NEUTRAL, "rebuild_cost": 20.0, "own_hands": 0.4, "reserve": 0.0}
    eco = town(part, {"kind": "finance"})
    rows = eco.world.memory["outage"]["rows"]
    rich, poor = rows[:4], rows[4:]
    eco.run_for(1)
    firms, money = eco.world.firms, eco.world.money
    assert money is not None
    before = 0.0
    for _ in range(6):
        # who is rich or poor is set by moving money within the economy, so that the books stay whole
        wealth = np.zeros(firms.rows)
        wealth[rich] = 1000.0 * firms.output[rich] - firms.cash[rich]
        wealth[poor] = -firms.cash[poor]
        money.pay_either_way("test", "households", "firms", wealth)
        eco.world.mechanisms["recovery"].evening(eco.world, eco.world.streams["any"])
        np.testing.assert_allclose(firms.repair[rich], 1.0, rtol=1e-12)
        np.testing.assert_allclose(firms.repair[poor], 0.4, rtol=1e-12)
        eco.run_for(1)
        paid = -money.flows["rebuilding"][:2].sum() - before
        before += paid
        full = 20.0 * firms.potential[rich].sum() / 40
        assert paid == pytest.approx(full, rel=1e-9)  # the poor did the work with their own hands
    assert money.flows["rebuilding"].sum() == pytest.approx(0.0, abs=1e-6)
    assert money.total() == pytest.approx(0.0, abs=1e-3)


def test_only_what_outages_damaged_is_billed() -> None:
    strike = {"kind": "pulse", "channel": "capacity", "when": 2, "days": 5, "factor": 0.4}
    part = {"kind": "recovery", **NEUTRAL, "rebuild_cost": 2.0}  # which all can pay
    alone = town(part, {"kind": "finance"}, hit=strike)
    alone.run_for(12)
    assert alone.world.money is not None
    assert "rebuilding" not in alone.world.money.flows
    plain, both = (town(part, {"kind": "finance"}, shocks=shocks) for shocks in ((), (strike,)))
    np.testing.assert_array_equal(damage(plain, 3), damage(both, 3))  # the strike begins on the third day
    for eco in (plain, both):
        eco.run_for(1)
    assert plain.world.money is not None
    assert both.world.money is not None
    billed = [-eco.world.money.flows["rebuilding"][:2].sum() for eco in (plain, both)]
    repaired = (plain.world.firms.potential[plain.world.memory["outage"]["rows"]] / 40).sum()
    assert billed == pytest.approx([3 * 2.0 * repaired] * 2, rel=1e-9)


def test_two_outages_at_one_firm_are_repaired_together() -> None:
    eco = town({"kind": "recovery", **NEUTRAL}, shocks=({**HIT, "name": "second"},))
    eco.run_for(1)
    one, other = (set(eco.world.memory[name]["rows"].tolist()) for name in ("outage", "second"))
    kept = eco.world.memory["recovery"]["damage"]
    expected = [1 - 0.4 ** ((row in one) + (row in other)) for row in range(30)]
    np.testing.assert_allclose(kept, expected, atol=1e-12)


def test_a_learner_repairs_faster() -> None:
    eco = town({"kind": "recovery", **NEUTRAL, "readiness_effect": 0.5})
    rows = eco.world.memory["outage"]["rows"]
    eco.world.firms.readiness[rows[0]] = 1.0
    found = lost(eco, 5)
    assert 0.6 - found[4, 0] == pytest.approx(1.5 * (0.6 - found[4, 1]), rel=1e-12)


def test_aid_adds_hands_and_halves_the_bill() -> None:
    aid = {"kind": "pulse", "channel": "aid", "days": 1000, "factor": 2.0}
    plain, helped = (town({"kind": "recovery", **NEUTRAL}, shocks=shocks) for shocks in ((), (aid,)))
    gone = [0.6 - lost(eco, 5)[4] for eco in (plain, helped)]
    np.testing.assert_allclose(gone[1], 2 * gone[0], rtol=1e-12)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"rebuild_cost": 5.0}, r"mechanisms\.0\.rebuild_cost: nothing is paid where finance is off; add {kind: fin"),
        (
            {"trust_by_region": {"Atlantis": 0.5}},
            r"trust_by_region: no region is named 'Atlantis'; there are Riverside",
        ),
        ({"permit_days_by_region": {"Mars": 5.0}}, r"permit_days_by_region: no region is named 'Mars'; there are"),
    ],
)
def test_what_contradicts_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        town({"kind": "recovery", **fields})


def test_values_of_regions_have_the_parameters_range() -> None:
    with pytest.raises(ScenarioError, match=r"Riverside: 2\.0 is out of range; give 0 to 1"):
        Scenario().with_({"mechanisms": [{"kind": "recovery", "trust_by_region": {"Riverside": 2.0}}]})
