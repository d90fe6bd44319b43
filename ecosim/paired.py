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
from ecosim.swans import open_seals, tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from numpy.typing import NDArray

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
    lineage: str | int = "auto",
) -> Result:
    """Run a scenario (or the YAML file of one) and its twin for all its days.

    The twin is the same economy with the same randomness and no shocks: what the run lost is measured against it.
    ``progress(done, total)`` is called after each day; ``stop()`` is asked after each day and ends the run, when true,
    with `RunStopped`.

    ``record`` names columns of the firms (``("production", "demand")``, or "all") that are written to the new Parquet
    file ``daily`` for every firm and day of the run, not of its twin, while it lives; read them as ``Result.daily``. At
    most 8 bytes a firm, day and column, as a rule less than half; a run that is stopped leaves the days so far.

    ``lineage`` says for which firms the cause of each day's loss is kept (``Result.lineage``): "full" for all, a number
    for those that lost most and whoever their harm came through, "off" for none, which is faster; "auto" is full up to
    200,000 firms and off beyond. It changes no other number.
    """
    if not record and daily is None:
        return _run(scenario, rng, threads, progress, stop, None, lineage)
    if not record or daily is None:
        raise InputError("record and daily go together: record=('production',), daily='daily.parquet'")
    from ecosim.folders import NewFile
    from ecosim.recording import Recorder

    with NewFile(daily, replace=False) as half, Recorder(half, record, shown=daily) as recorder:
        try:
            result: Result | RunStopped = _run(scenario, rng, threads, progress, stop, recorder, lineage)
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
    lineage: str | int,
) -> Result:
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    if rng is not None:
        scenario = scenario.with_({"seed": rng})  # so that the scenario that is written down gives this run
    started = time.perf_counter()
    eco = Ecosystem(scenario, threads=threads)
    if recorder is not None:
        recorder.begin(eco)
    return finish(eco, progress=progress, stop=stop, started=started, recorder=recorder, lineage=lineage)


def finish(
    eco: Ecosystem,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    started: float | None = None,
    recorder: Recorder | None = None,
    lineage: str | int = "auto",
) -> Result:
    """Live the days that are left of an economy's scenario, and compare it with its twin.

    A ``recorder`` that has begun notes each day; it is closed at the end, and not where the run is stopped.
    ``lineage`` is as for `run`; a run that was begun with it goes on with it.
    """
    from ecosim.lineage.record import Record, how_many

    started = time.perf_counter() if started is None else started
    days = eco.scenario.days
    rare = open_seals(eco.scenario)
    beside = causes = None
    top = how_many(lineage, eco)
    if top != 0:
        beside = Beside(eco.twin())
        beside.live(eco.day + 1)
        causes = Record(eco, beside.eco, top)
    while eco.day + 1 < days:
        eco.run_for(1)
        if beside is not None and causes is not None:
            beside.live()
            causes.note()
        if recorder is not None:
            recorder.note(eco.world)
        if progress is not None:
            progress(eco.day + 1, days)
        if stop is not None and stop() and eco.day + 1 < days:
            if causes is not None:
                causes.keep()
            raise RunStopped(eco)
    if recorder is not None:
        recorder.close()
    calm = live_calmly(eco.twin(), days) if beside is None else beside.calm()
    result = collect(eco, calm, time.perf_counter() - started)
    called = tags(eco.scenario, result.summary["loss"]["production_percent"] / 100.0, rare)
    if called:
        result = replace(result, summary={**result.summary, "tags": called})
    if causes is not None:
        entries, debts, noted = causes.tables()
        result = replace(result, lineage=entries, debts=debts, manifest={**result.manifest, "lineage": noted})
    if recorder is None:
        return result
    return replace(result, recorded=recorder.path, manifest={**result.manifest, "recorded": list(recorder.columns)})


class Beside:
    """The twin of a run, which lives its days one by one.

    Where nothing depends on the day and one day changes no bit, every day is like the first: the core at rest is an
    exact fixed point, so the twin of a year costs a day. Any mechanism, policy or class of agents is lived through.
    """

    def __init__(self, twin: Ecosystem) -> None:
        """Begin at rest, before the first day."""
        self.eco, self.day = twin, -1
        scenario = twin.scenario
        self._plain = not (scenario.mechanisms or scenario.policies or scenario.shocks or twin.has_own_decisions)
        self._still = False

    def live(self, days: int = 1) -> None:
        """Live so many days."""
        if self._plain and self.day < 0 and days:
            before = self._state()
            self._run(1)
            days -= 1
            self._still = all(np.array_equal(one, other) for one, other in zip(before, self._state(), strict=True))
        if self._still:
            self.day += days
        elif days:
            self._run(days)

    def _run(self, days: int) -> None:
        self.eco.run_for(days)
        self.day += days

    def _state(self) -> list[NDArray[np.float64]]:
        world = self.eco.world
        held = [getattr(world.firms, name) for name in STATE] + [getattr(world.links, name) for name in HOLDINGS]
        return [column.copy() for column in held]

    def calm(self) -> Calm:
        """What is kept of the days lived so far."""
        if not self._still:
            return Calm.of(self.eco)
        world = self.eco.world
        produced = world.firms.produced.copy()
        for _ in range(self.day):
            produced += world.firms.production
        like_the_first = self.eco.series.iloc[np.minimum(np.arange(self.day + 2), 1)]
        series = like_the_first.set_axis(pd.RangeIndex(-1, self.day + 1, name="day"))
        return Calm(series, produced, world.firms.failed_on)


def live_calmly(twin: Ecosystem, days: int) -> Calm:
    """Series and production of a twin over ``days`` days."""
    beside = Beside(twin)
    beside.live(days)
    return beside.calm()
