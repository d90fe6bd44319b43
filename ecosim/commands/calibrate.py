"""``ecosim calibrate``: fit the factors of a study to what was observed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ecosim.study.calibrating import Calibration


def calibrate(
    study: Annotated[str, typer.Argument(help="YAML file of a study with targets, or the name of a shipped one.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder, begun or to be made; studies/NAME-calibrated by default.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Processes; the fit is the same.", show_default="one a core")
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler, or local.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Begin even a wave that takes more than a day.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
) -> None:
    """Fit the factors of a study to its targets, and say how well each is known. Kill it, and it goes on."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads would only wait for each other
    from rich.console import Console

    from ecosim.commands.sweep import Teller
    from ecosim.folders import safe_name
    from ecosim.study.calibrating import calibrate as done
    from ecosim.study.reading import load

    spec = load(study)
    place = out if out is not None else Path("studies") / f"{safe_name(spec.name)}-calibrated"
    signal.signal(signal.SIGINT, signal.default_int_handler)  # every run that ended is kept
    try:
        with Teller(quiet=json) as teller:
            found = done(spec, out=place, workers=workers, cluster=cluster, yes=yes, progress=teller)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; the runs that ended are kept in {place}, and the same command goes on", err=True)
        raise typer.Exit(130) from None
    if json:
        import json as codec

        typer.echo(codec.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    _show(found, Console(highlight=False, width=None if sys.stdout.isatty() else 120))
    typer.echo(f"In {place}: calibration.json" + ("" if found.ruled_out else ", posterior.csv, calibration.png"))


def _show(found: Calibration, console: Console) -> None:
    from rich.table import Table

    for row in found.waves.itertuples():
        console.print(f"wave {row.wave}: {row.points} points, {row.runs} runs; {row.left:.2%} of the space is left")
    for word in found.words:
        console.print(f"! {word}", markup=False, soft_wrap=True)
    for title, frame in (("Factors, with 95 % intervals", found.factors), ("Targets", found.targets)):
        if frame.empty:
            continue
        table = Table(title=title, box=None, pad_edge=False, title_justify="left")
        for name in frame.columns:
            table.add_column(str(name).replace("_", " "), justify="right")
        for cells in frame.itertuples(index=False):
            table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells))
        console.print(table)
