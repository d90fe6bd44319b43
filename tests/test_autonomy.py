"""Autonomy: delayed, smoothed plans against a slow reference, rest, and the owner's attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import ecosim
from ecosim.config import Scenario
from ecosim.mechanisms.autonomy import Autonomy
from ecosim.model import Ecosystem
from ecosim.who import Who

OUTAGE = {"kind": "outage", "when": 3, "who": {"share": 0.2}, "severity": 0.7, "recovery": {"days": 12}}


def economy(*, firms: int = 60, kind: str = "uniform", shocks: Any = (), agents: Any = None, **level: Any) -> Ecosystem:
    scenario = Scenario(
        days=400,
        economy={"kind": kind, "firms": firms},
        network={"kind": "random" if kind == "uniform" else "reconstructed"},
        mechanisms=[{"kind": "autonomy", **level}],
        shocks=list(shocks),
    )
    return Ecosystem(scenario, agents=agents)


def core(**parts: Any) -> Ecosystem:
    eco = economy(**parts)
    return Ecosystem(eco.scenario.with_({"mechanisms": []}))


@pytest.mark.parametrize("kind", ["uniform", "table"])
def test_an_undisturbed_economy_stays_at_rest_to_the_bit(kind: str) -> None:
    spread = {"law": "uniform", "low": 0.0, "high": 1.0}
    eco = economy(kind=kind, firms=120, autonomy=spread, slowness=9.0)
    eco.run_for(365)
    firms = eco.world.firms
    assert np.array_equal(firms.production, firms.output)
    assert np.array_equal(firms.consumption, firms.final_demand)
    assert len(np.unique(np.rint(firms.delay))) > 5


def test_full_autonomy_is_the_published_core() -> None:
    eco, plain = economy(shocks=[OUTAGE], autonomy=1.0, decentralisation=1.0), core(shocks=[OUTAGE])
    for each in (eco, plain):
        each.run_for(60)
    assert (plain.world.firms.lowest < 0.9).any()
    for name in ("production", "consumption", "expected", "demand"):
        assert np.array_equal(getattr(eco.world.firms, name), getattr(plain.world.firms, name))


def test_plans_equal_a_slow_reference() -> None:
    eco = economy(shocks=[OUTAGE], autonomy={"law": "uniform", "low": 0.0, "high": 1.0}, slowness=7.0, habit=5.0)
    firms = eco.world.firms
    seen = [firms.production.tolist() for _ in range(40)]
    outlook = firms.output.tolist()
    moved = 0
    for _ in range(40):
        eco.step()
        for i in range(firms.rows):
            a = firms.autonomy[i]
            news = seen[-round(1.0 + (1.0 - a) * 7.0)][i]
            if abs(news - outlook[i]) > 1e-12 * outlook[i]:
                outlook[i] += (news - outlook[i]) / (1.0 + (1.0 - a) * 5.0)
                moved += 1
        seen.append(firms.production.tolist())
        assert firms.expected.tolist() == pytest.approx(outlook, rel=1e-12)
    assert moved > 100


def test_without_habit_a_firm_plans_for_what_it_made_some_days_ago() -> None:
    eco = economy(shocks=[OUTAGE], autonomy=0.0, habit=0.0, slowness=6.0)
    made = []
    for _ in range(25):
        eco.step()
        made.append(eco.world.firms.production.copy())
    assert np.ptp(made[17]) > 0
    assert np.array_equal(eco.world.firms.expected, made[24 - 7])


def test_attention_falls_with_size_and_delegation_makes_up_for_it() -> None:
    eco = economy(kind="table", firms=200, autonomy=0.8, span=2.0, decentralisation=0.25, freedom=1.5)
    firms = eco.world.firms
    load = np.maximum(firms.output / (2.0 * np.median(firms.output)), 1.0)
    assert load.max() > 10
    assert firms.autonomy == pytest.approx(0.8 * load**-0.75)
    assert firms.freedom == pytest.approx(1.5 * load**-0.75)
    assert firms.delay == pytest.approx(1.0 + 4.0 * (1.0 - firms.autonomy))
    free = economy(kind="table", firms=200, autonomy=0.8, span=2.0, decentralisation=1.0).world.firms
    assert np.all(free.autonomy == 0.8)


def test_slow_plans_pass_less_of_a_disturbance_upstream() -> None:
    swings = []
    for autonomy in (1.0, 0.0):
        eco = economy(shocks=[OUTAGE], autonomy=autonomy, slowness=0.0)
        orders = []
        for _ in range(100):
            eco.step()
            orders.append(eco.world.links.ordered.sum())
        swings.append(np.std(orders))
    assert swings[1] < 0.5 * swings[0]


class Stubborn(ecosim.SMB):
    """Plans for the same, come what may."""

    def expect(self) -> float:
        return 123.0


def test_firms_with_an_expectation_of_their_own_keep_it() -> None:
    eco = economy(shocks=[OUTAGE], agents={Stubborn: Who(count=7)})
    eco.run_for(10)
    own = eco.world.choices.rows("expect")
    assert len(own) == 7
    assert np.all(eco.world.firms.expected[own] == 123.0)
    assert not np.any(np.delete(eco.world.firms.expected, own) == 123.0)


def test_closed_firms_plan_for_nothing_and_newcomers_for_what_they_can_make() -> None:
    eco = economy()
    firms = eco.world.firms
    eco.run_for(3)
    eco.world.close(np.array([5, 9]), "test")
    eco.run_for(4)
    assert np.all(firms.expected[[5, 9]] == 0.0)
    firms.alive[5] = 1.0
    firms.ensure("entered_on", -1.0)[5] = eco.day + 1
    eco.step()
    assert firms.expected[5] == min(firms.output[5], firms.capacity[5]) > 0
    assert firms.expected[9] == 0.0


def test_a_saved_run_continues_to_the_bit(tmp_path: Any) -> None:
    eco = economy(shocks=[OUTAGE], autonomy=0.2, slowness=8.0)
    eco.run_for(9)
    eco.save(tmp_path / "run.npz")
    again = Ecosystem.restore(tmp_path / "run.npz")
    for each in (eco, again):
        each.run_for(30)
    assert np.array_equal(eco.world.firms.production, again.world.firms.production)
    assert np.array_equal(eco.world.firms.outlook, again.world.firms.outlook)


@pytest.mark.parametrize(
    ("level", "told"),
    [({"autonomy": 1.5}, "give 0 to 1"), ({"slowness": 31.0}, "give 0 to 30"), ({"span": 0.0}, "range")],
)
def test_levels_out_of_range_are_refused(level: dict[str, float], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Autonomy(**level)
