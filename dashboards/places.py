"""How many may come in at once: every open page holds a kernel with its own state, which costs memory."""

from __future__ import annotations

import time
from typing import Any, Final

TICKET: Final = 20.0  # seconds between a page and its websocket before its place is free again
TABS: Final = 4  # pages that one browser may have open at once


class Places:
    """Who may come in: a page takes a ticket, its websocket turns the ticket into a place, a closed page frees it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._tickets: list[float] = []  # until when each is good
        self._seated: dict[str, int] = {}  # open websockets of each kernel
        self._whose: dict[str, str] = {}  # browser of each kernel that is seated
        self._ending: set[str] = set()  # kernels that were given out to be ended

    def free(self) -> int:
        """Places left. A page on its way, for which there is only a ticket yet, has one."""
        now = time.monotonic()
        self._tickets = [end for end in self._tickets if end > now]
        return self.most - len(self._seated) - len(self._tickets)

    def taken(self, browser: str) -> bool:
        """Whether a browser has as many pages open as one may; those without a name cannot be told apart."""
        return bool(browser) and list(self._whose.values()).count(browser) >= TABS

    def admit(self, *, always: bool = False) -> bool:
        """Give a page a ticket, if there is a place; ``always`` for whom there must be one."""
        if self.free() <= 0 and not always:
            return False
        self._tickets.append(time.monotonic() + TICKET)
        return True

    def enter(self, kernel: str, browser: str = "") -> bool:
        """Seat a websocket: it comes back to its own kernel, or has a ticket, or finds a place free."""
        if kernel not in self._seated:
            if self.taken(browser) or (kernel not in _kernels() and self.free() <= 0 and not self._tickets):
                return False
            if self._tickets:
                self._tickets.pop(0)
            self._whose[kernel] = browser
        self._seated[kernel] = self._seated.get(kernel, 0) + 1
        return True

    def leave(self, kernel: str) -> None:
        """A websocket ended."""
        self._seated[kernel] -= 1
        if not self._seated[kernel]:
            del self._seated[kernel], self._whose[kernel]

    def forsaken(self) -> list[Any]:
        """Sessions to end so that memory holds: those without a browser, beyond the number of places; each once."""
        kernels = _kernels()
        self._ending &= set(kernels)
        idle = [kernel for kernel in kernels if kernel not in self._seated and kernel not in self._ending]
        chosen = idle[: max(0, len(kernels) - len(self._ending) + 1 - self.most)]
        self._ending.update(chosen)
        return [kernels[kernel] for kernel in chosen]


def _kernels() -> dict[str, Any]:
    from solara.server import kernel_context

    return dict(kernel_context.contexts)
