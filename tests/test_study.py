"""Studies: what they are made of, that the table is the same however it came about, and that nothing is lost."""

from __future__ import annotations

import math
import os
import resource
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_here import Here

import ecosim
from ecosim.compiling import clock
from ecosim.config import ScenarioError
from ecosim.errors import InputError
from ecosim.study import agenda, folder, living, runner, store, sweeping
from ecosim.study.design import codes_of
from ecosim.study.factors import Factor
from ecosim.study.identity import code_version, run_id
from ecosim.study.job import Job, Row, Setting
from ecosim.study.limits import OverTime, limited
from ecosim.study.outcomes import outcomes
from ecosim.study.progress import Progress
from ecosim.study.reading import find_study, from_yaml, load, made, studies
from ecosim.study.results import Study
from ecosim.study.spec import Limits, Stop, StudySpec
from ecosim.study.sweeping import sweep
from ecosim.study.worker import batch

WORLD = """
scenario:
  days: 12
  economy: {kind: uniform, firms: 20}
  network: {kind: random, suppliers: 2}
  shocks: [{kind: outage, when: 2, severity: 0.5}]
"""
SMALL = WORLD + "factors: {shocks.0.severity: [0.2, 0.6], economy.inventory_days: [4, 9]}\nreplicates: 2\n"


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(runner, "Processes", Here)
    monkeypatch.setattr(Here, "dies", Counter())
    return Here


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# What a study is made of ------------------------------------------------------------------------------------------


def test_shipped_study_is_found_and_has_sixty_runs():
    spec = load("quick")
    assert spec.name == "quick"
    assert len(spec.codes) * spec.replicates == 60
    assert spec.base.economy.firms < 2000  # it is small enough to be tried
    assert find_study("configs/studies/quick.yaml").name == "quick.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("factors: {shocks.0.sevrity: [0.1]}", "s.yaml:7:11: factors.shocks.0.sevrity: unknown key; did you mean 'sev"),
        ("factors: {netwrk.kind: [ring]}", "s.yaml:7:11: factors.netwrk.kind: unknown key 'netwrk'; did you mean 'n"),
        ("factors: {shocks.0.severity: [0.1, 1.5]}", "s.yaml:7:36: factors.shocks.0.severity.values.1: 1.5 is not a"),
        ("factors: {shocks.0.severity: {low: 0.6, high: 0.2}}", "factors.shocks.0.severity.high: 0.2 is not above lo"),
        ("factors: {shocks.0.severity: {low: 0.6, high: 3}}", "s.yaml:7:47: factors.shocks.0.severity.high: 3 is not"),
        ("factors: {shocks.0.severity: {low: 0.6}}", "factors.shocks.0.severity.high: missing; give low and high"),
        ("factors: {days: {low: 0, high: 5, scale: log}}", "factors.days.low: 0 has no logarithm"),
        ("factors: {days: 3}", "s.yaml:7:17: factors.days: 3 alone varies nothing; give a list of values"),
        ("factors: {days: []}", "factors.days.values: empty; give at least one"),
        ("factors: {days: [3, 3]}", "factors.days.values: 3 stands there twice"),
        ("factors: {seed: [1, 2]}", "s.yaml:7:17: factors.seed: replicates have seeds of their own"),
        ("factors: {}", "s.yaml:7:10: factors: missing; give at least one"),
        ("factors: {days: [3]}\ndesign: latin", "s.yaml:8:9: design.kind: 'latin' is no design; there are full, "),
        ("factors: {days: [3]}\ndesign: {kind: sobol, points: 6}", "s.yaml:8:31: design.points: 6 is not a power"),
        ("factors: {days: [3]}\ndesign: {kind: morris, levels: 5}", "s.yaml:8:32: design.levels: 5 is odd"),
        ("design: {kind: table, file: no.csv}", "s.yaml:7:29: design.file: no.csv: no such file"),
        ("factors: {days: [3]}\nreplicates: 0", "s.yaml:8:13: replicates: 0 is too small"),
        ("factors: {days: [3]}\nreplicate: 2", "s.yaml:8:1: replicate: unknown key; did you mean 'repl"),
        ("factors: {days: [3]}\noutcomes: [series.stock.men]", "s.yaml:8:11: outcomes: 'series.stock.men': no stat"),
        ("factors: {days: [3]}\noutcomes: [series.stok.mean]", "no series 'stok'; did you mean 'stock'?"),
        ("factors: {days: [3]}\noutcomes: [days]", "outcomes: 'days' is a factor, too"),
        ("factors: {days: [3]}\nset: {dys: 3}", "s.yaml:8:7: set.dys: unknown key; did you mean 'days'?"),
        ("factors: {days: [3]}\nstop: {outcome: a.b, half_width: 0}", "s.yaml:8:34: stop.half_width: 0 is too small"),
        ("factors: {days: [3]}\noutcomes: [a.b]\nstop: {outcome: a.c, half_width: 1}", "'a.c' is not among the outco"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_line_and_column(text, said):
    with pytest.raises(ScenarioError) as caught:
        from_yaml(WORLD + text, name="s.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenario: {days: 0}\nfactors: {days: [3]}", "s.yaml:1:18: scenario.days: 0 is too small"),
        ("scenario: {netwrk: ring}\nreplicates: 0", "s.yaml:1:12: scenario.netwrk: unknown key"),
        ("scenario: main_stret\nfactors: {days: [3]}", "scenario: main_stret: no such file"),
        ("factors: {days: [3]}", "scenario: missing"),
        ("- a", "s.yaml:1:1: not made of keys"),
        ("# nothing yet\n", "s.yaml: empty; a study has at least 'scenario:' and 'factors:'"),
        ("scenario: tiny\nscenario: tiny", "stands on line 1 already"),
        ("scenario: {network: {kind: 'os:system'}}", "names Python code, and this scenario may not run any"),
    ],
)
def test_mistakes_in_the_scenario_of_a_study(text, said):
    with pytest.raises(ScenarioError) as caught:
        from_yaml(text, name="s.yaml", allow_code=False)
    assert said in str(caught.value)


