"""The figure of a comparison: response curves with bands, and paired differences from the first scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ecosim.report.figure import BLUE, GREY, INK, ORANGE, VERMILION

if TYPE_CHECKING:
    from pathlib import Path

    from ecosim.resilience.comparison import Comparison

COLOURS = (BLUE, VERMILION, "#009E73", ORANGE, "#CC79A7", "#56B4E9", "#000000", "#F0E442")  # Okabe & Ito (2008)
STYLES = ("-", "--", ":", "-.")
LONGEST = 40


def draw(comparison: Comparison, path: Path) -> None:
    """Write a PNG of 1650 x 750 pixels."""
    picture(comparison).savefig(path)


def picture(comparison: Comparison, *, upright: bool = False) -> Any:
    """Figure of both panels: side by side, or ``upright`` one above the other, for a page."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    size = (7.2, 9.4) if upright else (11, 5)
    figure = Figure(figsize=size, dpi=150, layout="constrained", facecolor="white")
    axes: Any = figure.subplots(2, 1) if upright else figure.subplots(1, 2)
    curves, gaps = axes
    base = comparison.responses[comparison.first]
    for at, (name, of) in enumerate(comparison.responses.items()):
        verdict = comparison.verdicts[name]
        label = f"{_short(name)}: {verdict.label}, G {100 * verdict.gain:+.2g} %, n = {verdict.n}"
        half = special.stdtrit(len(of.d) - 1, 0.975) * of.d.std(axis=0, ddof=1) / np.sqrt(len(of.d))
        _band(curves, of.x, of.d.mean(axis=0), half, at, label)
        if name != comparison.first:
            gap = comparison.dominance[name]
            _band(gaps, gap.x, gap.difference, (gap.high - gap.low) / 2, at, _short(name))
    _finish(curves, "Response of output", "output, % of the twin's", base.made.unit, (0.5, -0.16))
    _finish(gaps, f"Against {_short(comparison.first)}, paired", "difference, points", base.made.unit, (0.5, -0.16))
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
    return figure


def _band(axes: Any, x: Any, mean: Any, half: Any, at: int, label: str) -> None:
    colour, style = COLOURS[at % len(COLOURS)], STYLES[at // len(COLOURS) % len(STYLES)]
    axes.fill_between(x, 100 * (mean - half), 100 * (mean + half), color=colour, alpha=0.2, lw=0)
    axes.plot(x, 100 * mean, style, color=colour, lw=2, marker="o", ms=3.5, label=label)


def _finish(axes: Any, title: str, what: str, unit: str, below: tuple[float, float]) -> None:
    axes.axhline(0, color=GREY, lw=1, ls=":")
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_ylabel(what, fontsize=10)
    axes.set_xlabel(f"intensity, {unit}", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=below)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
