"""Lessons: a small economy whose every setting was lived beforehand, as one HTML file for a class.

>>> from ecosim import lesson
>>> "cascade" in lesson.names()
True
>>> lesson.load("cascade").title
'What is a cascade?'

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosim.lesson.lived import Lived, live
    from ecosim.lesson.packed import page_of, shipped
    from ecosim.lesson.page import html
    from ecosim.lesson.reading import from_yaml, load, names
    from ecosim.lesson.spec import Lesson

_HOMES = {
    "Lesson": "spec",
    "Lived": "lived",
    "from_yaml": "reading",
    "html": "page",
    "live": "lived",
    "load": "reading",
    "names": "reading",
    "page_of": "packed",
    "shipped": "packed",
}

__all__ = ["Lesson", "Lived", "from_yaml", "html", "live", "load", "names", "page_of", "shipped"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecosim.lesson' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
