"""Figures of a policy study: the front with its convergence, effects with intervals, winners and losers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.report.figure import BLUE, GREY, INK, ORANGE, VERMILION
from ecosim.study.analysis.figures import blank, save
from ecosim.study.policy.tables import HEADLINE, NOTHING_SHOWN, SAVES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecosim.study.policy.results import Found

MOST = 30  # rows of a forest plot
MOST_PACKAGES = 12  # columns of winners and losers
COLOURS = {SAVES: BLUE, NOTHING_SHOWN: GREY}


def draw(found: Found, folder: Path) -> None:
    """Write the figures that there is something to show in."""
    save(lambda: _pareto(found), folder, "pareto")
    if not found.tables["effects"].empty:
        save(lambda: _effects(found), folder, "effects")
    if not found.tables["winners"].empty:
        save(lambda: _winners(found), folder, "winners")


def _pareto(found: Found) -> Any:
    spec, tables = found.spec, found.tables
    volumes = tables["generations"]
    figure = blank(11, 4.6)
    front, course = figure.subplots(1, 2, width_ratios=[2, 1])
    statistic = "loss" if spec.search.statistic == "mean" else "loss_quantile"
    seen, tested = tables["packages"], tables["held_out"]
    front.scatter(seen["cost"], seen[statistic], s=14, color=GREY, alpha=0.6, label="lived, futures it was chosen by")
    on = seen[seen["front"]].sort_values("cost")
    front.plot(on["cost"], on[statistic], "o-", color=BLUE, ms=5, lw=1.2, label="front there")
    if statistic == "loss_quantile":
        fresh = tested.sort_values("cost_held_out")
        front.plot(fresh["cost_held_out"], fresh["loss_quantile_held_out"], "x", color=VERMILION, ms=7,
                   label="finalists, fresh futures")  # fmt: skip
    if spec.target is not None:
        front.axhline(spec.target.loss, color=ORANGE, lw=1, ls="--", label=f"target: {spec.target.loss:g} %")
    what = f"{spec.outcome} lost, % of the twin's"
    of = "mean of futures" if statistic == "loss" else f"{100 * spec.share:g} % quantile of futures"
    _plain(front, "Cost and loss", "spent, days of all output", f"{what}\n{of}")
    if volumes.empty:
        course.set_axis_off()
    else:
        course.plot(volumes["generation"], volumes["hypervolume"], "o-", color=BLUE, ms=4)
        course.set_ylim(bottom=0.0)
        course.xaxis.get_major_locator().set_params(integer=True)
        _plain(course, "Convergence", "generation", "hypervolume, days x points")
    front.legend(frameon=False, fontsize=8)
    return figure


def _effects(found: Found) -> Any:
    rows = found.tables["effects"]
    rows = rows[(rows["family"] == HEADLINE)].sort_values("effect").tail(MOST)
    figure = blank(8.5, 1.4 + 0.27 * len(rows))
    axes = figure.subplots()
    _forest(axes, rows, [f"{name} ({where.replace('_', '-')}, n = {n})" for name, where, n in
                         zip(rows["package"], rows["futures"], rows["n"], strict=True)])  # fmt: skip
    unit = f"{found.spec.outcome} saved against doing nothing, points of the twin's"
    _plain(axes, "Effects, all troubles alike", unit, "")
    return figure


def _forest(axes: Any, rows: pd.DataFrame, labels: list[str]) -> None:
    """A point with its interval a row; coloured where the corrected test shows something."""
    at = np.arange(len(rows))
    for place, row in zip(at, rows.to_dict("records"), strict=True):
        colour = COLOURS.get(row["claim"], VERMILION)
        axes.plot([row["low"], row["high"]], [place, place], color=colour, lw=2)
        axes.plot(row["effect"], place, "o", color=colour, ms=5)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(at, labels, fontsize=8)


def _winners(found: Found) -> Any:
    rows = found.tables["winners"]
    packages = list(dict.fromkeys(rows["package"]))[-MOST_PACKAGES:]
    rows = rows[rows["package"].isin(packages)].drop_duplicates(["package", "grouping", "group"], keep="last")
    names = list(dict.fromkeys(zip(rows["grouping"], rows["group"], strict=True)))
    grid = rows.set_index(["grouping", "group", "package"])
    values = np.array([[grid.loc[(*name, each), "effect"] for each in packages] for name in names])
    shown = np.array([[grid.loc[(*name, each), "claim"] != NOTHING_SHOWN for each in packages] for name in names])
    figure = blank(4.5 + 0.55 * len(packages), 2.2 + 0.24 * len(names))
    axes = figure.subplots()
    most = float(np.abs(values).max()) or 1.0
    image = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    for row, column in zip(*np.nonzero(shown), strict=True):
        axes.text(column, row, "*", ha="center", va="center", fontsize=11, color=INK)
    axes.set_xticks(range(len(packages)), [_short(each) for each in packages], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), [_short(group, 44) for _, group in names], fontsize=7)
    figure.colorbar(image, ax=axes, shrink=0.6).set_label("production saved, points of the group's own", fontsize=8)
    axes.set_title("Who wins and who loses (*: shown, corrected for all cells)", loc="left", fontsize=10, color=INK)
    return figure


def _short(name: str, longest: int = 28) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _plain(axes: Any, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
