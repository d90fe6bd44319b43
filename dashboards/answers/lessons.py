"""A lesson with its runs: lived once in a worker, kept for all sessions, and what a page asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    ``texts`` and ``hints`` are HTML, a step each; ``right`` the number of the right option of each bet.
    """

    figures: Mapping[str, Any]
    course: Any
    texts: tuple[str, ...]
    hints: tuple[str, ...]
    right: Mapping[str, int]


def live(name: str, report: Callable[[float], None] | None = None) -> Shown:
    """Live every setting of a lesson that comes with ecosim."""
    from ecosim.lesson.lived import live as lived_of
    from ecosim.lesson.words import proven, told

    def progress(done: int, points: int) -> None:
        if report is not None:
            report(done / points)

    lesson = known()[name]
    lived = lived_of(lesson, workers=1, progress=progress)
    return Shown(
        figures={outcome: values.astype(np.float32) for outcome, values in lived.figures.items()},
        course=lived.course.astype(np.float32),
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


def figure(shown: Shown, outcome: str, point: int) -> Estimate:
    """Mean of an outcome over the runs of a setting, with its interval; no width for a single run."""
    from ecosim.resilience.estimate import Estimate, mean_interval

    values = np.asarray(shown.figures[outcome][point], dtype=float)
    if len(values) < 2:
        return Estimate(float(values[0]), float(values[0]), float(values[0]), 1, 0.95)
    return mean_interval(values)


def tally(step: BetStep, counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """Answers of a class to a bet, in the order of the options; what is none of them is left out."""
    return [(option.label, counted.get(option.label, 0)) for option in step.options]
