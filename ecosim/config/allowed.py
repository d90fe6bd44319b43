"""What a field accepts, in plain words: 'a whole number from 1 to 1000'."""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as limits
from pydantic import BaseModel

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", pathlib.Path: "a file path"}
_NUMBERS = {int, float}

type Step = str | int


def unwrapped(annotation: Any) -> tuple[Any, list[Any]]:
    """Bare type and its constraints, without Annotated and named aliases around it."""
    metadata: list[Any] = []
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata.extend(more)
        elif isinstance(annotation, typing.TypeAliasType):
            annotation = annotation.__value__
        else:
            return annotation, [limit for item in metadata for limit in _constraints(item)]


def members(annotation: Any) -> tuple[Any, ...]:
    """Alternatives of a union, or the annotation alone."""
    bare, _ = unwrapped(annotation)
    return get_args(bare) if get_origin(bare) in {Union, types.UnionType} else (bare,)


def inside(annotation: Any, step: Step) -> Any | None:
    """Annotation of what lies one step into a list, a mapping or a part; None where nothing is known."""
    for member in members(annotation):
        bare, _ = unwrapped(member)
        origin, arguments = get_origin(bare), get_args(bare)
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            if step in bare.model_fields:
                return of(bare, str(step))
        elif isinstance(step, int) and origin in {list, tuple, set, frozenset} and arguments:
            fixed = origin is tuple and arguments[-1] is not Ellipsis
            return (arguments[step] if step < len(arguments) else None) if fixed else arguments[0]
        elif isinstance(step, str) and isinstance(origin, type) and issubclass(origin, Mapping) and arguments:
            return arguments[1]
    return None


def of(part: type[BaseModel], name: str) -> Any:
    """Annotation of a field together with its constraints."""
    field = part.model_fields[name]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def at(part: type[BaseModel], path: Iterable[Step]) -> Any | None:
    """Annotation of what lies at a path below a part."""
    annotation: Any | None = part
    for step in path:
        if annotation is None:
            return None
        annotation = inside(annotation, step)
    return annotation


def keys(annotation: Any) -> list[str]:
    """Names of the fields that a part of this annotation may have."""
    found: list[str] = []
    for member in members(annotation):
        bare, _ = unwrapped(member)
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            found.extend(name for name in bare.model_fields if name not in found)
    return found


def describe(annotation: Any) -> str:
    """What to give, or '' where the type has no plain name."""
    bare, metadata = unwrapped(annotation)
    alternatives = [item for item in members(bare) if item is not type(None)]
    if len(members(bare)) > 1:
        # Constraints on a union belong to its numbers: Optional[int] with ge=1 is how pydantic writes it.
        words = [describe(Annotated[item, *metadata] if metadata else item) for item in alternatives]
        if _WORDS[float] in words:
            words = [word for word in words if word != _WORDS[int]]
        return " or ".join(word for word in dict.fromkeys(words) if word)
    origin, arguments = get_origin(bare) or bare, get_args(bare)
    if origin is Literal:
        return _one_of(arguments)
    if origin in {list, tuple, set, frozenset}:
        item = describe(arguments[0]) if arguments else ""
        return f"a list{_length(metadata, 'entries')}" + (f", each {item}" if item else "")
    if origin is dict:
        item = describe(arguments[1]) if arguments else ""
        return "keys with values" + (f", each {item}" if item else "")
    return _class(origin, metadata) if isinstance(origin, type) else ""


def _class(bare: type, metadata: list[Any]) -> str:
    if issubclass(bare, enum.Enum):
        return _one_of([item.value for item in bare])
    if issubclass(bare, BaseModel):
        return f"keys out of {', '.join(bare.model_fields)}" if bare.model_fields else ""
    limits_in_words = _range(metadata) if bare in _NUMBERS else _length(metadata, "characters") if bare is str else ""
    return _WORDS.get(bare, "") + limits_in_words


def _one_of(values: Iterable[object]) -> str:
    words = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def _constraints(item: Any) -> Iterable[Any]:
    """Constraints in one piece of metadata: a limit, or a pydantic Field that holds several."""
    held = getattr(item, "metadata", None)
    return held if isinstance(held, list) else [item]


def _range(metadata: list[Any]) -> str:
    low = high = ""
    exclusive = False
    for item in metadata:
        if isinstance(item, limits.Ge):
            low = f"{item.ge}"
        elif isinstance(item, limits.Gt):
            low, exclusive = f"{item.gt}", True
        elif isinstance(item, limits.Le):
            high = f"{item.le}"
        elif isinstance(item, limits.Lt):
            high = f"below {item.lt}"
    if low and high:
        if not exclusive and not high.startswith("below"):
            return f" from {low} to {high}"
        upper = high if high.startswith("below") else f"at most {high}"
        return f" {'above' if exclusive else 'of at least'} {low} and {upper}"
    if low:
        return f" above {low}" if exclusive else f" of at least {low}"
    if high:
        return f" {high}" if high.startswith("below") else f" of at most {high}"
    return ""


def _length(metadata: list[Any], of_what: str) -> str:
    low = next((item.min_length for item in metadata if isinstance(item, limits.MinLen)), 0)
    high = next((item.max_length for item in metadata if isinstance(item, limits.MaxLen)), None)
    if high is not None:
        return f" of {low} to {high} {of_what}"
    return f" of at least {low} {of_what}" if low else ""
