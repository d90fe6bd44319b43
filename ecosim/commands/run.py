"""``ecosim run``: live a scenario beside its twin, tell what happened, keep it in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from ecosim.config import Scenario

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the scenario, e.g. --set network.kind=ring. Repeatable."),
]


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
    lineage: Annotated[
        str | None,
        typer.Option(
            metavar="full|N|off",
            help="Keep the cause of every loss for `ecosim explain`: of all firms, of the N that lost most, or none. "
            "Full up to 200,000 firms by default; it takes a tenth to a third of the time.",
            show_default=False,
        ),
    ] = None,
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
            {
                "a scenario": scenario,
                "--set": changes,
                "--seed": seed,
                "--days": days,
                "--record": record,
                "--lineage": lineage,
            }
        )
        eco = terminal.restored(resume, threads, allow_code=allow_code)
        place = terminal.place_of(out, terminal.folder_of(resume, eco.scenario), force=force)
        recorder = terminal.recorder_of([], place, terminal.recorded_before(resume, eco))
        terminal.live_and_tell(lambda: eco, place, eco.scenario, resume, recorder, "auto", quiet=quiet)
        return
    path, chosen = chosen_scenario(scenario or "main_street", seed, days, changes or [], quiet=quiet)
    place = terminal.place_of(out, terminal.default_folder(chosen), force=force)
    recorder = terminal.recorder_of(record or [], place)
    try:
        terminal.live_and_tell(
            lambda: terminal.founded(chosen, threads or 1),
            place,
            chosen,
            None,
            recorder,
            lineage or "auto",
            quiet=quiet,
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


def chosen_scenario(
    named: str, seed: int | None, days: int | None, changes: list[str], *, quiet: bool
) -> tuple[Path, Scenario]:
    """Return where a scenario stands and the scenario, with what the command line changes."""
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
