"""What one session holds, and how it is written into the address of the page.

Each reactive here has its own value in every session (Solara keeps them by kernel), so pages share one object::

    here = session.current()
    here.choice.value = replace(here.choice.value, seed=7)  # address and undo follow by themselves

Everything in it is in the address, and a page that is opened from a copied address is the same page.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

import solara

from .choice import Choice, complaints

STEP: Final = 0.8  # seconds: changes that follow each other faster are one drag of a slider, undone at once
DEEPEST: Final = 100  # steps of undo that are kept

type State = tuple[Choice, Choice | None]
"""A choice, and the baseline that it is compared with."""


class Session:
    """The state of one session. ``choice`` is what is simulated, ``baseline`` what it is compared with.

    ``params`` holds what only one page wants to have in the address, by a name that starts with the page's:
    ``here.put("compare.worlds", "3")`` and ``here.get("compare.worlds", "2")``.
    """

    def __init__(self) -> None:
        self.choice = solara.reactive(Choice())
        self.baseline: solara.Reactive[Choice | None] = solara.reactive(None)
        self.day: solara.Reactive[int | None] = solara.reactive(None)
        self.projector = solara.reactive(False)
        self.code = solara.reactive("")  # of the class that was joined, see crowd.py
        self.params: solara.Reactive[dict[str, str]] = solara.reactive({})
        self.told: solara.Reactive[tuple[str, ...]] = solara.reactive(())
        self.past: solara.Reactive[tuple[State, ...]] = solara.reactive(())
        self._seen: solara.Reactive[tuple[State | None, float]] = solara.reactive((None, 0.0))

    def get(self, name: str, default: str = "") -> str:
        """A page's own parameter."""
        return str(self.params.value.get(name, default))

    def put(self, name: str, value: str | None) -> None:
        """Set a page's own parameter; None takes it out of the address."""
        kept = {key: held for key, held in self.params.value.items() if key != name}
        self.params.value = kept if value is None else kept | {name: value}

    def tell(self, text: str) -> None:
        """Show a message at the top of the page until it is closed; the same text is shown once."""
        if text not in self.told.value:
            self.told.value = (*self.told.value, text)

    def undo(self) -> None:
        """Go back to the choice before the last change, and to the baseline that it was compared with."""
        if self.past.value:
            *rest, before = self.past.value
            self.past.value = tuple(rest)
            self._seen.value = (before, 0.0)
            self.choice.value, self.baseline.value = before

    def remember(self) -> None:
        """Keep the choice before this one for undo; the shell calls it after every change.

        Pinning alone is no step: a baseline goes with the choice that it was there for.
        """
        now, (seen, when) = (self.choice.value, self.baseline.value), self._seen.value
        if seen is not None and seen[0] == now[0]:
            self._seen.value = (now, when)
            return
        instant = time.monotonic()
        if seen is not None and instant - when > STEP:
            self.past.value = (*self.past.value, seen)[-DEEPEST:]
        self._seen.value = (now, instant)

    def address(self) -> str:
        """The query of the page's address: the choice, the baseline where it differs, the day and the rest."""
        chosen = self.choice.value.to_query()
        query = dict(chosen)
        if self.baseline.value is not None:
            pinned = self.baseline.value.to_query()
            differ = sorted(name for name in pinned | chosen if pinned.get(name) != chosen.get(name))
            query |= {f"base.{name}": pinned.get(name, "") for name in differ} or {"base": "same"}
        if self.day.value is not None:
            query["day"] = str(self.day.value)
        if self.projector.value:
            query["projector"] = "1"
        if self.code.value:
            query["class"] = self.code.value
        query |= self.params.value
        return urlencode(query)

    def read(self, search: str | None) -> None:
        """Take everything from the query of an address; what is wrong in it falls back and is told."""
        query = dict(parse_qsl(search or "", keep_blank_values=True))
        day, projector, same, code = (query.pop(name, None) for name in ("day", "projector", "base", "class"))
        pinned = {name.removeprefix("base."): query.pop(name) for name in list(query) if name.startswith("base.")}
        self.params.value = {name: query.pop(name) for name in list(query) if "." in name}
        self.choice.value = self._chosen(query)
        self.projector.value = projector == "1"
        self.code.value = (code or "")[:20]
        self.day.value = self._day(day)
        self.baseline.value = self._chosen(_without_blanks(query | pinned)) if pinned or same else None
        self._seen.value = ((self.choice.value, self.baseline.value), 0.0)

    def _chosen(self, query: Mapping[str, str]) -> Choice:
        for complaint in complaints(query):
            self.tell(complaint)
        return Choice.from_query(query)

    def _day(self, text: str | None) -> int | None:
        if text is None:
            return None
        if text.isascii() and text.isdigit() and len(text) < 7:
            return int(text)
        self.tell(f"day={text[:20]} in the address is not a day (a number from 0); it is left out")
        return None


def _without_blanks(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


_HERE = Session()


def current() -> Session:
    """The session of whoever is looking."""
    return _HERE
