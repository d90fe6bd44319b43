"""Work for all sessions: processes that live worlds, answers kept for everybody, progress, cancelling, and limits."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import OrderedDict
from concurrent import futures
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import solara

from ecosim import InputError
from ecosim.resilience.pool import cores, follow, without_main

from . import living, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

SLOTS = 64
"""Questions that can be under way at once and be told apart."""
MOST_KEPT = 400
MOST_BYTES = 96_000_000
"""Memory of all answers that are kept for all sessions."""
SESSION_FIRM_DAYS = 400_000_000
WINDOW = 600.0  # seconds over which a session's firms x days are counted
LOOK = 0.15  # seconds between two looks at the progress
STOPPED = "Stopped. Change something, or try again."
PATIENCE = 0.4  # seconds before a page is told how far it is: most answers are there by then
FULL = 1_000  # parts of a question that progress is told in


# --- in a worker -----------------------------------------------------------------------------------------------------

_progress: Any = None
_cancel: Any = None


def _begin(progress: Any, cancel: Any) -> None:
    """A worker begins: it ends with the server, and loads what every question needs."""
    global _progress, _cancel
    _progress, _cancel = progress, cancel
    follow()
    living.warm()


def _work(slot: int, reports: bool, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Do some work; one that reports hears of a cancelled question when it next does."""

    def report(done: float) -> None:
        _progress[slot] = int(FULL * done)
        if _cancel[slot]:
            raise living.Cancelled

    if _cancel[slot]:
        raise living.Cancelled
    return work(*args, report) if reports else work(*args)


# --- the pool --------------------------------------------------------------------------------------------------------


class Pool:
    """Processes and what they are doing, made by `start` and ended by `stop`."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["ecosim.paired"])
        self.progress = context.RawArray("i", SLOTS)
        self.cancel = context.RawArray("b", SLOTS)
        self.free = list(range(SLOTS))
        self.lock = threading.Lock()
        self._executor = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin, initargs=(self.progress, self.cancel)
        )

    def submit(self, work: Callable[..., Any], args: tuple[Any, ...], *, reports: bool) -> Ticket:
        """Ask for some work. Raises InputError where too much is under way."""
        with self.lock:
            if not self.free:
                raise InputError("The server is busy with other questions; try again in a moment.")
            slot = self.free.pop()
        self.progress[slot] = self.cancel[slot] = 0
        try:
            with without_main():
                future = self._executor.submit(_work, slot, reports, work, args)
        except BaseException:
            self._give_back(slot)
            raise
        future.add_done_callback(lambda _: self._give_back(slot))
        return Ticket(future, self, slot)

    def _give_back(self, slot: int) -> None:
        with self.lock:
            self.free.append(slot)

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        begun = list((self._executor._processes or {}).values())
        self._executor.shutdown(wait=False, cancel_futures=True)
        for each in begun:
            each.kill()
            each.join(5)


@dataclass(eq=False)
class Ticket:
    """A question under way; several pages may wait for the same one."""

    future: Future[Any]
    pool: Pool | None = None
    slot: int = -1
    waiting: int = 0
    kept: threading.Event = field(default_factory=threading.Event)
    """Set when the memo has taken what was found: waiters hear of a future before its callbacks have run."""

    @property
    def progress(self) -> float:
        """Share done, 0 to 1."""
        if self.future.done():
            return 1.0
        return self.pool.progress[self.slot] / FULL if self.pool is not None else 0.0

    def leave(self) -> None:
        """One page no longer waits; where none does, the work is stopped."""
        self.waiting -= 1
        if self.waiting <= 0 and self.pool is not None and not self.future.done():
            self.pool.cancel[self.slot] = 1
            self.future.cancel()


_pool: Pool | None = None
_lock = threading.Lock()


def start(workers: int | None = None) -> Pool:
    """Start the processes, as many as there are cores and at most four, if they are not there."""
    global _pool  # noqa: PLW0603 - one pool a server
    with _lock:
        if _pool is None:
            _pool = Pool(workers or min(4, cores()))
            for _ in range(workers or min(4, cores())):
                _pool.submit(living.warm, (), reports=False)
        return _pool


def stop() -> None:
    """End the processes; the next question starts new ones."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.close()


