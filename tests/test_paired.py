"""A run beside its twin: the shortcut for a twin at rest, seeds, stopping between days, and memory asked beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import memory
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.paired import RunStopped, finish, live_calmly, run

TINY = ecosim.load("tiny").with_({"days": 60})


class Thrifty(ecosim.SMB):
    """Orders less than it needs, so that an economy with it is not at rest."""

    def order(self):
        return 0.7 * super().order()


@pytest.mark.parametrize("name", ["tiny", "main_street"])
def test_a_twin_at_rest_is_what_living_it_day_by_day_gives(name):
    eco = Ecosystem(ecosim.load(name).with_({"days": 40}))
    calm = live_calmly(eco.twin(), 40)
    lived = eco.twin()
    lived.run_for(40)
    pd.testing.assert_frame_equal(calm.series, lived.series, check_exact=True)
    np.testing.assert_array_equal(calm.produced, lived.world.firms.produced)


def test_a_twin_with_decisions_of_its_own_is_lived_through():
    eco = Ecosystem(TINY, agents={Thrifty: None})
    calm = live_calmly(eco.twin(), 60)
    lived = eco.twin()
    lived.run_for(60)
    assert lived.series["stock"].iloc[-1] < 0.95 * lived.series["stock"].iloc[0]
    pd.testing.assert_frame_equal(calm.series, lived.series, check_exact=True)


def test_the_written_scenario_has_the_seed_of_the_run():
    base = ecosim.load("main_street").with_({"economy.firms": 100, "days": 40})
    result = run(base, rng=7)
    assert result.scenario.seed == result.manifest["seed"] == 7
    again = run(ecosim.Scenario.from_yaml(result.scenario.to_yaml()))
    pd.testing.assert_frame_equal(result.series, again.series, check_exact=True)
    assert not run(base, rng=8).series.equals(result.series)


def test_a_run_stops_between_two_days_and_goes_on_to_the_same_end():
    whole = run(TINY)
    with pytest.raises(RunStopped) as stopped:
        run(TINY, stop=lambda: True)
    assert stopped.value.eco.day == 0
    rest = finish(stopped.value.eco)
    for name in ("series", "firms", "links", "events"):
        pd.testing.assert_frame_equal(getattr(rest, name), getattr(whole, name), check_exact=True)


def test_asked_to_stop_on_the_last_day_a_run_is_finished():
    days = []
    result = run(TINY, progress=lambda done, _: days.append(done), stop=lambda: days[-1] == 60)
    assert days == list(range(1, 61))
    assert len(result.series) == 61


def test_an_economy_that_does_not_fit_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2_000_000_000)
    built = []
    monkeypatch.setattr("ecosim.economies.table.Table.needs", lambda *_: built.append(1))
    with pytest.raises(InputError, match=r"economy.firms: 5,000,000 firms with 5 suppliers each need about [\d.]+ GB"):
        Ecosystem(ecosim.load("main_street").with_({"economy.firms": 5_000_000}))
    assert built == []


def test_the_estimate_grows_with_firms_and_links_and_knows_the_limits(monkeypatch):
    assert memory.estimate(2_000_000, 10_000_000) > 1.9 * (memory.estimate(1_000_000, 5_000_000) - memory.BYTES_ALWAYS)
    assert memory.estimate(10**6, 10**7) > memory.estimate(10**6, 5 * 10**6)
    free = memory.available()
    assert free > 0
    used = memory.psutil.Process().memory_info().vms
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (used + 1_000_000, used + 1_000_000))
    assert memory.available() < min(free, 100_000_000)


def test_what_is_no_policy_is_refused():
    with pytest.raises(InputError, match=r"^policies\.0\.kind: Who does not do what is needed here; derive it from"):
        Ecosystem(TINY.with_({"policies": [{"kind": "ecosim.who:Who"}]}))


@pytest.mark.parametrize("path", ["mechanisms", "shocks", "metrics"])
def test_a_part_of_another_family_is_refused(path):
    with pytest.raises(InputError, match=rf"{path}\.0\.kind: Who does not do what is needed here"):
        Ecosystem(TINY.with_({path: [{"kind": "ecosim.who:Who"}]}))


def test_a_metric_that_is_measured_already_is_refused():
    with pytest.raises(InputError, match=r"metrics\.0\.kind: 'stock' is measured already"):
        Ecosystem(TINY.with_({"metrics": ["stock"]}))


def test_a_run_taken_up_from_a_file_still_knows_what_it_was_read_from(tmp_path):
    (tmp_path / "firms.csv").write_text("firm,sector,final_demand\nMill,flour,5\nBakery,bread,20\n")
    (tmp_path / "links.csv").write_text("supplier,client,flow\nMill,Bakery,6\n")
    network = {"kind": "imported", "firms": str(tmp_path / "firms.csv"), "links": str(tmp_path / "links.csv")}
    scenario = ecosim.Scenario(days=20, economy={"kind": "given"}, network=network)
    whole = run(scenario)
    assert set(whole.manifest["imported"]) == {network["firms"], network["links"]}
    eco = Ecosystem(scenario)
    eco.run_for(7)
    eco.save(tmp_path / "half.npz")
    resumed = finish(Ecosystem.restore(tmp_path / "half.npz"))
    assert resumed.manifest["imported"] == whole.manifest["imported"]
    assert resumed.manifest["network_sha256"] == whole.manifest["network_sha256"]
