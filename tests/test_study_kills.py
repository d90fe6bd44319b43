"""Studies with real processes: workers, drivers and clusters are killed in the middle, and the table is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest

from ecosim.errors import InputError
from ecosim.study import cluster
from ecosim.study.reading import from_yaml
from ecosim.study.results import Study
from ecosim.study.sweeping import sweep

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
STUDY = """
scenario:
  days: 150
  economy: {kind: uniform, firms: 60}
  network: {kind: random, suppliers: 2}
  mechanisms: [recovery]
  shocks: [{kind: outage, when: 2, severity: 0.5}, {kind: "study_trouble:Trouble", name: t}]
factors:
  shocks.0.severity: [0.1, 0.3, 0.5, 0.7, 0.9]
  shocks.1.how: [none, raise]
replicates: 5
outcomes: [loss.production_percent, bottom.day]
"""
RUNS = 50
DRIVER = """
import sys
from pathlib import Path
from ecosim.study.reading import from_yaml
from ecosim.study.sweeping import sweep
sweep(from_yaml(Path(sys.argv[1]).read_text()), out=sys.argv[2], workers=2)
"""


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def grandchildren():
    """Children of the servers that this process's children are forked from."""
    return [inner for outer in psutil.Process().children() for inner in outer.children()]


@pytest.fixture(scope="module")
def workers():
    """The processes that live runs of these studies: what other tests have left running is not theirs."""
    before = set(grandchildren())
    return lambda: [process for process in grandchildren() if process not in before]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, workers):
    """The table of a study in which one worker was killed, once it was at work."""
    killed = []

    def kill(now):
        if now.done >= 6 and not killed:
            killed.append(workers()[0])
            killed[0].send_signal(signal.SIGKILL)

    study = sweep(from_yaml(STUDY), out=tmp_path_factory.mktemp("whole") / "s", workers=2, progress=kill)
    assert killed
    assert not killed[0].is_running()
    assert workers() == []
    return study.table()


def test_a_killed_worker_is_missed_by_nobody(whole, tmp_path):
    assert len(whole) == RUNS
    assert (whole.status == "ok").sum() == (whole.status == "error").sum() == RUNS / 2
    assert whole["loss.production_percent"].nunique() == RUNS / 2
    same(sweep(from_yaml(STUDY), out=tmp_path / "s", workers=1).table(), whole)


def test_a_run_that_hangs_where_python_cannot_end_it_is_over_time(tmp_path):
    text = STUDY.replace("[none, raise]", "[none, stuck]").replace("[0.1, 0.3, 0.5, 0.7, 0.9]", "[0.1]")
    text = text.replace("replicates: 5", "replicates: 1") + "limits: {seconds: 10}\n"
    table = sweep(from_yaml(text), out=tmp_path / "s", workers=2).table()
    assert table.status.tolist() == ["ok", "time"]
    assert "longer than 10 s" in table.error[1]


@contextmanager
def drive(study, out):
    """Another process that drives the study."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, study, out], env=environment, start_new_session=True)
    try:
        yield driver
    finally:
        driver.kill()
        driver.wait()


def wait_for(what, seconds=60):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def kept(out):
    try:
        return len(Study.load(out).table())
    except InputError:
        return 0


def test_killed_drivers_leave_no_orphans_and_the_same_study_goes_on(whole, tmp_path):
    study, out = tmp_path / "study.yaml", tmp_path / "s"
    study.write_text(STUDY)
    with drive(study, out) as driver:
        wait_for(lambda: kept(out) >= 5)
        family = psutil.Process(driver.pid).children(recursive=True)
        assert len(family) >= 3  # the server and two workers
        driver.kill()
        wait_for(lambda: not any(each.is_running() for each in family), 5)
    first = kept(out)
    assert 5 <= first < RUNS
    with drive(study, out) as driver:
        wait_for(lambda: kept(out) >= first + 5)
        for each in [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]:
            each.kill()
    assert first < kept(out) < RUNS
    same(sweep(from_yaml(STUDY), out=out, workers=2).table(), whole)


@contextmanager
def dask(folder, count):
    """A Dask scheduler and workers, each a process of its own; gives the address and the workers."""
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    shared = {"env": environment, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--no-show"]
    command += ["--host", "127.0.0.1", "--scheduler-file", str(file)]
    started = [subprocess.Popen(command, **shared)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    command += ["--scheduler-file", str(file)]
    try:
        started += [subprocess.Popen(command, **shared) for _ in range(count)]
        wait_for(file.is_file)
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for each in reversed(started):
            each.kill()
            each.wait()


def test_a_cluster_whose_worker_is_killed_gives_the_same_table(whole, tmp_path):
    killed = []

    def kill(now):
        if now.done >= 6 and now.workers == 2 and not killed:
            killed.append(started[0])
            started[0].kill()

    with dask(tmp_path, 2) as (address, started):
        study = sweep(from_yaml(STUDY), out=tmp_path / "s", cluster=address, progress=kill)
        assert killed
        assert started[1].poll() is None
    same(study.table(), whole)


def test_a_cluster_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "ATTEMPTS", 1)
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers there"):
        sweep(from_yaml(STUDY), out=tmp_path / "t", cluster="tcp://127.0.0.1:1")
