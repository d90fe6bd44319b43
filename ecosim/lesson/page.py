"""The page of a lesson: one HTML file that asks nobody for anything."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from ecosim.errors import InputError
from ecosim.lesson import claims, words
from ecosim.lesson.layout import HEIGHT, WIDTH, places
from ecosim.lesson.packed import packed, radii
from ecosim.lesson.spec import BetStep, ExploreStep, LookStep, QuestionStep, RevealStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecosim.lesson.lived import Lived, Town
    from ecosim.lesson.spec import AnyStep, Lesson, Lever, Value

MOST_BYTES = 1_500_000


def html(lived: Lived, *, name: str = "LESSON.yaml") -> str:
    """The page, as text; ``name`` is what rebuilds it. The same numbers give the same text.

    Raises InputError where the runs do not show what the lesson says, and where the page would be larger than
    `MOST_BYTES`.
    """
    from jinja2 import Environment, StrictUndefined

    lesson, right = lived.lesson, words.proven(lived)
    folder = files("ecosim.lesson") / "page"
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = page.from_string((folder / "lesson.html").read_text("utf-8")).render(
        lesson=lesson,
        steps=[_step(step, lived) for step in lesson.steps],
        goals=lesson.goals,
        teacher=words.told(lesson.teacher, lived),
        runs=f"{lesson.points:,} settings, {lesson.points * lesson.replicates:,} runs",
        source=f"ecosim {version('ecosim')}, seed {lesson.base.seed}, scenario {lesson.base.digest()[:12]}",
        again=f"ecosim lesson {name}",
        style=(folder / "lesson.css").read_text("utf-8"),
        script=(folder / "lesson.js").read_text("utf-8"),
        data=_script_safe(_data(lived, right)),
        blob=packed(lived),
    )
    size = len(text.encode("utf-8"))
    if size > MOST_BYTES:
        raise InputError(f"the page has {size:,} bytes, more than {MOST_BYTES:,}; take fewer values, days or firms")
    return text


def _step(step: AnyStep, lived: Lived) -> dict[str, Any]:
    """What the template shows of a step."""
    told: dict[str, Any] = {
        "kind": step.kind,
        "title": step.title,
        "text": words.told(step.text, lived) if step.text else "",
    }
    if isinstance(step, BetStep):
        told |= {"name": step.name, "options": [option.label for option in step.options]}
    if isinstance(step, RevealStep):
        told["bet"] = step.bet
    if isinstance(step, ExploreStep):
        told["tasks"] = [words.filled(task, lived) for task in step.tasks]
    if isinstance(step, QuestionStep):
        told["hint"] = words.told(step.hint, lived) if step.hint else ""
    return told


def _data(lived: Lived, right: dict[str, int]) -> dict[str, Any]:
    """Everything but the long arrays, as the script reads it."""
    lesson = lived.lesson
    towns, town_of = _towns(lived)
    low, high = float(lived.course.min()), float(lived.course.max())
    days = lived.course.shape[2]
    return {
        "lesson": lesson.digest(),
        "days": days,
        "replicates": lesson.replicates,
        "shown": lesson.shown,
        "points": lesson.points,
        "student": round(float(student.ppf(0.5 + claims.CONFIDENCE / 2, max(lesson.replicates - 1, 1))), 6),
        "levers": [_lever(name, lever) for name, lever in lesson.levers.items()],
        "outcomes": [_outcome(name, lived) for name in lesson.outcomes],
        "range": [min(80.0, 20.0 * np.floor(low / 20.0)), max(100.0, 20.0 * np.ceil((high - 1.0) / 20.0))],
        "box": [WIDTH, HEIGHT],
        "towns": [_town(town) for town in towns],
        "townOf": town_of,
        "events": [[list(each.events) for each in point] for point in lived.watched],
        "bets": {
            step.name: {"right": right[step.name], "options": [option.label for option in step.options]}
            for step in lesson.steps
            if isinstance(step, BetStep)
        },
        "looks": [_look(step, lesson) if isinstance(step, LookStep) else None for step in lesson.steps],
    }


def _lever(name: str, lever: Lever) -> dict[str, Any]:
    return {
        "name": name,
        "label": lever.label,
        "unit": lever.unit,
        "help": lever.help,
        "values": list(lever.names),
        "slides": lever.slides,
    }


def _outcome(name: str, lived: Lived) -> dict[str, Any]:
    outcome, runs = lived.lesson.outcomes[name], lived.figures[name]
    return {
        "name": name,
        "label": outcome.label,
        "unit": outcome.unit,
        "digits": outcome.digits,
        "help": outcome.help,
        "good": outcome.good,
        "range": [round(min(0.0, float(runs.min())), 4), round(max(0.0, float(runs.max())), 4)],
    }


def _town(town: Town) -> dict[str, Any]:
    return {
        "names": list(town.names),
        "places": places(town).ravel().tolist(),
        "size": radii(town),
        "links": np.column_stack([town.supplier, town.client]).ravel().tolist(),
    }


def _towns(lived: Lived) -> tuple[list[Town], list[list[int]]]:
    """The different networks, and which of them each watched run has."""
    found: dict[bytes, int] = {}
    towns: list[Town] = []
    of = []
    for point in lived.watched:
        row = []
        for each in point:
            at = found.setdefault(each.town.key, len(towns))
            if at == len(towns):
                towns.append(each.town)
            row.append(at)
        of.append(row)
    return towns, of


def _look(step: LookStep, lesson: Lesson) -> dict[str, Any]:
    names, figures = list(lesson.levers), list(lesson.outcomes)
    free = names if step.levers is None else step.levers
    shown = figures if step.outcomes is None else step.outcomes
    return {
        "at": _places(step.at, lesson),
        "levers": [names.index(name) for name in free],
        "outcomes": [figures.index(name) for name in shown],
        "along": None if step.along is None else names.index(step.along),
    }


def _places(at: Mapping[str, Value], lesson: Lesson) -> list[int]:
    """Places of the values at which levers stand."""
    return [lever.names.index(at[name]) if name in at else lever.first for name, lever in lesson.levers.items()]


def _script_safe(data: dict[str, Any]) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
