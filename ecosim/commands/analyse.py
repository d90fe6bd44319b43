"""``ecosim analyse``: what a study says, also while it is being lived."""

from __future__ import annotations

import os
import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ecosim.study.analysis.analysis import Analysis
    from ecosim.study.analysis.discovery import Discovery


def analyse(
    study: Annotated[Path, typer.Argument(help="Folder of a study, finished or not.")],
    outcome: Annotated[
        str | None, typer.Option(metavar="NAME", help="Outcome to explain; by default the loss of output.")
    ] = None,
    above: Annotated[
        float | None, typer.Option(help="Look for where the outcome is above this; by default, its largest quarter.")
    ] = None,
    below: Annotated[float | None, typer.Option(help="Look for where the outcome is below this.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write figures (PNG and SVG), tables (CSV) and JSON to this folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder of an earlier analysis.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
) -> None:
    """Say which factors of a study matter, how, and where outcomes of interest lie, each with its uncertainty."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads would only wait for each other
    from rich.console import Console

    from ecosim.study.analysis.analysis import analyse as asked
    from ecosim.study.results import Study

    found = asked(Study.load(study), outcome, above=above, below=below)
    written = None if out is None else found.write(out, force=force)
    if json:
        import json as codec

        typer.echo(codec.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    _show(found, Console(highlight=False, width=None if sys.stdout.isatty() else 120))
    if written is not None:
        typer.echo(f"Written to {written}")


def _show(found: Analysis, console: Console) -> None:
    sample = found.sample
    console.print(
        f"{found.name}: {sample.outcome} at {len(sample.runs):,} points, {sample.kept:,} of {sample.planned:,} runs",
        markup=False,
    )
    for word in found.words:
        console.print(f"! {word}", markup=False, soft_wrap=True)
    if not found.indices.empty:
        _indices(found, console)
    if found.discovery is not None:
        _boxes(found.discovery, console)


def _indices(found: Analysis, console: Console) -> None:
    from rich.table import Table

    table = Table(title="How much each factor matters", box=None, pad_edge=False, title_justify="left")
    table.add_column("factor")
    table.add_column("index")
    for name in ("value", "95 % interval", "by chance"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in found.indices.to_dict("records"):
        chance = "" if isnan(row["chance"]) else f"{row['chance']:.3f}"
        interval = f"{row['low']:.3g} to {row['high']:.3g}"
        cells = (str(row["factor"]), str(row["index"]), f"{row['value']:.3g}", interval, chance)
        table.add_row(*cells, "" if row["converged"] else "not converged")
    console.print(table)


def _boxes(found: Discovery, console: Console) -> None:
    console.print(f"Where outcomes are {found.interest} ({found.base_rate:.0%} of the held-out points):", markup=False)
    for row in found.table.itertuples():
        inside = (
            "no held-out point lies in it"
            if row.held_out_coverage == 0 and str(row.held_out_density) == "nan"
            else f"covers {row.held_out_coverage:.0%} of them, {row.held_out_density:.0%} inside are such "
            f"(95 % {row.low:.0%} to {row.high:.0%}; P {row.p:.2g}), on held-out points"
        )
        confirmed = "confirmed" if row.confirmed else "not confirmed"
        console.print(f"  {row.method}: {row.box}\n    {inside}; {confirmed}", markup=False, soft_wrap=True)
