"""What a study costs beside its runs: 10,000 small runs kept and read, and the overhead of one run.

    uv run benchmarks/store.py            the store, and the overhead on 200 runs of about 100 ms
    uv run benchmarks/store.py --runs N   another number of runs in the store

Runs of the store are not lived 10,000 times: 20 runs of 300 firms over 100 days are, with all their series, and each
row is one of them with noise in the last bits, so that nothing compresses that would not in life. Exit code 1 where a
target is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from ecosim.bench.line import HEAD, Line
from ecosim.found import load
from ecosim.model import Ecosystem
from ecosim.paired import live_calmly
from ecosim.result import compared
from ecosim.study.folder import changes, prepare
from ecosim.study.identity import code_version
from ecosim.study.job import Job, Setting
from ecosim.study.living import live
from ecosim.study.reading import made
from ecosim.study.results import Study
from ecosim.study.spec import Limits
from ecosim.study.store import commit, compact

BATCH = 20  # runs that a worker keeps together where each takes 100 ms
RUNS_OVERHEAD = 100


def spec(points, days=100, firms=300):
    scenario = load("main_street").with_({"economy.firms": firms, "days": days})
    factors = {"shocks.0.severity": {"low": 0.1, "high": 0.9}, "economy.inventory_days": {"low": 5.0, "high": 20.0}}
    return made({"scenario": scenario, "factors": factors, "design": {"kind": "latin_hypercube", "points": points}})


def store_lines(runs):
    study = spec(runs)
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        prepare(folder, study)
        setting = Setting(str(folder), code_version(), study.base, None, "all", Limits())
        lived = [live(setting, Job(run, 0, changes(study, run)), lambda row: None) for run in range(20)]
        started = time.perf_counter()
        for first in range(0, runs, 50):
            rows = [
                replace(
                    lived[run % 20],
                    run=run,
                    run_id=f"{run:020d}",
                    series={
                        name: values * (1 + 1e-9 * rng.standard_normal(len(values)))
                        for name, values in lived[run % 20].series.items()
                    },
                )
                for run in range(first, min(first + 50, runs))
            ]
            commit(folder, rows)
        kept = time.perf_counter() - started
        started = time.perf_counter()
        table = Study.load(folder).table()
        before = time.perf_counter() - started
        assert len(table) == runs
        started = time.perf_counter()
        compact(folder)
        together = time.perf_counter() - started
        started = time.perf_counter()
        assert Study.load(folder).table().equals(table)
        after = time.perf_counter() - started
        started = time.perf_counter()
        Study.load(folder).series(runs // 2)
        one = time.perf_counter() - started
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    days, series = len(next(iter(lived[0].series.values()))), len(lived[0].series)
    what = f"{runs:,} runs of {days} days, {series} series"
    yield Line(what, "on the disk", size / 1e6, "MB", 200)
    yield Line(what, "table, as they were kept", before, "s", 2)
    yield Line(what, "table, put together", after, "s", 2)
    yield Line(what, "series of one run", one, "s")
    yield Line(what, "time to keep", kept, "s", note="the noise is in it")
    yield Line(what, "time to put together", together, "s")


def overhead_lines():
    """A run as a worker lives and keeps it, beside the same run alone; each has a network of its own, nothing shared.

    In turns, and by the median of the differences, because other programs disturb some of them.
    """
    study = spec(RUNS_OVERHEAD, days=365)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        prepare(folder, study)
        setting = Setting(str(folder), code_version(), study.base, None, "all", Limits(seconds=600))
        rows, alone, more = [], [], []
        for run in range(RUNS_OVERHEAD):
            job = Job(run, run, changes(study, run))
            scenario = study.base.with_(job.changes)
            started = time.process_time()
            eco = Ecosystem(scenario, replicate=run)
            eco.run_for(scenario.days)
            compared(eco, live_calmly(eco.twin(), scenario.days))
            alone.append(time.process_time() - started)
            started = time.process_time()
            rows.append(live(setting, job, lambda row: None))
            more.append(time.process_time() - started - alone[-1])
        started = time.process_time()
        for first in range(0, RUNS_OVERHEAD, BATCH):
            commit(folder, rows[first : first + BATCH])
        keeping = (time.process_time() - started) / RUNS_OVERHEAD
    what = f"a run of {1e3 * median(alone):.0f} ms in a study"
    yield Line(what, "beside the run alone", 1e3 * (median(more) + keeping), "ms", 5, note="processor time")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    runs = parser.parse_args().runs
    print(HEAD)
    met = True
    for lines in (store_lines(runs), overhead_lines()):
        for line in lines:
            print(line, flush=True)
            met &= line.met is not False
    print(f"Most memory of this process: {psutil.Process().memory_info().rss / 1e6:,.0f} MB")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