def test_a_design_too_large_is_refused_before_it_is_made():
    factors = {f"shocks.0.{key}": {"low": 0.1, "high": 0.9, "levels": 10_000} for key in ("severity",)}
    factors |= {"economy.inventory_days": {"low": 1.0, "high": 9.0, "levels": 10_000}}
    with pytest.raises(ScenarioError, match="100,000,000 points; 10,000,000 are the most"):
        made({"scenario": from_yaml(SMALL).scenario, "factors": factors})


def test_a_range_is_whole_where_the_scenario_takes_whole_numbers():
    spec = from_yaml(WORLD + "factors: {days: {low: 3, high: 9}, shocks.0.severity: {low: 0, high: 1}}\n")
    assert spec.whole == (True, False)
    assert {type(folder.changes(spec, point)["days"]) for point in range(9)} == {int}


# Designs ----------------------------------------------------------------------------------------------------------


def test_full_factorial_is_the_product_with_the_last_factor_fastest():
    spec = from_yaml(SMALL)
    shown = folder.shown(spec)
    assert shown.to_numpy().tolist() == [[0.2, 4], [0.2, 9], [0.6, 4], [0.6, 9]]
    assert folder.changes(spec, 2) == {"shocks.0.severity": 0.6, "economy.inventory_days": 4}


def test_one_at_a_time_starts_at_the_base_and_changes_one_factor():
    spec = from_yaml(SMALL + "design: one_at_a_time\n")
    assert [folder.changes(spec, point) for point in range(5)] == [
        {},
        {"shocks.0.severity": 0.2},
        {"shocks.0.severity": 0.6},
        {"economy.inventory_days": 4},
        {"economy.inventory_days": 9},
    ]
    usual = spec.base.economy.inventory_days
    assert folder.shown(spec)["economy.inventory_days"].tolist() == [usual, usual, usual, 4, 9]
    assert folder.shown(spec)["shocks.0.severity"].tolist() == [0.5, 0.2, 0.6, 0.5, 0.5]


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_latin_hypercube_has_one_point_in_every_slice(points, seed):
    from ecosim.study.design import LatinHypercube

    design = LatinHypercube(points=points, seed=seed)
    codes = design.codes([Factor(low=0.0, high=1.0), Factor(low=1.0, high=100.0, scale="log")], [False, False])
    for unit in (codes[:, 0], np.log(codes[:, 1]) / np.log(100)):
        assert sorted(np.minimum(unit * points, points - 1e-9).astype(int)) == list(range(points))
    again = design.codes([Factor(low=0.0, high=1.0), Factor(low=1.0, high=100.0, scale="log")], [False, False])
    assert (codes == again).all()


