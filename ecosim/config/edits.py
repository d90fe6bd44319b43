"""Changing a scenario by dotted paths: ``network.kind``, ``shocks.0.severity``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ecosim.config.allowed import keys
from ecosim.config.errors import Problem, ScenarioError, among, refuse, shown
from ecosim.config.kinds import FAMILIES, KindError, address, find, known
from ecosim.config.source import parse_value
from ecosim.config.words import annotation
from ecosim.config.written import dumped
from ecosim.part import Part

_STEP = re.compile(r"[A-Za-z0-9_][\w-]*")


def parse_set(text: str) -> tuple[str, Any]:
    """Read ``path=value`` as the command line takes it; the value is read as YAML reads it.

    Raises ScenarioError with the mend where the text is not of that form.
    """
    path, sign, word = text.partition("=")
    path = path.strip()
    if not sign or not path:
        raise refuse("", f"{shown(text)} sets nothing; write path=value, for example network.kind=ring", text)
    bad = next((step for step in path.split(".") if not _STEP.fullmatch(step)), None)
    if bad is not None:
        raise refuse("", f"{shown(path)} is not a path; write keys joined by dots, for example shocks.0.kind", text)
    if not word.strip():
        raise refuse(path, f"no value after '='; for empty text write {path}=''", text)
    try:
        return path, parse_value(word)
    except ScenarioError as error:
        raise refuse(path, f"{shown(word)}: {'; '.join(item.message for item in error.problems)}", word) from None
    except ValueError as error:
        raise refuse(path, str(error), word) from None


class Edit:
    """The values of a scenario on their way to the next one. Parts stay as they are until a path enters them."""

    def __init__(self, scenario: BaseModel, *, allow_code: bool) -> None:
        """Start from a scenario's present values."""
        self.scenario = type(scenario)
        self.allow_code = allow_code
        self.values: dict[str, Any] = {}
        for name in self.scenario.model_fields:
            value = getattr(scenario, name)
            self.values[name] = list(value) if isinstance(value, tuple) else value

    def apply(self, changes: Mapping[str, object]) -> dict[str, Any]:
        """Values after the changes. Whole things are set before what is in them, kinds before their fields."""
        split = [(tuple(path.split(".")), path, value) for path, value in changes.items()]
        split.sort(key=lambda item: (len(item[0]), item[0][-1] != "kind"))
        problems: list[Problem] = []
        for steps, path, value in split:
            try:
                self._set(steps, _copied(value))
            except ScenarioError as error:
                problems.extend(Problem(None, None, None, path, item.message, value) for item in error.problems)
        if problems:
            raise ScenarioError(problems)
        return self.values

    def _set(self, steps: tuple[str, ...], value: object) -> None:
        container: Any = self.values
        done: tuple[str | int, ...] = ()
        for step in steps[:-1]:
            container, done = self._enter(container, step, done, steps)
        last = steps[-1]
        if isinstance(container, list):
            at = self._index(container, last, done, new=True)
            if at == len(container):
                container.append(value)
            else:
                container[at] = value
        elif last == "kind" and self._at_part(done):
            self._change_kind(container, done[0], value)
        elif not done and last not in container:
            raise refuse("", f"unknown key; {among(last, container, 'keys here')}")
        else:
            container[last] = value

    def _enter(
        self, container: Any, step: str, done: tuple[str | int, ...], steps: tuple[str, ...]
    ) -> tuple[Any, tuple[str | int, ...]]:
        """Go one step down, opening parts, tuples and defaults on the way so that they can be changed."""
        if isinstance(container, list):
            at = self._index(container, step, done, new=steps[len(done) + 1 :] == ("kind",))
            if at == len(container):
                container.append({})
            key: str | int = at
        else:
            key = step
            if key not in container:
                container[key] = self._default(done, step)
        value = container[key]
        if isinstance(value, Part):
            value = opened(value, ".".join(str(item) for item in (*done, key)))
        elif isinstance(value, str) and self._at_part((*done, key)):
            value = {"kind": value}
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        elif not isinstance(value, list):
            here = ".".join(str(item) for item in (*done, key))
            raise refuse("", f"{here} is {shown(value)}, which has nothing inside; set {here} itself")
        container[key] = value
        return value, (*done, key)

    def _index(self, values: list[Any], step: str, done: tuple[str | int, ...], *, new: bool) -> int:
        here = ".".join(str(item) for item in done)
        called = [at for at, value in enumerate(values) if step in _names(value)]
        if len(called) == 1:
            return called[0]
        if not step.isdecimal():
            if done == ("mechanisms",) and step in known("mechanisms"):
                or_at_once = f" (or --set mechanisms=[{step}])" if not values else ""
                raise refuse("", f"{step} is not on; add it: mechanisms.{len(values)}.kind={step}{or_at_once}")
            calls = sorted({name for value in values for name in _names(value)})
            by_name = f", or call it by name or kind: {among(step, calls, 'names here')}" if calls else ""
            raise refuse("", f"{here} is a list; give the number of an entry, for example {here}.0{by_name}")
        at = int(step)
        if at < len(values) or (new and at == len(values)):
            return at
        there = f"its entries are 0 to {len(values) - 1}" if values else "it is empty"
        raise refuse("", f"{here} has no entry {at}: {there}; add one by setting {here}.{len(values)}.kind first")

    def _default(self, done: tuple[str | int, ...], step: str) -> Any:
        """Value of a key that was not set so far, so that something inside it can be."""
        if not done:
            raise refuse("", f"unknown key '{step}'; {among(step, self.values, 'keys here')}")
        above = annotation(self.scenario, self.values, done, allow_code=self.allow_code)
        names = keys(above)
        if names and step not in names:
            raise refuse("", f"unknown key '{step}'; {among(step, names, 'keys here')}")
        field = above.model_fields.get(step) if isinstance(above, type) and issubclass(above, BaseModel) else None
        if field is None or field.is_required():
            return {}
        default = field.get_default(call_default_factory=True, validated_data={})
        return to_jsonable_python(default, serialize_unknown=True)

    def _at_part(self, path: tuple[str | int, ...]) -> bool:
        return bool(path) and path[0] in FAMILIES and len(path) == (2 if FAMILIES[str(path[0])].many else 1)

    def _change_kind(self, part: dict[str, Any], field: str | int, kind: object) -> None:
        """Give a part another kind: what it shares with the old one stays, the rest takes its defaults."""
        part["kind"] = kind
        try:
            found = find(str(field), kind, allow_code=self.allow_code)
        except KindError:
            return  # validation names it, with its place
        for name in [name for name in part if name != "kind" and name not in found.model_fields]:
            del part[name]


