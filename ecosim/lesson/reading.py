"""A lesson from a YAML file, with every mistake at its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ecosim.config import Problem, ScenarioError
from ecosim.config.source import parse, read_text
from ecosim.config.words import explained
from ecosim.errors import InputError
from ecosim.found import shipped
from ecosim.lesson.spec import Lesson
from ecosim.study.reading import base_scenario, inner_problems, put_in_place

if TYPE_CHECKING:
    from os import PathLike


def lessons() -> dict[str, Path]:
    """Lessons that come with ecosim, by name, in the order in which they build on each other."""
    folder = next(iter(shipped().values()), Path()).parent / "lessons"
    return {path.stem.split("-", 1)[1]: path for path in sorted(folder.glob("*.yaml"))}


def names() -> tuple[str, ...]:
    """Names of the lessons that come with ecosim, in the order in which they build on each other."""
    return tuple(lessons())


def find_lesson(named: str) -> Path:
    """Return the file of a lesson: a path, or the name of one that ships with ecosim."""
    path, known = Path(named), lessons()
    if path.is_file():
        return path
    if named in known and not path.exists():
        return known[named]
    what = "a folder" if path.is_dir() else "no such file"
    raise InputError(f"{named}: {what}; give the YAML file of a lesson, or one of {', '.join(known)}")


def load(named: str | PathLike[str], *, allow_code: bool = True) -> Lesson:
    """Lesson in a YAML file, or the shipped one of that name.

    A scenario that it names is looked for beside it, then among the shipped ones. Raises InputError with every problem,
    each with file, line and column; without ``allow_code``, kinds of the form ``package.module:Name`` are refused.
    """
    path = find_lesson(str(named))
    return from_yaml(read_text(path), name=str(path), base_dir=path.resolve().parent, allow_code=allow_code)


def from_yaml(text: str, *, name: str = "<text>", base_dir: Path | None = None, allow_code: bool = True) -> Lesson:
    """Lesson written in YAML 1.2."""
    document = parse(text, name)
    data = document.root.plain()
    if not isinstance(data, dict):
        message = "not made of keys; a lesson has 'title:', 'scenario:', 'levers:', 'outcomes:', 'steps:' and more"
        raise ScenarioError([Problem(name, document.root.line, document.root.column, "", message)])
    context = {"base_dir": None if base_dir is None else str(base_dir), "allow_code": allow_code}
    given: dict[str, Any] = dict(data)
    problems = list(document.problems)
    if data.get("scenario") is not None:
        try:
            given["scenario"] = base_scenario(data["scenario"], document, context)
        except ScenarioError as error:
            problems += [put_in_place(problem, document) for problem in error.problems]
            raise ScenarioError(problems) from None
    try:
        lesson = Lesson.model_validate(given, context=context)
    except ValidationError as error:
        found = inner_problems(error) or explained(error, Lesson, given, document, allow_code=allow_code).problems
        problems += [put_in_place(problem, document) for problem in found]
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return lesson
