"""The world of a lesson's step: sliders, figures with their intervals, the course of the days, and the town."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import solara

from .. import charts, controls, session, theme
from ..answers import lessons
from ..network import Network
from ..words import exact
from ..worlds import Event
from . import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.lesson.lived import Watched
    from ecosim.lesson.spec import Lesson, Lever, LookStep

    from ..answers.lessons import Shown


@parts.stacked
def World(lesson: Lesson, step: LookStep, shown: Shown) -> None:
    """Sliders, figures with their intervals, and the course of the days."""
    usual = {name: lever.names[lever.first] for name, lever in lesson.levers.items()}
    at, set_at = solara.use_state({**usual, **step.at})
    point = lesson.point(at)
    movable = step.levers if step.levers is not None else tuple(lesson.levers)
    outcomes = step.outcomes if step.outcomes is not None else tuple(lesson.outcomes)
    fixed = [
        f"{lesson.levers[name].label}: {at[name]} {lesson.levers[name].unit}".strip()
        for name in lesson.levers
        if name not in movable
    ]

    def move(name: str, value: Any) -> None:
        set_at({**at, name: value})

    with solara.Div(classes=["split"]):
        with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "Change it"}):
            for name in movable:
                Move(lesson.levers[name], at[name], partial(move, name))
            for text in fixed:
                parts.Note(text)
        with solara.Div(classes=["stack"]):
            with solara.Div(classes=["cards"]):
                for name in outcomes:
                    Figure(lesson, shown, name, point)
            Course(lesson, shown, point)
    Town(lesson, shown.first[point])


@solara.component
def Town(lesson: Lesson, run: Watched) -> None:
    """The network of the town and one run of a setting, day by day."""
    here = session.current()
    picture = solara.use_memo(lambda: lessons.scene(run.town), [run.town.key])
    days = solara.use_memo(lambda: lessons.frames(run), [id(run)])
    day, set_day = solara.use_state(int(run.course.argmin()))
    row, set_row = solara.use_state(-1)
    with solara.Div(classes=["card"]):
        parts.Words("h3", "The town, day by day")
        Network(
            picture,
            days,
            run.struck.astype("u1").tobytes(),
            run.course.astype("<f4").tobytes(),
            [Event(when, words) for when, words in run.events],
            f"Run 1 of {lesson.replicates}",
            min(day, len(run.course) - 1),
            row,
            here.projector.value,
            set_day,
            set_row,
        )


def Move(lever: Lever, value: Any, on_value: Callable[[Any], None]) -> None:
    """A slider over the values of a lever, or a list of its words."""
    names = list(lever.names)
    if not lever.slides:
        controls.Select(
            lever.label,
            str(value),
            lambda text: on_value(_named(names, text)),
            {str(one): str(one) for one in names},
            lever.help,
        )
        return
    steps = {float(b) - float(a) for a, b in pairwise(names)}
    if len(steps) == 1:
        controls.Slider(
            lever.label,
            float(value),
            lambda number: on_value(min(names, key=lambda one: abs(float(one) - number))),
            float(names[0]),
            float(names[-1]),
            steps.pop(),
            lever.unit,
            lever.help,
        )
    else:
        options = {str(one): f"{one} {lever.unit}".strip() for one in names}
        controls.Select(lever.label, str(value), lambda text: on_value(_named(names, text)), options, lever.help)


def _named(names: list[Any], text: str) -> Any:
    return next(one for one in names if str(one) == text)


@solara.component
def Figure(lesson: Lesson, shown: Shown, name: str, point: int) -> None:
    """One outcome of a setting, large, with its interval, and a dot for every run."""
    outcome, found = lesson.outcomes[name], lessons.figure(shown, name, point)
    with solara.Div(classes=["card"]):
        parts.Words("h3", outcome.label)
        with solara.Div(classes=["row"], style={"align-items": "baseline", "gap": ".4rem"}):
            parts.Words("span", exact(found.value, outcome.digits), ["number"])
            parts.Words("span", outcome.unit, ["unit"])
        if found.n > 1:
            solara.HTML(tag="div", classes=["dots"], unsafe_innerHTML=_dots(shown, name, point, found.value))
            parts.Note(spread(shown.figures[name][point], found.low, found.high, outcome.digits))
        if outcome.help:
            parts.Note(outcome.help)


def spread(values: Any, low: float, high: float, digits: int) -> str:
    """How far the runs of a setting lie apart, in words; the interval of their mean has the digits of the mean."""
    if exact(float(values.min()), digits) == exact(float(values.max()), digits):
        return f"The same in all {len(values)} runs."
    fine = digits + (exact(low, digits) == exact(high, digits))
    if exact(low, fine) == exact(high, fine):
        return f"Nearly the same in all {len(values)} runs."
    return f"Mean of {len(values)} runs, 95 % interval {exact(low, fine)} to {exact(high, fine)}. Each dot is a run."


def _dots(shown: Shown, name: str, point: int, mean: float) -> str:
    """The runs of a setting as dots, on an axis that all settings have in common, and their mean as a stroke."""
    every = shown.figures[name]
    low, high = min(0.0, float(every.min())), max(0.0, float(every.max()))
    wide = high - low or 1.0
    dots = "".join(
        f'<circle cx="{8 + 264 * (float(value) - low) / wide:.1f}" cy="{14 + (run % 3 - 1) * 4}" r="4"/>'
        for run, value in enumerate(every[point])
    )
    at = 8 + 264 * (mean - low) / wide
    return (
        f'<svg viewBox="0 0 280 42" aria-hidden="true"><line x1="8" x2="272" y1="14" y2="14"/>{dots}'
        f'<line class="mean" x1="{at:.1f}" x2="{at:.1f}" y1="3" y2="25"/>'
        f'<text x="8" y="38">{exact(low, 0)}</text><text x="272" y="38" text-anchor="end">{exact(high, 0)}</text></svg>'
    )


def began(run: Watched) -> list[tuple[int, str]]:
    """What shocks did in a run, less that they were over, which the curve shows."""
    return [(day, words) for day, words in run.events if not words.endswith("is over")]


@solara.component
def Course(lesson: Lesson, shown: Shown, point: int) -> None:
    """Output of the town by day: mean over the runs, and the lowest and highest of them."""
    mean, low, high = shown.course[point]
    days = list(range(len(mean)))
    events = tuple(Event(day, words.removesuffix(" hits")) for day, words in began(shown.first[point]))
    lines = [charts.Line("the town", days, mean, low, high, colour=theme.ACCENT)]
    title = "Output of the town, % of what it would have been"
    with solara.Div(classes=["card"]):
        summary = (
            f"Lowest on day {int(mean.argmin())}: {mean.min():.0f} %. The band holds all {lesson.replicates} runs."
        )
        charts.Days(title, "%", lines, events, summary)
