"""A pulse scales one channel for a while."""

import numpy as np
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.report.summary import sentences

TOWN = Scenario(name="town", days=60, economy={"kind": "table", "firms": 60})


def slump(**changes):
    return TOWN.with_({"shocks": [{"kind": "pulse", "when": 3, "days": 4, "factor": 0.4, "ease": 2, **changes}]})


def test_it_holds_eases_off_and_is_over():
    eco = Ecosystem(slump())
    base = eco.world.firms.final_demand.copy()
    seen = []
    for _ in range(12):
        eco.run_for(1)
        share = eco.world.firms.wanted / base
        assert np.ptp(share[base > 0]) < 1e-12
        seen.append(share[base > 0][0])
    assert seen == pytest.approx([1, 1, 1, 0.4, 0.4, 0.4, 0.4, 0.6, 0.8, 1, 1, 1])
    assert [(event["day"], event["event"]) for event in eco.world.events] == [(3, "pulse begins"), (9, "pulse is over")]


def test_two_pulses_multiply_and_only_who_was_named_is_hit():
    twice = (
        slump()
        .with_({"shocks.1.kind": "pulse"})
        .with_(
            {
                "shocks.1.name": "second",
                "shocks.1.when": 3,
                "shocks.1.factor": 0.5,
                "shocks.1.who.sector": "Construction",
            }
        )
    )
    eco = Ecosystem(twice)
    eco.run_for(4)
    share = eco.world.firms.wanted / eco.world.firms.final_demand
    built = eco.world.plan.firms.sector == eco.world.plan.firms.sector_names.index("Construction")
    assert share[built] == pytest.approx(0.2)
    assert share[~built & (eco.world.firms.final_demand > 0)] == pytest.approx(0.4)


def test_a_channel_that_nobody_listens_to_is_refused():
    with pytest.raises(InputError, match=r"shocks\.0\.channel: nobody listens to 'labour' .* workforce; add it"):
        Ecosystem(slump(channel="labour"))


def test_a_pulse_comes_by_chance_and_as_hard_as_it_is_drawn():
    when = {"kind": "sequence", "events": 4, "from": 5, "to": 50, "burstiness": -1}
    part = {"when": when, "days": 3, "ease": 0, "factor": 2.0, "severity": {"kind": "uniform"}, "who": {"count": 9}}
    eco = Ecosystem(slump(**part))
    kept = eco.world.memory["pulse"]
    base = eco.world.firms.final_demand.copy()
    for day in range(60):
        eco.step()
        wanted = base.copy()
        for row, struck, share in zip(kept["rows"], kept["day"], kept["first"], strict=True):
            if 0 <= day - struck < 3:
                wanted[row] *= 1.0 + share
        assert eco.world.firms.wanted == pytest.approx(wanted, rel=1e-12), day
    events = [(event["day"], event["event"]) for event in eco.world.events]
    days = [5, 20, 35, 50]
    assert events == [(day + late, told) for day in days for late, told in ((0, "pulse begins"), (3, "pulse is over"))]
    np.testing.assert_allclose(eco.world.events[0]["amount"], 1.0 + kept["first"][:9])


def test_firms_under_a_pulse_count_as_struck_and_its_days_are_told():
    when = {"kind": "sequence", "events": 3, "from": 5, "to": 50, "burstiness": -1}
    result = ecosim.run(slump(when=when, who={"count": 9}))
    assert result.firms["struck"].sum() == len(set(np.flatnonzero(result.firms["struck"]))) > 9
    shock = result.summary["shocks"][0]
    assert (shock["day"], shock["struck_on"]) == (5, [5, 27, 50])
    told = sentences(result.summary)
    assert any(line.startswith("On 3 days, 5 to 50: pulse hit ") for line in told)
