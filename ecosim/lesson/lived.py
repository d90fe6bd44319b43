"""Every setting of a lesson, lived: figures of all runs, their course, and what happened to each firm day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError, hint
from ecosim.model import Ecosystem
from ecosim.paired import live_calmly
from ecosim.resilience.pool import cores, processes
from ecosim.result import compared
from ecosim.study.outcomes import outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.config import Scenario
    from ecosim.lesson.spec import Lesson
    from ecosim.result import Calm

    type Reached = tuple[int, NDArray[np.float64], NDArray[np.float64], list[Watched]]

GAIN = "gain"
"""First step of the paths of figures about single firms: ``gain.best``, ``gain.ahead``, ``gain.Old Mill``."""
AHEAD = 0.5  # % of its output by which a firm must differ from its twin to count as ahead or behind
MOST_SHOWN = 250  # % of usual output; above it a day's state is cut off
TOLD: dict[str, Callable[[NDArray[np.float64], float], Any]] = {
    "town": lambda gain, town: town,
    "best": lambda gain, town: gain.max(),
    "worst": lambda gain, town: gain.min(),
    "ahead": lambda gain, town: float((gain > AHEAD).sum()),
    "behind": lambda gain, town: float((gain < -AHEAD).sum()),
}
"""What is told of all firms' gains, (firms,), and of the town's, in %."""


@dataclass(frozen=True, eq=False)
class Town:
    """A network as the page draws it: firms by row, links as pairs of rows."""

    names: tuple[str, ...]
    size: NDArray[np.float64]
    """Usual output of each firm, currency units a day, (firms,)."""
    supplier: NDArray[np.int64]
    client: NDArray[np.int64]
    at: NDArray[np.float64] | None = None
    """Where firms stand in the drawing, (firms, 2), if that is known; `ecosim.lesson.layout.places` finds it."""

    @classmethod
    def of(cls, eco: Ecosystem, names: tuple[str, ...]) -> Town:
        """The network of an economy; ``names`` stand in for its own where they are given."""
        plan = eco.world.plan
        return cls(
            names=tuple(names or plan.names),
            size=eco.world.firms.output.copy(),
            supplier=np.asarray(plan.supplier, dtype=np.int64),
            client=np.repeat(np.arange(len(plan.firms)), np.diff(plan.ptr)),
        )

    @property
    def key(self) -> bytes:
        """Equal for equal networks."""
        return b"".join(part.tobytes() for part in (self.supplier, self.client, self.size))


@dataclass(frozen=True, eq=False)
class Watched:
    """A run that can be watched day by day."""

    town: Town
    course: NDArray[np.float64]
    """Output of all, % of the twin's, (days,)."""
    firms: NDArray[np.uint8]
    """Output of each, % of its usual, (days, firms)."""
    struck: NDArray[np.bool_]
    """Whether a shock hit it, (firms,)."""
    events: tuple[tuple[int, str], ...]
    """What shocks did: day, and what the diary says."""


@dataclass(frozen=True, eq=False)
class Lived:
    """What became of a lesson's settings, numbered as `Lesson.places` has them."""

    lesson: Lesson
    figures: dict[str, NDArray[np.float64]]
    """By outcome: the figure of every run, (points, replicates)."""
    course: NDArray[np.float64]
    """Mean, lowest and highest output of the runs on each day, % of the twin's, (points, 3, days)."""
    watched: tuple[tuple[Watched, ...], ...]
    """By point: the runs that can be watched."""

    def runs(self, outcome: str, point: int) -> NDArray[np.float64]:
        """A figure of all runs of a setting, (replicates,)."""
        found: NDArray[np.float64] = self.figures[outcome][point]
        return found


def live(lesson: Lesson, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None) -> Lived:
    """Live every setting of a lesson.

    ``workers`` are processes (all cores by default), which change no number; ``progress(done, points)`` is called after
    each setting. Raises InputError where a run cannot be lived, or has no such figure.
    """
    parts = _parts(lesson)
    found: dict[int, Reached] = {}
    with processes(min(workers or cores(), len(parts))) as pool:
        jobs = [(lesson, part) for part in parts]
        for reached in map(_live_part, jobs) if pool is None else pool.map(_live_part, jobs):
            for each in reached:
                found[each[0]] = each
                if progress is not None:
                    progress(len(found), lesson.points)
    ordered = [found[point] for point in range(lesson.points)]
    return Lived(
        lesson=lesson,
        figures={name: np.stack([each[1][at] for each in ordered]) for at, name in enumerate(lesson.outcomes)},
        course=np.stack([each[2] for each in ordered]),
        watched=tuple(tuple(each[3]) for each in ordered),
    )


