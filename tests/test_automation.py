"""Automation: what each rung gives and risks, who is left behind, and what falls into disrepair."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ecosim import Ecosystem, InputError, Scenario
from ecosim.mechanisms.automation import RUNGS, Automation

EVEN = {"kind": "automation", "adoption": 1.0, "small_gap": 0.0}


def town(*mechanisms: dict[str, Any], shocks: Any = (), firms: int = 40) -> Ecosystem:
    return Ecosystem(Scenario(economy={"kind": "table", "firms": firms}, mechanisms=mechanisms, shocks=list(shocks)))


def pulse(channel: str, factor: float, **fields: Any) -> dict[str, Any]:
    return {"kind": "pulse", "channel": channel, "factor": factor, "when": 0, "days": 500, **fields}


def able(eco: Ecosystem) -> np.ndarray:
    return eco.world.firms.capacity / eco.world.firms.potential


@pytest.mark.parametrize("rung", RUNGS)
def test_the_table_in_the_words_is_what_the_model_does(rung: str) -> None:
    row = next(line for line in (Automation.__doc__ or "").splitlines() if re.match(rf"\s*\| {rung}\b.*\d", line))
    cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
    level, gain, missed, felt, upkeep = (float(re.sub(r"[%+ ]", "", cell)) for cell in cells[1:])
    eco = town({**EVEN, "rung": rung}, {"kind": "finance"})
    assert (eco.world.firms.automation == level).all()
    eco.run_for(1)
    np.testing.assert_allclose(able(eco), 1 + gain / 100, rtol=1e-12)
    np.testing.assert_allclose(eco.world.firms.labour_exposure, missed / 100, rtol=1e-12)
    attacked = town({**EVEN, "rung": rung, "gain": 0.0}, shocks=[pulse("cyber", 0.0)])
    attacked.run_for(1)
    np.testing.assert_allclose(1 - able(attacked), felt / 100, rtol=1e-9)
    paid = eco.world.money.flows.get("upkeep of systems", np.zeros(6))[2]
    assert 100 * paid / eco.world.firms.output.sum() == pytest.approx(upkeep, abs=0.005)


def test_more_to_gain_and_more_to_lose_and_hygiene_helps() -> None:
    def kept(rung: str, hygiene: float) -> float:
        eco = town({**EVEN, "rung": rung, "hygiene": hygiene}, shocks=[pulse("cyber", 0.2)])
        eco.run_for(1)
        return float(able(eco)[0])

    assert kept("ai", 0.3) < kept("office", 0.3) < kept("ai", 1.0) == pytest.approx(1.14)
    assert kept("none", 0.5) == pytest.approx(1 - 0.2 * 0.5 * 0.8)


def test_rest_sells_what_it_sold_and_capacity_is_higher() -> None:
    plain, automated = town(), town({"kind": "automation"})
    for eco in (plain, automated):
        eco.run_for(20)
    np.testing.assert_array_equal(plain.world.firms.production, automated.world.firms.production)
    assert (automated.world.firms.capacity > plain.world.firms.capacity).all()


def test_small_and_remote_firms_are_behind() -> None:
    eco = town({**EVEN, "rung": "ai", "small_gap": 0.4, "remote": ["Riverside"], "remote_gap": 0.5})
    firms, level = eco.world.plan.firms, eco.world.firms.automation
    remote = firms.region == firms.region_names.index("Riverside")
    assert remote.any()
    output = eco.world.firms.output
    for row in range(40):
        rank = ((output < output[row]).sum() + (output <= output[row]).sum()) / 80
        expected = (1 - 0.4 * (1 - rank)) * (0.5 if remote[row] else 1.0)
        assert level[row] == pytest.approx(expected, rel=1e-12)


def test_autonomy_amplifies_where_it_is_on() -> None:
    eco = town({**EVEN, "rung": "ai", "synergy": 0.5}, {"kind": "autonomy"})
    eco.run_for(1)
    np.testing.assert_allclose(able(eco), 1 + 0.14 * (1 + 0.5 * eco.world.firms.autonomy), rtol=1e-12)
    assert (eco.world.firms.autonomy > 0).any()


# --- obsolescence -----------------------------------------------------------------------------------------------------


def test_what_nobody_keeps_up_decays_and_is_caught_up_again() -> None:
    eco = town({**EVEN, "rung": "ai", "maintained": 0.0, "decay": 0.33})
    eco.run_for(365)
    np.testing.assert_allclose(eco.world.firms.automation, 0.67, rtol=1e-9)
    eco.world.memory["automation"]["maintained"][:] = 1.0
    eco.run_for(365)
    np.testing.assert_allclose(eco.world.firms.automation, 1 - 0.33 * (1 - 1 / 365) ** 365, rtol=1e-9)


def test_what_was_invested_meanwhile_is_kept() -> None:
    eco = town({**EVEN, "rung": "office"})
    eco.world.firms.automation[5] = 0.9
    eco.run_for(50)
    assert eco.world.firms.automation[5] == 0.9
    assert (np.delete(eco.world.firms.automation, 5) == 0.25).all()


def test_a_jump_in_technology_makes_a_level_worth_less_while_it_lasts() -> None:
    eco = town({**EVEN, "rung": "ai"}, shocks=[pulse("obsolescence", 0.5, days=3)])
    eco.run_for(1)
    np.testing.assert_allclose(able(eco), 1.07, rtol=1e-12)
    np.testing.assert_allclose(eco.world.firms.labour_exposure, 0.75, rtol=1e-12)
    eco.run_for(3)
    np.testing.assert_allclose(able(eco), 1.14, rtol=1e-12)


def test_who_has_no_money_falls_behind() -> None:
    eco = town({**EVEN, "rung": "ai", "reserve": 0.0}, {"kind": "finance"})
    eco.run_for(1)
    firms = eco.world.firms
    take = np.where(np.arange(40) < 5, firms.cash, 0.0)
    eco.world.money.pay("test", "firms", "households", take)
    eco.run_for(1)
    earning = firms.usual_profit[:5] > 0
    assert earning.any()
    assert (firms.automation[:5][earning] < 1.0).all()
    assert (firms.automation[5:] == 1.0).all()
    assert abs(eco.world.money.total()) < 1e-3


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"upkeep_cost": 0.5},
            r"mechanisms\.0\.upkeep_cost: nothing is paid where finance is off; add {kind: finance}",
        ),
        ({"remote_gap": 0.5}, r"mechanisms\.0\.remote_gap: no region is remote; name some in remote"),
        ({"synergy": 0.9}, r"mechanisms\.0\.synergy: there is none where autonomy is off; add {kind: autonomy}"),
        (
            {"remote": ["Atlantis"]},
            r"mechanisms\.0\.remote: no region is named 'Atlantis'; there are Riverside",
        ),
    ],
)
def test_what_contradicts_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        town({"kind": "automation", **fields})
