"""A scenario as plain values, as YAML text, and as a digest."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from ecosim.config.errors import Problem, ScenarioError, refuse
from ecosim.config.kinds import FAMILIES, address
from ecosim.config.plain import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

    from ecosim.part import Part

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(:[A-Za-z0-9_][A-Za-z0-9_./]*)?( [A-Za-z0-9_./-]+)*")
_WIDTH = 110


def mapping(scenario: BaseModel) -> dict[str, Any]:
    """Everything in a scenario, defaults filled in, as values that JSON and YAML hold."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in type(scenario).model_fields:
        value = getattr(scenario, name)
        if name not in FAMILIES:
            values[name] = value
            continue
        try:
            if FAMILIES[name].many:
                values[name] = [_part(part, f"{name}.{at}") for at, part in enumerate(value)]
            else:
                values[name] = _part(value, name)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return values


def _part(part: Part, path: str) -> dict[str, Any]:
    fields = [name for name in type(part).model_fields if name != "kind"]
    return {"kind": address(type(part)), **dumped(part, fields, path)}


def dumped(part: Part, names: Iterable[str], path: str) -> dict[str, Any]:
    """Plain values of some fields of a part. Raises ScenarioError for those that live in memory only."""
    wanted = list(names)
    hidden = [name for name in wanted if type(part).model_fields[name].exclude]
    problems = [
        _memory_only(path, name, getattr(part, name))
        for name in hidden
        if getattr(part, name) is not type(part).model_fields[name].default
    ]
    values: dict[str, Any] = {}
    for name in wanted:
        if name in hidden:
            continue
        try:
            value = part.model_dump(mode="json", include={name}, serialize_as_any=True)
        except (PydanticSerializationError, ValueError) as error:
            problems.append(_memory_only(path, name, getattr(part, name), error))
            continue
        # A field may write itself as nothing, and a set in another order in each process.
        values |= {key: _sorted(getattr(part, key), item) for key, item in value.items()}
    if problems:
        raise ScenarioError(problems)
    return values


def _sorted(value: object, plain: Any) -> Any:
    return sorted(plain, key=json.dumps) if isinstance(value, set | frozenset) else plain


def _memory_only(path: str, name: str, value: object, error: Exception | None = None) -> Problem:
    reason = f" ({error})" if error is not None and "Unable to serialize" not in str(error) else ""
    message = f"a {type(value).__name__} lives in memory only; to write it down, keep it in a file and name the file"
    return Problem(None, None, None, f"{path}.{name}", message + reason, value)


def digest(scenario: BaseModel) -> str:
    """SHA-256 of the resolved scenario in canonical JSON, the same in every process and on every machine."""
    text = json.dumps(_one_zero(mapping(scenario)), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _one_zero(value: Any) -> Any:
    """Write -0.0 as 0.0: they are equal, so scenarios that differ only in them are."""
    if isinstance(value, dict):
        return {key: _one_zero(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_one_zero(item) for item in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def yaml(scenario: BaseModel) -> str:
    """Text that reads back to an equal scenario."""
    values = mapping(scenario)
    for name in FAMILIES:
        parts = values[name] if FAMILIES[name].many else [values[name]]
        for at, part in enumerate(parts):
            if "<locals>" in part["kind"]:
                path = f"{name}.{at}" if FAMILIES[name].many else name
                message = f"class '{part['kind']}' is made inside a function; move it to a module to write it by name"
                raise refuse(f"{path}.kind", message, part["kind"])
    return "\n".join(_lines(values)) + "\n"


def _lines(values: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in values.items():
        label = f"{_text(str(key))}:"
        flow = _flow(value)
        nested = isinstance(value, dict | list) and value and (_deep(value) or len(label) + len(flow) > _WIDTH)
        if not nested:
            lines.append(f"{label} {flow}")
        elif isinstance(value, dict):
            lines.extend([label, *(f"  {line}" for line in _lines(value))])
        else:
            lines.extend([label, *(f"  {line}" for line in _entries(value))])
    return lines


def _deep(value: Any) -> bool:
    """Whether a value reads better over several lines: a mapping, or a list of anything but scalars."""
    return isinstance(value, dict) or any(isinstance(item, dict | list) and item for item in value)


def _entries(values: list[Any]) -> list[str]:
    lines: list[str] = []
    if not _deep(values):  # a long list of scalars: as many to a line as fit
        row = ""
        for item in values:
            word = f"{_flow(item)}, "
            if row and len(row) + len(word) > _WIDTH:
                lines.append(row.rstrip())
                row = ""
            row += word
        return [f"[{lines[0]}", *lines[1:], f"{row.rstrip(', ')}]"] if lines else [f"[{row.rstrip(', ')}]"]
    for item in values:
        block = _lines(item) if isinstance(item, dict) and item else [_flow(item)]
        lines.extend(f"{'- ' if at == 0 else '  '}{line}" for at, line in enumerate(block))
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)


def _text(text: str) -> str:
    """Bare where no reader could take it for anything but this text, else in double quotes."""
    if _WORD.fullmatch(text) and scalar(text) == text and text.lower() not in {"yes", "no", "on", "off", "y", "n"}:
        return text
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
