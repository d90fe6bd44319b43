"""Noise of the engine itself, what pairing is worth there, and how often the verdict is wrong under such noise.

Two worlds, the published core and one with all mechanisms, are lived at nine intensities with common random numbers.
Told are the spread of total output over replicates, its correlation with the twin's, the spread of single responses,
and the variance ratio: how many times more replicates a study without common random numbers would need. Then the
responses are centred, and whole replicates of what is left (d and e together) are drawn again around the 22 truths of
verdict_errors.py, whose labels are known.

    python experiments/engine_noise.py --out docs --keep engine_noise --workers 2
    python experiments/engine_noise.py --quick
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

import ecosim
from ecosim.resilience import Responses, respond

sys.path.insert(0, str(Path(__file__).parent))
from verdict_errors import REPLICATES, fill, rates, resampled, table, worst

WORLDS = {
    "main street, 300 firms": ("main_street", {"economy.firms": 300, "days": 120}),
    "default world, 60 firms": ("default_world", {"economy.firms": 60, "days": 120}),
}


def lived(name: str, replicates: int, workers: int, keep: Path | None, *, quick: bool) -> Responses:
    """Responses of one of the worlds to its own shocks."""
    base, changes = WORLDS[name]
    world = ecosim.load(base).with_({**changes, **({"days": 50, "economy.firms": 60} if quick else {})})
    file = None if keep is None else keep / f"{name.replace(', ', '_').replace(' ', '_')}.parquet"
    return respond(world, replicates=replicates, workers=workers, keep=file)


def noise(name: str, found: Responses) -> dict[str, object]:
    """Spread, correlation with the twin, and variance ratio of one world, at half and at full strength."""
    output = found.outcomes["output"]
    sigma = output.std(axis=0, ddof=1) / output.mean(axis=0)
    half, full = len(found.x) // 2, -1
    row: dict[str, object] = {"world": name, "n": str(found.replicates), "sd of output, twin": sigma[0]}
    for word, at in (("half", half), ("full", full)):
        row[f"sd of d, {word}"] = found.d[:, at].std(ddof=1)
        row[f"twin correlation, {word}"] = f"{found.twin_correlation[at]:.3f}"
        row[f"variance ratio, {word}"] = f"{found.variance_ratio[at]:.1f}"
    return row


def main() -> None:
    """Live the worlds, tell their noise, and try the rule under it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--replicates", type=int, default=120)
    asked.add_argument("--studies", type=int, default=1000)
    asked.add_argument("--workers", type=int, default=1)
    asked.add_argument("--keep", type=Path, default=None, help="folder for the responses; goes on where it was left")
    asked.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    asked.add_argument("--out", type=Path, default=None, help="folder with verdict.md, for its tables")
    given = asked.parse_args()
    replicates, studies = (6, 4) if given.quick else (given.replicates, given.studies)
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    told, wrong = [], []
    for name in WORLDS:
        found = lived(name, replicates, given.workers, given.keep, quick=given.quick)
        told.append(noise(name, found))
        errors = worst(rates(resampled(found.d, found.e), studies, REPLICATES, on_margin=5))
        wrong.append(errors.assign(world=name)[["world", *errors.columns]])
    parts = {"engine": table(pd.DataFrame(told)), "engine errors": table(pd.concat(wrong))}
    for name, part in parts.items():
        print(f"## {name}\n\n{part}\n")
    if given.out is not None:
        fill(given.out / "verdict.md", parts)


if __name__ == "__main__":
    main()