def test_sobol_design_gives_the_indices_of_ishigami():
    """The points are in the order that the analysis expects: S1 and ST of a function whose indices are known."""
    from SALib.analyze import sobol

    from ecosim.study.design import Sobol

    ranges = [Factor(low=-math.pi, high=math.pi)] * 3
    design = Sobol(points=2048)
    x = design.codes(ranges, [False] * 3)
    assert len(x) == design.size(ranges, [False] * 3)
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[-math.pi, math.pi]] * 3}
    found = sobol.analyze(problem, y, calc_second_order=False, seed=1)
    # Ishigami & Homma (1990) with a = 7, b = 0.1.
    assert found["S1"] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.03)
    assert found["ST"] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.03)


def test_morris_paths_change_one_factor_a_step():
    from ecosim.study.design import Morris

    factors = [Factor(low=0.0, high=1.0), Factor(low=0.0, high=3.0), Factor(values=(1, 2, 3, 4))]
    codes = Morris(points=5).codes(factors, [False] * 3).reshape(5, 4, 3)
    assert ((np.diff(codes, axis=1) != 0).sum(axis=2) == 1).all()


def test_a_table_of_ones_own_keeps_its_rows_and_empty_cells_are_the_bases(tmp_path):
    (tmp_path / "points.csv").write_text("shocks.0.severity,economy.inventory_days,network.kind\n0.25,7,ring\n0.5,,\n")
    text = WORLD + "design: {kind: table, file: points.csv}\n"
    spec = from_yaml(text, base_dir=tmp_path)
    assert folder.changes(spec, 0) == {
        "shocks.0.severity": 0.25, "economy.inventory_days": 7, "network.kind": "ring",
    }  # fmt: skip
    assert folder.changes(spec, 1) == {"shocks.0.severity": 0.5}
    frame = pd.read_csv(tmp_path / "points.csv")
    again = made({"scenario": spec.scenario, "design": frame})
    assert (folder.shown(again) == folder.shown(spec)).all().all()
    with pytest.raises(ScenarioError, match="factors: the design is a table"):
        from_yaml(text + "factors: {days: [3]}\n", base_dir=tmp_path)
    with pytest.raises(ScenarioError, match="unknown key; did you mean 'severity'"):
        made({"scenario": spec.scenario, "design": pd.DataFrame({"shocks.0.sevrity": [0.1]})})
    with pytest.raises(InputError, match="no points"):
        codes_of(pd.DataFrame())


def test_values_of_any_kind_have_names_in_the_table():
    values = {"none": [], "flood": [{"kind": "outage", "severity": 0.4}]}
    spec = made({"scenario": from_yaml(SMALL).scenario, "factors": {"shocks": {"values": values}}})
    assert folder.shown(spec)["shocks"].tolist() == ["none", "flood"]
    assert folder.changes(spec, 1)["shocks"] == [{"kind": "outage", "severity": 0.4}]


# The order of runs, and when there are enough ---------------------------------------------------------------------


