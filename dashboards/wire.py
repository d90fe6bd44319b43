"""What is sent to a browser goes in one go: a page drawn anew is a dozen messages, and each would wait for the last."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from solara.server import starlette as handlers
from solara.server.websocket import WebSocketDisconnect

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from starlette.websockets import WebSocket


GATHER = 0.004  # seconds in which what belongs together comes together


class Wire(handlers.WebsocketWrapper):
    """Solara's websocket, with which a session's thread does not wait for the server's loop at each message.

    Order is kept. That the browser has gone away is heard where its next message is waited for.
    """

    def __init__(self, ws: WebSocket, portal: BlockingPortal | None) -> None:
        super().__init__(ws, portal)
        self._waiting: deque[str | bytes] = deque()
        self._sending: Any = None
        self._one = threading.Lock()

    def send_text(self, data: str) -> None:
        """Send a text, soon."""
        self._post(data)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes, soon."""
        self._post(data)

    def _post(self, data: str | bytes) -> None:
        with self._one:  # of two threads at once, each could take the other for the one that wakes the loop
            self._waiting.append(data)
            first = len(self._waiting) == 1
        if first:  # otherwise the loop was woken already, and takes this along
            self.event_loop.call_soon_threadsafe(self.event_loop.call_later, GATHER, self._begin)

    def _begin(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = self.event_loop.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                data = self._waiting[0]  # it stays until it is sent, so that nobody wakes the loop meanwhile
                await (self._send_text_exc(data) if isinstance(data, str) else self._send_bytes_exc(data))
                self._waiting.popleft()
        except WebSocketDisconnect:
            self._waiting.clear()
        except BaseException:
            self._waiting.clear()  # or nobody would wake the loop again
            raise


def use() -> None:
    """Let Solara's server use it."""
    handlers.WebsocketWrapper = Wire
