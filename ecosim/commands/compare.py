"""``ecosim compare``: several scenarios under the same shock and the same luck."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEWS = 30.0  # seconds between two lines of progress


def compare(
    scenarios: Annotated[
        list[str], typer.Argument(help="YAML files or names of shipped scenarios; others are held against the first.")
    ],
    replicates: Annotated[
        int | None, typer.Option(help="Replicates of each; 120, or 480 at most with --looks.")
    ] = None,
    looks: Annotated[
        bool, typer.Option("--looks", help="Look at 60, 120, 240 and 480 replicates, and stop when it is decided.")
    ] = False,
    axis: Annotated[
        str, typer.Option(help="What grows from 0 to the scenario's own: severity, or reach.")
    ] = "severity",
    intensities: Annotated[int, typer.Option(help="Steps of it, an odd number from 5.")] = 9,
    seed: Annotated[int | None, typer.Option(help="One seed for all, where their own differ.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the result; comparisons/NAMES by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder of an earlier comparison.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes; the result is the same.", show_default="one a core")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compare scenarios under the same shock: paired effects, dominance, verdicts, and what each costs to keep.

    Kill it, and the same command goes on from the replicates that ended.
    """
    import json

    from ecosim.resilience.comparison import compare as compared
    from ecosim.resilience.comparison_alike import names
    from ecosim.resilience.comparison_folder import place, plain
    from ecosim.resilience.pool import cores

    named = names(scenarios)
    if seed is not None:
        named = {name: scenario.with_({"seed": seed}) for name, scenario in named.items()}
    folder = out if out is not None else _default_folder(named)
    place(folder, force=force)  # refuse before an hour's work, and not after it
    kept = folder.with_name(f"{folder.name}.replicates")
    with terminal.resumable(f"replicates so far are kept in {kept}"):
        found = compared(
            named,
            replicates=replicates if replicates is not None else 480 if looks else 120,
            looks=looks,
            axis=axis,  # type: ignore[arg-type]
            intensities=intensities,
            workers=workers or cores(),
            progress=_teller(),
            keep=kept,
        )
    written = found.save(folder, force=force)
    shutil.rmtree(kept, ignore_errors=True)
    typer.echo(
        json.dumps(plain(found), indent=2, ensure_ascii=False) if as_json else f"{found}\n\nWritten to {written}"
    )


def _default_folder(names: Iterable[str]) -> Path:
    from ecosim.folders import safe_name

    return Path("comparisons") / safe_name("_and_".join(names))


def _teller() -> Callable[[int, int], None]:
    """Tells progress in a line now and then."""
    from ecosim.study.progress import duration

    begun = told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > NEWS:
            told = time.monotonic()
            so_far = told - begun
            left = duration((total - done) * so_far / done)
            typer.echo(
                f"{done:,} of at most {total:,} replicates after {so_far:.0f} s, about {left} left at most", err=True
            )

    return progress
