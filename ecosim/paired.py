"""Run a scenario beside its unshocked twin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ecosim.config import Scenario, load
from ecosim.model import Ecosystem
from ecosim.result import Result, collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike


def run(
    scenario: Scenario | str | PathLike[str],
    *,
    rng: int | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a scenario (or the YAML file of one) and its twin for all its days.

    The twin is the same economy with the same randomness and no shocks: what the run lost is measured against it.
    ``progress(done, total)`` is called after each day of either.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    started = time.perf_counter()
    eco = Ecosystem(scenario, rng=rng, threads=threads)
    twin = eco.twin()
    for done in range(scenario.days):
        eco.run_for(1)
        twin.run_for(1)
        if progress is not None:
            progress(done + 1, scenario.days)
    return collect(eco, twin, time.perf_counter() - started)
