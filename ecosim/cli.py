"""The command line: which commands there are, and how a failure is told. Each command is a file in commands/."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Annotated

_LOADING = time.perf_counter()


def _interrupted(*_: object) -> None:
    """Ctrl-C while the command line is still being imported: an exception in there could be lost, or told at length."""
    os.write(2, b"interrupted\n")
    os._exit(130)


_watching = signal.getsignal(signal.SIGINT) is signal.default_int_handler
with suppress(ValueError):  # only the main thread may
    _watching = _watching and bool(signal.signal(signal.SIGINT, _interrupted))

import typer  # noqa: E402 - from here on Ctrl-C is watched

from ecosim import compiling, terminal  # noqa: E402
from ecosim.commands import (  # noqa: E402
    analyse,
    atlas,
    bench,
    calibrate,
    compare,
    dashboard,
    data,
    doctor,
    explain,
    ledger,
    lesson,
    new,
    odd,
    parameters,
    policy,
    report,
    run,
    schema,
    sweep,
    validate,
    verify,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts three times as fast
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"ecosim {version('ecosim')}")
        raise typer.Exit


@app.callback()
def ecosim(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Simulate a small-business ecosystem: who trades with whom, what a shock does to them, and what is lost."""


COMMANDS = (
    run.run,
    dashboard.dashboard,
    explain.explain,
    atlas.atlas,
    sweep.sweep,
    policy.policy,
    compare.compare,
    report.report,
    lesson.lesson,
    verify.verify,
    analyse.analyse,
    calibrate.calibrate,
    validate.validate,
    ledger.ledger,
    parameters.parameters,
    odd.odd,
    new.new,
    schema.schema,
    doctor.doctor,
    bench.bench,
)
for command in COMMANDS:
    app.command()(command)
tables = typer.Typer(help="The input-output tables that ship with ecosim.", no_args_is_help=True)
tables.command("list")(data.data_list)
tables.command("show")(data.data_show)
app.add_typer(tables, name="data")


def main() -> None:
    """Entry point: what a user got wrong ends with its text and exit code 2, without a traceback."""
    terminal.started[0] = time.perf_counter() - _LOADED
    terminal.interrupts.watch()
    if "--quiet" not in sys.argv:
        compiling.ask()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # `ecosim ... | head -1` has read enough
        _drop_output()
        sys.exit(141)
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        _fail(f"not enough memory{said}; take fewer firms, suppliers or days, or a larger machine")
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
    except ValueError as error:
        from ecosim.errors import InputError

        if not isinstance(error, InputError):
            raise
        _fail(str(error))


def _drop_output() -> None:
    """Send what is still to be printed nowhere, so that it is not tried again at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(text: str) -> None:
    typer.echo(f"error: {text}", err=True)
    sys.exit(2)


if _watching:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `main` watches; who imports this has a Ctrl-C of its own
_LOADED = time.perf_counter() - _LOADING

if __name__ == "__main__":
    main()
