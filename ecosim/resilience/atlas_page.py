"""An atlas in words and tables, as Markdown: every number of its maps, and nothing that was not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.resilience.atlas_cells import MEASURES
from ecosim.resilience.atlas_explain import explained, patterns
from ecosim.resilience.atlas_map import COLOURS, TABLES
from ecosim.resilience.atlas_ranks import EVERY
from ecosim.resilience.verdicts import Margins

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ecosim.resilience.atlas_run import Atlas

MOST = 12  # lines of the largest patterns


def page(atlas: Atlas) -> str:
    """Every table of an atlas, in Markdown."""
    spec, table = atlas.spec, atlas.table
    tables = [name for name in TABLES if (table["table"] == name).any()]
    parts = [
        f"# {spec.name}: {len(spec.structures)} structures, {len(spec.shocks)} shocks, {len(spec.habits)} habits",
        f"{spec.replicates} paired replicates at {spec.intensities} intensities, {spec.days} days. "
        f"Margins: {Margins()}; corrected by Holm over the structures of a habit and shock.",
        "## Labels",
        _markdown(counts(table)),
        *_open(table),
        "## What habits cost, and what they save",
        _markdown(habits(atlas)),
    ]
    for which in [name for name in tables if name != "rewired"]:
        for habit in spec.habits:
            parts += [f"## {habit}: {TABLES[which]}", _markdown(grid(atlas, which, habit))]
    parts += ["## Ranks", _markdown(standings(atlas)), "## Structures", _markdown(built(atlas))]
    parts += ["## What goes with the response", _markdown(_rounded(explained(atlas)))]
    if "rewired" in tables:
        parts += ["## What is due to the pattern", _markdown(largest(patterns(atlas)))]
    return "\n\n".join(parts) + "\n"


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many cells have each label, by table, measure and habit."""
    found = table.groupby(["table", "measure", "habit"], sort=False)["label"].value_counts().unstack(fill_value=0)
    return found.reindex(columns=list(COLOURS), fill_value=0).reset_index()


def _open(table: pd.DataFrame) -> list[str]:
    """Cells that are INCONCLUSIVE, and how many more replicates each probably needs; nothing where there are none."""
    rows = table[table["label"] == "INCONCLUSIVE"]
    if not len(rows):
        return []
    found = rows[["table", "measure", "habit", "shock", "structure"]].copy()
    for name, said in (("gain", "G, %"), ("worst", "worst d, %")):
        found[said] = [f"{100 * value:.1f}" for value in rows[name]]
    found["n"] = rows["n"]
    found["more replicates"] = [
        "none would do" if np.isnan(more) else f"{more:,.0f}" for more in rows["needed"].astype(float)
    ]
    return ["## INCONCLUSIVE, and how many more replicates would probably do", _markdown(found)]


def habits(atlas: Atlas) -> pd.DataFrame:
    """Mean G, cost and loss of each habit over structures and shocks, with a 95 % interval over replicates."""
    rows = []
    for name in ("own", "equal"):
        for habit in atlas.spec.habits:
            cells = [cell for cell in atlas.cells() if (cell.table, cell.habit) == (name, habit)]
            if not cells:
                continue
            row: dict[str, object] = {"table": name, "habit": habit}
            of = atlas.table[(atlas.table["table"] == name) & (atlas.table["habit"] == habit)]
            row["cost, %"] = f"{100 * of['cost'].mean():.2f}"
            for measure in MEASURES:
                gain = np.mean([atlas.responses(cell).outcomes[f"d_{measure}"].mean(axis=1) for cell in cells], axis=0)
                half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
                row[f"G by {measure}, %"] = f"{100 * gain.mean():.2f} ± {100 * half:.2f}"
            rows.append(row)
    return pd.DataFrame(rows)


def grid(atlas: Atlas, which: str, habit: str, measure: str = "consumption") -> pd.DataFrame:
    """A map as a table: letter of the label, G and worst d in %, by structure and shock."""
    table = atlas.table
    rows = table[(table["table"] == which) & (table["habit"] == habit) & (table["measure"] == measure)]
    told = {(row["structure"], row["shock"]): _cell(row) for row in rows.to_dict("records")}
    shocks = list(atlas.spec.shocks)
    return pd.DataFrame(
        [{"structure": name, **{shock: told[name, shock] for shock in shocks}} for name in atlas.spec.structures]
    )


def _cell(row: dict[Hashable, Any]) -> str:
    gain, worst = (f"{100 * row[name] + 0.0:.1f}".replace("-0.0", "0.0") for name in ("gain", "worst"))
    return f"{COLOURS[row['label']][2]} {gain} ({worst})"


def standings(atlas: Atlas, measure: str = "consumption") -> pd.DataFrame:
    """Mean rank over all shocks by G, with its interval, in each table and habit."""
    ranks = atlas.ranks[(atlas.ranks["shock"] == EVERY) & (atlas.ranks["measure"] == measure)]
    found: dict[str, dict[str, str]] = {name: {"structure": name} for name in atlas.spec.structures}
    for row in ranks[ranks["table"] != "rewired"].to_dict("records"):
        told = f"{row['rank']:.1f} [{row['rank_low']:.1f}, {row['rank_high']:.1f}]"
        found[str(row["structure"])][f"{row['habit']}, {row['table']}"] = told
    return pd.DataFrame(list(found.values()))


def built(atlas: Atlas) -> pd.DataFrame:
    """What the network of each structure is like, mean over the replicates looked at."""
    names = {
        "clients_gini": "Gini of clients", "size_herfindahl": "Herfindahl of sizes", "in_cycles": "firms in cycles",
        "modularity_z": "modularity z", "core_periphery_z": "core z", "assortativity_z": "assortativity z",
        "schneider_r_z": "Schneider R z", "esri_mean": "mean ESRI", "esri_max": "largest ESRI",
        "esri_gini": "Gini of ESRI",
    }  # fmt: skip
    return pd.DataFrame(
        [
            {"structure": name, **{said: _number(found["network"][key]) for key, said in names.items()}}
            for name, found in atlas.structures.items()
        ]
    )


def largest(found: pd.DataFrame) -> pd.DataFrame:
    """Patterns with the largest effect among those shown (Holm, 5 %)."""
    shown = found[found["p"] <= 0.05].copy()
    shown = shown.loc[shown["pattern"].abs().sort_values(ascending=False).index].head(MOST)
    return pd.DataFrame(
        {
            "habit": shown["habit"],
            "shock": shown["shock"],
            "structure": shown["structure"],
            "due to pattern, points": [_interval(row, "pattern") for row in shown.to_dict("records")],
            "due to degrees, points": [_interval(row, "degrees") for row in shown.to_dict("records")],
        }
    )


def _interval(row: dict[Hashable, Any], name: str) -> str:
    value, low, high = (100 * row[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame.copy()
    found["slope"] = [f"{100 * value:+.2f} points" for value in frame["slope"]]
    for name in ("r2", "p", "p_bh"):
        found[name] = [f"{value:.2g}" for value in frame[name]]
    found["inflation"] = [f"{value:.0f}" for value in frame["inflation"]]
    return found


def _markdown(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + "---|" * len(frame.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines)
