"""Processes that live worlds: what they are doing, how far they are, and how they are told to stop."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ecosim import InputError, compiling
from ecosim.resilience.pool import cores, follow, undisturbed, without_main

from . import living

if TYPE_CHECKING:
    from collections.abc import Callable

SLOTS = 64
"""Questions that can be under way at once and be told apart."""
FULL = 1_000  # parts of a question that progress is told in


# --- in a worker -----------------------------------------------------------------------------------------------------

_progress: Any = None
_cancel: Any = None


def _begin(progress: Any, cancel: Any, compilers: Any) -> None:
    """A worker begins: it ends with the server, and loads what every question needs."""
    global _progress, _cancel
    _progress, _cancel = progress, cancel
    follow()
    compiling.clock.say = partial(_compiles, compilers)
    living.warm()
    if compiling.clock.told:
        with compilers.get_lock():
            compilers.value -= 1


def _compiles(compilers: Any) -> None:
    """Say in the terminal that kernels are compiled, and to the pages."""
    with compilers.get_lock():
        compilers.value += 1
    compiling.say()


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
        self.workers = workers
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["ecosim.paired"])
        self.progress = self.context.RawArray("i", SLOTS)
        self.cancel = self.context.RawArray("b", SLOTS)
        self.compilers = self.context.Value("i")
        self.free = list(range(SLOTS))
        self.lock = threading.Lock()
        self._executor = self._processes()

    def _processes(self) -> ProcessPoolExecutor:
        self.compilers.value = 0
        shared = self.progress, self.cancel, self.compilers
        return ProcessPoolExecutor(self.workers, mp_context=self.context, initializer=_begin, initargs=shared)

    def submit(self, work: Callable[..., Any], args: tuple[Any, ...], *, reports: bool) -> Ticket:
        """Ask for some work. Raises InputError where too much is under way."""
        with self.lock:
            if not self.free:
                raise InputError("The server is busy with other questions; try again in a moment.")
            slot = self.free.pop()
        self.progress[slot] = self.cancel[slot] = 0
        try:
            future = self._submitted(_work, slot, reports, work, args)
        except BaseException:
            self._give_back(slot)
            raise
        future.add_done_callback(lambda _: self._give_back(slot))
        return Ticket(future, self, slot)

    def _submitted(self, *what: Any) -> Future[Any]:
        """Hand work to a process; where one was killed, for its memory perhaps, all of them are begun anew."""
        with self.lock, without_main(), undisturbed():
            try:
                return self._executor.submit(*what)
            except BrokenProcessPool:
                self._executor = self._processes()
                return self._executor.submit(*what)

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

    @property
    def compiling(self) -> bool:
        """Whether it waits for processes that compile what every question needs."""
        return self.pool is not None and self.pool.compilers.value > 0

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
