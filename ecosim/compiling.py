"""Tells that kernels are being compiled for this machine, whichever of a command's processes does it, and for how long.

numba does so once and keeps what it made; what it finds there is loaded, and not told of.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILES = "Compiling for this machine, which happens once and takes up to a minute."
PATIENCE = 1.0  # seconds of compiling after which it is told
ASKED = "ECOSIM_TELL_COMPILING"  # names a file that the first process to tell it makes, so that no other does


class Compiling:
    """Counts seconds of compiling, and tells once that there are many.

    numba calls it at the start and the end of each compilation, which may have others inside.
    """

    def __init__(self, say: Callable[[], None]) -> None:
        """Be silent until ``PATIENCE`` seconds were spent."""
        self.say, self.spent, self.begun, self.told, self.deep = say, 0.0, 0.0, False, 0

    def seconds(self) -> float:
        """Seconds spent so far in this process."""
        return self.spent + (time.perf_counter() - self.begun if self.deep else 0.0)

    def notify(self, event: Any) -> None:
        """Hear of the start or the end of a compilation."""
        if event.is_start:
            if not self.deep:
                self.begun = time.perf_counter()
            self.deep += 1
            if self.seconds() > PATIENCE and not self.told:
                self.told = True
                self.say()
            return
        self.deep -= 1
        if not self.deep:
            self.spent += time.perf_counter() - self.begun


def say() -> None:
    """Say it on stderr where a command asked for that (`ask`), and no other process of it has."""
    mark = os.environ.get(ASKED)
    if mark is None:
        return
    with suppress(OSError):
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        over = "\r\x1b[2K" if os.isatty(2) else ""  # a bar of progress stands there, and is drawn again below
        os.write(2, f"{over}{COMPILES}\n".encode())


def ask() -> None:
    """Have this process and those that it starts say it."""
    import atexit
    import tempfile

    mark = os.path.join(tempfile.gettempdir(), f"ecosim-{os.getpid()}-{time.time_ns()}")  # noqa: PTH118 - a string
    os.environ[ASKED] = mark
    atexit.register(_forget, mark)


def _forget(mark: str) -> None:
    with suppress(OSError):
        os.unlink(mark)  # noqa: PTH108


clock = Compiling(say)
"""Of this process."""


def listen() -> None:
    """Hear of what numba compiles in this process; called where kernels are first imported."""
    from numba.core import event

    event.Listener.register(Compiling)  # it need not be imported to be one
    event.register("numba:compile", clock)  # type: ignore[no-untyped-call]
