"""An atlas, lived again: some of its cells, or all of them; and its tables of numbers, made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.errors import InputError
from ecosim.rerun.comparison import of_responses
from ecosim.resilience.responses import Responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ecosim.rerun.verifying import Findings

SAMPLE = 3  # cells, spread evenly over all of them


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live cells again, each with all of its replicates and its twin."""
    from ecosim.resilience.atlas_cells import economies, respond
    from ecosim.resilience.atlas_run import read
    from ecosim.resilience.blocks import BlockEconomy

    found = read(folder, allow_code=allow_code)
    lived = [cell for cell in dict.fromkeys(map(found.lived_as, found.cells())) if (folder / cell.file).is_file()]
    if not lived:
        raise InputError(f"{folder}: no cell of the atlas was lived so far; go on with ecosim atlas")
    for cell in lived if every else spread(lived, SAMPLE):
        progress(f"living {cell.file.removesuffix('.parquet')} again")
        spec, rewired, scale = found.spec, cell.table == "rewired", found.scale(cell.table, cell.habit, cell.structure)
        of = economies(spec, cell.structure, rewired=rewired)
        twin = BlockEconomy(spec.scenario(cell.structure, cell.habit, scale=scale, rewired=rewired), of).live()
        here = Responses.load(folder / cell.file)
        findings.note(cell.file, of_responses(cell.file, here, respond(spec, cell, of, twin, scale), here.replicates))
    if not every and len(lived) > SAMPLE:
        findings.left_out = (
            f"{len(lived) - SAMPLE:,} of {len(lived):,} cells were not lived again; --all lives every one"
        )


def spread[Item](items: list[Item], most: int) -> list[Item]:
    """So many of a list, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[round(at * (len(items) - 1) / (most - 1))] for at in range(most)]
