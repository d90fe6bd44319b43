"""A study from a YAML file, with every mistake at its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ecosim.config import Problem, Scenario, ScenarioError
from ecosim.config.source import Document, parse, read_text
from ecosim.config.words import explained
from ecosim.errors import InputError
from ecosim.found import find_scenario, shipped
from ecosim.found import load as load_scenario
from ecosim.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from ecosim.config.source import Step
    from ecosim.part import Part


def studies(folder: str = "studies") -> dict[str, Path]:
    """Studies that come with ecosim, by name; of another kind, those in another ``folder`` of configs."""
    place = next(iter(shipped().values()), Path()).parent / folder
    return {path.stem: path for path in sorted(place.glob("*.yaml"))}


def find_study(named: str, folder: str = "studies") -> Path:
    """Return the file of a study: a path, or the name of one that ships with ecosim."""
    path = Path(named)
    if path.is_file():
        return path
    known = studies(folder)
    plain = path.suffix in {"", ".yaml", ".yml"} and path.parent in {Path(), Path("configs") / folder}
    if plain and path.stem in known and not path.exists():
        return known[path.stem]
    what = "a folder" if path.is_dir() else "no such file"
    raise InputError(f"{named}: {what}; give the YAML file of a study, or one of {', '.join(known)}")


def load(named: str | PathLike[str], *, allow_code: bool = True) -> StudySpec:
    """Study in a YAML file, or the shipped one of that name.

    File names in it are relative to its folder. Raises ScenarioError with every problem, each with file, line and
    column; without ``allow_code``, kinds of the form ``package.module:Name`` are refused.
    """
    path = find_study(str(named))
    return from_yaml(
        read_text(path), name=str(path), base_dir=path.resolve().parent, allow_code=allow_code, title=path.stem
    )


def from_yaml(
    text: str, *, name: str = "<text>", base_dir: Path | None = None, allow_code: bool = True, title: str = "study"
) -> StudySpec:
    """Study written in YAML 1.2; ``title`` names it where it does not name itself."""
    asked = "a study has at least 'scenario:' and 'factors:', for example scenario: main_street"
    stand_in: dict[str, Any] = {"set": {}, "factors": {"days": [1]}, "design": "full"}
    return spec_from(text, StudySpec, asked, stand_in, name, base_dir, allow_code=allow_code, title=title)


def spec_from[Spec: Part](
    text: str,
    kind: type[Spec],
    asked: str,
    stand_in: Mapping[str, Any],
    name: str,
    base_dir: Path | None,
    *,
    allow_code: bool,
    title: str,
    faults: Callable[[Spec], list[Problem]] = lambda spec: [],
) -> Spec:
    """What a YAML text says, as a ``kind`` that is built on a scenario, with every problem in one go.

    Where the scenario is bad, a plain one and the values of ``stand_in`` take its place so that the rest is checked,
    too. ``asked`` says what is the least to give; ``faults`` finds what shows only in a specification that is whole.
    """
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        raise ScenarioError([Problem(name, None, None, "", f"empty; {asked}")])
    document = parse(text, name)
    data = document.root.plain()
    if not isinstance(data, dict):
        raise ScenarioError([Problem(name, document.root.line, document.root.column, "", f"not made of keys; {asked}")])
    context = {"base_dir": None if base_dir is None else str(base_dir), "allow_code": allow_code}
    given: dict[str, Any] = {"name": title, **data}
    problems = list(document.problems)
    if data.get("scenario") is not None:
        try:
            given["scenario"] = base_scenario(data["scenario"], document, context)
        except ScenarioError as error:
            problems += error.problems
            given |= {"scenario": Scenario(), **stand_in}
    try:
        spec = kind.model_validate(given, context=context)
        found = [] if problems else faults(spec)
    except ValidationError as error:
        found = inner_problems(error) or list(explained(error, kind, given, document, allow_code=allow_code).problems)
    problems += [put_in_place(problem, document) for problem in found]
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return spec


def made(given: Mapping[str, Any]) -> StudySpec:
    """Study from Python values. Raises ScenarioError with every problem."""
    try:
        return StudySpec.model_validate(dict(given))
    except ValidationError as error:
        found = inner_problems(error)
        raise (ScenarioError(found) if found else explained(error, StudySpec, given)) from None


def inner_problems(error: ValidationError) -> list[Problem]:
    """The problems that the study itself found, which pydantic wraps into one."""
    wrapped = [item.get("ctx", {}).get("error") for item in error.errors(include_url=False)]
    return [problem for each in wrapped if isinstance(each, ScenarioError) for problem in each.problems]


def base_scenario(value: object, document: Document, context: dict[str, Any]) -> Scenario:
    """The base scenario: by name, from a file beside the study's, or written out in the study."""
    allow_code = bool(context["allow_code"])
    if isinstance(value, str):
        beside = Path(context["base_dir"] or ".") / value
        try:
            path = beside if beside.is_file() else find_scenario(value)[0]
            return load_scenario(path, allow_code=allow_code)
        except ScenarioError:
            raise  # it names the lines of the scenario's own file
        except InputError as error:
            raise ScenarioError([Problem(None, None, None, "scenario", str(error))]) from None
    if not isinstance(value, dict):
        raise ScenarioError(
            [put_in_place(Problem(None, None, None, "scenario", "give a name, a file, or keys"), document)]
        )
    inner = Document(document.name, document.root.content["scenario"][1])
    try:
        return Scenario.model_validate(value, context=context)
    except ValidationError as error:
        found = explained(error, Scenario, value, inner, allow_code=allow_code)
    raise ScenarioError(
        Problem(item.file, item.line, item.column, f"scenario.{item.path}", item.message, item.value)
        for item in found.problems
    )


def put_in_place(problem: Problem, document: Document) -> Problem:
    """Give a problem that knows its path the line and column of it."""
    if problem.file is not None:
        return problem
    unknown = problem.message.startswith("unknown key")
    line, column = document.place(_steps(problem.path, document), key=unknown)
    return Problem(document.name, line, column, problem.path, problem.message, problem.value)


def _steps(path: str, document: Document) -> tuple[Step, ...]:
    """Steps of a path below the top; the keys of factors and of set hold dots themselves."""
    words = path.split(".")
    steps: list[Step] = []
    node: Any = document.root.content
    while words and isinstance(node, dict | list):
        if isinstance(node, list):
            at = int(words[0]) if words[0].isdecimal() else len(node)
            taken, step = 1, at
            inner = node[at] if at < len(node) else None
        else:
            sizes = [size for size in range(len(words), 0, -1) if ".".join(words[:size]) in node]
            if not sizes:
                break
            taken = sizes[0]
            inner = node[".".join(words[:taken])][1]
            step = ".".join(words[:taken])  # type: ignore[assignment]
        steps.append(step)
        words = words[taken:]
        # A list alone stands for its values.
        if isinstance(getattr(inner, "content", None), list) and words[:1] == ["values"]:
            words = words[1:]
        node = getattr(inner, "content", None)
    return tuple(steps)