def test_runs_of_one_network_and_one_twin_stand_together():
    spec = from_yaml(
        WORLD + "factors: {shocks.0.severity: [0.2, 0.6], network.suppliers: [2, 3], days: [5, 6]}\nreplicates: 2\n"
    )
    order = agenda.numbered(spec)
    assert sorted(order) == list(range(16))
    severity, suppliers, days = (spec.codes[order // 2, at] for at in range(3))
    network = [*zip(suppliers, order % 2, strict=True)]
    twin = [*zip(suppliers, order % 2, days, strict=True)]
    for keys in (network, twin):
        changes = sum(one != other for one, other in pairwise(keys))
        assert changes == len(set(keys)) - 1
    assert severity.tolist() == [0, 1] * 8


def plain_needed(values, stop, most):
    """Slow reference: replicates at the first look at which the interval is narrow enough."""
    from scipy import stats

    for count in range(1, most + 1):
        look = count == most or (count >= stop.at_least and (count - stop.at_least) % stop.step == 0)
        if look and count < most:
            known = [value for value in values[:count] if not math.isnan(value)]
            if len(known) < 2:
                continue
            low, high = stats.t.interval(stop.confidence, len(known) - 1, np.mean(known), max(stats.sem(known), 1e-300))
            if (high - low) / 2 > stop.half_width:
                continue
        if look:
            return count
    raise AssertionError


@given(st.data())
def test_stopping_looks_at_prefixes_only(data):
    most = data.draw(st.integers(2, 30))
    stop = Stop(outcome="x", half_width=1.0, at_least=data.draw(st.integers(2, 8)), step=data.draw(st.integers(1, 6)))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    values = rng.normal(0, data.draw(st.floats(0.1, 4)), most)
    values[rng.random(most) < 0.1] = np.nan
    needed = plain_needed(values, stop, most)
    for lived in range(most + 1):
        found = agenda.enough(stop, values[:lived], most)
        assert found == (needed if lived >= needed else None)


def test_an_outcome_that_is_known_well_enough_takes_no_more_replicates(here, tmp_path):
    text = WORLD + "factors: {shocks.0.severity: [0, 0.6]}\nreplicates: 9\n"
    text += "stop: {outcome: loss.production_percent, half_width: 0.4, at_least: 3, step: 2}\n"
    wide = sweep(from_yaml(text.replace("0.4", "1e-9")), out=tmp_path / "wide").table()
    assert wide.groupby("point").size().tolist() == [3, 9]  # without a shock nothing is lost, in every replicate
    width = agenda.half_width(wide["loss.production_percent"][wide.point == 1].to_numpy()[:5], 0.95)
    some = from_yaml(text.replace("0.4", repr(float(width))))
    one, eight = (sweep(some, out=tmp_path / f"w{count}", workers=count).table() for count in (1, 8))
    same(one, eight)
    counts = one.groupby("point").size()
    assert counts[0] == 3
    assert counts[1] <= 5  # all runs that the rule did not ask for are left out, whoever lived them
    same(one, wide[wide.replicate < counts.loc[wide.point].to_numpy()].reset_index(drop=True).assign(run=one.run))


# Runs -------------------------------------------------------------------------------------------------------------


def test_a_run_of_a_study_is_the_run_alone(here, tmp_path):
    """Networks and twins that runs share change no bit of what is kept."""
    spec = from_yaml(SMALL)
    study = sweep(spec, out=tmp_path / "s")
    table = study.table()
    assert table["run"].tolist() == list(range(8))
    assert (table.status == "ok").all()
    for run in (0, 3, 6):
        point, replicate = divmod(run, 2)
        scenario = spec.base.with_(folder.changes(spec, point))
        if replicate == 0:
            alone = ecosim.run(scenario)
            pd.testing.assert_frame_equal(study.series(run), alone.series.astype(float), check_exact=True)
            for name in ("loss.production_percent", "bottom.day", "failed.firms"):
                group, key = name.split(".")
                assert table[name][run] == alone.summary[group][key]
        assert table.run_id[run] == run_id(code_version(), scenario, replicate)
        pd.testing.assert_frame_equal(study.series(table.run_id[run]), study.series(run))


def test_replicates_are_paired_over_points(here, tmp_path):
    """Replicate r has the same network and luck at every point; other replicates have others."""
    text = WORLD.replace("severity: 0.5", "severity: 0.5, who: {share: 0.5}")
    study = sweep(from_yaml(text + "factors: {days: [6, 9]}\nreplicates: 3\n"), out=tmp_path / "s")
    runs = [study.series(run)["total_production"].loc[:5] for run in range(6)]
    for replicate in range(3):
        assert runs[replicate].equals(runs[3 + replicate])
    assert not runs[0].equals(runs[1])


def test_outcomes_by_path():
    result = ecosim.run(from_yaml(SMALL).base)
    paths = (
        "loss.production_percent",
        "series.total_production.min",
        "relapse.day",
        "shocks.0.firms",
        "shocks.7.firms",
    )
    found = outcomes(paths, result.summary, result.series)
    assert found["loss.production_percent"] == result.summary["loss"]["production_percent"]
    assert found["series.total_production.min"] == result.series["total_production"].loc[0:].min()
    assert found["shocks.0.firms"] == result.summary["shocks"][0]["firms"]
    assert math.isnan(found["relapse.day"])
    assert math.isnan(found["shocks.7.firms"])
    assert math.isnan(outcomes(("series.price_level.mean",), result.summary, result.series)["series.price_level.mean"])
    for path, said in (
        ("los.production", "did you mean 'loss'"),
        ("loss", "a group of figures, not a number; name one, for example loss.production"),
        ("name", "text"),
        ("days.x", "nothing below a number"),
        ("shocks.first", "no place in a list"),
        ("series.tax.mean", "no run measures 'tax'"),
    ):
        with pytest.raises(InputError, match=said):
            outcomes((path,), result.summary, result.series)


def test_an_outcome_that_no_run_has_stops_the_study_at_once(here, tmp_path):
    with pytest.raises(InputError, match=r"'loss.profit': a run's summary has no 'profit' there"):
        sweep(from_yaml(SMALL + "outcomes: [loss.profit]\n"), out=tmp_path / "s")
    with pytest.raises(InputError, match="series: no run measures 'profits'"):
        sweep(from_yaml(SMALL + "series: [profits]\n"), out=tmp_path / "t")


TROUBLED = """
scenario:
  days: 12
  economy: {kind: uniform, firms: 20}
  network: {kind: random, suppliers: 2}
  shocks: [{kind: outage, when: 2, severity: 0.5}, {kind: "study_trouble:Trouble", name: t}]
factors: {shocks.1.how: [none, raise, loop, grow, exit]}
outcomes: [loss.production_percent]
"""


@pytest.fixture
def trouble():
    return from_yaml(TROUBLED).model_copy(update={"limits": Limits(seconds=2, memory_mb=_memory() + 200)})


def _memory():
    import psutil

    return psutil.Process().memory_info().rss / 1e6


def test_runs_that_fail_are_rows_that_say_why(here, trouble, tmp_path):
    study = sweep(trouble, out=tmp_path / "s")
    table = study.table()
    assert table["shocks.1.how"].tolist() == ["none", "raise", "loop", "grow", "exit"]
    assert table.status.tolist() == ["ok", "error", "time", "memory", "error"]
    assert table["loss.production_percent"].notna().tolist() == [True, False, False, False, False]
    assert "no such luck" in table.error[1]
    assert "longer than 2 s" in table.error[2]
    assert "more memory than" in table.error[3]
    failures = study.failures()
    assert "ZeroDivisionError" in failures.traceback[0]
    assert "living.py" not in failures.traceback[0].split("study_trouble.py")[1]
    with pytest.raises(InputError, match="did not succeed"):
        study.series(1)
    limit = resource.getrlimit(resource.RLIMIT_DATA)
    assert limit[0] == limit[1]  # what held for one run does not hold for what follows


def test_failed_runs_are_lived_again_only_when_asked(here, trouble, tmp_path, monkeypatch):
    first = sweep(trouble, out=tmp_path / "s").table()
    monkeypatch.setattr(living, "live", None)  # nobody lives anything now
    same(sweep(trouble, out=tmp_path / "s").table(), first)
    monkeypatch.undo()
    monkeypatch.setattr(runner, "Processes", Here)
    lived = []
    real = batch
    monkeypatch.setattr("study_here.batch", lambda setting, jobs: lived.extend(jobs) or real(setting, jobs))
    again = sweep(trouble, out=tmp_path / "s", retry=True).table()
    assert sorted(job.run for job in lived) == [1, 2, 3, 4]
    same(again, first)


# Nothing is lost --------------------------------------------------------------------------------------------------


def test_the_table_does_not_depend_on_who_lived_it_nor_on_deaths(here, tmp_path):
    spec = from_yaml(SMALL)
    plain = sweep(spec, out=tmp_path / "one", workers=1).table()
    same(sweep(spec, out=tmp_path / "eight", workers=8).table(), plain)
    here.dies.update({3: 2, 0: 1, 7: 1})
    same(sweep(spec, out=tmp_path / "dying", workers=3).table(), plain)
    here.dies.update({5: 1000})
    table = sweep(spec, out=tmp_path / "killer").table()
    assert table.status.tolist() == ["ok"] * 5 + ["killed"] + ["ok"] * 2
    assert table.run_id.tolist() == plain.run_id.tolist()
    here.dies.clear()
    same(sweep(spec, out=tmp_path / "killer", retry=True).table(), plain)


@pytest.mark.parametrize("when", [0, 3, 6])
def test_a_study_that_is_stopped_goes_on(here, tmp_path, when):
    spec = from_yaml(SMALL)

    def stop(now):
        if now.done >= when and now.working:
            raise KeyboardInterrupt

    try:
        sweep(spec, out=tmp_path / "s", workers=2, progress=stop)
    except KeyboardInterrupt:
        half = Study.load(tmp_path / "s")
        assert len(half.table()) < 9
        assert half.progress is not None
        (tmp_path / "s" / "runs" / ".0000000000-abc.parquet").write_bytes(b"half")
    study = sweep(spec, out=tmp_path / "s", workers=2)
    same(study.table(), sweep(spec, out=tmp_path / "other").table())
    assert study.progress.done == study.progress.total == 8
    assert not study.progress.working
    assert [path.name for path in (tmp_path / "s" / "runs").iterdir() if path.name.startswith(".")] == []


def test_a_disk_without_room_is_said_and_nothing_is_lost(here, tmp_path):
    """The system itself refuses to write more than so many bytes into a file."""
    spec = from_yaml(SMALL)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def shrink(now):
        if now.done >= 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))

    monitor = pytest.MonkeyPatch()
    monitor.setattr(sweeping, "NEWS", 0.0)
    try:
        with pytest.raises(
            InputError, match=r"cannot be written \(File too large\); the \d runs that are there are wh"
        ) as said:
            sweep(spec, out=tmp_path / "s", workers=1, progress=shrink)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        monitor.undo()
    assert 3 <= len(Study.load(tmp_path / "s").table()) == int(str(said.value).split("the ")[1][0]) < 8
    assert not [path for path in (tmp_path / "s" / "runs").iterdir() if path.name.startswith(".")]
    same(sweep(spec, out=tmp_path / "s").table(), sweep(spec, out=tmp_path / "t").table())


