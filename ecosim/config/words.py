"""pydantic's errors as problems a person can mend: the place, the value, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from types import UnionType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ecosim.config.allowed import at, describe, keys
from ecosim.config.errors import Problem, ScenarioError, among, shown
from ecosim.config.kinds import FAMILIES, KindError, find

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from ecosim.config.source import Document

type Path = tuple[str | int, ...]

_TYPES = re.compile(r"(_type|_parsing|_from_float)$|^is_instance|^needs_python")
_LIMITS = {
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "less_than": "is too large",
    "less_than_equal": "is too large",
    "finite_number": "is not finite",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
}
_REASONS = {"value_error", "assertion_error", "ecosim", *_LIMITS}
_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")


def explained(
    error: ValidationError,
    scenario: type[BaseModel],
    data: Mapping[str, object],
    document: Document | None = None,
    *,
    allow_code: bool = True,
) -> ScenarioError:
    """Everything wrong with ``data``, in the order of the text it came from."""
    found = [(_real(item, data), item) for item in error.errors(include_url=False)]
    problems = list(document.problems) if document else []
    told = {(problem.line, problem.column) for problem in problems}
    for path, group in groupby(found, key=lambda pair: pair[0]):
        items = [item for _, item in group]
        # A union refuses the whole once a branch has refused something inside it, which says it better.
        if all(len(item["loc"]) > len(path) for item in items) and any(
            len(other) > len(path) and other[: len(path)] == path for other, _ in found
        ):
            continue
        for problem in _explain(path, items, scenario, data, document, allow_code=allow_code):
            # A value that could not be read is told once, as that, and not again for being the wrong type.
            if document is None or (problem.line, problem.column) not in told:
                problems.append(problem)
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    return ScenarioError(problems)


def _explain(
    path: Path,
    items: list[ErrorDetails],
    scenario: type[BaseModel],
    data: Mapping[str, object],
    document: Document | None,
    *,
    allow_code: bool,
) -> list[Problem]:
    """Tell the problems at one path; the branches of a union are told as one."""
    # A branch that found the right type and the wrong value knows more than those that wanted another type.
    items = [item for item in items if item["type"] in _REASONS] or items
    if len(items) > 1 and all(len(item["loc"]) > len(path) for item in items):
        wanted = describe(annotation(scenario, data, path, allow_code=allow_code))
        if wanted:
            value = _value(data, path)
            return [_problem(path, f"{_fault(value)}; give {wanted}", value, document)]
    problems = []
    for item in items:
        message, extra = _message(item, path, scenario, data, allow_code=allow_code)
        full = (*path, *extra)
        value = _value(data, full) if extra else item["input"]
        problems.append(_problem(full, message, value, document, key=item["type"] == "extra_forbidden"))
    return problems


def _problem(path: Path, message: str, value: object, document: Document | None, *, key: bool = False) -> Problem:
    line, column = document.place(path, key=key) if document else (None, None)
    return Problem(document.name if document else None, line, column, dotted(path), message, value)


def dotted(path: Path) -> str:
    """Write a path as people type it."""
    return ".".join(str(step) for step in path)


def annotation(scenario: type[BaseModel], data: Mapping[str, object], path: Path, *, allow_code: bool) -> Any | None:
    """Annotation of the value at a path: below a part it depends on the kind that the data names."""
    field = path[0] if path else None
    if not isinstance(field, str) or field not in FAMILIES:
        return at(scenario, path)
    depth = 2 if FAMILIES[field].many else 1
    if len(path) < depth:
        return None
    part = _value(data, path[:depth])
    kind = part.get("kind") if isinstance(part, Mapping) else part
    if isinstance(kind, BaseModel):
        return at(type(kind), path[depth:])
    try:
        return at(find(field, kind, allow_code=allow_code), path[depth:])
    except KindError:
        return None


def _message(
    item: ErrorDetails, path: Path, scenario: type[BaseModel], data: Mapping[str, object], *, allow_code: bool
) -> tuple[str, Path]:
    """Message of one error, and the steps by which its own text narrows the path."""
    kind, context = item["type"], item.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        return _authors(str(context.get("error") or item["msg"]), path, scenario, data, allow_code=allow_code)
    if kind == "ecosim":
        return str(context["words"]), ()
    if kind == "extra_forbidden":
        above = annotation(scenario, data, path[:-1], allow_code=allow_code)
        return f"unknown key; {among(path[-1], keys(above), 'keys here')}", ()
    wanted = describe(annotation(scenario, data, path, allow_code=allow_code)) or _family(path)
    return _wrong_value(item, wanted), ()


def _wrong_value(item: ErrorDetails, wanted: str) -> str:
    """Say what is wrong with a value, what is allowed, and how to write what was meant."""
    kind, value = item["type"], item["input"]
    if kind == "missing":
        return f"missing; give {wanted or 'a value'}"
    if not wanted or kind.startswith(("too_", "model_", "json_")):
        message = item["msg"]
        return f"{_fault(value)}: {message[0].lower()}{message[1:]}"
    if kind in {"literal_error", "enum"} and isinstance(value, str):
        close = among(value, wanted.removeprefix("one of ").split(", "), "")
        if close.endswith("?"):
            return f"{shown(value)} is not known; {close} ({wanted})"
        return f"{shown(value)} is not known; give {wanted}"
    return f"{_fault(value, kind)}; give {wanted}{_mend(value, wanted)}"


def _authors(
    text: str, path: Path, scenario: type[BaseModel], data: Mapping[str, object], *, allow_code: bool
) -> tuple[str, Path]:
    """A part's own words; where they begin with one of its keys, that key is the place."""
    match = re.match(r"(?P<key>[a-z_]\w*): (?P<rest>.+)", text, re.DOTALL)
    names = keys(annotation(scenario, data, path, allow_code=allow_code))
    if match and match["key"] in names:
        return " ".join(match["rest"].split()), (match["key"],)
    return " ".join(text.split()), ()


