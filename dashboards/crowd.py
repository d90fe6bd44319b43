"""Class mode: a code that pupils join with, the teacher's scenario sent to them, their bets counted.

One room lives in the memory of the one server process and ends with it; nothing about a pupil is kept but the answers,
under a name made for the browser. A page uses it like this::

    room = crowd.use_room()                       # None outside a class; draws the page anew when something happens
    if room is not None and crowd.is_teacher(room):
        room.push(session.current().address(), page="/learn")  # the bar of every page does it
    room.bet(crowd.me(), "hubs", "falls by half") # one answer a browser, the last one counts
    room.histogram("hubs")                        # {"falls by half": 12, ...}
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import solara
import solara.lab

from ecosim import InputError

COOKIE: Final = "ecosim-teacher"
QUESTIONS, PUPILS, LETTERS = 200, 1000, 120  # most questions of a room, answers to one, and letters of either
CALM: Final = 0.3  # seconds between two drawings of a page because of others


@dataclass(frozen=True)
class Push:
    """What the teacher sent: a ``page`` with a ``query``; ``number`` counts from 1, 0 is nothing yet."""

    number: int = 0
    page: str = "/"
    query: str = ""

    def step(self, lesson: str) -> int | None:
        """The step of a lesson that the class was sent to, from 0; None where it was sent elsewhere."""
        where = dict(parse_qsl(self.query))
        text = where.get("learn.step", "0")
        there = self.number and self.page == "/learn" and where.get("learn.lesson") == lesson
        return int(text) if there and text.isascii() and text.isdigit() and len(text) < 4 else None


def shared(query: str) -> str:
    """A query without what is each browser's own: its class, whether it is a projector's, files it has uploaded."""
    own = re.compile(r"class=|projector=|(base\.)?ecosystem=own-")
    return "&".join(pair for pair in query.split("&") if not own.match(pair))


class Room:
    """A class. All of it may be called from any thread."""

    def __init__(self, code: str, door: str = "") -> None:
        self.code = code
        self.door = door  # the address that pupils open
        self.secret = secrets.token_urlsafe(12)
        self.pushed = Push()
        self.version = 0
        self._bets: dict[str, dict[str, str]] = {}
        self._here: Counter[str] = Counter()
        self._news = threading.Condition()

    def taught_by(self, shown: str) -> bool:
        """Whether this is the teacher's secret, told in the same time however much of it is right."""
        return hmac.compare_digest(shown.encode(), self.secret.encode())

    def push(self, query: str, page: str = "/") -> None:
        """Send every pupil to a page with the parameters of a query, such as ``session.current().address()``."""
        with self._news:
            self.pushed = Push(self.pushed.number + 1, page, shared(query))
            self._changed()

    def bet(self, session: str, question: str, answer: str) -> None:
        """Take an answer; the last one of a session counts. Beyond what a class can need, answers are dropped."""
        question = question[:LETTERS]
        with self._news:
            if question not in self._bets and len(self._bets) >= QUESTIONS:
                return
            answers = self._bets.setdefault(question, {})
            if session in answers or len(answers) < PUPILS:
                answers[session] = answer[:LETTERS]
                self._changed()

    def own(self, session: str, question: str) -> str | None:
        """What a session has answered."""
        with self._news:
            return self._bets.get(question[:LETTERS], {}).get(session)

    def histogram(self, question: str) -> dict[str, int]:
        """How many gave each answer, the most frequent first, equals by name."""
        with self._news:
            counts = Counter(self._bets.get(question[:LETTERS], {}).values())
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def forget(self, question: str) -> None:
        """Drop the answers to a question, to ask it again."""
        with self._news:
            self._bets.pop(question[:LETTERS], None)
            self._changed()

    def here(self) -> int:
        """How many pupils' browsers have joined."""
        with self._news:
            return len(self._here)

    def enter(self, session: str) -> None:
        """A page of a browser joins."""
        with self._news:
            self._here[session] += 1
            self._changed()

    def leave(self, session: str) -> None:
        """A page of a browser is closed."""
        with self._news:
            self._here[session] -= 1
            if self._here[session] <= 0:
                del self._here[session]
            self._changed()

    def wait(self, version: int, seconds: float) -> int:
        """The room's version, as soon as it is another than this one, or after some seconds."""
        with self._news:
            self._news.wait_for(lambda: self.version != version, seconds)
            return self.version

    def _changed(self) -> None:
        self.version += 1
        self._news.notify_all()


_rooms: Final[dict[str, Room]] = {}


def open_room(code: str, door: str = "") -> Room:
    """Begin a class, to which pupils find by ``door``; the server does it once.

    :raises InputError: the code is not 3 to 20 letters, digits or hyphens.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{3,20}", code):
        raise InputError(f"--class {code!r}: a class code is 3 to 20 letters of a to z, digits or hyphens")
    return _rooms.setdefault(code.upper(), Room(code.upper(), door))


def room(code: str) -> Room | None:
    """The class of that code, in capitals or not; None if there is none."""
    return _rooms.get(code.strip().upper())


def only() -> Room | None:
    """The class of this server, if it has one."""
    return next(iter(_rooms.values()), None)


def close_rooms() -> None:
    """End every class; the server does it when it ends."""
    _rooms.clear()


# --- in a page --------------------------------------------------------------------------------------------------------


def me() -> str:
    """A name for the browser that is looking, the same in all its pages."""
    return str(solara.get_session_id())


def is_teacher(of: Room) -> bool:
    """Whether the browser that is looking opened the teacher's link, which the server printed."""
    return of.taught_by((solara.lab.cookies.value or {}).get(COOKIE, ""))


def use_room(code: str | None = None) -> Room | None:
    """The class that this page has joined, drawing the component anew when something happens in it.

    ``code`` is what the session holds in the parameter "class" unless given.
    """
    from . import session

    found = room(code if code is not None else session.current().code.value)
    _, draw = solara.use_state(0)
    drawn = 0 if found is None else found.version  # before anything is read: what comes meanwhile is seen as new

    def follow() -> Callable[[], None] | None:
        if found is None:
            return None
        ended = threading.Event()

        def run() -> None:
            seen = drawn
            while not ended.is_set():
                now = found.wait(seen, 5.0)
                if now != seen and not ended.wait(CALM):
                    seen = found.version
                    draw(seen)

        threading.Thread(target=run, name="ecosim-class", daemon=True).start()
        return ended.set

    solara.use_effect(follow, [found])
    return found