def test_a_commit_is_all_or_nothing(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    rows = [Row(run, f"id{run}", "ok", outcomes={"x": run / 3}) for run in range(4)]
    full = OSError(28, "No space left on device")

    def refuse(*given):
        raise full

    for where, name in ((os, "fsync"), (Path, "rename")):
        with monkeypatch.context() as broken:
            broken.setattr(where, name, refuse)
            with pytest.raises(OSError, match="No space left"):
                store.commit(tmp_path, rows)
        assert list((tmp_path / "runs").iterdir()) == []
    store.commit(tmp_path, rows)
    assert store.finished(tmp_path).runs.tolist() == [0, 1, 2, 3]


@settings(max_examples=25)
@given(batches=st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=4), max_size=6))
def test_a_run_kept_twice_is_read_once_and_success_counts(tmp_path_factory, batches):
    place = tmp_path_factory.mktemp("store")
    (place / "runs").mkdir()
    for rows in batches:
        store.commit(
            place,
            [
                Row(run, f"id{run}", "ok" if ok else "error", outcomes={"x": run / 7} if ok else {},
                    series={"s": np.arange(3.0) + run} if ok else {})
                for run, ok in rows
            ],
        )  # fmt: skip
    wanted = {
        run: any(ok for rows in batches for other, ok in rows if other == run) for rows in batches for run, _ in rows
    }
    for _ in range(2):
        kept = store.finished(place, "x")
        assert dict(zip(kept.runs.tolist(), kept.ok.tolist(), strict=True)) == dict(sorted(wanted.items()))
        assert [value for value in kept.watched if not math.isnan(value)] == [
            run / 7 for run, ok in sorted(wanted.items()) if ok
        ]
        table = store.read(place, lambda names: [name for name in names if name == "series.s"])
        if "series.s" in table.column_names:
            for run, values in zip(table["run"].to_pylist(), table["series.s"].to_pylist(), strict=True):
                assert values == ([run, run + 1, run + 2] if wanted[run] else None)
        store.compact(place)
    assert len(store.files(place)) <= 1


