"""A policy study, lived again: some runs of each of its stages, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.artefact import stages
from ecosim.rerun import sweep
from ecosim.rerun.verifying import Findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live runs of each stage again; the tables follow from the stages, and are not computed again."""
    for stage in stages(folder):
        found = Findings()
        sweep.again(stage, found, every=every, allow_code=allow_code, progress=progress)
        findings.compared += [f"{stage.name}: {each}" for each in found.compared]
        findings.differences += found.differences
    rest = "" if every else "; some runs of each stage were lived again, and --all lives every one"
    findings.left_out = f"the study's tables were not computed again from its runs{rest}"
