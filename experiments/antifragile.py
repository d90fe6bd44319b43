"""Is any structure antifragile with any habit? An honest search, and a test on shocks that the search has not seen.

The search (configs/atlases/antifragile.yaml) lives habits that could gain from trouble on every structure. Pairs of
structure and habit are ranked by how near they come to ANTIFRAGILE on the shocks of the search; the best few are then
frozen, and only then the sealed shocks (configs/atlases/sealed.yaml) are opened: other types, through other channels,
with other draws. Both measures of output are told: customers cannot get more than they want, so by consumption there is
nothing to be gained; by production there is, and it has to be asked what the gain consists of.

    python experiments/antifragile.py --out antifragile --workers 2
    python experiments/antifragile.py --quick
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from ecosim.resilience.atlas_run import Atlas, atlas
from ecosim.resilience.atlas_spec import AtlasSpec, load

FINALISTS = 6  # pairs of structure and habit that are tested
NUMBERS = ["measure", "habit", "structure", "shock", "label", "gain", "worst", "min_curvature", "jensen_gap", "n"]


def finalists(searched: Atlas, many: int = FINALISTS) -> pd.DataFrame:
    """Pairs that come nearest to ANTIFRAGILE: smallest mean P of that claim over shocks and, at equals, largest J."""
    table = searched.table
    pairs = table.groupby(["habit", "structure", "measure"]).agg(
        p=("p_antifragile", "mean"), jensen_gap=("jensen_gap", "mean"), gain=("gain", "mean")
    )
    best = pairs.reset_index().sort_values(["p", "jensen_gap"], ascending=[True, False])
    return best.drop_duplicates(["habit", "structure"]).head(many)


def sealed(search: AtlasSpec, chosen: pd.DataFrame, *, quick: bool) -> AtlasSpec:
    """Put the chosen structures and habits before the sealed shocks."""
    spec = load("sealed")
    structures = {name: search.structures[name] for name in search.structures if name in set(chosen["structure"])}
    if len(structures) < 2:  # two are the least that can be compared
        structures = {**dict(list(search.structures.items())[:2]), **structures}
    habits = {name: search.habits[name] for name in search.habits if name in set(chosen["habit"])}
    update = {"structures": structures, "habits": habits, "economy": search.economy, "days": search.days}
    spec = spec.model_copy(update=update)
    return spec.quick() if quick else spec


def told(table: pd.DataFrame, title: str) -> str:
    """Labels by measure, and the numbers of whatever came nearest to a gain."""
    lines = [f"## {title}", ""]
    for measure, rows in table.groupby("measure"):
        counts = ", ".join(f"{many} {label}" for label, many in rows["label"].value_counts().items())
        lines.append(f"- by {measure}: {counts} ({int(rows['gains'].sum())} with a gain); n = {rows['n'].iloc[0]}")
    best = table.sort_values(["p_antifragile", "jensen_gap"], ascending=[True, False]).head(10)[NUMBERS].round(4)
    return "\n".join([*lines, "", "Nearest to ANTIFRAGILE:", "", best.to_string(index=False), ""])


def main() -> None:
    """Search, freeze, open, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="folder for both atlases; goes on where it was left")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small and in seconds: shows how, says nothing")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.out or Path(scratch)
        search = load("antifragile")
        search = search.quick() if chosen.quick else search
        found = atlas(search, out=folder / "search", workers=chosen.workers)
        print(told(found.table, "Search: shocks that may be looked at"), flush=True)
        pairs = finalists(found)
        print("Frozen:", "; ".join(f"{row['structure']} with {row['habit']}" for row in pairs.to_dict("records")), "\n")
        test = atlas(sealed(search, pairs, quick=chosen.quick), out=folder / "sealed", workers=chosen.workers).table
        kept = test.merge(pairs[["habit", "structure"]].drop_duplicates())
        print(told(kept, "Test: sealed shocks"), flush=True)
        gained = kept[kept["label"] == "ANTIFRAGILE"]
        if len(gained):
            names = ", ".join(
                f"{row['structure']} with {row['habit']} under {row['shock']} (by {row['measure']})"
                for row in gained.to_dict("records")
            )
            print(f"ANTIFRAGILE against a sealed shock: {names}.")
        else:
            print("None of them is shown to be antifragile against any of the sealed shocks.")


if __name__ == "__main__":
    main()
