"""Asking from a page: questions to the workers, answers shared by all sessions, progress, cancelling, and limits."""

from __future__ import annotations

import threading
import time
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import solara

from ecosim import InputError

from . import living, worlds
from .memo import memo
from .pool import Ticket, start, stop, submit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked", "Question", "memo", "start", "stop", "submit", "use_answers", "use_questions", "world"]

SESSION_FIRM_DAYS = 400_000_000
WINDOW = 600.0  # seconds over which a session's firms x days are counted
LOOK = 0.15  # seconds between two looks at the progress
PATIENCE = 0.4  # seconds before a page is told how far it is: most answers are there by then
STOPPED = "Stopped. Change something, or try again."
KILLED = "The process that lived this was ended, perhaps for want of memory. Try again, or take a smaller world."

_spent: solara.Reactive[tuple[tuple[float, int], ...]] = solara.reactive(())


def charge(firm_days: int) -> None:
    """Note what this session asks for. Raises InputError where it asked for more than its share of late."""
    now = time.monotonic()
    lately = tuple((when, amount) for when, amount in _spent.peek() if now - when < WINDOW)
    before = sum(amount for _, amount in lately)
    if before + firm_days > SESSION_FIRM_DAYS:
        wait = max(1, round((WINDOW - (now - lately[0][0])) / 60)) if lately else 10
        raise InputError(
            f"This session has asked for {before:,} firm-days in the last ten minutes; with this one it would be more "
            f"than the {SESSION_FIRM_DAYS:,} that each session has. Take a smaller world, or wait {wait} min."
        )
    _spent.value = (*lately, (now, firm_days))


# --- asking from a page ----------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a page knows of its questions: ``answers`` to them, None where there is none yet."""

    answers: tuple[Any, ...]
    busy: bool = False
    late: bool = False
    """It takes longer than anybody would wait without being told; until then a page changes nothing."""
    progress: float = 0.0
    compiling: bool = False
    """It waits until this machine has compiled what every question needs."""
    error: str = ""
    cancel: Callable[[], None] = field(default=lambda: None)
    again: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Question:
    """Something to ask a worker: a function of a module, its arguments, and what it costs in firms x days."""

    work: Callable[..., Any]
    args: tuple[Any, ...]
    reports: bool = True
    firm_days: Callable[[], int] = field(default=lambda: 0, compare=False)

    @property
    def key(self) -> Any:
        """What the memo knows it by."""
        return self.work.__qualname__, self.args


def use_answers(choices: tuple[worlds.Choice, ...], own: worlds.Own | None = None) -> Asked:
    """Hook: answers to some choices; those known already are there at once."""
    return use_questions(tuple(world(choice, own) for choice in choices))


def world(choice: worlds.Choice, own: worlds.Own | None = None) -> Question:
    """The question what a world does."""

    def cost() -> int:
        of = worlds.scenario(choice, own)
        runs = worlds.runs_of(of, choice.runs)
        worlds.refuse_too_much(of, runs)
        return worlds.firms_of(of) * of.days * runs

    return Question(living.answer, (choice, _named(choice, own)), firm_days=cost)


def _named(choice: worlds.Choice, own: worlds.Own | None) -> worlds.Own | None:
    """One's own ecosystem where the choice is about it: other questions are the same for every session."""
    return own if own is not None and own.key == choice.ecosystem else None


def use_questions(questions: tuple[Question, ...]) -> Asked:
    """Hook: answers to some questions. A newer set replaces an older one, which is stopped if nobody else waits."""
    held: Any = solara.use_ref({})  # what this page shows stays, whatever the memo drops
    found = {question.key: memo.get(question.key) or held.current.get(question.key) for question in questions}
    held.current = {key: one for key, one in found.items() if one is not None}
    known = tuple(found[question.key] for question in questions)
    missing = [at for at, one in enumerate(known) if one is None]
    key = tuple(question.key for question in questions)
    heard, set_heard = solara.use_state(_Heard(None))
    attempt, set_attempt = solara.use_state(0)
    stop: Any = solara.use_ref(threading.Event())
    tried = heard.key == key  # it was stopped, or went wrong
    if not tried:  # what was heard is of an earlier question
        heard = _Heard(key)

    def ask() -> Callable[[], None] | None:
        if not missing:
            return None
        ended = threading.Event()
        stop.current = ended
        tickets: list[Ticket] = []
        try:
            for at in missing:
                one = questions[at]
                charge(one.firm_days())
                tickets.append(memo.ask(one.key, one.work, one.args, reports=one.reports))
        except InputError as error:
            for ticket in tickets:
                ticket.leave()
            set_heard(_Heard(key, 0.0, str(error)))
            return None
        if tried:
            set_heard(_Heard(None))
        waits = threading.Thread(target=_wait, args=(key, tickets, ended, set_heard), daemon=True)
        waits.start()
        return ended.set

    solara.use_effect(ask, [key, attempt])

    def cancel() -> None:
        stop.current.set()
        set_heard(_Heard(key, 0.0, STOPPED))

    return Asked(
        answers=known,
        busy=bool(missing) and not heard.error,
        late=bool(missing) and not heard.error and heard.late,
        progress=heard.progress,
        compiling=heard.compiling,
        error=heard.error if missing else "",
        cancel=cancel,
        again=lambda: set_attempt(attempt + 1),
    )


@dataclass(frozen=True)
class _Heard:
    """What a page last heard of the questions of a key; ``tick`` makes each message another one."""

    key: Any
    progress: float = 0.0
    error: str = ""
    tick: int = 0
    late: bool = False
    compiling: bool = False


def _wait(key: Any, tickets: list[Ticket], ended: threading.Event, tell: Callable[[_Heard], None]) -> None:
    """Wait for some work and tell the page how far it is, until it is done or no longer wanted."""
    told, asked, compiled = -1.0, time.monotonic(), False
    while not ended.is_set() and not all(ticket.future.done() for ticket in tickets):
        futures.wait([ticket.future for ticket in tickets if not ticket.future.done()], timeout=LOOK)
        share = sum(ticket.progress for ticket in tickets) / len(tickets)
        compiling = any(ticket.compiling for ticket in tickets)
        news = share - told > 0.03 or compiling != compiled
        if news and time.monotonic() - asked > PATIENCE and not ended.is_set():
            told, compiled = share, compiling
            tell(_Heard(key, share, late=True, compiling=compiling))
    for ticket in tickets:
        ticket.leave()
        if ticket.future.done():
            ticket.kept.wait(5)
    if not ended.is_set():
        tell(_Heard(key, 1.0, _mistake(tickets), time.monotonic_ns()))


def _mistake(tickets: list[Ticket]) -> str:
    """What went wrong, in words a person can use; empty where nothing did."""
    for ticket in tickets:
        if ticket.future.cancelled():
            return STOPPED
        error = ticket.future.exception()
        if isinstance(error, InputError):
            return str(error)
        if isinstance(error, living.Cancelled):
            return STOPPED
        if isinstance(error, BrokenProcessPool):
            return KILLED
        if error is not None:
            return f"This world could not be lived ({type(error).__name__}: {error}). Choose another one."
    return ""
