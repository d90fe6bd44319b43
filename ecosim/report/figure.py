"""The figure of one run: output beside the twin's, firms in trouble, and who lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

# Okabe & Ito (2008): distinguishable with every common form of colour blindness.
BLUE, ORANGE, VERMILION, GREY, INK = "#0072B2", "#E69F00", "#D55E00", "#8a8a8a", "#222222"
SECTORS_SHOWN = 8
LABEL_LENGTH = 34


def draw(series: pd.DataFrame, firms: pd.DataFrame, summary: dict[str, Any], path: Path | str) -> None:
    """Write a PNG of 1500 x 1245 pixels from the frames and the summary of a result."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8.3), dpi=150, layout="constrained", facecolor="white")
    # Two subfigures, so that the long names of sectors below do not narrow the time axes above.
    halves: Any = figure.subfigures(2, 1, height_ratios=[4.6, 2.4])
    over_time, by_sector = halves
    output, failing = over_time.subplots(2, 1, sharex=True, height_ratios=[3.1, 1.4])
    _output(output, series.loc[0:], summary)
    _failing(failing, series.loc[0:])
    _sectors(by_sector.subplots(), firms)
    title = f"{summary['name']}: {summary['economy']['firms']:,} firms, {summary['days']:,} days"
    figure.suptitle(title, fontsize=15, fontweight="bold", x=0.012, ha="left")
    figure.savefig(path)


def _plain(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9)


def _output(axes: Any, series: pd.DataFrame, summary: dict[str, Any]) -> None:
    days = series.index.to_numpy()
    for name, label, colour, style in (
        ("final_consumption", "customers' purchases", ORANGE, "--"),
        ("total_production", "output of all firms", BLUE, "-"),
    ):
        percent = 100 * series[name] / series[f"twin_{name}"]
        axes.plot(days, percent, style, color=colour, lw=2, label=label)
    axes.axhline(100, color=GREY, lw=1, ls=":", label="undisturbed twin")
    bottom = summary["bottom"]
    low = bottom["production_percent_of_twin"]
    if low < 99.9:
        axes.plot(bottom["day"], low, "o", color=BLUE, ms=7)
        right = bottom["day"] > 0.7 * days[-1]
        axes.annotate(
            f"bottom: {low:.1f} %, day {bottom['day']}",
            (bottom["day"], low),
            xytext=(-10 if right else 10, -4),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=9.5,
            color=INK,
        )
    top = axes.get_ylim()[1]
    for shock in summary["shocks"]:
        axes.axvline(shock["day"], color=VERMILION, lw=1.2)
        axes.text(shock["day"], top, f" {shock['name']}", color=VERMILION, fontsize=9.5, va="bottom", clip_on=False)
    axes.set_ylabel("% of the twin", fontsize=10)
    axes.margins(x=0.01)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    _plain(axes, "What was made and bought, against the same economy without the shock\n")


def _failing(axes: Any, series: pd.DataFrame) -> None:
    axes.fill_between(series.index, series["firms_failing"], step="mid", color=VERMILION, alpha=0.35, lw=0)
    axes.plot(series.index, series["firms_failing"], color=VERMILION, lw=1.2, drawstyle="steps-mid")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.set_xlabel("day", fontsize=10)
    axes.set_ylabel("firms", fontsize=10)
    _plain(axes, "Firms below half of their usual output")


def _sectors(axes: Any, firms: pd.DataFrame) -> None:
    by = firms.groupby("sector", observed=True)[["lost", "produced"]].sum()
    percent = 100 * by["lost"] / (by["lost"] + by["produced"]).where(lambda total: total > 0, np.inf)
    worst = percent.sort_values(ascending=False).head(SECTORS_SHOWN)[::-1]
    labels = [name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…" for name in map(str, worst.index)]
    bars = axes.barh(np.arange(len(worst)), worst.to_numpy(), color=BLUE, height=0.65)
    axes.bar_label(bars, [f"{value:.2f} %" for value in worst], padding=4, fontsize=9, color=INK)
    axes.set_yticks(np.arange(len(worst)), labels)
    axes.set_xlabel("output lost over the whole run, %", fontsize=10)
    axes.margins(x=0.12)
    _plain(axes, "Who lost most")
