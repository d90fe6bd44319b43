"""The server: Solara's own handlers behind security headers, a limit of sessions, and files that are all on disk.

Nothing is asked of the internet: what Solara would fetch from a CDN lies in assets/vendor (see VENDORED.md there).
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .places import TABS, Places

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope
    from starlette.websockets import WebSocket

_log: Final = logging.getLogger(__name__)
HERE: Final = Path(__file__).parent
VENDOR: Final = HERE / "assets" / "vendor"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
LONGEST: Final = 1_000_000  # bytes of a message from a browser; uploads come in parts of a quarter of that
CULL: Final = "10m"  # how long a session waits for a browser that went away


def settle() -> None:
    """Set Solara up; it reads most of this once, when it is imported."""
    os.environ["SOLARA_ASSETS_PROXY_CACHE_DIR"] = str(VENDOR)
    os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] = "false"
    os.environ["REACTON_FAST"] = "1"  # only what changed is walked: half the processor time of a move
    from solara.server import settings

    settings.main.mode = "production"
    settings.telemetry.mixpanel_enable = False
    settings.assets.proxy_cache_dir = VENDOR
    settings.assets.extra_locations = [str(HERE / "assets")]
    settings.kernel.cull_timeout = CULL
    settings.main.root_path = ""  # or the first request would say it for all
    settings.session.http_only = True
    settings.assets.fontawesome_enabled = False
    settings.theme.loader = "plain"
    settings.theme.show_banner = False
    settings.theme.title = "ecosim"


def application(
    *, most: int = 30, hosts: tuple[str, ...] = LOOPBACK, code: str | None = None, door: str = ""
) -> ASGIApp:
    """The server's application.

    ``most`` is how many sessions there may be at once, ``hosts`` by which names the server may be called (none: by
    any), ``code`` that of a class, ``door`` the address that its pupils open.

    :raises ecosim.InputError: the code cannot be one.
    """
    settle()
    from . import crowd, wire
    from .guard import Guard

    wire.use()
    room = None if code is None else crowd.open_room(code, door)
    warnings.filterwarnings("ignore", message="Cookies with samesite=none require https")
    from solara.server import app as solara_app
    from solara.server import starlette as handlers
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import PlainTextResponse, RedirectResponse
    from starlette.routing import Mount, Route, WebSocketRoute

    solara_app.apps["__default__"] = solara_app.AppScript(f"{__package__}.app")
    places = Places(most)

    async def page(request: Request) -> Response:
        answer: Response = await handlers.root(request, request.path_params["path"])
        if answer.media_type != "text/html":
            return answer
        for context in places.forsaken():
            await run_in_threadpool(context.close, reason="cull")
        if places.taken(_browser(request)):
            return crowded()
        if not places.admit(always=room is not None and room.taught_by(request.cookies.get(crowd.COOKIE, ""))):
            return full(most)
        answer.body = dressed(bytes(answer.body).decode()).encode()
        answer.headers["content-length"] = str(len(answer.body))
        answer.headers["cache-control"] = "no-store"
        return answer

    async def kernel(socket: WebSocket) -> None:
        name = socket.path_params["kernel_id"]
        if "session_id" not in socket.query_params or not places.enter(name, _browser(socket)):
            await socket.close(code=1013)
            return
        try:
            await handlers.kernel_connection(socket)
        except Exception as error:  # what no page of ours sends; the other sessions go on
            _log.warning("a browser sent what cannot be read, and was left: %s", _first(error))
        finally:
            places.leave(name)

    def teach(request: Request) -> Response:
        """Make the browser the teacher's; the secret does not stay in the address, which a class can read."""
        if room is None or not room.taught_by(request.path_params["secret"]):
            return PlainTextResponse("This is not the teacher's link of the class that is on.", status_code=404)
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/learn?class={room.code}", status_code=303)
        answer.set_cookie(crowd.COOKIE, room.secret, httponly=True, samesite="lax")
        return answer

    class Vendored(handlers.StaticFilesOptionalAuth):
        """Files that Solara's page asks of a CDN. Their addresses carry a version, so a browser may keep them."""

        async def get_response(self, path: str, scope: Scope) -> Response:
            answer: Response = await super().get_response(path, scope)
            answer.headers["Cache-Control"] = handlers.immutable_cache_control()
            return answer

    own = [
        WebSocketRoute("/jupyter/api/kernels/{kernel_id}/{name}", endpoint=kernel),
        Route("/teach/{secret}", endpoint=teach),
        Route("/_solara/api/close/{kernel_id}", endpoint=_close, methods=["POST"]),
        Mount("/_solara/cdn", app=Vendored(directory=VENDOR)),
    ]
    left_out = {"/resourcez", "/", "/{fullpath}", "/{fullpath:path}", "/_solara/api/evict/{kernel_id}"}
    theirs = [route for route in handlers.routes if getattr(route, "path", "") not in left_out]
    routes = [*own, *theirs, Route("/{path:path}", endpoint=page)]
    return Guard(Starlette(routes=routes, lifespan=_life, middleware=handlers.middleware), hosts)


