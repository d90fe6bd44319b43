"""A run at the terminal: its place, its progress, Ctrl-C and what it keeps, and what is told at the end."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ecosim.config import Scenario
    from ecosim.folders import NewFolder
    from ecosim.model import Ecosystem
    from ecosim.recording import Recorder
    from ecosim.result import Result

CHECKPOINT = ".checkpoint"
ANOTHER = "choose another with --out"


class Interrupts:
    """What Ctrl-C does: it ends the command at once, but during the days of a run it first lets the day end."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self.living = self.asked = False

    def watch(self) -> None:
        """Take over Ctrl-C, unless it is ignored as in the background, and let a kind kill clean up."""
        self.living = self.asked = False
        with suppress(ValueError):  # only the main thread may
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                signal.signal(signal.SIGINT, self.interrupted)
            signal.signal(signal.SIGTERM, self.ended)

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        """Ask the run to stop, or end here: an exception could be lost, or told at length, in a half-done import."""
        if self.living and not self.asked:
            self.asked = True
            return
        folders = sys.modules.get("ecosim.folders")
        getattr(folders, "clean_up", lambda: None)()
        cursor = b"\r\x1b[2K\x1b[?25h" if os.isatty(2) else b""
        os.write(2, cursor + b"interrupted; nothing was written\n")
        os._exit(130)

    def ended(self, number: int, frame: FrameType | None) -> None:
        """Unwind, so that nothing half written stays."""
        raise SystemExit(143)


interrupts = Interrupts()
started = [time.perf_counter()]  # when the command began


@contextmanager
def resumable(kept: str) -> Iterator[None]:
    """For work that keeps its parts as they end: Ctrl-C may end it at once, and the same command goes on.

    ``kept`` says what is kept where, such as "the runs that ended are kept in studies/quick".
    """
    import shlex

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        words = " ".join(shlex.quote(word) for word in sys.argv[1:])
        typer.echo(f"interrupted; {kept}. Go on with: ecosim {words}", err=True)
        raise typer.Exit(130) from None


def default_folder(scenario: Scenario) -> Path:
    """Where a run goes that was not told where."""
    from ecosim.folders import safe_name

    return Path("runs") / safe_name(scenario.name)


def folder_of(checkpoint: Path, scenario: Scenario) -> Path:
    """Where the result of an interrupted run was to go: the checkpoint lies beside it."""
    name = re.sub(r"\.checkpoint(-\d+)?\.npz$", "", checkpoint.name)
    return checkpoint.with_name(name) if name and name != checkpoint.name else default_folder(scenario)


def place_of(out: Path | None, default: Path, *, force: bool) -> NewFolder:
    """Return the folder of a result to be; a default one takes the next free number."""
    from ecosim.folders import NewFolder
    from ecosim.result import FILES, OPTIONAL

    return NewFolder(
        default if out is None else out, FILES, optional=OPTIONAL, force=force, numbered=out is None, otherwise=ANOTHER
    )


def recorder_of(record: list[str], place: NewFolder, after: Path | None = None) -> Recorder | None:
    """Return what records the columns asked for, or goes on with the days recorded before."""
    if not record and after is None:
        return None
    from ecosim.recording import Recorder
    from ecosim.result import DAILY

    return Recorder(place.half / DAILY, record, after=after, shown=place.shown, where="--record", otherwise=ANOTHER)


def founded(scenario: Scenario, threads: int) -> Ecosystem:
    """Build the economy of a scenario."""
    from ecosim.model import Ecosystem

    return Ecosystem(scenario, threads=threads)


def restored(checkpoint: Path, threads: int | None, *, allow_code: bool) -> Ecosystem:
    """Take up the economy of an interrupted run."""
    from ecosim.errors import InputError
    from ecosim.model import Ecosystem

    try:
        eco = Ecosystem.restore(checkpoint, allow_code=allow_code)
    except InputError as error:
        raise InputError(str(error).replace("allow_code=True", "--allow-code")) from None
    eco.threads = eco.threads if threads is None else threads
    return eco


def recorded_before(checkpoint: Path, eco: Ecosystem) -> Path | None:
    """Where the days lie that an interrupted run recorded, if it did: beside its checkpoint, which says so."""
    from ecosim.result import DAILY

    return _beside(checkpoint) if eco.world.memory.pop(DAILY, None) is not None else None


def _beside(checkpoint: Path) -> Path:
    from ecosim.result import DAILY

    return checkpoint.with_name(f"{checkpoint.name.removesuffix('.npz')}.{DAILY}")


