"""A comparison, lived again: its first replicates, or all of them; and its tables, made anew of its responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim import artefact
from ecosim.rerun.difference import Difference, of_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ecosim.rerun.verifying import Findings
    from ecosim.resilience.responses import Responses

SAMPLE = 3  # replicates of each scenario


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live replicates of each scenario, and compute all that the comparison says of the responses in its folder."""
    from ecosim.resilience.comparison_folder import differences, read
    from ecosim.resilience.twins import respond

    held = read(folder, allow_code=allow_code)
    for at, (name, here) in enumerate(held.responses.items(), 1):
        many = here.replicates if every else min(SAMPLE, here.replicates)
        progress(f"living {many:,} replicates of {name} again")
        lived = respond(
            held.scenarios[name],
            replicates=max(many, 2),
            intensities=len(here.x),
            axis=here.made.axis,  # type: ignore[arg-type]
            window=here.made.window,
        )
        findings.note(
            f"{many:,} of {here.replicates:,} replicates of {name}",
            of_responses(f"responses_{at}.parquet", here, lived, many),
        )
    for file, table in (
        ("verdicts.parquet", held.table()), ("effects.parquet", held.effects), ("dominance.parquet", differences(held)),
    ):  # fmt: skip
        findings.note(file, of_tables(file, artefact.table(folder / file, "compare again"), table))
    if not every:
        findings.left_out = "the other replicates were not lived again; --all lives every one"


def of_responses(file: str, here: Responses, lived: Responses, many: int) -> Difference | None:
    """The first difference of so many first replicates; intensities, which are means over all of them, are left out."""
    one, other = (of.first(many).table().drop(columns="x") for of in (here, lived))
    found = of_tables(file, one, other)
    if found is None and many == here.replicates:
        return of_tables(file, here.table(), lived.first(many).table())
    return found
