"""Learning: what a shock teaches, how it is forgotten, and what it is good for the next time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecosim import Ecosystem, Scenario
from ecosim.kernels.learning import learn

HIT = {"kind": "outage", "who": {"share": 0.4}, "severity": 0.5, "when": 1, "recovery": {"law": 2, "start": 19}}


#: Thirty firms that have nothing to do with each other, and two that trade.
ALONE = {
    "kind": "imported",
    "firms": [{"firm": f"f{i}", "sector": "s", "final_demand": 100.0 * (i != 31)} for i in range(32)],
    "links": [{"supplier": "f31", "client": "f30", "flow": 1.0}],
}


def town(shocks: Any = (HIT,), **fields: Any) -> Ecosystem:
    """Shocks hit the first thirty only, so that all stress is their own."""
    first = [f"f{i}" for i in range(30)]
    shocks = [{**shock, "who": {"firms": first, **shock.get("who", {})}} for shock in shocks]
    return Ecosystem(
        Scenario(
            economy={"kind": "given"},
            network=ALONE,
            mechanisms=[{"kind": "learning", **fields}],
            shocks=shocks,
        )
    )


def test_readiness_follows_its_closed_form_up_and_down() -> None:
    eco = town(rate=0.05, forgetting=0.0, protection=0.0)
    rows = eco.world.memory["outage"]["rows"]
    eco.run_for(21)
    ready = eco.world.firms.readiness
    np.testing.assert_allclose(ready[rows], 1 - (1 - 0.05 * 0.5) ** 20, rtol=1e-12)
    assert not np.delete(ready, rows).any()


def test_what_was_learnt_is_forgotten_at_the_rate_of_a_year_down_to_routine() -> None:
    eco = town((), forgetting=0.39, routine=0.1)
    assert (eco.world.firms.readiness == 0.1).all()
    eco.world.firms.readiness[3] = 0.9
    eco.run_for(365)
    assert eco.world.firms.readiness[3] == pytest.approx(0.1 + 0.8 * 0.61, rel=1e-9)
    assert (np.delete(eco.world.firms.readiness, 3) == 0.1).all()


def test_the_ready_suffer_less_and_a_second_shock_hurts_less_than_the_first() -> None:
    second = {**HIT, "name": "again", "when": 40}
    eco = town((HIT, second), rate=0.1, protection=0.5)
    rows = eco.world.memory["outage"]["rows"]
    again = eco.world.memory["again"]["rows"]
    both = np.intersect1d(rows, again)
    novices = np.setdiff1d(again, rows)
    assert len(both)
    assert len(novices)
    eco.run_for(40)
    ready = eco.world.firms.readiness.copy()
    eco.run_for(1)
    share = eco.world.firms.capacity / eco.world.firms.potential
    np.testing.assert_allclose(share[again], 1 - 0.5 * (1 - 0.5 * ready[again]), rtol=1e-12)
    assert share[both].min() > share[novices].max()


def test_a_closed_firm_takes_its_lessons_with_it() -> None:
    eco = town(rate=0.2)
    rows = eco.world.memory["outage"]["rows"]
    eco.run_for(10)
    eco.world.close(rows[:1], "test")
    eco.run_for(1)
    assert eco.world.firms.readiness[rows[0]] == 0.0
    assert (eco.world.firms.readiness[rows[1:]] > 0.5).all()


def test_the_kernel_does_what_the_words_say() -> None:
    draw = np.random.default_rng(5)
    n = 300
    made, left, ready, rate, routine, noise, lost = draw.uniform(0, 1.2, (7, n)).clip(max=1.0)
    output, alive = np.where(draw.uniform(size=n) < 0.1, 0.0, 2.0), np.floor(draw.uniform(0, 4, n)).clip(max=1.0)
    after = ready.copy()
    learn(made * output, output, left, alive, rate, routine, noise, lost, after)
    for i in range(n):
        stress = max(1 - left[i], 1 - made[i] if output[i] > 0 else 0.0)
        stress = stress if stress > noise[i] else 0.0
        forgotten = lost[i] * max(ready[i] - routine[i], 0.0)
        expected = ready[i] + rate[i] * stress * (1 - ready[i]) - forgotten if alive[i] else routine[i]
        assert after[i] == pytest.approx(expected, rel=1e-12, abs=1e-15)
        assert -1e-12 <= after[i] <= 1 + 1e-12


def test_small_troubles_teach_nothing() -> None:
    eco = town(({**HIT, "severity": 0.04},), noise=0.05)
    eco.run_for(10)
    assert not eco.world.firms.readiness.any()
    eco = town(({**HIT, "severity": 0.06},), noise=0.05)
    eco.run_for(10)
    assert eco.world.firms.readiness.any()


def test_a_slump_teaches_as_damage_does() -> None:
    """A firm that has all its means but is not asked for anything learns from the slump, too."""
    slump = {"kind": "pulse", "channel": "demand", "factor": 0.5, "days": 30, "when": 1}
    eco = town((slump,), rate=0.1, forgetting=0.0)
    eco.run_for(3)
    np.testing.assert_allclose(eco.world.firms.readiness[:30], 1 - 0.95**2, rtol=1e-9)
