"""A lesson with its runs: read from the page that ships, or lived once in a worker; and what a page asks of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

from ..network.encode import MOST, Recording
from ..network.scene import Scene, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ecosim.lesson.lived import Lived, Town, Watched
    from ecosim.lesson.spec import BetStep, Lesson
    from ecosim.resilience.estimate import Estimate


@cache
def known() -> dict[str, Lesson]:
    """Lessons that come with ecosim, by name, in their order."""
    from ecosim import lesson

    return {name: lesson.load(name, allow_code=False) for name in lesson.names()}


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page needs of a lesson that was lived: figures of all runs, their course, and its texts with figures.

    ``course`` is the mean, lowest and highest output of the runs on each day, % of the twin's, (points, 3, days);
    ``first`` the first run of each setting, day by day; ``texts`` and ``hints`` are HTML, a step each; ``right`` the
    number of the right option of each bet.
    """

    figures: Mapping[str, Any]
    course: Any
    first: tuple[Watched, ...]
    texts: tuple[str, ...]
    hints: tuple[str, ...]
    right: Mapping[str, int]


@cache
def printed(name: str) -> Shown | None:
    """A lesson as the page that ships has it, without living anything; None where there is none that is up to date."""
    from ecosim import lesson

    try:
        return _shown(lesson.shipped(name))
    except InputError:
        return None


def one_file(name: str) -> bytes:
    """The lesson as one HTML file, to take along."""
    from ecosim import lesson

    return lesson.page_of(name).read_bytes()


def live(name: str, report: Callable[[float], None] | None = None) -> Shown:
    """Live every setting of a lesson that comes with ecosim."""
    from ecosim.lesson.lived import live as lived_of

    def progress(done: int, points: int) -> None:
        if report is not None:
            report(done / points)

    return _shown(lived_of(known()[name], workers=1, progress=progress))


def _shown(lived: Lived) -> Shown:
    from ecosim.lesson.words import proven, told

    lesson = lived.lesson
    return Shown(
        figures={outcome: values.astype(np.float32) for outcome, values in lived.figures.items()},
        course=lived.course.astype(np.float32),
        first=tuple(runs[0] for runs in lived.watched),
        texts=tuple(told(step.text, lived) for step in lesson.steps),
        hints=tuple(told(getattr(step, "hint", ""), lived) for step in lesson.steps),
        right=proven(lived),
    )


def early(lesson: Lesson, at: int) -> str | None:
    """Text of a step as HTML as long as no runs are there; None where figures of runs stand in it."""
    from ecosim.lesson import claims
    from ecosim.lesson.words import marked_up

    text = lesson.steps[at].text
    return None if any(claims.figures(text)) else marked_up(text)


def firm_days(lesson: Lesson) -> int:
    """What living a lesson costs, about."""
    economy: Any = lesson.base.economy
    firms = getattr(economy, "firms", None) or max(len(lesson.names), 30)
    return int(firms) * int(lesson.base.days) * lesson.points * lesson.replicates


def scene(town: Town) -> Scene:
    """The network of a lesson's town, as its page draws it."""
    from ecosim.lesson.layout import HEIGHT, WIDTH, places

    at = places(town) / WIDTH
    spare = (1.0 - HEIGHT / WIDTH) / 2.0  # above and below: the picture is wider than high
    full = np.iinfo(np.uint16).max
    where = np.column_stack((at[:, 0], 1.0 - spare - at[:, 1]))  # from below, as the renderer has it
    links = np.column_stack((town.supplier, town.client)).astype("<u4")
    return Scene(
        nodes=len(town.names),
        firms=len(town.names),
        all_links=len(links),
        shown_links=len(links),
        arranged="trade",
        at=np.rint(full * where).astype("<u2").tobytes(),
        size=sizes(town.size).tobytes(),
        group=np.zeros(len(town.names), dtype="<u2").tobytes(),
        links=zlib.compress(links.tobytes()),
        names=zlib.compress("\n".join(town.names).encode()),
        groups=(("", 0.0, spare, 0.0), ("", 1.0, 1.0 - spare, 0.0)),  # nothing but the corners of the picture
    )


def frames(run: Watched) -> bytes:
    """The days of a run, as the network's renderer has them."""
    return Recording(np.ones(len(run.town.names)), None, np.minimum(run.firms, MOST)).frames()


def figure(shown: Shown, outcome: str, point: int) -> Estimate:
    """Mean of an outcome over the runs of a setting, with its interval; no width for a single run."""
    from ecosim.resilience.estimate import Estimate, mean_interval

    values = np.asarray(shown.figures[outcome][point], dtype=float)
    if len(values) < 2:
        return Estimate(float(values[0]), float(values[0]), float(values[0]), 1, 0.95)
    return mean_interval(values)


def answers(lesson: Lesson, own: Callable[[str], str | None]) -> dict[str, int]:
    """Number of the option of each bet whose label ``own`` gives for the bet's name; bets without one are left out."""
    labels = {step.name: [option.label for option in step.options] for step in lesson.steps if step.kind == "bet"}
    found = {name: own(name) for name in labels}
    return {name: labels[name].index(said) for name, said in found.items() if said in labels[name]}


def tally(step: BetStep, counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """Answers of a class to a bet, in the order of the options; what is none of them is left out."""
    return [(option.label, counted.get(option.label, 0)) for option in step.options]