def live_and_tell(
    begin: Callable[[], Ecosystem],
    place: NewFolder,
    scenario: Scenario,
    resumed: Path | None,
    recorder: Recorder | None,
    lineage: str,
    *,
    quiet: bool,
) -> None:
    """Live, write and tell; the folder is made first, so that a place that cannot be written to is told at once."""
    from ecosim.paired import RunStopped

    try:
        with place, recorder or nullcontext():
            try:
                result = _live(begin, scenario, recorder, lineage, quiet=quiet)
            except RunStopped as stopped:
                _keep(stopped.eco, place, resumed, recorder)
                raise typer.Exit(130) from None
            folder = result.publish(place)
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written", err=True)
        raise typer.Exit(130) from None
    if resumed is not None:
        for done in (resumed, None if recorder is None else recorder.after):
            with suppress(OSError):
                if done is not None:
                    done.unlink()
    if quiet:
        typer.echo(folder)
    else:
        _tell(result, folder)


def _live(
    begin: Callable[[], Ecosystem], scenario: Scenario, recorder: Recorder | None, lineage: str, *, quiet: bool
) -> Result:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ecosim.paired import RunStopped, finish

    silent = quiet or not sys.stderr.isatty()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=silent) as bar:
        task = bar.add_task(f"building {scenario.name}", total=scenario.days)
        eco = begin()
        if recorder is not None:
            said = recorder.begin(eco)
            if not quiet:
                bar.console.print(said, markup=False, highlight=False, soft_wrap=True)

        def lived(done: int, days: int) -> None:
            bar.update(task, completed=done, description=f"days of {scenario.name}")
            if done == days:
                interrupts.living = False
                if interrupts.asked:
                    raise RunStopped(eco)

        interrupts.living = eco.day + 1 < scenario.days
        try:
            return finish(
                eco,
                progress=lived,
                stop=lambda: interrupts.asked,
                started=started[0],
                recorder=recorder,
                lineage=lineage,
            )
        finally:
            interrupts.living = False


def _keep(eco: Ecosystem, place: NewFolder, resumed: Path | None, recorder: Recorder | None) -> None:
    """Save an interrupted run beside its place, and say how to go on."""
    import shlex
    import shutil

    import numpy as np

    from ecosim.errors import InputError
    from ecosim.folders import NewFile
    from ecosim.result import DAILY

    when = f"interrupted after day {eco.day + 1} of {eco.scenario.days}"
    files = [("checkpoint.npz", ".npz")]
    try:
        if recorder is not None:
            recorder.close()
            files.append((DAILY, f".{DAILY}"))
            eco.world.memory[DAILY] = {"columns": np.array(len(recorder.columns))}  # so that none go on without them
        if resumed is None:
            eco.save(place.half / "checkpoint.npz")
            path = place.keep(CHECKPOINT, *files)
        else:
            path = resumed
            if recorder is not None:  # first, because days that the checkpoint has not lived do no harm beside it
                with NewFile(_beside(path), replace=True) as half:
                    shutil.move(recorder.path, half)
            eco.save(path)
    except InputError as error:
        typer.echo(f"{when}; it cannot be saved to go on later: {error}", err=True)
        return
    allow = " --allow-code" if _has_own_code(eco) else ""
    typer.echo(f"{when}; go on with: ecosim run --resume {shlex.quote(str(path))}{allow}", err=True)


def _has_own_code(eco: Ecosystem) -> bool:
    from ecosim.config import Scenario
    from ecosim.errors import InputError
    from ecosim.rows import Roster

    try:
        Scenario.from_yaml(eco.scenario.to_yaml(), allow_code=False)
    except InputError:
        return True
    return any(cls not in Roster.stock_classes for cls in eco.roster.classes)


def _tell(result: Result, folder: Path) -> None:
    import shlex

    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from ecosim.report.summary import sentences

    # Lines are wrapped for people, not for programs that read them.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    console.print(Text(result.summary["name"], style="bold"))
    for sentence in sentences(result.summary):
        console.print(Padding(Text(sentence), (0, 0, 0, 2), expand=False))
    causes = "" if result.lineage is None else f"; why: ecosim explain {shlex.quote(str(folder))}"
    accounts = "" if result.ledger is None else f"; its accounts: ecosim ledger {shlex.quote(str(folder))}"
    console.print(
        f"Written to {folder} in {time.perf_counter() - started[0]:.1f} s; "
        f"look at {folder / 'figure.png'}{causes}{accounts}",
        markup=False,
    )
