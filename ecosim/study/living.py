"""One run of a study, from its place in the design to the row that is kept."""

from __future__ import annotations

import gc
import json
import math
import time
import traceback
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.config import known
from ecosim.config.written import mapping
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.paired import live_calmly
from ecosim.result import compared
from ecosim.study.agenda import NOT_IN_TWINS
from ecosim.study.identity import run_id
from ecosim.study.job import ERROR, MEMORY, OK, TIME, Row
from ecosim.study.limits import OverMemory, OverTime, limited
from ecosim.study.outcomes import OTHER_SERIES, TWIN, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.config import Scenario
    from ecosim.result import Calm
    from ecosim.study.job import Job, Setting
    from ecosim.study.spec import Limits

NETWORKS, TWINS = 2, 4  # that a process keeps: runs come sorted, so more would be memory for nothing
TOLD = {
    TIME: lambda limits: f"took longer than {limits.seconds:g} s (limits.seconds)",
    MEMORY: lambda limits: f"took more memory than {limits.memory_mb:g} MB (limits.memory_mb)",
}


class _Recent[Kept](OrderedDict[str, Kept]):
    """The last few things made, by what they were made from."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: str, value: Kept) -> None:
        self[key] = value
        while len(self) > self.most:
            self.popitem(last=False)


_networks: _Recent[Blueprint] = _Recent(NETWORKS)
_twins: _Recent[Calm] = _Recent(TWINS)


def live(setting: Setting, job: Job, last_words: Callable[[Row], None]) -> Row:
    """Live a run beside its twin; whatever it raises becomes a row that says so.

    ``last_words`` is called with such a row just before the process must be ended. Raises InputError where an outcome
    that was asked for is one that no run has: that is a mistake of the study, not of the run.
    """
    started = time.perf_counter()
    name = ""

    def failed(status: str, error: str, trace: str = "") -> Row:
        return Row(job.run, name, status, error, trace, time.perf_counter() - started)

    try:
        scenario = setting.scenario.with_(job.changes) if job.changes else setting.scenario
        name = run_id(setting.code, scenario, job.replicate)
        with limited(setting.limits, lambda status: last_words(failed(status, _over(status, setting.limits)))):
            series, firms, summary = _lived(scenario, job.replicate)
    except OverTime:
        return failed(TIME, _over(TIME, setting.limits))
    except (OverMemory, MemoryError) as error:
        limited_ = setting.limits.memory_mb is not None
        return failed(MEMORY, _over(MEMORY, setting.limits) if limited_ else f"not enough memory ({error})")
    except BaseException as error:
        return failed(ERROR, f"{type(error).__name__}: {error}", _trace(error))
    figures = outcomes(setting.outcomes, summary, series, firms)
    if setting.watched is not None and setting.watched not in figures:
        figures |= outcomes((setting.watched,), summary, series, firms)
    return Row(
        job.run,
        name,
        OK,
        seconds=time.perf_counter() - started,
        outcomes=figures,
        series=_kept(setting.series, series),
    )


def _over(status: str, limits: Limits) -> str:
    return TOLD[status](limits)


def _trace(error: BaseException) -> str:
    """The traceback without the frames of this file, which depend on who lived the run."""
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename == __file__:
        inner = inner.tb_next
    return "".join(traceback.format_exception(type(error), error, inner))


def _lived(scenario: Scenario, replicate: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Series, firms and summary of a run, as `ecosim.run` gives them; what other runs share with it is made once.

    A network follows from the economy, the network and the random streams. A twin is the same scenario without shocks
    and policies, so runs that differ in nothing else have one twin: draws are addressed by what they decide, and
    nothing that a shock or a policy draws moves another draw.
    """
    values = mapping(scenario)
    network = _key(values, replicate, "economy", "network", "seed")
    eco = Ecosystem(scenario, blueprint=_networks.get(network), replicate=replicate)
    _networks.keep(network, eco.world.plan)
    eco.run_for(scenario.days)
    calm = _key(values, replicate, *(name for name in values if name not in {*NOT_IN_TWINS, "name"}))
    twin = _twins.get(calm)
    if twin is None:
        twin = live_calmly(eco.twin(), scenario.days)
        _twins.keep(calm, twin)
    return compared(eco, twin)


def _key(values: dict[str, Any], replicate: int, *names: str) -> str:
    return json.dumps([replicate, *(values[name] for name in names)], sort_keys=True)


def _kept(wanted: tuple[str, ...] | str, series: pd.DataFrame) -> dict[str, NDArray[Any]]:
    if wanted == "none":
        return {}
    names = list(series.columns) if wanted == "all" else [name for name in wanted if name in series]
    if wanted != "all":
        regular = {*known("metrics"), *OTHER_SERIES}
        for name in wanted:
            # One whose mechanism is off in this run is left out; one that nothing measures is a mistake.
            if name not in series and name.removeprefix(TWIN) not in regular:
                raise InputError(f"series: no run measures {name!r}; there are {', '.join(series.columns)}")
    return {name: series[name].to_numpy(dtype=np.float64) for name in names}


def forget() -> None:
    """Give back what is kept for other runs, after one that took too much."""
    _networks.clear()
    _twins.clear()
    gc.collect()


def watched(setting: Setting, row: Row) -> float:
    """The outcome that decides when to stop, NaN where the run has none."""
    return math.nan if setting.watched is None else float(row.outcomes.get(setting.watched, math.nan))
