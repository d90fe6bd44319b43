"""Classes of your own: refused where they could not work, and told as yours where they fail."""

from __future__ import annotations

import inspect
import re
import traceback
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.agents import DECISIONS
from ecosim.config import address, find
from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import PHASES, SEQUENCE, Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecosim.part import Part

BEFORE = ("lay_out", "prepare")  # what a mechanism does before the first day
_COMPLAINT = re.compile(r"(?P<field>[a-z_]\w*)(\.\w+)*: .+", re.DOTALL)


def is_own(part: type[Part]) -> bool:
    """Whether a class is not one of the built-in kinds."""
    return ":" in address(part)


def call(part: Any, method: str, path: str, *given: Any) -> Any:
    """Let a part do something; what goes wrong is told with the part's ``path`` in the scenario.

    An error in a class of the user's own names the class, the method and the day; one of ours stays what it is.
    """
    try:
        return getattr(part, method)(*given)
    except MemoryError:
        raise
    except InputError as error:
        text = _relocated(part, path, str(error))
        if not text.startswith(f"{path}.") and is_own(type(part)):
            text = f"{path}.kind: {_when(part, method, given)}: {text}"
        elif not text.startswith(f"{path}.") and method in BEFORE:
            text = f"{path}: {text}"
        if text == str(error):
            raise
        raise InputError(text) from error
    except Exception as error:
        if not is_own(type(part)):
            raise
        said = f"{type(error).__name__}: {error} ({_place(error)})"
        raise InputError(f"{path}.kind: {_when(part, method, given)}: {said}") from error


def _place(error: Exception) -> str:
    """File and line where an error arose, in the user's own file rather than in what that called of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not Path(frame.filename).is_relative_to(Path(__file__).parent)]
    frame = (theirs or frames)[-1]
    return f"{Path(frame.filename).name}, line {frame.lineno}"


def _when(part: Part, method: str, given: tuple[Any, ...]) -> str:
    day = getattr(given[0], "day", None)
    when = "" if day is None else " before the first day" if day < 0 else f" on day {day}"
    return f"{type(part).__name__}.{method}() failed{when}"


def _relocated(part: Any, path: str, text: str) -> str:
    """A complaint that begins with the mechanism's name, or with one of its parameters, at its path instead."""
    text = text.removeprefix(f"mechanisms.{part.kind}.")
    found = _COMPLAINT.fullmatch(text)
    return f"{path}.{text}" if found and found["field"] in type(part).model_fields else text


def refuse_unfit(part: Mechanism, path: str) -> None:
    """Refuse a mechanism of the user's own that would be misunderstood."""
    if is_own(type(part)):
        for fault in _faults(part):
            raise InputError(f"{path}.kind: {fault}")


def _faults(part: Mechanism) -> Iterator[str]:
    cls = type(part)
    if part.kind in SEQUENCE and not isinstance(part, find("mechanisms", part.kind)):
        yield f"{cls.__name__} calls itself {part.kind!r}, which is built in; give it a kind of its own"
    needs: Any = cls.needs
    if isinstance(needs, str):
        yield f"{cls.__name__}.needs is the text {needs!r}; write needs = ({needs!r},)"
    if not (isinstance(needs, tuple | list) and all(isinstance(kind, str) for kind in needs)):
        yield f"{cls.__name__}.needs is {needs!r}; give a tuple of kinds, such as ('finance',)"
    hooks = {**dict.fromkeys((*BEFORE, *PHASES), ("world", "rng")), "check": ("on",)}
    for name in (*cls.model_fields, *_methods(cls)):
        close = get_close_matches(name.lower(), hooks, n=1, cutoff=0.8)
        if close and name not in {*hooks, *DECISIONS, *cls.model_fields}:
            yield (
                f"{cls.__name__}.{name}() would never be called; did you mean {close[0]}? "
                f"A helper of your own begins with an underscore: _{name}"
            )
    for name, wanted in hooks.items():
        method = getattr(part, name, None)
        if method is None and name in PHASES:
            continue
        try:
            inspect.signature(method).bind(*wanted)  # type: ignore[arg-type]
        except TypeError:
            yield f"{cls.__name__}.{name} must be a method that takes ({', '.join(wanted)})"


def _methods(cls: type[Mechanism]) -> Iterator[str]:
    """Public methods that the user's own classes define."""
    for base in cls.__mro__:
        if issubclass(base, Mechanism) and base is not Mechanism and is_own(base):
            for name, value in vars(base).items():
                if inspect.isfunction(value) and not name.startswith("_"):
                    yield name


def contradiction(part: Mechanism, on: frozenset[str], path: str) -> str | None:
    """What contradicts the other mechanisms that are ``on``, with its path; see `Mechanism.check`."""
    answer: Any = call(part, "check", path, on)
    if answer is None:
        return None
    if not isinstance(answer, str) or not _COMPLAINT.fullmatch(answer):
        raise InputError(
            f"{path}.kind: {type(part).__name__}.check() returned {answer!r}; return None, or the text "
            "'field: what is wrong; the mend'"
        )
    return f"{path}.{answer}"
