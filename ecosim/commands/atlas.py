"""``ecosim atlas``: the map of which structure is what, under which shock, with which habits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from ecosim.resilience.atlas_run import Atlas

NEWS = 30.0  # seconds between two lines of progress


def atlas(
    named: Annotated[
        str, typer.Argument(metavar="[ATLAS]", help="YAML file of an atlas, or the name of a shipped one.")
    ] = "default",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the atlas, begun or to be made; atlases/NAME by default.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Processes; the result is the same.", show_default="one a core")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A corner of it in seconds: shows how, says nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the folder of the tables.")] = False,
) -> None:
    """Classify structures x shocks x habits: label, G, worst d, curvature, recovery, failures, equity, cost, ranks.

    Kill it, and the same command goes on.
    """
    from ecosim.folders import safe_name
    from ecosim.resilience.atlas_run import atlas as computed
    from ecosim.resilience.atlas_spec import load
    from ecosim.resilience.pool import cores

    spec = load(named).quick() if quick else load(named)
    place = out if out is not None else Path("atlases") / safe_name(spec.name)
    begun = told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if not quiet and (done == total or time.monotonic() - told > NEWS):
            told = time.monotonic()
            typer.echo(f"{done:,} of {total:,} cells after {told - begun:.0f} s", err=True)

    if not quiet:
        size = f"{len(spec.structures)} structures x {len(spec.shocks)} shocks x {len(spec.habits)} habits"
        typer.echo(f"{spec.name}: {size}, {spec.replicates} replicates of each, in {place}", err=True)
    with terminal.resumable(f"the cells that ended are kept in {place}"):
        found = computed(spec, out=place, workers=workers or cores(), progress=progress)
        written = found.write()
    typer.echo(written[0].parent if quiet else _end(found, written, time.monotonic() - begun))


def _end(found: Atlas, written: list[Path], seconds: float) -> str:
    table = found.table
    own = table[(table["table"] == "own") & (table["measure"] == "consumption")]
    lines = []
    for habit, rows in own.groupby("habit", sort=False):
        counts = ", ".join(f"{many} {label}" for label, many in rows["label"].value_counts().items())
        lines.append(f"  {habit}: {counts}; G {100 * rows['gain'].mean():.3g} % in the mean, worst d "
                     f"{100 * rows['worst'].min():.3g} %, n = {rows['n'].iloc[0]} in each cell")  # fmt: skip
        open_ = rows.loc[rows["label"] == "INCONCLUSIVE", "needed"].dropna()
        if len(open_):
            lines.append(
                f"    INCONCLUSIVE: {open_.min():,.0f} to {open_.max():,.0f} more replicates would probably do"
            )
    files = ", ".join(path.name for path in written)
    return "\n".join([*lines, f"after {seconds:.0f} s; in {written[0].parent}: {files}"])
