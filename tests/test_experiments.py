"""Experiments: trials, their cost and their results against a slow reference and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ecosim.config import Scenario
from ecosim.mechanisms.experiments import Experiments
from ecosim.model import Ecosystem

OUTAGE = {"kind": "outage", "when": 3, "who": {"share": 0.3}, "severity": 0.8, "recovery": {"days": 200}}


def economy(*, firms: int = 80, headroom: float = 0.2, shocks: Any = (), **level: Any) -> Ecosystem:
    return Ecosystem(
        Scenario(
            days=1200,
            economy={"kind": "uniform", "firms": firms, "headroom": headroom},
            network={"kind": "random"},
            mechanisms=[{"kind": "experiments", **level}],
            shocks=list(shocks),
        )
    )


def test_without_trials_the_economy_is_exactly_at_rest() -> None:
    eco = economy(trials=0.0, headroom=0.0)
    eco.run_for(365)
    firms = eco.world.firms
    assert np.array_equal(firms.production, firms.output)
    assert np.all(firms.know_how == 1.0)


def test_know_how_settles_where_gains_meet_erosion_and_raises_no_demand() -> None:
    eco = economy(firms=500)
    eco.run_for(1095)
    firms = eco.world.firms
    assert np.array_equal(firms.production, firms.output)
    gain = 0.03 * 0.3989 / (365.0 + 20.0)  # mean of the better half of a normal draw, once in a wait and a trial
    settled = 450.0 * gain * (1.0 - np.exp(-1095.0 / 450.0))
    assert firms.know_how.mean() - 1.0 == pytest.approx(settled, rel=0.15)
    assert firms.know_how.min() >= 1.0


def test_without_spare_capacity_trials_cost_less_than_one_per_cent() -> None:
    scenario = economy(firms=300, headroom=0.0).scenario
    eco = Ecosystem(scenario.with_({"mechanisms.1.kind": "autonomy"}))
    eco.run_for(1095)
    share = eco.series.total_production / eco.world.output_at_rest
    assert 0.99 < share.mean() < 1.01
    assert share.min() < 1.0


def test_a_day_equals_a_slow_reference() -> None:
    eco = economy(shocks=[OUTAGE], trials=12.0, trial_days=5, search=4.0)
    firms = eco.world.firms
    z, used_to = firms.know_how.tolist(), firms.aspiration.tolist()
    urge, ends = firms.urge.tolist(), firms.trial_ends.tolist()
    rng = eco.world.streams["mechanism: experiments"]
    finished = kept = 0
    for day in range(80):
        eco.step()
        for i in range(firms.rows):
            activity = firms.production[i] / firms.output[i]
            idle, short = max(0.0, 1.0 - activity), max(0.0, used_to[i] - activity)
            z[i] -= (z[i] - 1.0) / 450.0 + 0.15 / 365.0 * z[i] * idle
            used_to[i] += (activity - used_to[i]) / 180.0
            if ends[i] < 0:
                urge[i] -= 12.0 / 365.0 * (1.0 + 4.0 * short)
            elif ends[i] == day:
                finished += 1
                result = z[i] + 0.03 * float(rng.normal(day, np.array([i]))[0])
                kept += result > z[i]
                z[i], ends[i] = max(z[i], result), -1.0
                urge[i] = -np.log1p(-float(rng.uniform(day, np.array([i]), draw=1)[0]))
            if ends[i] < 0 and urge[i] <= 0:
                ends[i] = day + 5.0
        assert firms.know_how.tolist() == pytest.approx(z, rel=1e-9)
        assert firms.trial_ends.tolist() == ends
    assert 0 < kept < finished


def test_a_trial_takes_its_cost_of_capacity_and_know_how_multiplies_it() -> None:
    eco = economy(trials=40.0, trial_days=10, cost=0.1)
    eco.run_for(12)
    firms = eco.world.firms
    before, trying = firms.know_how.copy(), firms.trial_ends >= 0
    assert 0 < trying.sum() < firms.rows
    eco.step()
    assert firms.capacity == pytest.approx(firms.potential * before * np.where(trying, 0.9, 1.0))


def test_trouble_starts_more_trials() -> None:
    eco = economy(firms=600, shocks=[OUTAGE], trials=1.0, search=9.0)
    firms = eco.world.firms
    tried = np.zeros(firms.rows, dtype=bool)
    for _ in range(60):
        eco.step()
        tried |= firms.trial_ends >= 0
    hit = np.zeros(firms.rows, dtype=bool)
    hit[eco.world.events[0]["rows"]] = True
    calm = economy(firms=600, trials=1.0, search=9.0)
    calm_tried = np.zeros(firms.rows, dtype=bool)
    for _ in range(60):
        calm.step()
        calm_tried |= calm.world.firms.trial_ends >= 0
    assert tried[hit].mean() > 2.0 * calm_tried[hit].mean() > 0


def test_a_firm_that_stands_still_forgets_as_the_closed_form_says() -> None:
    eco = economy(trials=0.0, shocks=[{"kind": "outage", "severity": 1.0, "recovery": None}], obsolescence=0.5)
    eco.run_for(100)
    rate, fading = 1.0 / 450.0, 0.5 / 365.0
    rest = rate / (rate + fading)
    assert eco.world.firms.know_how == pytest.approx(rest + (1.0 - rest) * (1.0 - rate - fading) ** 100)


def test_freedom_scales_trials_and_a_closed_firm_tries_nothing() -> None:
    eco = economy(trials=30.0)
    firms = eco.world.firms
    firms.freedom[:40] = 0.0
    eco.world.close(np.arange(60, 70), "test")
    eco.run_for(60)
    assert not (firms.trial_ends[:40] >= 0).any()
    assert not (firms.trial_ends[60:70] >= 0).any()
    assert (firms.trial_ends[40:60] >= 0).any()


def test_a_saved_run_continues_to_the_bit(tmp_path: Any) -> None:
    eco = economy(shocks=[OUTAGE], trials=20.0)
    eco.run_for(15)
    eco.save(tmp_path / "run.npz")
    again = Ecosystem.restore(tmp_path / "run.npz")
    for each in (eco, again):
        each.run_for(40)
    for name in ("production", "know_how", "urge", "trial_ends"):
        assert np.array_equal(getattr(eco.world.firms, name), getattr(again.world.firms, name))


@pytest.mark.parametrize("level", [{"cost": 1.2}, {"trials": -1.0}, {"trial_days": 0}, {"scale": 2.0}])
def test_levels_out_of_range_are_refused(level: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="out of range"):
        Experiments(**level)
