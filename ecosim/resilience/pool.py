"""Processes that live replicates: started clean, ended with whoever started them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.forkserver import ensure_running
from types import ModuleType
from typing import TYPE_CHECKING

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

PRELOAD = "ecosim.paired"  # imported once, by the server that processes are forked from

#: Ctrl-C ends a driver where it stands. What it held of the system is then given back for it, which need not be told.
TIDIED = "ignore::UserWarning:multiprocessing.resource_tracker"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """So many processes, or None for one worker, which is this process. They are killed when left by an error."""
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"workers = {workers!r}; give a number of processes from 1")
    if workers == 1:
        yield None
        return
    context = get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    if TIDIED not in sys.warnoptions:
        sys.warnoptions.append(TIDIED)
    with undisturbed():
        ensure_running()
    with without_main():
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=follow)
        try:
            yield pool
        except BaseException as error:
            begun = list((pool._processes or {}).values())  # shutdown forgets them
            pool.shutdown(wait=False, cancel_futures=True)
            for each in begun:
                each.kill()
            if isinstance(error, BrokenProcessPool):
                raise InputError("a process died, as when memory runs out; try fewer workers") from None
            raise
        pool.shutdown()


def follow() -> None:
    """Begin as a process of a driver's: Ctrl-C is for the driver, and when it ends, so does this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True, name="follows its driver").start()


def _end_with_driver() -> None:
    """However it ends: nobody would read what is lived on."""
    driver = parent_process()
    if driver is not None:
        driver.join()
        os._exit(0)


@contextmanager
def without_main() -> Iterator[None]:
    """Keep processes from importing the user's script, which would start everything once more in each of them."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to everybody, from the server that is started here and its processes."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which lets Ctrl-C through again when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
