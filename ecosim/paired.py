"""Run a scenario beside its unshocked twin."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.found import load
from ecosim.model import Ecosystem
from ecosim.result import Calm, Result, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from ecosim.recording import Recorder

STATE = ("production", "expected", "consumption", "demand")
HOLDINGS = ("stock", "ordered", "delivered")


class RunStopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """A run was asked to stop between two days; ``eco`` is whole and can be saved and taken up again."""

    def __init__(self, eco: Ecosystem) -> None:
        """Keep the unfinished economy."""
        super().__init__(f"stopped after day {eco.day}")
        self.eco = eco


def run(
    scenario: Scenario | str | PathLike[str],
    *,
    rng: int | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    record: str | Iterable[str] = (),
    daily: str | Path | None = None,
) -> Result:
    """Run a scenario (or the YAML file of one) and its twin for all its days.

    The twin is the same economy with the same randomness and no shocks: what the run lost is measured against it.
    ``progress(done, total)`` is called after each day; ``stop()`` is asked after each day and ends the run, when true,
    with `RunStopped`.

    ``record`` names columns of the firms (``("production", "demand")``, or "all") that are written to the new Parquet
    file ``daily`` for every firm and day of the run, not of its twin, while it lives; read them as ``Result.daily``. At
    most 8 bytes a firm, day and column, as a rule less than half; a run that is stopped leaves the days so far.
    """
    if not record and daily is None:
        return _run(scenario, rng, threads, progress, stop, None)
    if not record or daily is None:
        raise InputError("record and daily go together: record=('production',), daily='daily.parquet'")
    from ecosim.folders import NewFile
    from ecosim.recording import Recorder

    with NewFile(daily, replace=False) as half, Recorder(half, record, shown=daily) as recorder:
        try:
            result: Result | RunStopped = _run(scenario, rng, threads, progress, stop, recorder)
        except RunStopped as stopped:
            recorder.close()
            result = stopped
    if isinstance(result, RunStopped):
        raise result
    return replace(result, recorded=Path(daily).absolute())


def _run(
    scenario: Scenario | str | PathLike[str],
    rng: int | None,
    threads: int,
    progress: Callable[[int, int], None] | None,
    stop: Callable[[], bool] | None,
    recorder: Recorder | None,
) -> Result:
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    if rng is not None:
        scenario = scenario.with_({"seed": rng})  # so that the scenario that is written down gives this run
    started = time.perf_counter()
    eco = Ecosystem(scenario, threads=threads)
    if recorder is not None:
        recorder.begin(eco)
    return finish(eco, progress=progress, stop=stop, started=started, recorder=recorder)


def finish(
    eco: Ecosystem,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    started: float | None = None,
    recorder: Recorder | None = None,
) -> Result:
    """Live the days that are left of an economy's scenario, and compare it with its twin.

    A ``recorder`` that has begun notes each day; it is closed at the end, and not where the run is stopped.
    """
    started = time.perf_counter() if started is None else started
    days = eco.scenario.days
    while eco.day + 1 < days:
        eco.run_for(1)
        if recorder is not None:
            recorder.note(eco.world)
        if progress is not None:
            progress(eco.day + 1, days)
        if stop is not None and stop() and eco.day + 1 < days:
            raise RunStopped(eco)
    if recorder is not None:
        recorder.close()
    result = collect(eco, live_calmly(eco.twin(), days), time.perf_counter() - started)
    if recorder is None:
        return result
    return replace(result, recorded=recorder.path, manifest={**result.manifest, "recorded": list(recorder.columns)})


def live_calmly(twin: Ecosystem, days: int) -> Calm:
    """Series and production of a twin over ``days`` days.

    Where nothing depends on the day and one day changes no bit, every day is like the first: the core at rest is an
    exact fixed point, so the twin of a year costs a day. Any mechanism, policy or class of agents is lived through.
    """
    scenario = twin.scenario
    plain = not (scenario.mechanisms or scenario.policies or scenario.shocks or twin.has_own_decisions)
    before = [getattr(twin.world.firms, name).copy() for name in STATE] if plain else []
    before += [getattr(twin.world.links, name).copy() for name in HOLDINGS] if plain else []
    twin.run_for(1)
    after = [getattr(twin.world.firms, name) for name in STATE]
    after += [getattr(twin.world.links, name) for name in HOLDINGS]
    if plain and all(np.array_equal(one, other) for one, other in zip(before, after, strict=True)):
        produced = twin.world.firms.produced.copy()
        for _ in range(days - 1):
            produced += twin.world.firms.production
        like_the_first = twin.series.iloc[np.minimum(np.arange(days + 1), 1)]
        series = like_the_first.set_axis(pd.RangeIndex(-1, days, name="day"))
        return Calm(series, produced, twin.world.firms.failed_on)
    if days > 1:
        twin.run_for(days - 1)
    return Calm.of(twin)