def test_a_folder_is_only_ever_one_study(here, tmp_path, monkeypatch):
    spec = from_yaml(SMALL)
    sweep(spec, out=tmp_path / "s")
    with pytest.raises(InputError, match="holds another study"):
        sweep(from_yaml(SMALL.replace("0.6", "0.7")), out=tmp_path / "s")
    with pytest.raises(InputError, match="holds another study"):
        sweep(from_yaml(SMALL.replace("replicates: 2", "replicates: 3")), out=tmp_path / "s")
    same(sweep(spec.model_copy(update={"limits": Limits(seconds=9)}), out=tmp_path / "s").table(),
         Study.load(tmp_path / "s").table())  # fmt: skip
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds something that is no study"):
        sweep(spec, out=tmp_path / "mine")
    with monkeypatch.context() as other:
        other.setattr(folder, "code_version", lambda: "another")
        with pytest.raises(InputError, match="begun with another version of ecosim"):
            sweep(spec, out=tmp_path / "s")
    with folder.alone(tmp_path / "s", sweeping.LOCK), pytest.raises(InputError, match="somebody is at work"):
        sweep(spec, out=tmp_path / "s")


def test_a_study_of_days_wants_to_be_meant(here, tmp_path, monkeypatch):
    spec = from_yaml(SMALL)
    monkeypatch.setattr(sweeping, "DAY", 1e-6)
    with pytest.raises(InputError, match=r"8 runs will take about .* hours on 1 workers; .* --yes"):
        sweep(spec, out=tmp_path / "s", workers=1)
    assert len(Study.load(tmp_path / "s").table()) == 1  # the pilot; nothing else was begun
    assert len(sweep(spec, out=tmp_path / "s", workers=1, yes=True).table()) == 8