def _parts(lesson: Lesson) -> list[list[int]]:
    """Settings that share their twins stand together, so that these are lived once, in one process."""
    parts: dict[str, list[int]] = {}
    for point, places in enumerate(lesson.places()):
        calm = lesson.scenario_at(places).with_({"shocks": [], "name": "calm"})
        parts.setdefault(calm.digest(), []).append(point)
    few = list(parts.values())
    if len(few) > 1:
        return few
    return [few[0][at : at + 8] for at in range(0, len(few[0]), 8)]


def _live_part(job: tuple[Lesson, list[int]]) -> list[Reached]:
    lesson, part = job
    places = lesson.places()
    kept: dict[int, tuple[Blueprint, Calm]] = {}
    return [_live_point(lesson, point, lesson.scenario_at(places[point]), kept) for point in part]


def _live_point(lesson: Lesson, point: int, scenario: Scenario, kept: dict[int, tuple[Blueprint, Calm]]) -> Reached:
    figures = np.empty((len(lesson.outcomes), lesson.replicates))
    courses = np.empty((lesson.replicates, scenario.days))
    watched = []
    for replicate in range(lesson.replicates):
        plan, calm = kept.get(replicate, (None, None))
        eco = Ecosystem(scenario, blueprint=plan, replicate=replicate)
        daily = _daily(eco)
        if calm is None:
            calm = live_calmly(eco.twin(), scenario.days)
            kept[replicate] = eco.world.plan, calm
        series, firms, summary = compared(eco, calm)
        town = Town.of(eco, lesson.names)
        figures[:, replicate] = list(_figures(lesson, series, firms, summary, town.names))
        lived = series.loc[0:]
        courses[replicate] = 100.0 * lived["total_production"] / lived["twin_total_production"]
        if replicate < lesson.shown:
            struck = firms["struck"].to_numpy(dtype=np.bool_)
            watched.append(Watched(town, courses[replicate], daily, struck, _events(eco)))
    course = np.stack([courses.mean(axis=0), courses.min(axis=0), courses.max(axis=0)])
    return point, figures, course, watched


def _events(eco: Ecosystem) -> tuple[tuple[int, str], ...]:
    """What shocks did, each once a day."""
    labels = tuple(f"{shock.label} " for shock in eco.scenario.shocks)  # type: ignore[attr-defined]
    noted = ((int(event["day"]), str(event["event"])) for event in eco.world.events)
    return tuple(dict.fromkeys(item for item in noted if item[1].startswith(labels)))


def _daily(eco: Ecosystem) -> NDArray[np.uint8]:
    """Live all days; output of each firm in % of its usual, (days, firms)."""
    usual = eco.world.firms.output
    daily = np.empty((eco.scenario.days, len(usual)), dtype=np.uint8)
    for day in range(eco.scenario.days):
        eco.run_for(1)
        share = np.divide(eco.world.firms.production, usual, out=np.ones_like(usual), where=usual > 0)
        daily[day] = np.clip(np.rint(100.0 * share), 0, MOST_SHOWN)
    return daily


def _figures(
    lesson: Lesson, series: pd.DataFrame, firms: pd.DataFrame, summary: dict[str, Any], names: tuple[str, ...]
) -> Iterable[float]:
    """One figure an outcome."""
    paths = {name: outcome.path for name, outcome in lesson.outcomes.items()}
    plain = outcomes((path for path in paths.values() if not path.startswith(f"{GAIN}.")), summary, series)
    gain = -firms["lost_percent"].to_numpy(dtype=np.float64)
    town = -float(summary["loss"]["production_percent"])
    for name, path in paths.items():
        value = plain[path] if path in plain else _gain(path, gain, town, names)
        if not np.isfinite(value):
            raise InputError(
                f"outcomes.{name}: {path} has no value in some runs, as when nothing recovers; choose another figure"
            )
        yield value


def _gain(path: str, gain: NDArray[np.float64], town: float, names: tuple[str, ...]) -> float:
    """What single firms made more than their twins, in % of it."""
    what = path.partition(".")[2]
    if what in TOLD:
        return float(TOLD[what](gain, town))
    if what not in names:
        raise InputError(f"outcomes: {path!r}: no business is called {what!r}; {hint(what, [*TOLD, *names])}")
    return float(gain[names.index(what)])
