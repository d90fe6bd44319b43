"""A pulse scales one channel for a while."""

import numpy as np
import pytest

from ecosim import Ecosystem, InputError, Scenario

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
