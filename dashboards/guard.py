"""What is around every request: security headers, and that it was meant for this server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")
#: What Solara would believe of anybody: the first to send a script-name would move the server's root for all.
#: Uvicorn has read the forwarded ones before, from a proxy on this machine alone.
_BELIEVED: Final = frozenset({b"x-forwarded-host", b"x-forwarded-proto", b"script-name", b"x-script-name"})


class Guard:
    """Around everything: headers on each answer, and only requests that were meant for this server.

    A page elsewhere on the internet may point its own name at this machine, or open a websocket to it from the
    user's browser; both are told apart by the names in Host and Origin.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}  # names by which the server may be called; none for any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in {b"host", b"origin"}}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        foreign = origin is not None and scope["type"] == "websocket" and origin.partition("://")[2] != host
        known = bool(_HOST.fullmatch(host)) and (not self.hosts or _name(host) in self.hosts)
        headers = [(name.encode(), value.encode()) for name, value in _headers(host if known else "").items()]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if foreign or not known:
            await _refuse(scope, receive, sent, 421, "This address is not the dashboard's.")
        elif "\0" in scope["path"]:
            await _refuse(scope, receive, sent, 404, "Nothing has a name like that.")
        else:
            believed = [pair for pair in scope["headers"] if pair[0] not in _BELIEVED]
            await self.app({**scope, "headers": believed}, receive, sent)


def _name(host: str) -> str:
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower()


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    from starlette.responses import PlainTextResponse

    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(words, status_code=status)(scope, receive, send)


def _headers(host: str) -> dict[str, str]:
    """Security headers; no host where it is not ours.

    The page's program comes as text (Vue templates), hence unsafe-inline and unsafe-eval.
    """
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' {f'ws://{host} wss://{host} ' if host else ''}blob: data:",
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