def _family(path: Path) -> str:
    field = path[0] if len(path) == 1 else None
    if not isinstance(field, str) or field not in FAMILIES:
        return ""
    return f"a list of {field}, each a kind with its keys, for example [{{kind: ...}}]"


def _fault(value: object, kind: str = "") -> str:
    """What is wrong with the value itself."""
    if value is None:
        return "empty"
    if kind in _LIMITS:
        return f"{shown(value)} {_LIMITS[kind]}"
    if kind and not _TYPES.search(kind):
        return f"{shown(value)} does not fit"
    if kind in {"int_type", "int_from_float"} and isinstance(value, float):
        return f"{shown(value)} is not a whole number"
    for type_, word in _CALLED:
        if isinstance(value, type_):
            return f"{shown(value)} is {word}"
    return f"{shown(value)} does not fit"


# The order matters: True is an int to Python.
_CALLED: tuple[tuple[type | UnionType, str], ...] = (
    (bool, "true-or-false"),
    (int | float, "a number"),
    (str, "text"),
    (list | tuple, "a list"),
    (Mapping, "a set of keys"),
)


def _mend(value: object, wanted: str) -> str:
    """Say how to write what was meant, where that is plain."""
    if value is None:
        return ", or leave the key out"
    if isinstance(value, Mapping):
        return "; put '- ' before it" if wanted.startswith("a list") else ""
    write = ""
    if isinstance(value, str):
        if "number" in wanted and _NUMBER.fullmatch(value):
            write = value.replace("_", "") + (" without underscores" if "_" in value else " without quotes")
        elif wanted == "true or false":
            write = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), "")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if wanted.startswith("text"):
            write = f"'{value}' with quotes"
        elif wanted.startswith("a whole number") and isinstance(value, float) and value.is_integer():
            write = str(int(value))
    return f"; write {write}" if write else ""


def _real(item: ErrorDetails, data: object) -> Path:
    """Location without the names of union branches that pydantic mixes into it."""
    path: list[str | int] = []
    last = len(item["loc"]) - 1
    names_key = item["type"] in {"missing", "extra_forbidden", "ecosim"}
    for index, step in enumerate(item["loc"]):
        if _holds(data, step):
            data = data[step]  # type: ignore[index]
        elif isinstance(data, Mapping) and index == 0:
            data = _DEFAULT
        elif data is not _DEFAULT and not (names_key and index == last):
            continue
        path.append(step)
    return tuple(path)


def _holds(data: object, step: str | int) -> bool:
    if isinstance(data, list | tuple):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, Mapping) and step in data


_DEFAULT = object()  # below a key that was not given, the data can tell no step from a branch


def _value(data: object, path: Path) -> Any:
    for step in path:
        if _holds(data, step):
            data = data[step]  # type: ignore[index]
        elif isinstance(data, BaseModel):
            data = getattr(data, str(step), None)
        else:
            return None
    return data
