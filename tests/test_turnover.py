"""Turnover: how long firms live, who takes their place and when, and that the economy stays where it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import ecosim
from ecosim.config import Scenario
from ecosim.mechanisms.turnover import Turnover
from ecosim.model import Ecosystem
from ecosim.rng import Stream
from ecosim.who import Who

SURVIVAL = {1: 0.80, 5: 0.50, 10: 0.33}  # US BLS, Business Employment Dynamics


def economy(*others: str, firms: int = 200, kind: str = "uniform", agents: Any = None, **level: Any) -> Ecosystem:
    return Ecosystem(
        Scenario(
            days=1095,
            economy={"kind": kind, "firms": firms, "headroom": 0.2},
            network={"kind": "random" if kind == "uniform" else "reconstructed"},
            mechanisms=[{"kind": "turnover", **level}, *({"kind": other} for other in others)],
        ),
        agents=agents,
    )


def live(eco: Ecosystem, days: int) -> None:
    """Let only turnover happen, as fast as it goes."""
    world = eco.world
    part, rng = world.mechanisms["turnover"], world.streams["mechanism: turnover"]
    for _ in range(days):
        world.day += 1
        world.sheet.reset()
        part.morning(world, rng)
        part.evening(world, rng)


def count(eco: Ecosystem, event: str) -> int:
    return sum(len(each["rows"]) for each in eco.world.events if event in each["event"])


# --- lives ------------------------------------------------------------------------------------------------------------


def test_the_risk_by_age_has_the_measured_survival_and_rate_of_exit() -> None:
    part = Turnover()
    for years, share in SURVIVAL.items():
        assert part.survival(years) == pytest.approx(share, abs=0.005)
    assert 1.0 / part._lives(np.ones(1))[0] == pytest.approx(0.10, abs=0.002)


def test_lives_are_drawn_from_the_survival_curve_at_any_age() -> None:
    part, rows = Turnover(), np.arange(40_000)
    chance = Stream(1, 0, "test").uniform(0, rows)
    for age, frailty in ((0.0, 1.0), (3.0, 1.0), (0.5, 1.7)):
        years = part._remaining(np.full(len(rows), age), np.full(len(rows), frailty), chance)
        for ahead in (0.5, 2.0, 8.0):
            expected = part.survival(age + ahead, frailty) / part.survival(age, frailty)
            assert (years > ahead).mean() == pytest.approx(float(expected), abs=0.008)


def test_first_ages_are_those_at_which_a_population_settles() -> None:
    part, rows = Turnover(), np.arange(40_000)
    stream = Stream(2, 0, "test")
    alike = np.ones(len(rows))
    age = part._first_ages(alike, stream.uniform(0, rows))
    left = part._remaining(age, alike, stream.uniform(0, rows, draw=1))
    life = part._lives(np.ones(1))[0]
    for years in (1.0, 5.0, 20.0):
        grid = np.linspace(0.0, years, 2001)
        expected = np.trapezoid(part.survival(grid), grid) / life  # renewal theory: of age and of what is left alike
        assert (age <= years).mean() == pytest.approx(expected, abs=0.008)
        assert (left <= years).mean() == pytest.approx(expected, abs=0.008)


def test_large_firms_leave_less_and_all_together_as_often_as_stated() -> None:
    part = Turnover()
    size = np.exp(Stream(3, 0, "test").normal(0, np.arange(5000)))
    frailty = part._frailty(size, 0.12)
    rate = 1.0 / part._lives(frailty)
    assert rate.mean() == pytest.approx(0.12, rel=1e-3)
    order = np.argsort(size)
    assert np.all(np.diff(frailty[order]) <= 0)
    assert frailty[order[-1]] / frailty[order[0]] == pytest.approx((size.max() / size.min()) ** -0.2, rel=0.06)


def test_cohorts_of_entrants_survive_as_measured_and_a_tenth_leaves_every_year() -> None:
    eco = economy(kind="table", firms=2000)
    years = 15
    live(eco, years * 365)
    assert count(eco, "closes for good") / 2000 / years == pytest.approx(0.10, abs=0.01)
    assert count(eco, "opens") / 2000 / years == pytest.approx(0.10, abs=0.01)
    opened: dict[int, int] = {}
    lives, last = [], eco.day
    for event in eco.world.events:
        for row in event["rows"].tolist():
            if event["event"] == "opens":
                opened[row] = event["day"]
            elif row in opened:
                start = opened.pop(row)
                lives.append((start, event["day"] - start))
    lives += [(start, 10**9) for start in opened.values()]
    for age, share in SURVIVAL.items():
        seen = np.array([length for start, length in lives if start + 365 * age <= last])
        assert (seen > 365 * age).mean() == pytest.approx(share, abs=0.03)


# --- the economy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uniform", "table"])
def test_means_stay_where_they_were(kind: str) -> None:
    eco = economy("autonomy", firms=300, kind=kind)
    eco.run_for(1095)
    series = eco.series.iloc[1:]
    assert (series.total_production / eco.world.output_at_rest).mean() == pytest.approx(1.0, abs=0.01)
    assert (series.final_consumption / eco.series.final_consumption.iloc[0]).mean() == pytest.approx(1.0, abs=0.01)
    assert count(eco, "closes for good") / 300 / 3 == pytest.approx(0.10, abs=0.03)
    assert count(eco, "opens") >= count(eco, "closes") - 8
    assert eco.world.firms.alive.mean() > 0.97


def test_some_exits_are_left_to_finance() -> None:
    alone, together = economy(kind="table"), economy("finance", kind="table", failures=0.2)
    ratio = together.world.firms.frailty / alone.world.firms.frailty
    assert np.all(ratio < 0.9)
    part = Turnover()
    assert (1.0 / part._lives(together.world.firms.frailty)).mean() == pytest.approx(0.08, rel=1e-3)


def test_without_exits_the_economy_is_exactly_at_rest() -> None:
    eco = economy(exit_rate=0.0)
    eco.run_for(365)
    assert np.array_equal(eco.world.firms.production, eco.world.firms.output)
    assert np.all(eco.world.firms.scale == 1.0)
    assert not eco.world.events


def test_where_nobody_enters_scale_changes_no_bit() -> None:
    others = ("workforce", "customers", "income", "finance")
    found = []
    for small in (0.3, 1.0):
        eco = economy(*others, exit_rate=0.0, opening_scale=small, kind="table", firms=60)
        eco.run_for(60)
        found.append(eco.world.firms.columns)
    for name, column in found[0].items():
        assert np.array_equal(column, found[1][name]), name


def test_goods_that_are_made_are_sold_used_or_named_lost() -> None:
    eco = economy(firms=120)
    eco.run_for(60)
    firms, links = eco.world.firms, eco.world.links
    some = 0
    for _ in range(60):
        closed = firms.alive == 0
        eco.step()
        shipped = np.bincount(links.supplier, links.delivered, minlength=firms.rows)
        assert firms.production == pytest.approx(shipped + firms.consumption + firms.lost, rel=1e-9, abs=1e-6)
        still = closed & (firms.alive == 0)
        assert not firms.production[still].any()
        some += still.sum()
    assert some > 0


# --- entry ------------------------------------------------------------------------------------------------------------


def vacancies(eco: Ecosystem, rows: np.ndarray, days: int) -> np.ndarray:
    """Close some firms, and return for how long each stays closed, at most ``days``."""
    if eco.day < 0:
        eco.step()
    eco.world.close(rows, "test")
    eco.world.mechanisms["turnover"].evening(eco.world, eco.world.streams["mechanism: turnover"])
    shut = np.zeros(len(rows))
    for _ in range(days):
        eco.step()
        shut += eco.world.firms.alive[rows] == 0
    return shut


def test_permits_and_search_take_their_days_and_policy_speeds_them_up() -> None:
    rows = np.arange(3)
    slow = vacancies(economy(exit_rate=0.0, search_days=0.0, regulation_days=30.0), rows, 60)
    assert np.all((slow >= 14) & (slow <= 46))
    assert len(set(slow)) > 1
    quick = economy(exit_rate=0.0, search_days=0.0, regulation_days=30.0)
    act = quick.world.mechanisms["turnover"].evening

    def eased(world: Any, rng: Any) -> None:
        world.sheet.multiply("entry", np.arange(world.firms.rows), 3.0)
        act(world, rng)

    quick._phases["evening"] = [(eased, stream) for _, stream in quick._phases["evening"]]
    assert vacancies(quick, rows, 60) == pytest.approx(slow / 3.0, abs=1.0)


def test_unmet_wants_draw_entrants_sooner() -> None:
    rows = np.arange(0, 200, 4)
    calm = vacancies(economy(exit_rate=0.0, search_days=30.0, pull=0.0, entry_rate=10.0), rows, 60)
    drawn = vacancies(economy(exit_rate=0.0, search_days=30.0, pull=10.0, entry_rate=10.0), rows, 60)
    assert np.all(drawn <= calm)
    assert drawn.mean() < 0.6 * calm.mean()


def test_founders_are_limited() -> None:
    eco = economy(exit_rate=0.0, search_days=0.0, regulation_days=0.0, entry_rate=0.2, pull=0.0, kind="table")
    firms = eco.world.firms
    vacancies(eco, np.arange(100), 2)
    waiting = np.sum(firms.entered_on >= 0)
    assert waiting == pytest.approx(0.2 * 200 * 90 / 365, abs=1)
    eco.run_for(365)
    assert np.sum(firms.entered_on >= 0) - waiting == pytest.approx(0.2 * 200, abs=2)


def test_the_next_founder_goes_where_most_is_missing() -> None:
    eco = economy(exit_rate=0.0, search_days=0.0, regulation_days=0.0, entry_rate=0.0, kind="table")
    world, rows = eco.world, np.arange(5, 200, 9)
    founders = world.memory["turnover"]["founders"]
    founders[0] = 0.0
    assert np.all(vacancies(eco, rows, 3) == 3)
    missing, share = world.mechanisms["turnover"]._unmet(world, np.arange(200))
    assert np.all((share >= 0) & (share <= 1))
    assert len(set(missing[rows])) > 3
    founders[0] = 1.0
    eco.step()
    entered = np.flatnonzero(world.firms.entered_on >= 0)
    assert len(entered) == 1
    assert missing[entered[0]] == missing[rows].max()


def test_entrants_grow_into_their_capacity_and_plan_for_what_they_can_make() -> None:
    eco = economy(exit_rate=0.0, start=0.4, ramp_days=10.0)
    firms = eco.world.firms
    vacancies(eco, np.array([7]), 1)
    while firms.alive[7] == 0:
        eco.step()
    shares = []
    for _ in range(12):
        eco.step()
        shares.append(firms.capacity[7] / firms.potential[7])
    assert shares == pytest.approx([min(1.0, 0.4 + 0.06 * day) for day in range(12)])
    assert firms.expected[7] > 0
    assert firms.scale[7] == 1.0  # without customers who choose, all wait for it


def test_entrants_open_as_large_as_orders_ask_and_grow_with_them() -> None:
    eco = economy("customers", exit_rate=0.0, opening_scale=0.25, growth=0.01, start=0.9, ramp_days=1.0, kind="table")
    firms, rows = eco.world.firms, np.array([3, 40, 111])
    vacancies(eco, rows, 1)
    while (firms.alive[rows] == 0).any():
        eco.step()
    waiting = np.minimum(firms.demand / firms.output, 1.0)
    just = rows[firms.entered_on[rows] == eco.day + 1]
    assert len(just)
    assert firms.scale[just] == pytest.approx(0.25 + 0.75 * waiting[just])
    grown = 0
    for _ in range(100):
        before = firms.scale[rows].copy()
        eco.step()
        made = np.minimum(firms.age[rows] + 0.9, 1.0)
        assert firms.capacity[rows] == pytest.approx(firms.potential[rows] * np.minimum(made, before))
        asked = np.minimum(firms.demand[rows] / firms.output[rows], 1.0)
        assert firms.scale[rows] == pytest.approx(before + np.clip(asked - before, 0.0, 0.01))
        grown += np.sum(firms.scale[rows] > before)
    assert grown > 20
    assert np.all(np.delete(firms.scale, rows) == 1.0)


def test_entrants_imitate_a_survivor_of_their_sector_and_start_without_experience() -> None:
    eco = economy(exit_rate=0.0, kind="table", firms=100)
    firms, sector = eco.world.firms, eco.world.plan.firms.sector
    firms.add("know_how", 1.0 + np.arange(100) / 1000)
    firms.add("readiness", 0.7)
    firms.add("plan_quality", firms.know_how - 1.0)
    rows = np.array([20, 70])
    before = firms.know_how.copy()
    vacancies(eco, rows, 30)
    assert np.all(firms.alive[rows] == 1)
    for row in rows:
        models = np.flatnonzero((sector == sector[row]) & (np.arange(100) != row))
        assert firms.know_how[row] in before[models]
        assert firms.plan_quality[row] == firms.know_how[row] - 1.0
        assert firms.readiness[row] == 0.0
    assert np.array_equal(np.delete(firms.know_how, rows), np.delete(before, rows))
    assert np.all(firms.age[rows] == eco.day - firms.entered_on[rows])


class Diarist(ecosim.SMB):
    """Remembers how many decisions it made."""

    def setup(self) -> None:
        self.decisions = 0

    def expect(self) -> float:
        self.decisions += 1
        return self.production


def test_a_new_owner_is_a_new_agent_of_the_same_class() -> None:
    eco = economy(exit_rate=0.0, agents={Diarist: Who()})
    eco.run_for(5)
    old = eco.agent(3)
    assert old.decisions == 5
    vacancies(eco, np.array([3]), 20)
    new = eco.agent(3)
    assert new is not old
    assert type(new) is Diarist
    assert new.name == old.name
    assert new.decisions == 1 + eco.day - eco.world.firms.entered_on[3]
    assert eco.agent(4).decisions == 25


def test_a_closed_firm_keeps_its_links_and_its_stock() -> None:
    eco = economy(exit_rate=0.0, regulation_days=300.0)
    links = eco.world.links
    own = slice(int(links.ptr[3]), int(links.ptr[4]))
    before = links.supplier[own].copy()
    vacancies(eco, np.array([3]), 40)
    assert np.array_equal(links.supplier[own], before)
    stock = links.stock[own].copy()
    eco.run_for(20)
    assert np.all(links.stock[own] >= stock)  # rationing rule 2 may still send something
    assert stock.min() > 0
    assert not links.ordered[own].any()


def test_a_saved_run_continues_to_the_bit(tmp_path: Any) -> None:
    eco = economy(exit_rate=0.5)
    eco.run_for(60)
    assert (eco.world.firms.alive == 0).any()
    eco.save(tmp_path / "run.npz")
    again = Ecosystem.restore(tmp_path / "run.npz")
    for each in (eco, again):
        each.run_for(60)
    for name, column in eco.world.firms.columns.items():
        assert np.array_equal(column, again.world.firms.columns[name]), name
    assert count(eco, "opens") == count(again, "opens") > 0


@pytest.mark.parametrize("level", [{"exit_rate": 1.5}, {"ageless": 0.0}, {"start": -0.1}, {"regulation_days": -1.0}])
def test_levels_out_of_range_are_refused(level: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="out of range"):
        Turnover(**level)
