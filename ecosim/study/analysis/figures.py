"""Figures of an analysis, each as PNG and SVG."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.report.figure import BLUE, GREY, INK, ORANGE, VERMILION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from ecosim.study.analysis.analysis import Analysis

NAMES = ("indices", "effects", "surface", "boxes")
FILES = tuple(f"{name}.{kind}" for name in NAMES for kind in ("png", "svg"))
MOST_FACTORS = 12  # in one figure; those that matter most
SHOWN = ("S1", "ST", "mu_star", "PAWN")
TITLES = {
    "S1": "alone (Sobol' first order)",
    "ST": "with all it interacts with (Sobol' total)",
    "mu_star": "mean effect of crossing the range (Morris)",
    "PAWN": "shift of the distribution (PAWN)",
}


def draw(analysis: Analysis, folder: Path) -> None:
    """Write the figures that there is something to show in."""
    for name, make in pictures(analysis).items():
        save(make, folder, name)


def pictures(analysis: Analysis) -> dict[str, Callable[[], Any]]:
    """What makes each figure that there is something to show in, by name."""
    every: dict[str, tuple[Callable[[Analysis], Any], bool]] = {
        "indices": (_indices, not analysis.indices.empty),
        "effects": (_effects, True),
        "surface": (_surface, analysis.surface is not None),
        "boxes": (_boxes, analysis.discovery is not None),
    }
    return {name: partial(make, analysis) for name, (make, wanted) in every.items() if wanted}


def save(make: Callable[[], Any], folder: Path, name: str) -> None:
    """Write a figure as PNG and SVG, the same bytes for the same numbers."""
    import matplotlib as mpl
    from matplotlib.text import Text

    with mpl.rc_context({"svg.hashsalt": "ecosim", "svg.fonttype": "none"}):
        figure = make()
        for text in figure.findobj(Text):
            text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
        figure.savefig(folder / f"{name}.png")
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def blank(width: float, height: float) -> Any:
    """Make an empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")


