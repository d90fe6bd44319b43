"""The command line: ``ecosim run``, ``schema``, ``data``, ``bench``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecosim.config import Scenario
    from ecosim.result import Result

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
    scenario: Annotated[str, typer.Argument(help="YAML file, or the name of a shipped scenario.")] = "main_street",
    seed: Annotated[int | None, typer.Option(help="Another seed than the scenario's.")] = None,
    days: Annotated[int | None, typer.Option(help="Another number of days than the scenario's.")] = None,
    changes: Set = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; runs/NAME by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder of an earlier run.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the folder.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads for large economies; the result is the same.")] = 1,
) -> None:
    """Run a scenario beside its unshocked twin, tell what happened, and write it all to a folder."""
    from ecosim.config import ScenarioError, placed
    from ecosim.errors import InputError
    from ecosim.found import find_scenario
    from ecosim.result import refuse_existing

    path, stands_in = find_scenario(scenario)
    chosen = _scenario(path, seed, days, changes or [])
    folder = out if out is not None else _free(Path("runs") / (chosen.name or "run"))
    refuse_existing(folder, force=force)
    if stands_in and not quiet:
        typer.echo(f"Running {path}, which ships with ecosim.", err=True)
    try:
        result = _run(chosen, threads, quiet=quiet)
        result.save(folder, force=force)
    except ScenarioError:
        raise
    except InputError as error:
        raise InputError(placed(str(error), path, [change.partition("=")[0] for change in changes or []])) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written", err=True)
        raise typer.Exit(130) from None
    if quiet:
        typer.echo(folder)
    else:
        _tell(result, folder)


def _scenario(path: Path, seed: int | None, days: int | None, changes: list[str]) -> Scenario:
    from ecosim.config import load, parse_set

    given: dict[str, Any] = {}
    for change in changes:
        key, value = parse_set(change)
        given[key] = value
    given |= {key: value for key, value in (("seed", seed), ("days", days)) if value is not None}
    loaded = load(path)
    return loaded.with_(given) if given else loaded


def _free(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that is not taken."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def _run(scenario: Scenario, threads: int, *, quiet: bool) -> Result:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task(f"building {scenario.name}", total=scenario.days)
        from ecosim.paired import run as run_scenario

        return run_scenario(
            scenario,
            threads=threads,
            progress=lambda done, _: bar.update(task, completed=done, description=f"days of {scenario.name}"),
        )


def _tell(result: Result, folder: Path) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from ecosim.report.summary import sentences

    # Lines are wrapped for people, not for programs that read them.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    console.print(Text(result.summary["name"], style="bold"))
    for sentence in sentences(result.summary):
        console.print(Padding(Text(sentence), (0, 0, 0, 2), expand=False))
    console.print(
        f"Written to {folder} in {result.manifest['seconds']:.1f} s; look at {folder / 'figure.png'}", markup=False
    )


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
) -> None:
    """Print the JSON schema of a scenario, for editors that check YAML while you type."""
    import json

    from ecosim.config import schema as made

    text = json.dumps(made(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


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
def bench(
    sizes: Annotated[str, typer.Option(help="Numbers of firms, separated by commas.")] = "1000,10000,100000",
    links: Annotated[int, typer.Option(min=1, max=100, help="Suppliers per firm.")] = 4,
    days: Annotated[int | None, typer.Option(min=1, help="Days per measurement; chosen by size by default.")] = None,
) -> None:
    """Measure the engine's day beside the bare kernel of the same rules, in this run, on this machine."""
    from ecosim.bench import print_bench

    print_bench(_whole_numbers(sizes), links, days)


def _whole_numbers(text: str) -> list[int]:
    from ecosim.errors import InputError

    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) >= 2 for part in numbers):
        raise InputError(f"--sizes {text!r}: give numbers of at least 2 separated by commas, such as 1000,10000")
    return [int(part) for part in numbers]


def main() -> None:
    """Entry point: what a user got wrong ends with its text and exit code 2, without a traceback."""
    try:
        app()
    except ValueError as error:
        from ecosim.errors import InputError

        if not isinstance(error, InputError):
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