def submit(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Let a worker do something once, and keep nothing; ``work`` is a function of a module."""
    return start().submit(work, args, reports=False).future


# --- what is kept ----------------------------------------------------------------------------------------------------


class Memo:
    """Answers to questions that somebody asked before, least recently wanted ones dropped first."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._under_way: dict[Any, Ticket] = {}
        self.bytes = 0

    def get(self, key: Any) -> Any:
        """What is known already, or None."""
        with self.lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def ask(self, key: Any, work: Callable[..., Any], args: tuple[Any, ...], *, reports: bool) -> Ticket:
        """A ticket for a question: done where the answer is known, shared where somebody waits for it already."""
        with self.lock:
            known = self.get(key)
            if known is not None:
                done: Future[Any] = Future()
                done.set_result(known)
                known_already = Ticket(done, waiting=1)
                known_already.kept.set()
                return known_already
            ticket = self._under_way.get(key)
            if ticket is None or ticket.future.done() or (ticket.pool is not None and ticket.pool.cancel[ticket.slot]):
                ticket = self._under_way[key] = start().submit(work, args, reports=reports)
                ticket.future.add_done_callback(partial(self._keep, key, ticket))
            ticket.waiting += 1
            return ticket

    def _keep(self, key: Any, ticket: Ticket, _: Future[Any]) -> None:
        future = ticket.future
        with self.lock:
            if self._under_way.get(key) is ticket:
                del self._under_way[key]
            if not future.cancelled() and future.exception() is None:
                self.put(key, future.result())
        ticket.kept.set()

    def put(self, key: Any, found: Any) -> None:
        """Keep an answer, and drop what was wanted least recently where there is no room."""
        size = weight(found)
        with self.lock:
            self.bytes += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = found, size
            while len(self._kept) > MOST_KEPT or (self.bytes > MOST_BYTES and len(self._kept) > 1):
                _, (_, dropped) = self._kept.popitem(last=False)
                self.bytes -= dropped

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self._kept.clear()
            self.bytes = 0


def weight(found: Any) -> int:
    """Bytes of arrays and byte strings in a value, and a little for the rest."""
    if isinstance(found, bytes | str):
        return len(found)
    if hasattr(found, "nbytes"):
        return int(found.nbytes)
    if isinstance(found, list | tuple):
        return sum(map(weight, found))
    if isinstance(found, dict):
        return sum(map(weight, found.values()))
    inside = getattr(found, "__dict__", None)
    return 64 + (sum(map(weight, inside.values())) if inside else 0)


memo = Memo()


def cached(key: Any, work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Future of something that all sessions share; ``key`` stands for the arguments."""
    return memo.ask((work.__qualname__, key), work, args, reports=False).future


# --- limits ----------------------------------------------------------------------------------------------------------

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
    progress: float = 0.0
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
        set_heard(_Heard(key))
        waits = threading.Thread(target=_wait, args=(key, tickets, ended, set_heard), daemon=True)
        waits.start()
        return ended.set

    solara.use_effect(ask, [key, attempt])
    if heard.key != key:  # of an earlier question
        heard = _Heard(key)

    def cancel() -> None:
        stop.current.set()
        set_heard(_Heard(key, 0.0, STOPPED))

    return Asked(
        answers=known,
        busy=bool(missing) and not heard.error,
        progress=heard.progress,
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


def _wait(key: Any, tickets: list[Ticket], ended: threading.Event, tell: Callable[[_Heard], None]) -> None:
    """Wait for some work and tell the page how far it is, until it is done or no longer wanted."""
    told, asked = 0.0, time.monotonic()
    while not ended.is_set() and not all(ticket.future.done() for ticket in tickets):
        futures.wait([ticket.future for ticket in tickets if not ticket.future.done()], timeout=LOOK)
        share = sum(ticket.progress for ticket in tickets) / len(tickets)
        if share - told > 0.03 and time.monotonic() - asked > PATIENCE and not ended.is_set():
            told = share
            tell(_Heard(key, share))
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
        if error is not None:
            return f"This world could not be lived ({type(error).__name__}: {error}). Choose another one."
    return ""
