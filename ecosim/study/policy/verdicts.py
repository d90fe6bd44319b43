"""Verdicts: is the world with a package fragile, robust, resilient or antifragile as the shocks grow?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim.errors import InputError
from ecosim.folders import safe_name
from ecosim.resilience.pool import processes
from ecosim.resilience.several import correct
from ecosim.resilience.twins import respond
from ecosim.study.policy.packages import policies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ecosim.resilience.verdicts import Verdict
    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.spec import PolicySpec

FOLDER = "verdicts"


def judge(
    spec: PolicySpec,
    packages: Sequence[Package],
    folder: Path,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Judge every package under every kind of trouble, in the base world; a row each, corrected by Holm over all.

    The twin of a run is the world with the same policies and without shocks (see `ecosim.resilience.intensity`), so
    that what a package does in peace is no response to stress. Replicates are kept in ``folder`` while they are lived.
    A trouble whose strength cannot be scaled has no verdict, and the reason instead.
    """
    plan = spec.verdict
    if plan is None:
        return pd.DataFrame()
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, str], Verdict] = {}
    refused: dict[tuple[str, str], str] = {}
    cells = [(each, kind) for each in packages for kind in spec.shocks]
    with processes(workers) as pool:  # one for all: a process takes a second to start, and keeps what it has loaded
        for at, (each, kind) in enumerate(cells):
            shocks = list(spec.shocks[kind])
            world = spec.base.with_(
                {"name": f"{each.name}, {kind}"[:200], "shocks": shocks, "policies": policies(spec, each, shocks)}
            )
            kept = folder / FOLDER / f"{safe_name(f'{each.name}-{kind}')[:60]}-{world.digest()[:12]}.parquet"
            try:
                responses = respond(
                    world, replicates=plan.replicates, intensities=plan.intensities, workers=pool or 1, keep=kept
                )
                found[each.name, kind] = responses.classify()
            except InputError as error:
                refused[each.name, kind] = str(error)
            if progress is not None:
                progress(at + 1, len(cells))
    corrected = correct({f"{name}\0{kind}": verdict for (name, kind), verdict in found.items()}) if found else {}
    rows = []
    for each, kind in cells:
        about: dict[str, Any] = {"package": each.name, "type": kind}
        verdict = corrected.get(f"{each.name}\0{kind}")
        if verdict is None:
            rows.append(about | {"label": "", "reason": refused[each.name, kind]})
        else:
            rows.append(about | {"label_alone": found[each.name, kind].label} | verdict.row())
    return pd.DataFrame(rows)
