"""``ecosim sweep``: live a study on this machine or a cluster, and go on where an earlier try ended."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress as Bar

    from ecosim.study.progress import Progress
    from ecosim.study.results import Study
    from ecosim.study.spec import StudySpec

PLAIN_NEWS = 30.0  # seconds between two lines where nobody looks at a terminal


def sweep(
    study: Annotated[str, typer.Argument(help="YAML file of a study, or the name of a shipped one, such as quick.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study, begun or to be made; studies/NAME by default.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Processes; the table is the same.", show_default="one a core"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786, or local for one made here."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Live again the runs that failed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin even what takes more than a day.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the file of the table.")] = False,
) -> None:
    """Live a study: one scenario many times over, with something changed. Kill it, and the same command goes on."""
    from ecosim.errors import InputError
    from ecosim.folders import safe_name
    from ecosim.study.reading import load
    from ecosim.study.sweeping import sweep as driven

    started = time.perf_counter()
    spec = load(study)
    place = out if out is not None else Path("studies") / safe_name(spec.name)
    if not quiet:
        typer.echo(_plan(spec, place), err=True)
    with terminal.resumable(f"the runs that ended are kept in {place}"):
        with Teller(quiet=quiet) as teller:
            found = driven(spec, out=place, workers=workers, cluster=cluster, yes=yes, retry=retry, progress=teller)
        table = found.write_csv()
    typer.echo(table if quiet else _end(found, table, time.perf_counter() - started))
    if not (found.table()["status"] == "ok").any():
        why = str(found.failures()["error"].iloc[0]).strip().splitlines()[-1]
        raise InputError(f"{study}: no run succeeded; the first of them ended with: {why}")


def _plan(spec: StudySpec, place: Path) -> str:
    points, replicates = len(spec.codes), spec.replicates
    most = "up to " if spec.stop is not None else ""
    return (
        f"{spec.name}: {most}{points * replicates:,} runs ({points:,} points x {most}{replicates:,} replicates of "
        f"{spec.base.name}), in {place}"
    )


def _end(study: Study, table: Path, seconds: float) -> str:
    from collections import Counter

    counts = Counter(study.table()["status"])
    told = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    failed = sum(counts.values()) - counts["ok"]
    why = "; Study.load(...).failures() says why, --retry lives them again" if failed else ""
    return f"{sum(counts.values()):,} runs ({told}{why}) after {seconds:.1f} s; table: {table}"


def _words(now: Progress) -> str:
    from ecosim.study.progress import duration

    parts = [f"{now.done:,} of {now.total:,} runs"]
    if now.failed:
        parts.append(f"{now.failed:,} failed")
    if now.rate:
        parts.append(f"{now.rate:.2g} a second" if now.rate < 10 else f"{now.rate:.0f} a second")
    if now.seconds_left is not None:
        parts.append(f"about {duration(now.seconds_left)} left on {now.workers:,} workers")
    return ", ".join(parts)


class Teller:
    """Tells progress: a bar that moves in a terminal, a line now and then elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.told, self.estimated = quiet, time.monotonic(), False
        self.bar: Bar | None = None
        self.show: Callable[[Progress], None] = self._line

    def __enter__(self) -> Teller:
        if sys.stderr.isatty() and not self.quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self.bar = Progress(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True))
            self.bar.start()
            task = self.bar.add_task("starting", total=None)
            bar = self.bar
            self.show = lambda now: bar.update(task, completed=now.done, total=now.total, description=_words(now))
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, now: Progress) -> None:
        if not self.quiet:
            self.show(now)

    def _line(self, now: Progress) -> None:
        """A line once it is known how long it takes, and every half minute."""
        first = not self.estimated and now.seconds_left is not None and now.done < now.total
        if first or time.monotonic() - self.told > PLAIN_NEWS:
            self.told, self.estimated = time.monotonic(), self.estimated or first
            typer.echo(_words(now), err=True)
