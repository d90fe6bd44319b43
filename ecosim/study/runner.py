"""Runs on this machine: processes that start in milliseconds, die with their driver, and are replaced when they die.

Each has a pipe of its own, so a death breaks only what that process did, and says which runs it was.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from ecosim.errors import InputError
from ecosim.resilience.pool import follow, undisturbed, without_main
from ecosim.study.job import Died, Done

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from ecosim.study.job import Event, Job, Setting

PRELOAD = "ecosim.study.warm"  # imported once, by the server that processes are forked from
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FAILED_STARTS = 3  # in a row, after which it is not chance
PATIENCE = 2.0  # seconds for processes to end before they are made to


class _Process:
    """A process, its end of the pipe, and what it is at."""

    def __init__(self, context: Any, setting: Setting) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, setting), daemon=True, name="ecosim study")
        self.process.start()
        theirs.close()
        self.ready = False
        self.busy: tuple[int, ...] = ()


class Processes:
    """So many processes of this machine; see `ecosim.study.hands.Hands`."""

    def __init__(self, setting: Setting, count: int) -> None:
        """Start them."""
        self.setting, self.wanted = setting, count
        self.failed_starts = 0
        self.context = get_context("forkserver")
        self.context.set_forkserver_preload([PRELOAD])
        self.all: list[_Process] = []
        try:
            for _ in range(count):
                self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        with _single_threads(), without_main(), undisturbed():
            self.all.append(_Process(self.context, self.setting))

    def room(self) -> int:
        """Processes that wait for work."""
        return sum(each.ready and not each.busy for each in self.all)

    def count(self) -> int:
        """All of them."""
        return self.wanted

    def give(self, jobs: Sequence[Job]) -> None:
        """Have a batch lived by one that waits."""
        free = next(each for each in self.all if each.ready and not each.busy)
        free.busy = tuple(job.run for job in jobs)
        with suppress(OSError):  # it died just now, which is told when it is waited for
            free.pipe.send(list(jobs))

    def take(self, seconds: float) -> list[Event]:
        """What happened; a process that died, or that was over a limit, is replaced."""
        by_pipe = {each.pipe: each for each in self.all}
        events: list[Event] = []
        for pipe in wait(list(by_pipe), timeout=seconds):
            events += self._heard(by_pipe[pipe])
        return events

    def _heard(self, one: _Process) -> list[Event]:
        try:
            said = one.pipe.recv()
        except (EOFError, OSError):
            return self._lost(one)
        if said is None:
            one.ready, self.failed_starts = True, 0
            return []
        if isinstance(said, Exception):
            raise said
        one.busy = ()
        if isinstance(said, Done) and said.spent:
            self._end(one)
            self._start()
        return [said]

    def _lost(self, one: _Process) -> list[Event]:
        self._end(one)
        if not one.ready:
            self.failed_starts += 1
            if self.failed_starts >= FAILED_STARTS:
                raise InputError(
                    f"processes end as soon as they start (exit code {one.process.exitcode}); "
                    "is there memory for them? Try fewer with --workers 1"
                )
        self._start()
        return [Died(one.busy)] if one.busy else []

    def _end(self, one: _Process) -> None:
        self.all.remove(one)
        one.pipe.close()
        one.process.join(PATIENCE)
        if one.process.exitcode is None:
            one.process.kill()
            one.process.join(PATIENCE)

    def close(self) -> None:
        """Kill them: whatever is kept is whole."""
        for each in self.all:
            each.process.kill()
        for each in self.all:
            each.pipe.close()
            each.process.join(PATIENCE)
        self.all.clear()


def serve(pipe: Connection, setting: Setting) -> None:
    """Live batches as they come, until there are no more or the driver is gone."""
    follow()
    from ecosim.study.worker import batch

    pipe.send(None)
    while True:
        try:
            jobs = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            said: Any = batch(setting, jobs)
        except Exception as error:
            said = error if isinstance(error, InputError) else RuntimeError(f"{type(error).__name__}: {error}")
        pipe.send(said)
        if isinstance(said, Done) and said.spent:
            return


@contextmanager
def _single_threads() -> Iterator[None]:
    """Let libraries of the processes use one thread each; there is a process for every core."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ |= dict.fromkeys(THREADS, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
