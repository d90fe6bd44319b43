"""Continuity: when a plan works, what a backup replaces and costs, and what early warnings do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import Ecosystem, InputError, Scenario
from ecosim.kernels.continuity import stock_up, strength, watch

BLIND = {"kind": "continuity", "foresight": 0.0}
SURE = {**BLIND, "p_untested": 1.0, "p_tested": 1.0}
HIT = {"kind": "outage", "severity": 0.6, "when": 2, "recovery": None}


def town(
    *mechanisms: dict[str, Any], hit: Any = HIT, firms: int = 30, shocks: tuple[Any, ...] = (), **rules: Any
) -> Ecosystem:
    return Ecosystem(
        Scenario(
            economy={"kind": "uniform", "firms": firms, "headroom": 0.2, **rules},
            network={"kind": "random"},
            mechanisms=mechanisms,
            shocks=[*([hit] if hit else []), *shocks],
        )
    )


def capacities(eco: Ecosystem, days: int) -> np.ndarray:
    found = []
    for _ in range(days):
        eco.run_for(1)
        found.append(eco.world.firms.capacity / eco.world.firms.potential)
    return np.array(found)


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ramp", "days"), [(1.0, 4.0), (3.0, 6.0), (5.0, 2.0)])
def test_a_plan_replaces_its_share_ramps_up_and_runs_out(ramp: float, days: float) -> None:
    found = capacities(town({**SURE, "quality": 0.5, "ramp_days": ramp, "backup_days": days}), 20)
    there = [max(0.0, min(1.0, (k + 1) / ramp, (days + ramp - 1 - k) / ramp)) for k in range(18)]
    expected = [1.0, 1.0, *(1 - 0.6 * (1 - 0.5 * part) for part in there)]
    np.testing.assert_allclose(found, np.repeat(expected, 30).reshape(20, 30), rtol=0, atol=1e-12)


@given(age=st.integers(0, 200), ramp=st.floats(1, 30), days=st.floats(0, 100))
@settings(max_examples=50)
def test_a_backup_is_a_share_and_ends(age: int, ramp: float, days: float) -> None:
    assert 0.0 <= strength(float(age), ramp, days) <= 1.0
    assert strength(days + ramp, ramp, days) == 0.0


@pytest.mark.parametrize("drills", [0.0, 1.0, 4.0])
def test_drills_raise_the_chance_that_a_plan_works(drills: float) -> None:
    eco = town({**BLIND, "drills": drills, "p_untested": 0.3, "p_tested": 0.9, "drills_scale": 2.0}, firms=3000)
    eco.run_for(4)
    chance = 0.3 + 0.6 * (1 - np.exp(-drills / 2.0))
    memory = eco.world.memory["continuity"]
    np.testing.assert_allclose(memory["chance"], chance, rtol=1e-12)
    assert memory["active"].all()
    assert (memory["share"] > 0).mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 3000))


def test_one_draw_a_firm_and_event() -> None:
    twice = {**HIT, "name": "second flood", "when": 12, "recovery": {"law": "at_once"}}
    first = {**HIT, "recovery": {"law": "at_once", "start": 3}}
    part = {**BLIND, "p_untested": 0.5, "p_tested": 0.5}
    eco = town(part, hit=first, shocks=(twice,), firms=200)
    eco.run_for(4)
    once = eco.world.memory["continuity"]["share"] > 0
    eco.run_for(2)
    np.testing.assert_array_equal(eco.world.memory["continuity"]["share"] > 0, once)
    eco.run_for(7)
    again = eco.world.memory["continuity"]["share"] > 0
    assert 0 < once.sum() < 200
    assert 0 < (once & again).sum() < once.sum()  # a new event, a new draw
    other = town(part, hit={**first, "who": {"share": 0.5}}, firms=200)
    other.run_for(4)
    rows = other.world.memory["outage"]["rows"]
    np.testing.assert_array_equal(other.world.memory["continuity"]["share"][rows] > 0, once[rows])


def test_what_the_plan_did_not_foresee_finds_it_half_ready() -> None:
    part = {**SURE, "quality": 0.5, "improvised": 0.4, "ramp_days": 1.0}
    known = capacities(town(part, hit={**HIT, "name": "Flood of 2030"}), 3)[-1]
    unknown = capacities(town(part, hit={**HIT, "name": "meteorite"}), 3)[-1]
    pulse = {"kind": "pulse", "channel": "capacity", "factor": 0.4, "when": 2}
    np.testing.assert_array_equal(capacities(town(part, hit=pulse), 3)[-1], unknown)
    np.testing.assert_array_equal(capacities(town(part, hit={**pulse, "name": "blackout of power"}), 3)[-1], known)
    np.testing.assert_allclose(known, 1 - 0.6 * 0.5, atol=1e-12)
    np.testing.assert_allclose(unknown, 1 - 0.6 * (1 - 0.5 * 0.4), atol=1e-12)


def test_small_damage_activates_nothing_and_failed_plans_help_nobody() -> None:
    small = capacities(town({**SURE, "activate_above": 0.7}), 4)[-1]
    failed = capacities(town({**BLIND, "p_untested": 0.0, "p_tested": 0.0}), 4)[-1]
    np.testing.assert_allclose([small, failed], 0.4, atol=1e-12)


def test_second_suppliers_are_there_while_the_plan_is_and_missing_inputs_activate_it() -> None:
    hit = {**HIT, "who": {"share": 0.4}, "severity": 1.0, "recovery": {"law": "at_once", "start": 25}}
    eco = town({**SURE, "quality": 0.5, "ramp_days": 1.0, "backup_days": 3.0}, hit=hit, inventory_days=4.0)
    eco.run_for(3)
    rows = eco.world.memory["outage"]["rows"]
    others = np.setdiff1d(np.arange(30), rows)
    assert (eco.world.firms.second_source[rows] == 0.5).all()
    assert not eco.world.firms.second_source[others].any()
    starved = False
    for _ in range(20):
        eco.run_for(1)
        starved |= bool(eco.world.firms.second_source[others].any())
    assert starved
    assert not eco.world.firms.second_source[rows].any()  # three days were over long ago
    with_chance = town({**BLIND, "quality": 0.0}, hit=hit)
    with_chance.run_for(10)
    assert not with_chance.world.memory["continuity"]["active"].any()


def test_the_plan_is_as_good_as_its_column_and_without_one_nothing_is_paid() -> None:
    eco = town({**SURE, "quality": 0.5, "ramp_days": 1.0}, {"kind": "finance"})
    eco.world.firms.plan_quality[:10] = 0.8
    eco.world.firms.plan_quality[10:20] = 0.0
    found = capacities(eco, 1)
    firms = eco.world.firms
    daily = (0.0005 * firms.plan_quality + 0.1 / 365) * firms.output * (firms.plan_quality > 0)
    assert eco.world.money is not None
    assert eco.world.money.flows["continuity planning"][2] == pytest.approx(daily.sum(), rel=1e-9)
    found = capacities(eco, 2)
    np.testing.assert_allclose(found[-1], 1 - 0.6 * (1 - np.repeat([0.8, 0.0, 0.5], 10)), atol=1e-12)


def test_closed_firms_have_no_plan() -> None:
    eco = town(SURE)
    eco.run_for(3)
    eco.world.close(np.array([4]), "test")
    eco.run_for(1)
    memory = eco.world.memory["continuity"]
    assert (memory["active"][4], memory["share"][4], eco.world.firms.second_source[4]) == (0, 0, 0)
    assert memory["active"].sum() == 29


# --- early warning ----------------------------------------------------------------------------------------------------


def test_the_kernel_keeps_the_moments_it_says() -> None:
    draw = np.random.default_rng(1)
    ptr = np.array([0, 2, 2, 5])
    mean, last, variance, covariance = (np.ones(3), *(np.zeros(3) for _ in range(3)))
    kept = [(1.0, 0.0, 0.0, 0.0)] * 3
    weight = 2 / 29
    for _ in range(60):
        ordered = draw.uniform(0, 2, 5) * (draw.uniform() < 0.9)
        delivered = ordered * draw.uniform(0.5, 1, 5)
        watch(ptr, ordered, delivered, weight, mean, last, variance, covariance)
        for i in range(3):
            asked, came = ordered[ptr[i] : ptr[i + 1]].sum(), delivered[ptr[i] : ptr[i + 1]].sum()
            if asked > 0:
                m, before, v, c = kept[i]
                gap = came / asked - m
                kept[i] = (
                    m + weight * gap,
                    gap,
                    (1 - weight) * v + weight * gap**2,
                    (1 - weight) * c + weight * gap * before,
                )
    np.testing.assert_allclose(np.array([mean, last, variance, covariance]).T, kept, rtol=1e-9, atol=1e-15)
    assert kept[1] == (1.0, 0.0, 0.0, 0.0)
    assert variance[0] > 0


def alarm(signal: np.ndarray) -> float:
    """By how much a firm with one supplier raises its stock at the end of a series of shares delivered."""
    ptr, one = np.array([0, 1]), np.ones(1)
    mean, last, variance, covariance = np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1)
    for share in signal:
        watch(ptr, one, np.array([share]), 2 / 29, mean, last, variance, covariance)
    aim, own, set_to, raised = np.array([15.0]), np.array([15.0]), np.zeros(1), np.ones(1)
    stock_up(variance, covariance, 0.01, np.array([0.1]), one, one, aim, own, set_to, raised)
    assert aim[0] == 15.0 * raised[0]
    return float(raised[0]) - 1.0


def test_slow_growing_swings_alarm_and_quick_or_small_ones_do_not() -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, (400, 100))
    slow = np.zeros_like(noise)
    for day in range(1, 400):
        slow[day] = 0.95 * slow[day - 1] + noise[day] * np.sqrt(1 - 0.95**2)
    slowly, quickly = (np.mean([alarm(0.8 + series) for series in each.T]) for each in (slow, noise))
    assert slowly > 2.5 * quickly
    assert slowly > 0.15
    assert alarm(0.8 + 0.05 * (-1.0) ** np.arange(400)) < 0.02
    assert alarm(1.0 + 0.01 * slow[:, 0]) == 0.0


def test_stock_aims_rise_with_foresight_and_come_back_exactly() -> None:
    hit = {**HIT, "who": {"share": 0.3}, "severity": 0.9, "recovery": {"law": "uniform", "days": 30}}
    eco = town({"kind": "continuity", "foresight": 1.0, "quality": 0.0}, hit=hit)
    own = 15.0 + np.arange(30) / 7.0
    eco.world.firms.inventory_days[:] = own
    top = own.copy()
    for _ in range(60):
        eco.run_for(1)
        np.maximum(top, eco.world.firms.inventory_days, out=top)
    assert (top > own * 1.05).any()
    assert (top <= own * 1.5 * (1 + 1e-12)).all()
    kept, full = eco.world.memory["continuity"], np.ones(30)
    kept["variance"][:] = 0.0  # calm at last
    stock_up(kept["variance"], kept["covariance"], 0.01, full, full, full, eco.world.firms.inventory_days,
             kept["own"], kept["set_to"], kept["raised"])  # fmt: skip
    assert (kept["raised"] == 1.0).all()
    np.testing.assert_array_equal(eco.world.firms.inventory_days, own)


def test_an_aim_that_somebody_else_changed_meanwhile_is_respected() -> None:
    aim, own, set_to, raised = np.array([10.0]), np.array([10.0]), np.zeros(1), np.ones(1)
    one, calm, wild = np.ones(1), np.zeros(1), np.ones(1)
    stock_up(wild, wild, 0.01, one, one, one, aim, own, set_to, raised)
    assert (aim[0], raised[0]) == (20.0, 2.0)
    aim[0] = 26.0  # an investment of three days, made while the aim was doubled
    stock_up(calm, calm, 0.01, one, one, one, aim, own, set_to, raised)
    assert (aim[0], raised[0]) == (13.0, 1.0)


# --- money ------------------------------------------------------------------------------------------------------------


def test_plans_drills_and_backups_are_paid_for() -> None:
    part = {**SURE, "quality": 0.5, "ramp_days": 1.0, "upkeep_cost": 0.001, "drill_cost": 0.2, "backup_cost": 0.3}
    eco = town(part, {"kind": "finance"})
    firms, money = eco.world.firms, eco.world.money
    eco.run_for(1)
    daily = (0.001 * 0.5 + 0.2 / 365) * firms.output
    assert money.flows["continuity planning"][2] == pytest.approx(daily.sum(), rel=1e-9)
    eco.run_for(2)
    assert money.flows["backup capacity"][5] == pytest.approx((0.3 * firms.output * 0.6 * 0.5).sum(), rel=1e-9)
    assert abs(money.total()) < 1e-3


def test_who_cannot_pay_the_rent_has_less_of_a_backup() -> None:
    eco = town({**SURE, "quality": 0.5, "ramp_days": 1.0, "reserve": 0.0}, {"kind": "finance"})
    eco.run_for(2)
    firms = eco.world.firms
    poor = np.zeros(30)
    poor[:5] = firms.cash[:5] - 0.02 * firms.output[:5]
    eco.world.money.pay("test", "firms", "households", poor)
    eco.run_for(1)
    paid = eco.world.memory["continuity"]["paid"]
    assert (paid[:5] < 1).all()
    assert (paid[5:] == 1).all()
    assert (eco.world.firms.cash >= -1e-6).all()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"backup_cost": 0.2},
            r"mechanisms\.0\.backup_cost: nothing is paid where finance is off; add {kind: finance}",
        ),
        ({"p_untested": 0.9, "p_tested": 0.2}, r"p_tested 0\.2 is below p_untested 0\.9, so drills would harm; swap"),
    ],
)
def test_what_contradicts_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises((InputError, ValueError), match=text):
        town({"kind": "continuity", **fields})
