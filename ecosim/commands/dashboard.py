"""``ecosim dashboard``: the pages in the browser, for one person or a class."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket
    from types import ModuleType

EVERYWHERE = ("0.0.0.0", "::")


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets the network in.", show_default="this machine alone")
    ] = "127.0.0.1",
    code: Annotated[
        str | None, typer.Option("--class", metavar="CODE", help="Class mode: pupils join with this code.")
    ] = None,
    max_sessions: Annotated[
        int, typer.Option(min=1, max=1000, help="Pages that may be open at once; the next is told that it is full.")
    ] = 30,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Open the dashboard in the browser: see a cascade, understand it, change it.

    It needs no internet. Ctrl-C ends it.
    """
    house = _house()
    with _listen(house, host, port) as listening:
        hosts = () if host in EVERYWHERE else (*house.LOOPBACK, host)
        here, port = listening.getsockname()[:2]
        address, door = _address("127.0.0.1" if here in EVERYWHERE else here, port), _address(house.door(here), port)
        most = max_sessions + (code is not None)  # a class has a teacher, too
        app = house.application(most=most, hosts=hosts, code=code, door=door)
        desk = address if code is None else f"{address}teach/{house.secret()}"

        def started() -> None:
            _tell(address, door, code, desk)
            if not no_browser and sys.stdout.isatty():
                _open(desk)

        house.serve(listening, app, started=started)


def _house() -> ModuleType:
    """The dashboard's server: in the wheel a part of the package, in a checkout beside it."""
    from importlib import import_module
    from importlib.util import find_spec

    return import_module("ecosim.dashboards.serve" if find_spec("ecosim.dashboards") else "dashboards.serve")


def _listen(house: ModuleType, host: str, port: int) -> socket.socket:
    import errno

    from ecosim.errors import InputError

    try:
        taken: socket.socket = house.bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"--port {port}: another program answers there, perhaps an earlier dashboard; "
                f"end it, or choose another port, such as --port {port + 1 if port < 65535 else 8765}"
            ) from None
        raise InputError(f"--host {host} --port {port}: cannot listen there ({error.strerror or error})") from None
    return taken


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _tell(address: str, door: str, code: str | None, desk: str) -> None:
    typer.echo(f"ecosim dashboard: {address}   (Ctrl-C ends it)")
    if door != address:
        typer.echo(f"Anybody on this network can open it: {door}")
    if code is not None:
        typer.echo(f"class {code}: pupils open {door}?class={code}, or type the code on the page Learn")
        if door.startswith(("http://127.", "http://[::1]")):
            typer.echo("Only this machine can open that; for pupils' own devices add --host 0.0.0.0")
        typer.echo(f"for the teacher alone, opens the teacher's desk: {desk}")


def _open(address: str) -> None:
    import os
    import webbrowser

    seen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if seen:  # without a screen, a browser for text would take over the terminal
        webbrowser.open(address)