def test_a_pilot_that_takes_too_long_is_not_waited_for(here, tmp_path, monkeypatch):
    """What it took so far is enough to know that the study takes more than a day."""
    monkeypatch.setattr(sweeping, "DAY", 1.0)
    monkeypatch.setattr(here, "give", lambda self, jobs: None)  # a run without an end
    with pytest.raises(InputError, match=r"8 runs will take more than .* hours on 1 workers; .* --yes"):
        sweep(from_yaml(SMALL), out=tmp_path / "s", workers=1)


def test_the_schema_accepts_studies_and_refuses_mistakes(typed):
    import json

    import jsonschema
    from ruamel.yaml import YAML

    code, out, _ = typed("schema", "--study")
    assert code == 0
    validator = jsonschema.Draft202012Validator(json.loads(out))
    validator.check_schema(json.loads(out))
    good = [path.read_text() for path in studies().values()] + [SMALL, SMALL + "design: one_at_a_time\n"]
    for text in good:
        validator.validate(YAML(typ="safe").load(text))
        from_yaml(text)
    for wrong in ("replicate: 2", "design: latin", "design: {points: 3}", "targets: {a.b: {value: 1}}", "waves: 0"):
        assert not validator.is_valid(YAML(typ="safe").load(SMALL + wrong)), wrong


def test_a_strangers_folder_runs_no_code(here, trouble, tmp_path, monkeypatch):
    sweep(trouble, out=tmp_path / "s")
    monkeypatch.setattr("ecosim.config.kinds._module", lambda name: pytest.fail(f"{name} was imported"))
    study = Study.load(tmp_path / "s")
    assert len(study.table()) == 5
    assert len(study.failures()) == 4
    assert len(study.series(0)) == 13


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda s: (s / "manifest.json").unlink(), "not the folder of a study"),
        (lambda s: (s / "manifest.json").write_text("{}"), "manifest.json: damaged"),
        (lambda s: (s / "manifest.json").write_text('{"format": 9}'), "later version"),
        (lambda s: (s / "design.parquet").write_text("x"), "design.parquet: damaged"),
    ],
)
def test_damaged_folders_are_refused(here, tmp_path, damage, said):
    study = sweep(from_yaml(SMALL), out=tmp_path / "s")
    damage(tmp_path / "s")
    with pytest.raises(InputError, match=said):
        Study.load(study.folder).table()


def test_reading_a_study(here, tmp_path):
    study = sweep(made({"scenario": from_yaml(SMALL).scenario, "factors": {"days": [3, 4]}, "series": "none"}),
                  out=tmp_path / "s")  # fmt: skip
    assert repr(study) == f"<Study 'study': 2 points x 1 replicates in {tmp_path / 's'}>"
    with pytest.raises(InputError, match="no series were kept"):
        study.series(0)
    with pytest.raises(InputError, match="there is no run 99"):
        study.series(99)
    back = pd.read_csv(study.write_csv())
    numbers = study.table().select_dtypes("number")
    assert np.array_equal(back[numbers.columns].to_numpy(float), numbers.to_numpy(float), equal_nan=True)
    assert Progress.of(tmp_path) is None


