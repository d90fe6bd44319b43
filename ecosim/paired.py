"""Run a scenario beside its unshocked twin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecosim.config import Scenario
from ecosim.found import load
from ecosim.model import Ecosystem
from ecosim.result import Calm, Result, collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

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
) -> Result:
    """Run a scenario (or the YAML file of one) and its twin for all its days.

    The twin is the same economy with the same randomness and no shocks: what the run lost is measured against it.
    ``progress(done, total)`` is called after each day; ``stop()`` is asked after each day and ends the run, when true,
    with `RunStopped`.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    if rng is not None:
        scenario = scenario.with_({"seed": rng})  # so that the scenario that is written down gives this run
    started = time.perf_counter()
    return finish(Ecosystem(scenario, threads=threads), progress=progress, stop=stop, started=started)


def finish(
    eco: Ecosystem,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    started: float | None = None,
) -> Result:
    """Live the days that are left of an economy's scenario, and compare it with its twin."""
    started = time.perf_counter() if started is None else started
    days = eco.scenario.days
    while eco.day + 1 < days:
        eco.run_for(1)
        if progress is not None:
            progress(eco.day + 1, days)
        if stop is not None and stop() and eco.day + 1 < days:
            raise RunStopped(eco)
    return collect(eco, live_calmly(eco.twin(), days), time.perf_counter() - started)


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
        return Calm(like_the_first.set_axis(pd.RangeIndex(-1, days, name="day")), produced)
    if days > 1:
        twin.run_for(days - 1)
    return Calm(twin.series, twin.world.firms.produced)