def _names(value: object) -> set[str]:
    """What an entry of a list may be called by: its own name, and its kind."""
    if isinstance(value, str):
        return {value}
    given = value if isinstance(value, Mapping) else vars(value) if isinstance(value, Part) else {}
    return {name for name in (given.get("name"), given.get("kind")) if isinstance(name, str) and name}


def opened(part: Part, path: str) -> dict[str, Any]:
    """What the user set in a part, as a mapping: a changed kind must meet its own defaults, not those of the old."""
    kind = address(type(part))
    # A class at hand is passed as itself: its name may be of a place that cannot be imported.
    values: dict[str, Any] = {"kind": type(part) if ":" in kind else kind}
    for name in type(part).model_fields:
        if name in part.model_fields_set and name != "kind":
            try:
                values |= dumped(part, [name], path)
            except ScenarioError:
                values[name] = getattr(part, name)
    return _unset_removed(values, part)


def _unset_removed(values: dict[str, Any], part: Part) -> dict[str, Any]:
    """Drop the defaults inside nested parts, for the same reason."""
    for name, value in values.items():
        inner = getattr(part, name, None)
        if isinstance(inner, Part) and isinstance(value, dict):
            keep = {key: item for key, item in value.items() if key == "kind" or key in inner.model_fields_set}
            values[name] = _unset_removed(keep, inner)
    return values


def _copied(value: object) -> Any:
    """Copy of the containers, so that no change reaches the caller's lists."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value
