"""The figure of one run: output beside the twin's, firms in trouble, and who lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

# Okabe & Ito (2008): distinguishable with every common form of colour blindness.
BLUE, ORANGE, VERMILION, GREY, INK = "#0072B2", "#E69F00", "#D55E00", "#8a8a8a", "#222222"
BARS = 8
LABEL_LENGTH = 46
TITLE_LENGTH = 60
ROWS = 4  # of labels above the output, so that those of shocks close together do not overprint
LETTER = 5.4  # mean width of a letter of a label, points
WIDTH = 640  # of the time axes, points
FEW_FIRMS = 3  # firms per sector up to which losers are named one by one


def draw(series: pd.DataFrame, firms: pd.DataFrame, summary: dict[str, Any], path: Path | str) -> None:
    """Write a PNG of 1500 x 1245 pixels from the frames and the summary of a result."""
    picture(series, firms, summary).savefig(path)


def picture(series: pd.DataFrame, firms: pd.DataFrame, summary: dict[str, Any]) -> Any:
    """Make the figure of 10 x 8.3 inches."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=(10, 8.3), dpi=150, layout="constrained", facecolor="white")
    # Two subfigures, so that the long names below do not narrow the time axes above.
    halves: Any = figure.subfigures(2, 1, height_ratios=[4.6, 2.4])
    over_time, by_sector = halves
    output, failing = over_time.subplots(2, 1, sharex=True, height_ratios=[3.1, 1.4])
    _output(output, series.loc[0:], summary)
    _failing(failing, series.loc[0:])
    _losers(by_sector.subplots(), firms)
    name = summary["name"] if len(summary["name"]) <= TITLE_LENGTH else summary["name"][: TITLE_LENGTH - 1] + "…"
    title = f"{name}: {summary['economy']['firms']:,} firms, {summary['days']:,} days"
    figure.suptitle(title, fontsize=15, fontweight="bold", x=0.012, ha="left")
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
    return figure


def _plain(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9)


def _output(axes: Any, series: pd.DataFrame, summary: dict[str, Any]) -> None:
    days = series.index.to_numpy()
    for name, label, colour, style, width in (
        ("total_production", "output of all firms", BLUE, "-", 2.6),
        ("final_consumption", "customers' purchases", ORANGE, "--", 1.6),
    ):
        percent = 100 * series[name] / series[f"twin_{name}"]
        # Steps: what happens on a day belongs to the whole day, and never seems to begin before the shock.
        axes.plot(
            np.append(days, days[-1] + 1),
            np.append(percent, percent.iloc[-1]),
            style,
            color=colour,
            lw=width,
            label=label,
            drawstyle="steps-post",
        )
    axes.axhline(100, color=GREY, lw=1, ls=":", label="undisturbed twin")
    axes.margins(x=0.01)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 99), max(high, 101))
    axes.ticklabel_format(useOffset=False)
    _mark_bottom(axes, summary["bottom"], days[-1])
    rows = _mark_shocks(axes, summary["shocks"], len(days))
    axes.set_ylabel("% of the twin", fontsize=10)
    axes.legend(frameon=False, fontsize=9, loc="best")
    _plain(axes, "What was made and bought, against the same economy without the shock" + "\n" * rows)


def _mark_shocks(axes: Any, shocks: list[dict[str, Any]], days: int) -> int:
    """Draw a line where each shock begins, shade how long a pulse is felt, name them; return rows of names needed."""
    free = [0.0] * ROWS  # from where on each row is free, points
    used = 1
    for shock in shocks:
        if shock["day"] is None or shock["too_late"]:
            continue
        axes.axvline(shock["day"], color=VERMILION, lw=1.2)
        if "over" in shock:
            axes.axvspan(shock["day"], min(shock["over"], days), color=VERMILION, alpha=0.1, lw=0)
        name = _short(shock["name"])
        at, width = WIDTH * shock["day"] / days, LETTER * (len(name) + 2)
        right = at + width > WIDTH  # then the name ends where the shock begins
        start, end = (at - width, at) if right else (at, at + width)
        row = next((row for row in range(ROWS) if free[row] <= start), None)
        if row is None:
            continue  # the summary names it
        free[row], used = end, max(used, row + 1)
        axes.annotate(
            name,
            (shock["day"], 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if right else 3, 3 + 12.5 * row),
            textcoords="offset points",
            ha="right" if right else "left",
            color=VERMILION,
            fontsize=9.5,
        )
    return used


def _short(name: str) -> str:
    return name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…"


def _mark_bottom(axes: Any, bottom: dict[str, Any], last: int) -> None:
    low = bottom["production_percent_of_twin"]
    if low >= 99.9:
        return
    right = bottom["day"] > 0.7 * last
    axes.plot(bottom["day"] + 0.5, low, "o", color=BLUE, ms=7)
    axes.annotate(
        f"bottom: {low:.1f} %, day {bottom['day']}",
        (bottom["day"] + 0.5, low),
        xytext=(-10 if right else 10, -4),
        textcoords="offset points",
        ha="right" if right else "left",
        fontsize=9.5,
        color=INK,
    )


def _failing(axes: Any, series: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    days = np.append(series.index, series.index[-1] + 1)
    failing, calm = (np.append(series[name], series[name].iloc[-1]) for name in ("firms_failing", "twin_firms_failing"))
    axes.fill_between(days, failing, step="post", color=VERMILION, alpha=0.35, lw=0)
    axes.plot(days, failing, color=VERMILION, lw=1.2, drawstyle="steps-post", label="with the shock")
    if calm.any():
        axes.plot(days, calm, color=GREY, lw=1.2, drawstyle="steps-post", label="undisturbed twin")
        axes.legend(frameon=False, fontsize=9, loc="best")
    axes.set_ylim(0, max(1.0, 1.08 * max(failing.max(), calm.max())))
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    axes.margins(x=0.01)
    axes.set_xlabel("day", fontsize=10)
    axes.set_ylabel("firms", fontsize=10)
    _plain(axes, "Firms below half of their usual output")


def _losers(axes: Any, firms: pd.DataFrame) -> None:
    """Shares of all loss by sector, or by firm where sectors have few, split by whether a shock struck the firm."""
    lost = firms["lost"].clip(lower=0)
    named = len(firms) <= FEW_FIRMS * firms["sector"].nunique()
    keys = firms["firm"] if named else firms["sector"].astype("str")
    struck = np.where(firms["struck"], "struck", "spared")
    shares = 100 * lost.groupby([keys, struck]).sum().unstack(fill_value=0) / max(lost.sum(), 1e-300)
    shares = shares.reindex(columns=["struck", "spared"], fill_value=0.0)
    worst = shares.loc[shares.sum(axis=1).sort_values(kind="stable").index[-BARS:]]
    worst = worst[worst.sum(axis=1) > 0]
    if worst.empty:
        axes.set_axis_off()
        axes.text(0, 0.5, "Nobody lost output.", fontsize=11, color=INK, transform=axes.transAxes)
        return
    labels = [_short(str(name)) for name in worst.index]
    places = np.arange(len(worst))
    left = worst["struck"].to_numpy()
    axes.barh(places, left, color=VERMILION, height=0.65, label="by firms that a shock struck")
    bars = axes.barh(places, worst["spared"], left=left, color=BLUE, height=0.65, label="by the others")
    axes.bar_label(bars, [f"{value:.1f} %" for value in worst.sum(axis=1)], padding=4, fontsize=9, color=INK)
    axes.set_yticks(places, labels)
    axes.set_xlabel("share of all output lost, %", fontsize=10)
    axes.margins(x=0.1)
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    _plain(axes, "Whose loss it was\n")
