"""A map of a run's firms: where they stand, how large they are, and what they lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.report.figure import GREY, INK

if TYPE_CHECKING:
    import pandas as pd

LARGEST, SMALLEST = 160.0, 3.0  # area of a dot, square points
MANY = 1000  # firms from which dots are drawn as an image


def losses(firms: pd.DataFrame) -> Any:
    """Make the figure from a result's firms; a shade of the perceptually even map "cividis" is a share lost."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.6), dpi=150, layout="constrained", facecolor="white")
    axes: Any = figure.subplots()
    order = np.argsort(firms["lost_percent"].to_numpy(), kind="stable")  # those that lost most lie on top
    shown = firms.iloc[order]
    lost = np.clip(shown["lost_percent"].to_numpy(dtype=float), 0.0, 100.0)
    area = SMALLEST + LARGEST * shown["output"].to_numpy() / float(firms["output"].max())
    struck = shown["struck"].to_numpy(dtype=bool)
    dots = axes.scatter(
        shown["x"], shown["y"], s=area, c=lost, cmap="cividis_r", vmin=0, vmax=max(float(lost.max()), 1e-9),
        edgecolors=[INK if hit else "white" for hit in struck], linewidths=[0.5 if hit else 0.2 for hit in struck],
        rasterized=len(firms) > MANY,
    )  # fmt: skip
    figure.colorbar(dots, ax=axes, shrink=0.8).set_label("output lost, % of the twin's", fontsize=10)
    for name, here in firms.groupby("region", observed=True):
        top = float(np.quantile(here["y"], 0.98))  # above most of its firms, but for those far out
        text = axes.text(here["x"].median(), top, str(name), fontsize=9, color=INK, ha="center", va="bottom")
        text.set_bbox({"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75})
        text.set_parse_math(False)
    axes.set_title("Who lost how much, where (ringed: struck by a shock)", loc="left", fontsize=11, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="box")
    for side in axes.spines.values():
        side.set_color(GREY)
        side.set_linewidth(0.5)
    return figure
