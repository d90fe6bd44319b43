"""Ends a run that takes more time or memory than it may."""

from __future__ import annotations

import ctypes
import os
import resource
import threading
import time
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

import psutil

from ecosim.compiling import clock
from ecosim.study.job import MEMORY, TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ecosim.study.spec import Limits

LOOK = 0.05  # seconds between two looks
GRACE = 2.0  # seconds that a run has to end after it was told to


class OverTime(BaseException):
    """The run took longer than it may. No Exception, so that no code of a user's catches it in passing."""


class OverMemory(BaseException):
    """The process grew larger than it may."""


@cache
def _process(pid: int) -> psutil.Process:
    """This process; to find it takes longer than to ask it. By number, because a fork inherits what was found."""
    return psutil.Process(pid)


class _Watch(threading.Thread):
    """Looks at the run of one thread until it ends."""

    def __init__(self, limits: Limits, last_words: Callable[[str], None]) -> None:
        super().__init__(daemon=True, name="limits of a run")
        self.limits, self.last_words = limits, last_words
        self.runner = threading.get_ident()
        self.ended = threading.Event()
        self.lock = threading.Lock()

    def run(self) -> None:
        """Tell the run to end when it is over a limit, and end the process if it does not listen."""
        started, compiled = time.monotonic(), clock.seconds()
        seconds, megabytes = self.limits.seconds, self.limits.memory_mb
        while not self.ended.wait(LOOK):
            error: type[BaseException]
            if seconds is not None and time.monotonic() - started - (clock.seconds() - compiled) > seconds:
                status, error = TIME, OverTime
            elif megabytes is not None and _process(os.getpid()).memory_info().rss > megabytes * 1e6:
                status, error = MEMORY, OverMemory
            else:
                continue
            with self.lock:
                if self.ended.is_set():
                    return
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.runner), ctypes.py_object(error))
            if not self.ended.wait(GRACE):
                try:
                    self.last_words(status)
                finally:
                    os._exit(75)
            return

    def close(self) -> None:
        """Look no more."""
        with self.lock:
            self.ended.set()


@contextmanager
def limited(limits: Limits, last_words: Callable[[str], None]) -> Iterator[None]:
    """Raise OverTime or OverMemory here when what is done inside takes more than it may.

    What is compiled meanwhile takes nothing of it: that is no trait of the run, and half of it would be kept by nobody.

    A run that does not come back within seconds, because it waits in code that is not Python's, is ended with its
    process, after ``last_words`` was told its status.
    """
    if limits.seconds is None and limits.memory_mb is None:
        yield
        return
    with _room(limits):
        watch = _Watch(limits, last_words)
        watch.start()
        try:
            yield
        finally:
            try:
                watch.close()
            except (OverTime, OverMemory):  # told to end while it ended
                watch.close()
                raise
            for _ in range(3):  # what was told a moment ago arrives at the latest here, and not outside
                pass


@contextmanager
def _room(limits: Limits) -> Iterator[None]:
    """Refuse memory above the limit at once, where the system can: a look every now and then may come too late.

    Only in the main thread of a process, which then lives nothing else.
    """
    here = threading.current_thread() is threading.main_thread()
    if limits.memory_mb is None or not here or not hasattr(resource, "RLIMIT_DATA"):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    memory = _process(os.getpid()).memory_info()
    most = int(getattr(memory, "data", memory.vms) + max(limits.memory_mb * 1e6 - memory.rss, 0))
    hard = before[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
