"""The map of an atlas: structures in rows, shocks in columns, a panel for each habit; and ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.resilience.atlas_ranks import EVERY

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    import pandas as pd

    from ecosim.resilience.atlas_spec import AtlasSpec

# Okabe & Ito (2008): distinguishable with every common form of colour blindness; letters say the same without colour.
COLOURS = {
    "FRAGILE": ("#D55E00", "white", "F"),
    "INCONCLUSIVE": ("#C9C9C9", "#222222", "?"),
    "RESILIENT": ("#A6D8F2", "#222222", "Rs"),
    "ROBUST": ("#0072B2", "white", "Rb"),
    "ANTIFRAGILE": ("#F0E442", "#222222", "A"),
}
TABLES = {
    "own": "habits as they are",
    "equal": "every habit at the same cost",
    "rewired": "structures rewired, degrees kept",
}
WHAT = {"consumption": "what customers got", "production": "everything made, restocking included"}
WRAP = 15  # letters of a line above a column


def draw(spec: AtlasSpec, table: pd.DataFrame, path: Path, *, which: str = "own", measure: str = "consumption") -> None:
    """Write a map as a PNG: colour and letter the label, number G in % of the twin's."""
    picture(spec, table, which=which, measure=measure).savefig(path)


def picture(
    spec: AtlasSpec, table: pd.DataFrame, *, which: str = "own", measure: str = "consumption", titled: bool = True
) -> Any:
    """Make the figure of a map; one that is not ``titled`` is for a page whose caption says what it is."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    chosen = table[(table["table"] == which) & (table["measure"] == measure)]
    habits = [name for name in spec.habits if (chosen["habit"] == name).any()]
    structures, shocks = list(spec.structures), list(spec.shocks)
    wide = 2.1 + len(habits) * (0.62 * len(shocks) + 0.25)
    figure = Figure(figsize=(max(wide, 7.5), 3.2 + 0.44 * len(structures)), dpi=130, facecolor="white")
    axes = figure.subplots(1, len(habits), sharey=True, squeeze=False)[0]
    for panel, habit in zip(axes, habits, strict=True):
        _panel(panel, spec, chosen[chosen["habit"] == habit].to_dict("records"), habit)
    axes[0].set_yticks(range(len(structures)), [name.replace("_", " ") for name in structures], fontsize=12)
    labels = [
        Patch(facecolor=face, edgecolor="#555555", label=f"{letter}  {name}")
        for name, (face, _, letter) in COLOURS.items()
    ]
    rows = 1 if titled else 2  # of the legend
    figure.legend(handles=labels, loc="lower center", ncols=-(-len(labels) // rows), frameon=False, fontsize=12)
    title = (
        f"Mean response G to each shock, % of {WHAT[measure]} without it: {TABLES[which]} "
        f"({spec.name}; {chosen['n'].iloc[0]} replicates)"
    )
    if titled:
        figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold")
    inch = figure.get_size_inches()
    below, above = (1.0, 1.75) if titled else (1.25, 1.35)
    figure.subplots_adjust(
        left=1.5 / inch[0], right=1 - 0.1 / inch[0], bottom=below / inch[1], top=1 - above / inch[1], wspace=0.03
    )
    return figure


def _panel(panel: Any, spec: AtlasSpec, rows: list[dict[Hashable, Any]], habit: str) -> None:
    structures, shocks = list(spec.structures), list(spec.shocks)
    of = {(row["structure"], row["shock"]): row for row in rows}
    for at, structure in enumerate(structures):
        for place, shock in enumerate(shocks):
            row = of[structure, shock]
            face, ink, letter = COLOURS[row["label"]]
            panel.fill(
                [place, place + 1, place + 1, place], [at - 0.5, at - 0.5, at + 0.5, at + 0.5], face, ec="white", lw=1.5
            )
            gain = "+" if row["gains"] else ""
            panel.text(place + 0.5, at + 0.05, _percent(row["gain"]), color=ink, ha="center", va="center", fontsize=11)
            panel.text(place + 0.94, at - 0.27, letter + gain, color=ink, ha="right", va="center", fontsize=7.5)
    titles = [_wrapped(spec.shocks[name].title or name) for name in shocks]
    panel.set_xticks(np.arange(len(shocks)) + 0.5, titles, fontsize=9.5, rotation=90, linespacing=0.95)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.set(xlim=(0, len(shocks)), ylim=(len(structures) - 0.5, -0.5))
    panel.set_xlabel(_wrapped(spec.habits[habit].title or habit, 48), fontsize=12, fontweight="bold", labelpad=6)
    for side in panel.spines.values():
        side.set_visible(False)


def _percent(share: float) -> str:
    value = 100.0 * share
    told = f"{value:.1f}" if abs(value) < 9.95 else f"{value:.0f}"
    return "0.0" if told == "-0.0" else told.replace("-", "−")


def _wrapped(text: str, width: int = WRAP) -> str:
    from textwrap import wrap

    return "\n".join(wrap(text, width))


def draw_ranks(spec: AtlasSpec, ranks: pd.DataFrame, path: Path, measure: str = "consumption") -> None:
    """Write a PNG of mean ranks over all shocks with their intervals: habits as they are, and at equal cost."""
    ranks_picture(spec, ranks, measure).savefig(path)


def ranks_picture(spec: AtlasSpec, ranks: pd.DataFrame, measure: str = "consumption") -> Any:
    """Make the figure of mean ranks."""
    from matplotlib.figure import Figure

    chosen = ranks[(ranks["measure"] == measure) & (ranks["shock"] == EVERY) & (ranks["table"] != "rewired")]
    tables = list(dict.fromkeys(chosen["table"]))
    figure = Figure(figsize=(5.2 * len(tables) + 2, 1.9 + 0.36 * len(spec.structures)), dpi=130, layout="constrained")
    axes = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    ink = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
    names = list(spec.structures)
    for panel, table in zip(axes, tables, strict=True):
        for at, habit in enumerate(spec.habits):
            rows = chosen[(chosen["table"] == table) & (chosen["habit"] == habit)].set_index("structure").loc[names]
            y = np.arange(len(names)) + 0.22 * (at - (len(spec.habits) - 1) / 2)
            panel.hlines(y, rows["rank_low"], rows["rank_high"], color=ink[at % len(ink)], lw=2.5)
            panel.plot(rows["rank"], y, "osD^v<"[at % 6], color=ink[at % len(ink)], ms=7, label=habit)
        panel.set_title(TABLES[table], loc="left", fontsize=12)
        panel.set_xlabel("mean rank over all shocks (1 is best), bootstrap interval 95 %", fontsize=10)
        panel.grid(axis="x", color="#dddddd")
        panel.set_axisbelow(True)
        for side in ("top", "right", "left"):
            panel.spines[side].set_visible(False)
    axes[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=11)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False, fontsize=11)
    return figure
