"""Workforce: nobody appears or disappears, and what those at work can do follows its words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import Ecosystem, InputError, Scenario
from ecosim.kernels.workforce import plan_overtime

PLAIN = {"kind": "workforce", "cross_training": 0.3, "overtime": 0.0, "pool_share": 0.0, "wellbeing_effect": 0.0}


def town(*mechanisms: dict[str, Any], shocks: Any = (), firms: int = 60, headroom: float = 0.2) -> Ecosystem:
    return Ecosystem(
        Scenario(
            economy={"kind": "table", "firms": firms, "headroom": headroom},
            mechanisms=mechanisms,
            shocks=list(shocks),
        )
    )


def absent(factor: float, **fields: Any) -> dict[str, Any]:
    return {"kind": "pulse", "channel": "labour", "factor": factor, "when": 1, "days": 20, **fields}


def people(eco: Ecosystem) -> np.ndarray:
    """Staff of all firms and those looking for work, by region and profile."""
    kept = eco.world.memory["workforce"]
    return np.bincount(kept["market"], kept["employed"] * kept["usual"], minlength=len(kept["pool"])) + kept["pool"]


def able(eco: Ecosystem) -> np.ndarray:
    return eco.world.firms.capacity / eco.world.firms.potential


@pytest.mark.parametrize(("there", "cross"), [(0.7, 0.0), (0.7, 0.4), (0.0, 0.25), (1.0, 0.5)])
def test_cross_training_covers_its_share_of_those_who_are_absent(there: float, cross: float) -> None:
    eco = town({**PLAIN, "cross_training": cross}, shocks=[absent(there)])
    eco.run_for(2)
    np.testing.assert_allclose(able(eco), 1 - (1 - there) * (1 - cross), rtol=1e-12)
    np.testing.assert_allclose(eco.world.firms.staff, there, rtol=1e-12)


def test_automation_does_part_of_what_the_absent_would() -> None:
    eco = town(PLAIN, shocks=[absent(0.5)])
    eco.world.firms.labour_exposure[:20] = 0.6
    eco.run_for(2)
    np.testing.assert_allclose(able(eco)[:20], 1 - 0.5 * 0.7 * 0.6, rtol=1e-12)
    np.testing.assert_allclose(able(eco)[20:], 1 - 0.5 * 0.7, rtol=1e-12)


# --- people are conserved ---------------------------------------------------------------------------------------------


@given(
    closings=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 20)), max_size=8),
    there=st.floats(0, 1),
    pool=st.floats(0, 0.3),
    slump=st.floats(0, 1),
)
@settings(max_examples=15)
def test_nobody_appears_or_disappears(closings: list[tuple[int, int]], there: float, pool: float, slump: float) -> None:
    shocks = [
        absent(there, who={"share": 0.5}),
        {"kind": "pulse", "name": "slump", "factor": slump, "when": 5, "days": 20},
    ]
    part = {"kind": "workforce", "pool_share": pool, "patience_days": 2.0, "hoarding": 0.05, "layoff_speed": 0.2}
    eco = town(part, shocks=shocks)
    before = people(eco)
    for day in range(30):
        for row, when in closings:
            if when == day:
                eco.world.close(np.array([row]), "test")
            if when + 6 == day:
                eco.world.firms.alive[row] = 1.0
        eco.run_for(1)
        kept = eco.world.memory["workforce"]
        np.testing.assert_allclose(people(eco), before, rtol=1e-9, atol=1e-9)
        assert (kept["pool"] >= 0).all()
        assert (kept["employed"] >= 0).all()
        assert (kept["trainees"] <= kept["employed"] + 1e-9).all()


def pair_of_one_market(eco: Ecosystem) -> tuple[int, int, int]:
    """Two firms of one region and profile, the first the larger, and one of another."""
    kept = eco.world.memory["workforce"]
    market = np.bincount(kept["market"]).argmax()
    rows = np.flatnonzero(kept["market"] == market)
    rows = rows[np.argsort(-kept["usual"][rows])]
    return int(rows[0]), int(rows[1]), int(np.flatnonzero(kept["market"] != market)[0])


def test_those_laid_off_are_hired_next_door_and_must_learn() -> None:
    part = {**PLAIN, "hiring_speed": 0.05, "flexibility": 0.5, "training_days": 10.0}
    eco = town(part, shocks=[])
    gone, near, far = pair_of_one_market(eco)
    kept = eco.world.memory["workforce"]
    kept["employed"][[near, far]] = 0.8  # both are short of hands
    eco.run_for(1)
    assert kept["employed"][near] == 0.8  # nobody is looking for work
    eco.world.close(np.array([gone]), "test")
    eco.run_for(2)
    assert eco.world.firms.staff[gone] == 0.0
    assert eco.world.firms.capacity[gone] == 0.0
    assert kept["employed"][near] == pytest.approx(0.9, rel=1e-12)
    assert kept["employed"][far] == 0.8
    learning = 0.05 * 0.9 * 0.9 + 0.05 * 0.9
    assert kept["trainees"][near] == pytest.approx(learning, rel=1e-12)
    assert able(eco)[near] == pytest.approx(0.9 - 0.5 * learning, rel=1e-6)
    eco.run_for(30)
    assert kept["employed"][near] == pytest.approx(1.0, rel=1e-9)


def test_a_small_pool_is_shared_in_proportion_to_what_is_wanted() -> None:
    eco = town({**PLAIN, "hiring_speed": 0.1})
    _, one, _ = pair_of_one_market(eco)
    kept = eco.world.memory["workforce"]
    rows = np.flatnonzero(kept["market"] == kept["market"][one])
    kept["employed"][rows] = 0.5
    kept["pool"][kept["market"][one]] = 0.03 * kept["usual"][rows].sum()
    eco.run_for(1)
    np.testing.assert_allclose(kept["employed"][rows], 0.53, rtol=1e-12)
    assert kept["pool"][kept["market"][one]] == pytest.approx(0.0, abs=1e-9)


def test_a_firm_that_opens_anew_hires_everyone_at_once_and_ramps_up() -> None:
    eco = town({**PLAIN, "flexibility": 0.5, "training_days": 5.0})
    eco.run_for(1)
    eco.world.close(np.array([7]), "test")
    eco.run_for(3)
    assert eco.world.memory["workforce"]["employed"][7] == 0.0
    eco.world.firms.alive[7] = 1.0
    eco.run_for(1)
    assert eco.world.memory["workforce"]["employed"][7] == pytest.approx(1.0, rel=1e-12)
    assert able(eco)[7] == pytest.approx(1 - 0.5 * 0.8, rel=1e-12)
    eco.run_for(40)
    assert able(eco)[7] == pytest.approx(1.0, abs=1e-3)


def test_an_entrant_hires_what_its_scale_asks_for_and_then_as_it_grows() -> None:
    eco = town({**PLAIN, "hiring_speed": 0.02})
    eco.world.firms.add("scale", 1.0)
    eco.run_for(1)
    eco.world.close(np.array([7]), "test")
    eco.run_for(3)
    eco.world.firms.alive[7] = 1.0
    eco.world.firms.scale[7] = 0.4
    kept = eco.world.memory["workforce"]
    for day in range(5):
        eco.run_for(1)
        assert kept["employed"][7] == pytest.approx(0.4 + 0.02 * day, rel=1e-12)
    assert eco.world.firms.staff[7] == kept["employed"][7]


def test_temporary_hires_leave_when_the_sick_come_back() -> None:
    part = {**PLAIN, "pool_share": 0.5, "hiring_speed": 0.2, "flexibility": 1.0}
    eco = town(part, shocks=[absent(0.5)], headroom=0.0)
    eco.run_for(15)
    kept = eco.world.memory["workforce"]
    assert (kept["employed"] > 1.3).any()
    assert able(eco)[kept["employed"] > 1.3].min() > 0.9 > 1 - 0.5 * 0.7
    eco.run_for(8)
    assert (kept["employed"] <= 1.0 + 1e-9).all()


def test_a_lull_is_sat_out_and_a_long_slump_costs_jobs() -> None:
    slump = {"kind": "pulse", "factor": 0.3, "when": 1, "days": 300}
    part = {**PLAIN, "hoarding": 0.2, "patience_days": 30.0}
    eco = town(part, shocks=[slump])
    eco.run_for(8)
    kept = eco.world.memory["workforce"]
    assert (kept["employed"] == 1.0).all()
    eco.run_for(150)
    made = eco.world.firms.production / eco.world.firms.output
    quiet = made < 0.6
    assert quiet.any()
    assert (kept["employed"][quiet] < 0.95).all()
    assert (kept["employed"] >= made - 0.05).all()


def test_a_firm_that_grows_for_long_hires_beyond_its_usual_staff_or_wears_it_out() -> None:
    boom = {"kind": "pulse", "factor": 1.3, "when": 1, "days": 400}
    part = {**PLAIN, "pool_share": 0.5, "patience_days": 20.0, "burnout": 0.05, "rest": 0.02}
    hires, cannot = (town({**part, "hiring_speed": speed}, shocks=[boom], headroom=0.5) for speed in (0.05, 0.0))
    for eco in (hires, cannot):
        eco.run_for(200)
    firms, need = hires.world.firms, hires.world.memory["workforce"]["need"]
    grown = need > 1.15
    assert grown.any()
    np.testing.assert_allclose(firms.staff[grown], need[grown], rtol=0.05)
    assert (cannot.world.firms.staff == 1.0).all()
    assert (firms.wellbeing[grown] > cannot.world.firms.wellbeing[grown] + 0.1).all()


# --- hours and well-being ---------------------------------------------------------------------------------------------


def test_overtime_meets_what_is_asked_while_people_can() -> None:
    rush = {"kind": "pulse", "factor": 1.6, "when": 1, "days": 40}
    part = {**PLAIN, "overtime": 0.2, "overtime_days": 5.0, "overtime_rest": 0.1}
    eco = town(part, shocks=[rush], headroom=0.0)
    eco.run_for(2)
    np.testing.assert_allclose(able(eco), 1.0, rtol=1e-12)  # a firm sees the rush today and works longer tomorrow
    full = []
    for _ in range(8):
        eco.run_for(1)
        full.append(able(eco))
    row = np.argmax(eco.world.firms.final_demand / eco.world.firms.output)
    hours = [float(day[row]) for day in full]
    lasting = 0.1 / (0.1 + 0.9 / 5)  # what a night gives back and a day takes; the rest fades by the same factor daily
    left = [lasting + (1 - lasting) * ((1 - 1 / 5) * (1 - 0.1)) ** day for day in range(8)]
    assert hours == pytest.approx([1 + 0.2 * each for each in left], rel=1e-12)
    assert max(map(np.max, full)) <= 1.2 * (1 + 1e-12)


FREE = (False, *[np.ones(1)] * 6)  # nobody has money


def test_nobody_plans_hours_that_it_cannot_pay() -> None:
    one, extra, saved = np.ones(1), np.zeros(1), np.full(1, 20.0)
    for spare, hours in ((0.0, 0.0), (-3.0, 0.0), (0.06, 0.02), (50.0, 0.1)):
        accounts = (
            one * 1.5,
            one * 2.0,
            one * (4.0 + spare),
            one * 0.5,
            one * 16.0,
            one * 0.5,
        )  # half-grown; a usual day costs 2
        plan_overtime(one * 1.1, one * (1 + extra), one * 9, one * 0.15, one * 20, one, extra, saved, True, *accounts)
        assert extra[0] == pytest.approx(hours, abs=1e-12)
    plan_overtime(one * 1.1, one * 1.1, one * 9, one * 0.15, one * 20, one, extra, saved, True, *[one * 0.0] * 6)
    assert extra[0] == pytest.approx(0.1)  # where nobody is paid, long hours cost nothing


@pytest.mark.parametrize(
    ("days", "rest"), [(0.0, 0.05), (0.3, 1.0), (1.0, 0.0), (1.0, 1.0), (2.0, 0.5), (20.0, 0.05), (365.0, 1.0)]
)
@pytest.mark.parametrize("asked", [1.02, 1.1, 3.0])
def test_overtime_fades_and_comes_back_without_a_day_on_and_a_day_off(days: float, rest: float, asked: float) -> None:
    """Sixty days of too many orders, sixty days of rest: hours only fall, and the days of overtime only come back."""
    one, hours, left = np.ones(1), [], []
    extra, saved = np.zeros(1), np.full(1, days)
    for day in range(120):
        demand = one * (asked if day < 60 else 1.0)
        plan_overtime(demand, one + extra, one * 9, one * 0.15, one * days, one * rest, extra, saved, *FREE)
        hours.append(float(extra[0]))
        left.append(float(saved[0]))
    assert hours[0] == pytest.approx(min(asked - 1, 0.15 * min(days, 1.0)), abs=1e-15)
    assert (np.diff(hours[:60]) <= 1e-12).all()
    assert hours[60:] == [0.0] * 60
    assert (np.diff(left[60:]) >= 0).all()
    assert 0 <= min(left) <= max(left) <= days
    if rest > 0 and days > 0:
        assert left[-1] == pytest.approx(days, rel=0.06)


def test_output_does_not_flicker_once_the_days_of_overtime_are_used_up() -> None:
    flood = {"kind": "outage", "who": {"share": 0.3}, "when": 3, "severity": 0.6, "recovery": {"days": 90}}
    part = {**PLAIN, "overtime": 0.15, "overtime_days": 10.0, "hiring_speed": 0.0}
    eco = town(part, shocks=[flood], firms=120, headroom=0.1)
    made, longer = [], []
    for _ in range(60):
        eco.run_for(1)
        made.append(float(eco.world.firms.production.sum()))
        longer.append(float((eco.world.memory["workforce"]["extra"] > 0).mean()))
    change = np.diff(made[15:])
    change -= change.mean()
    assert min(longer[15:40]) > 0.1
    assert (change[1:] * change[:-1]).sum() > 0  # a rise follows a rise


def test_who_carries_too_much_wears_out_and_recovers() -> None:
    part = {**PLAIN, "cross_training": 1.0, "burnout": 0.1, "rest": 0.05, "wellbeing_effect": 0.5, "hiring_speed": 0.0}
    eco = town(part, shocks=[absent(0.5)])
    eco.run_for(2)
    load = eco.world.firms.production / eco.world.firms.output / 0.5
    np.testing.assert_allclose(eco.world.firms.wellbeing, 1 - 0.1 * (load - 1), rtol=1e-9)
    eco.run_for(19)
    worn = eco.world.firms.wellbeing.copy()
    assert (worn < 0.6).all()
    np.testing.assert_allclose(able(eco).max(), 1 - 0.5 * (1 - worn.max()), rtol=0.1)
    before = eco.world.firms.wellbeing.copy()
    eco.run_for(1)
    rested = eco.world.firms.production / eco.world.firms.output < 1.05
    assert rested.any()
    expected = before + 0.05 * (1 - before)
    np.testing.assert_allclose(eco.world.firms.wellbeing[rested], expected[rested], rtol=1e-9)


def test_overtime_is_paid_for_at_its_rate() -> None:
    rush = {"kind": "pulse", "factor": 1.5, "when": 1, "days": 5}
    eco = town(
        {**PLAIN, "overtime": 0.2, "overtime_pay": 1.5, "reserve": 0.0}, {"kind": "finance"}, shocks=[rush], headroom=0
    )
    eco.run_for(2)
    wages, extra = eco.world.firms.wages.copy(), eco.world.memory["workforce"]["extra"].copy()
    assert extra.any()
    eco.run_for(1)
    assert eco.world.money.flows["overtime"][2] == pytest.approx((1.5 * extra * wages).sum(), rel=1e-6)
    assert abs(eco.world.money.total()) < 1e-3


def test_prices_without_money_are_refused() -> None:
    with pytest.raises(InputError, match=r"mechanisms\.0\.overtime_pay: nothing is paid where finance is off; add"):
        town({"kind": "workforce", "overtime_pay": 2.0})
