"""What is around every request: security headers, and that it was meant for this server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")


class Guard:
    """Around everything: headers on each answer, and only requests that were meant for this server.

    A page elsewhere on the internet may point its own name at this machine, or open a websocket to it from the
    user's browser; both are told apart by the names in Host and Origin.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app = app
        self.hosts = hosts  # names by which the server may be called; none for any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in {b"host", b"origin"}}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        foreign = origin is not None and scope["type"] == "websocket" and origin.partition("://")[2] != host
        if foreign or not _HOST.fullmatch(host) or (self.hosts and _name(host) not in self.hosts):
            await _refuse(scope, receive, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in _headers(host).items()]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self.app(scope, receive, sent)


def _name(host: str) -> str:
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import PlainTextResponse

    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("This address is not the dashboard's.", status_code=421)(scope, receive, send)


def _headers(host: str) -> dict[str, str]:
    """Security headers. The page's program comes as text (Vue templates), hence unsafe-inline and unsafe-eval."""
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' ws://{host} wss://{host} blob: data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
