"""The command line: ``ecosim run``, ``schema``, ``data``, ``bench``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

_LOADING = time.perf_counter()
try:
    import typer
except KeyboardInterrupt:  # in the first tenth of a second, before main can watch for it
    sys.stderr.write("interrupted\n")
    raise SystemExit(130) from None

from ecosim import terminal  # noqa: E402 - it needs typer, too

if TYPE_CHECKING:
    from ecosim.config import Scenario

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts three times as fast
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="The input-output tables that ship with ecosim.", no_args_is_help=True)
app.add_typer(data, name="data")

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the scenario, e.g. --set network.kind=ring. Repeatable."),
]


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


@app.command()
def run(
    scenario: Annotated[
        str | None,
        typer.Argument(help="YAML file, or the name of a shipped scenario.", show_default="main_street"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the scenario's.")] = None,
    days: Annotated[int | None, typer.Option(help="Another number of days than the scenario's.")] = None,
    changes: Set = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; runs/NAME by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder of an earlier run.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the folder.")] = False,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads for large economies; the result is the same.", show_default="1"),
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with a run that Ctrl-C interrupted.")] = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="With --resume: let the file import classes of your own.")
    ] = False,
    record: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMNS",
            help="Write these columns of every firm and day (of the run, not of its twin) to daily.parquet, e.g. "
            "--record production,demand, or --record all: at most 8 bytes a firm, day and column, as a rule less "
            "than half. Repeatable.",
        ),
    ] = None,
) -> None:
    """Run a scenario beside its unshocked twin, tell what happened, and write it all to a folder.

    Ctrl-C lets the day end and keeps the unfinished run in a file, with which --resume goes on.
    """
    from ecosim.config import ScenarioError, placed
    from ecosim.errors import InputError

    if resume is not None:
        _refuse_beside_resume(
            {"a scenario": scenario, "--set": changes, "--seed": seed, "--days": days, "--record": record}
        )
        eco = terminal.restored(resume, threads, allow_code=allow_code)
        place = terminal.place_of(out, terminal.folder_of(resume, eco.scenario), force=force)
        recorder = terminal.recorder_of([], place, terminal.recorded_before(resume, eco))
        terminal.live_and_tell(lambda: eco, place, eco.scenario, resume, recorder, quiet=quiet)
        return
    path, chosen = _chosen(scenario or "main_street", seed, days, changes or [], quiet=quiet)
    place = terminal.place_of(out, terminal.default_folder(chosen), force=force)
    recorder = terminal.recorder_of(record or [], place)
    try:
        terminal.live_and_tell(
            lambda: terminal.founded(chosen, threads or 1), place, chosen, None, recorder, quiet=quiet
        )
    except ScenarioError:
        raise
    except InputError as error:
        raise InputError(placed(str(error), path, [change.partition("=")[0] for change in changes or []])) from None


def _refuse_beside_resume(given: dict[str, object]) -> None:
    from ecosim.errors import InputError

    for name, value in given.items():
        if value is not None and value != []:
            raise InputError(
                f"--resume goes on with the run as it was begun; leave out {name}, or run it from the start"
            )


def _chosen(
    named: str, seed: int | None, days: int | None, changes: list[str], *, quiet: bool
) -> tuple[Path, Scenario]:
    from ecosim.found import find_scenario

    path, stands_in = find_scenario(named)
    chosen = _scenario(path, seed, days, changes)
    if stands_in and not quiet:
        typer.echo(f"Running {path}, which ships with ecosim.", err=True)
    return path, chosen


def _scenario(path: Path, seed: int | None, days: int | None, changes: list[str]) -> Scenario:
    from ecosim.config import load, parse_set

    given: dict[str, Any] = {}
    for change in changes:
        key, value = parse_set(change)
        given[key] = value
    given |= {key: value for key, value in (("seed", seed), ("days", days)) if value is not None}
    loaded = load(path)
    return loaded.with_(given) if given else loaded


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Print the JSON schema of a scenario, for editors that check YAML while you type."""
    import json

    from ecosim.config import schema as made

    text = json.dumps(made(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        from ecosim.folders import NewFile

        with NewFile(out, replace=force, otherwise=terminal.ANOTHER) as half:
            half.write_text(text + "\n", encoding="utf-8")


@data.command("list")
def data_list() -> None:
    """List the tables that ship with ecosim, with their sources and terms."""
    from rich.console import Console
    from rich.table import Table

    from ecosim.calibration.tables import available

    table = Table("preset", "industries", "country", "year")
    entries = available()
    for entry in entries:
        table.add_row(entry.preset, str(entry.industries), entry.country, entry.year)
    console = Console(highlight=False)
    console.print(table)
    for source, terms in dict.fromkeys((entry.source, entry.terms) for entry in entries):
        presets = ", ".join(dict.fromkeys(entry.preset for entry in entries if entry.source == source))
        console.print(f"{presets}: {source}. Terms: {terms}.", markup=False)


@data.command("show")
def data_show(
    preset: Annotated[str, typer.Argument(help="Preset, as printed by `ecosim data list`.")],
    industries: Annotated[int | None, typer.Option(help="Detail, where a table comes in several.")] = None,
) -> None:
    """Show a table: output, share of inputs and of final demand by sector, and how it was balanced."""
    from rich.console import Console
    from rich.table import Table

    from ecosim.calibration.tables import describe, load_table

    found = load_table(preset, industries)
    table = Table("sector", title=f"{preset}: {found.industries} industries, {found.unit}")
    for name in ("output", "% of output", "inputs / output", "final demand / output"):
        table.add_column(name, justify="right")
    for row in describe(found).itertuples():
        shares = (f"{row.output_percent:.2f}", f"{row.input_share:.3f}", f"{row.final_demand_share:.3f}")
        table.add_row(str(row.Index), f"{row.output:,.0f}", *shares)
    console = Console()
    console.print(table)
    for line in (f"Source: {found.source}", f"Terms: {found.terms}", f"Cite: {found.citation}", *found.notes):
        console.print(line, markup=False, highlight=False)


@app.command()
def parameters(
    mechanisms: Annotated[
        bool, typer.Option("--mechanisms", help="What each mechanism is and keeps, instead of its parameters.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values for other programs.")] = False,
) -> None:
    """Print every parameter of every mechanism: meaning, unit, default, range and source, as Markdown."""
    from ecosim import parameters as table

    if csv:
        typer.echo(table.parameters().to_csv(index=False), nl=False)
    else:
        typer.echo(table.mechanisms_page() if mechanisms else table.parameters_page(), nl=False)


@app.command()
def validate(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Validate this alone: default-world. Repeatable.", show_default="everything"),
    ] = None,
    firms: Annotated[int, typer.Option(min=60, help="Firms of the default world.")] = 2000,
    years: Annotated[int, typer.Option(min=1, max=100, help="Years that it lives in peace.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Its seed.")] = 1,
) -> None:
    """Compare the model with what is known: expected, measured, tolerance; fails where one is missed."""
    from ecosim.report.validation import show
    from ecosim.validation import SUBJECTS

    unknown = [name for name in only or [] if name not in SUBJECTS]
    if unknown:
        from ecosim.errors import InputError

        raise InputError(f"--only {unknown[0]}: nothing of that name is validated; there is {', '.join(SUBJECTS)}")
    missed = 0
    for name in only or SUBJECTS:
        missed += show(name, SUBJECTS[name](firms=firms, years=years, seed=seed))
    if missed:
        raise typer.Exit(1)


@app.command()
def ledger(
    run: Annotated[Path, typer.Argument(help="Folder of a run with finance on.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, exact, for other programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values, an entry a line.")] = False,
) -> None:
    """Print the balance sheet and the transactions matrix of a run's economy; ends with 1 if they do not add up."""
    from rich.console import Console

    from ecosim.report.ledger import Ledger
    from ecosim.result import load_ledger

    tables = Ledger.of(load_ledger(run))
    if json:
        typer.echo(tables.json())
    elif csv:
        typer.echo(tables.long().to_csv(index=False), nl=False)
    else:
        tables.show(Console(highlight=False, width=None if sys.stdout.isatty() else 160))
    if tables.faults():
        raise typer.Exit(1)


@app.command()
def bench(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="startup, day, memory, rationing, esri, country, elsewhere.", show_default="all"),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Day: numbers of firms, separated by commas.", show_default="1000,10000,100000,1000000"),
    ] = None,
    links: Annotated[
        int | None, typer.Option(min=1, max=100, help="Day: suppliers per firm.", show_default="4")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Day: days per measurement.", show_default="chosen by size")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Live the whole year of a million firms; ESRI of 100,000 firms.")
    ] = False,
) -> None:
    """Measure speed and memory here and now: a line for every target, with what it is compared with.

    Takes two or three minutes. An option of the day alone measures only the day.
    """
    from ecosim.bench import show

    numbers = None if sizes is None else _whole_numbers(sizes)
    show(what or (), full=full, sizes=numbers, links=links, days=days)


def _whole_numbers(text: str) -> list[int]:
    from ecosim.errors import InputError

    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 and int(part) >= 2 for part in numbers):
        raise InputError(f"--sizes {text!r}: give numbers of at least 2 separated by commas, such as 1000,10000")
    return [int(part) for part in numbers]


def main() -> None:
    """Entry point: what a user got wrong ends with its text and exit code 2, without a traceback."""
    terminal.started[0] = time.perf_counter() - _LOADED
    terminal.interrupts.watch()
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


_LOADED = time.perf_counter() - _LOADING

if __name__ == "__main__":
    main()