def tidy(axes: Any, title: str) -> None:
    """Give axes a title, and take away what says nothing."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)


def _head(figure: Any, analysis: Analysis, what: str) -> None:
    mark = f"\n(provisional: {analysis.sample.missing:,} runs missing)" if analysis.provisional else ""
    figure.suptitle(f"{what}: {analysis.sample.outcome}{mark}", x=0.01, ha="left", fontsize=12, fontweight="bold")


def _indices(analysis: Analysis) -> Any:
    table = analysis.indices
    kinds = [kind for kind in SHOWN if (table["index"] == kind).any()]
    names = analysis.ranking[:MOST_FACTORS][::-1]
    figure = blank(3.6 * len(kinds) + 2.2, 1.6 + 0.36 * len(names))
    rows = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(rows, kinds, strict=True):
        _bars(axes, table[table["index"] == kind].set_index("factor"), names)
        tidy(axes, TITLES[kind])
    _head(figure, analysis, "What matters")
    figure.supxlabel(
        "bars: 95 % interval; hollow: not converged; dotted: what chance alone would give", fontsize=8, color=GREY
    )
    return figure


def _bars(axes: Any, table: pd.DataFrame, names: list[str]) -> None:
    for place, name in enumerate(names):
        if name not in table.index:
            continue
        row = table.loc[name]
        axes.plot([row["low"], row["high"]], [place, place], color=BLUE, lw=2)
        axes.plot(row["value"], place, "o", ms=7, color=BLUE, mfc=BLUE if row["converged"] else "white")
        if not np.isnan(row["chance"]):
            axes.plot([row["chance"]] * 2, [place - 0.3, place + 0.3], ":", color=VERMILION, lw=2)
    axes.axvline(0, color=GREY, lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)


def _effects(analysis: Analysis) -> Any:
    names = analysis.ranking[:MOST_FACTORS]
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = blank(3.6 * across + 0.6, 2.6 * down + 0.8)
    grid = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    logs = {axis.name: axis.log for axis in analysis.sample.axes}
    base = analysis.sample.mean.mean()
    for axes, name in zip(grid, names, strict=False):
        table = analysis.effects[analysis.effects["factor"] == name]
        centre = table["mean"].to_numpy()
        numbers = all(isinstance(value, float) for value in table["value"])
        at = table["value"].to_numpy(float) if numbers else np.arange(len(table))
        half = np.nan_to_num((table["high"] - table["low"]).to_numpy(float) / 2)
        axes.axhline(base, color=GREY, lw=1, ls=":")
        axes.errorbar(at, centre, half, fmt="o-" if numbers else "o", color=BLUE, ms=5, lw=1.4, capsize=3)
        if numbers and logs[name]:
            axes.set_xscale("log")
        if not numbers:
            axes.set_xticks(at, [str(value)[:18] for value in table["value"]], rotation=20, ha="right")
            axes.set_xlim(-0.5, len(table) - 0.5)
        tidy(axes, name)
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    _head(figure, analysis, "Mean over all that the others do")
    figure.supxlabel("bars: 95 % interval of the effect; dotted: mean of all points", fontsize=8, color=GREY)
    return figure


def _surface(analysis: Analysis) -> Any:
    over = analysis.surface
    assert over is not None
    figure = blank(6.4, 4.8)
    axes = figure.subplots()
    drawn = axes.contourf(over.across, over.up, over.mean, levels=12, cmap="cividis")
    points = {axis.name: axis.values for axis in analysis.sample.axes}
    axes.plot(points[over.names[0]], points[over.names[1]], ".", color="white", ms=3, alpha=0.7)
    for log, scale in zip(over.log, (axes.set_xscale, axes.set_yscale), strict=True):
        if log:
            scale("log")
    axes.set_xlabel(over.names[0], fontsize=9)
    axes.set_ylabel(over.names[1], fontsize=9)
    figure.colorbar(drawn, ax=axes).set_label(analysis.sample.outcome, fontsize=9)
    share = max(over.predictivity, 0.0)
    foretold = "over 99%" if share > 0.99 else f"{share:.0%}"  # 100% would be said of a fit that is never perfect
    tidy(axes, f"the others averaged; foretells {foretold} of the variance at points left out")
    _head(figure, analysis, "The two that matter most")
    return figure


def _boxes(analysis: Analysis) -> Any:
    found = analysis.discovery
    assert found is not None
    figure = blank(9.6, 4.6)
    left, right = figure.subplots(1, 2)
    left.plot(found.way["coverage"], found.way["density"], ".-", color=GREY, ms=6, label="each peel, on its own points")
    for marker, method, colour in (("o", "PRIM", BLUE), ("s", "CART", ORANGE)):
        here = found.table[found.table["method"] == method]
        bars = np.abs(here[["low", "high"]].to_numpy().T - here["held_out_density"].to_numpy())
        left.errorbar(here["held_out_coverage"], here["held_out_density"], bars, fmt=marker, color=colour, ms=7,
                      capsize=3, lw=1, label=f"{method}, on held-out points")  # fmt: skip
    left.axhline(found.base_rate, color=VERMILION, ls=":", lw=1.2, label="share of interest anyway")
    left.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.08))
    left.set_xlabel("coverage: of all of interest, the share inside", fontsize=9)
    left.set_ylabel("density: of those inside, the share of interest", fontsize=9)
    left.legend(frameon=False, fontsize=8, loc="best")
    tidy(left, f"outcomes {found.interest}")
    _first_box(right, analysis)
    _head(figure, analysis, "Where outcomes of interest lie")
    return figure


def _first_box(axes: Any, analysis: Analysis) -> None:
    """Points over the two factors that the first box restricts most, with the box."""
    from matplotlib.patches import Rectangle

    found = analysis.discovery
    assert found is not None
    method, box = found.boxes[0]
    order = [name for name in analysis.ranking if name in box.limits]
    names = list(dict.fromkeys([*order, *analysis.ranking]))[:2]
    axes_of = {axis.name: axis for axis in analysis.sample.axes}
    target = found.interest.of(analysis.sample.mean)
    across, up = (axes_of[name] for name in names) if len(names) > 1 else (axes_of[names[0]], None)
    rng = np.random.Generator(np.random.Philox(1))
    x = _places(across, rng)
    y = analysis.sample.mean if up is None else _places(up, rng)
    axes.plot(x[~target], y[~target], "o", color=GREY, ms=3.5, alpha=0.5, lw=0, label="others")
    axes.plot(x[target], y[target], "o", color=VERMILION, ms=4, alpha=0.7, lw=0, label="of interest")
    spans = [_span(axes_of[name], box.limits.get(name), axis) for name, axis in
             zip(names, (axes.get_xlim(), axes.get_ylim()), strict=False)]  # fmt: skip
    spans += [axes.get_ylim()] * (2 - len(spans))
    (left, right), (low, high) = spans
    axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, ec=BLUE, lw=2))
    for axis, set_ticks in ((across, axes.set_xticks), (up, axes.set_yticks)):
        if axis is not None and not axis.number:
            set_ticks(range(len(axis.levels)), [str(level)[:16] for level in axis.levels])
    axes.set_xlabel(across.name, fontsize=9)
    axes.set_ylabel(analysis.sample.outcome if up is None else up.name, fontsize=9)
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    more = len(box.limits) - len(order[:2])
    tidy(axes, f"first box ({method})" + (f", and {more} limits more" if more > 0 else ""))


def _places(axis: Any, rng: np.random.Generator) -> Any:
    """Where points stand; those of few values are spread a little, so that none hides another."""
    values = axis.values.astype(float) if axis.number else axis.codes
    if not axis.discrete:
        return values
    gap = float(np.diff(np.unique(values)).min()) if len(np.unique(values)) > 1 else 1.0
    return values + rng.uniform(-0.25, 0.25, len(values)) * gap


def _span(axis: Any, limit: Any, seen: tuple[float, float]) -> tuple[float, float]:
    if limit is None:
        return seen
    if limit.values is not None:
        places = [at for at, level in enumerate(axis.levels) if level in limit.values]
        return min(places) - 0.45, max(places) + 0.45
    return max(limit.low, seen[0]), min(limit.high, seen[1])
