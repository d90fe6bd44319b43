"""``ecosim policy``: which package of interventions holds up, whatever comes, at what cost, for whom."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from ecosim.study.policy.results import Found
    from ecosim.study.progress import Progress

NEWS = 30.0  # seconds between two lines of progress


def policy(
    study: Annotated[
        str, typer.Argument(help="YAML file of a policy study, or the name of a shipped one, such as policy.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the search, begun or to be made; policies/NAME by default.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Processes; the tables are the same.", show_default="one a core")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A corner of it in seconds: shows how, says nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin even what takes more than a day.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the file of the page.")] = False,
) -> None:
    """Search packages of interventions under deep uncertainty: effects, cost, regret, front, held-out and sealed tests.

    Kill it, and the same command goes on.
    """
    from ecosim.folders import safe_name
    from ecosim.study.policy.reading import load
    from ecosim.study.policy.searching import policy as searched

    begun = told = time.monotonic()

    def progress(stage: str, now: Progress) -> None:
        nonlocal told
        if not quiet and time.monotonic() - told > NEWS:
            told = time.monotonic()
            typer.echo(f"{stage}: {now.done:,} of {now.total:,} runs, {told - begun:.0f} s so far", err=True)

    def say(line: str) -> None:
        if not quiet:
            typer.echo(line, err=True)

    spec = load(study).quick() if quick else load(study)
    place = out if out is not None else Path("policies") / safe_name(spec.name)
    with terminal.resumable(f"the runs that ended are kept in {place}"):
        found = searched(spec, out=place, workers=workers, yes=yes, progress=progress, told=say)
    typer.echo(found.folder / "page.md" if quiet else _end(found, time.monotonic() - begun))


def _end(found: Found, seconds: float) -> str:
    from ecosim.study.policy.page import answer

    tables = ", ".join(sorted(name for name, frame in found.tables.items() if not frame.columns.empty))
    return f"{answer(found)}\nafter {seconds:.0f} s; all of it: {found.folder / 'page.md'} (tables: {tables})"
