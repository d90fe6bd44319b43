"""Answers that are kept for all sessions: a class asks for the same ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from .pool import Ticket, start

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT = 400
MOST_BYTES = 96_000_000
"""Memory of all answers that are kept for all sessions."""


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