@asynccontextmanager
async def _life(app: Starlette) -> AsyncIterator[None]:
    """From the first request to the last: Solara's own hooks, and the pool of workers that must not outlive it."""
    from solara.server.starlette import lifespan

    from . import crowd, jobs

    async with lifespan(app):
        jobs.start()
        try:
            yield
        finally:
            jobs.stop()
            crowd.close_rooms()


def _browser(who: HTTPConnection) -> str:
    """The name of a browser, which its cookie tells; empty without one."""
    from solara.server.server import get_session_id_cookie

    return get_session_id_cookie(who.cookies) or ""


def _close(request: Request) -> Response:
    """A browser closes a page."""
    from solara.server.starlette import close
    from starlette.responses import PlainTextResponse

    if "session_id" not in request.query_params:
        return PlainTextResponse("Say which page is closed: ?session_id=", status_code=400)
    answer: Response = close(request)
    return answer


def _first(error: BaseException) -> BaseException:
    """The error within groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


#: anywidget gives a widget up after two seconds; a slow machine may need longer to draw all the rest of a page first.
PATIENCE = (
    "<script>AbortSignal.timeout = (wait => ms => wait.call(AbortSignal, ms === 2000 ? 60000 : ms))"
    "(AbortSignal.timeout)</script>"
)


def dressed(html: str) -> str:
    """Solara's page with what it lacks: a language, letters that can be enlarged, our theme."""
    files = sorted(
        (HERE / "assets").glob("*.css"), key=lambda file: (file.stem != "theme", file.name)
    )  # it comes first
    sheets = "".join(f"<style>{file.read_text()}</style>" for file in files)
    for old, new in (
        ("<html>", '<html lang="en">'),
        (", maximum-scale=1, user-scalable=no, minimal-ui", ""),
        ("</head>", f"{sheets}{PATIENCE}</head>"),
    ):
        if html.count(old) != 1:
            raise RuntimeError(f"Solara's page has changed: {old!r} is there {html.count(old)} times instead of once")
        html = html.replace(old, new)
    return html


def full(most: int) -> Response:
    """The page of those for whom there is no place."""
    return _later(
        30,
        "The class is full",
        f"All {most} places are taken.",
        "Two can share a screen. Whoever started the server can give it more places with <code>--max-sessions</code>.",
    )


def crowded() -> Response:
    """The page of a browser that has as many pages open as one may."""
    return _later(
        5,
        "This browser has enough pages open",
        f"One browser may have {TABS} pages of the dashboard open, and has.",
        "Close one of them. Others need their places.",
    )


def _later(seconds: int, title: str, said: str, mend: str) -> Response:
    from starlette.responses import HTMLResponse

    text = (HERE / "assets" / "full.html").read_text(encoding="utf-8")
    for name, words in {"seconds": str(seconds), "title": title, "said": said, "mend": mend}.items():
        text = text.replace(f"{{{name}}}", words)
    return HTMLResponse(text, status_code=503, headers={"Retry-After": str(seconds)})


def secret() -> str:
    """What is behind /teach/ in the teacher's link; empty without a class."""
    from . import crowd

    room = crowd.only()
    return "" if room is None else room.secret


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything slow, so that a taken one is told at once.

    :raises OSError: the port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen()  # of two programs that bind at once, the second is told only here
    except OSError:
        taken.close()
        raise
    return taken


def door(host: str) -> str:
    """The address under which others on the network find a server that listens at this one.

    Where it listens at all, that is the one from which this machine would send; finding out sends nothing.
    """
    if host not in {"0.0.0.0", "::"}:
        return host
    family, far = (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")  # of nobody
    with socket.socket(family, socket.SOCK_DGRAM) as way:
        try:
            way.connect((far, 9))
        except OSError:  # no way out: no network, or one without a router
            return socket.gethostname()
        return str(way.getsockname()[0])


def serve(listening: socket.socket, app: Starlette, *, started: Callable[[], None]) -> None:
    """Answer on a bound socket until interrupted; ``started`` is called when the first request can come."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if not self.should_exit:
                started()

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
        ws_max_size=LONGEST,
        ws_per_message_deflate=False,  # what is large is packed already, and the rest costs more time than it saves
    )
    with suppress(ValueError):  # only the main thread may; Ctrl-C then ends what uvicorn has wound up, and not before
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