def test_a_worker_of_other_code_or_without_the_folder_refuses(tmp_path):
    spec = from_yaml(SMALL)
    setting = Setting(str(tmp_path / "no"), code_version(), spec.base, None, "all", Limits())
    with pytest.raises(InputError, match="does not see this folder"):
        batch(setting, [Job(0, 0, {})])
    other = Setting(str(tmp_path), "other", spec.base, None, "all", Limits())
    with pytest.raises(InputError, match="another version of ecosim"):
        batch(other, [Job(0, 0, {})])


def test_a_study_spec_in_python_is_the_one_of_the_file():
    text = from_yaml(SMALL)
    assert folder.digest(StudySpec(**{name: getattr(text, name) for name in StudySpec.model_fields})) == folder.digest(
        text
    )
    with pytest.raises(ScenarioError, match="replicates: 0 is too small"):
        made({"scenario": text.scenario, "factors": {"days": [3]}, "replicates": 0})


# The command ------------------------------------------------------------------------------------------------------


def test_the_command_lives_a_study_and_says_where_its_table_is(here, typed, tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    code, out, err = typed("sweep", "small.yaml", "--workers", "1")
    assert code == 0
    assert err.startswith("small: 8 runs (4 points x 2 replicates of ecosystem), in studies/small\n")
    assert out.startswith("8 runs (8 ok) after ")
    first = (tmp_path / "studies" / "small" / "table.csv").read_bytes()
    assert typed("sweep", "small.yaml", "--out", "other", "--quiet") == (0, "other/table.csv\n", "")
    assert (tmp_path / "other" / "table.csv").read_bytes() == first
    assert typed("sweep", "small.yaml", "--quiet")[0] == 0  # there is nothing left to do
    same(Study.load(tmp_path / "other").table(), Study.load(tmp_path / "studies" / "small").table())


def test_what_the_command_refuses(here, typed, tmp_path):
    (tmp_path / "bad.yaml").write_text(SMALL + "replicate: 2\n")
    code, out, err = typed("sweep", "bad.yaml")
    assert (code, out) == (2, "")
    assert err == "error: bad.yaml:9:1: replicate: unknown key; did you mean 'replicates'?\n"
    assert "no such file; give the YAML file of a study, or one of calibrate, quick" in typed("sweep", "quik")[2]
    assert not (tmp_path / "studies").exists()


def test_a_study_of_which_no_run_succeeds_does_not_end_well(here, typed):
    study = "version: 1\nscenario: tiny\nset: {days: 20}\nfactors: {shocks.0.severity: [0.2, 0.4]}\n"
    Path("late.yaml").write_text(study, encoding="utf-8")
    code, _, err = typed("sweep", "late.yaml", "--workers", "1")
    assert code == 2
    assert "late.yaml: no run succeeded" in err
    assert "strike on an earlier day" in err


def test_an_interrupted_command_says_how_to_go_on(here, typed, tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(SMALL)
    with monkeypatch.context() as interrupted:
        given = here.give
        interrupted.setattr(here, "give", lambda self, jobs: _interrupt() if jobs[0].run == 5 else given(self, jobs))
        code, _, err = typed("sweep", "small.yaml", "--out", "s")
    assert code == 130
    assert "kept in s. Go on with: ecosim sweep small.yaml --out s" in err
    assert 0 < len(Study.load("s").table()) < 8
    assert typed("sweep", "small.yaml", "--out", "s")[0] == 0
    assert len(Study.load("s").table()) == 8


def _interrupt():
    raise KeyboardInterrupt


def test_what_is_compiled_meanwhile_takes_nothing_of_the_time_that_a_run_may_take():
    def wait():
        with limited(Limits(seconds=0.2), lambda status: None):
            time.sleep(0.5)
            for _ in range(100_000):
                pass

    with pytest.raises(OverTime):
        wait()
    clock.notify(SimpleNamespace(is_start=True))
    try:
        wait()
    finally:
        clock.notify(SimpleNamespace(is_start=False))
