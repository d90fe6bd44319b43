"""The figure of a calibration: each factor, and each two of them, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.report.figure import BLUE, GREY
from ecosim.study.analysis.figures import blank, save, tidy

if TYPE_CHECKING:
    from pathlib import Path

    from ecosim.study.calibrating import Calibration

FILES = ("calibration.png", "calibration.svg")
MOST = 6  # factors in it: those of which most was learned
DOTS = 1500


def draw(found: Calibration, folder: Path) -> None:
    """Write it as PNG and SVG."""
    save(lambda: _corner(found), folder, "calibration")


def _corner(found: Calibration) -> Any:
    table = found.factors.sort_values("width", kind="stable").head(MOST).set_index("factor")
    names = list(table.index)
    some = found.draws.iloc[np.linspace(0, len(found.draws) - 1, min(DOTS, len(found.draws))).astype(int)]
    figure = blank(2.5 * len(names) + 0.8, 2.3 * len(names) + 0.9)
    grid = figure.subplots(len(names), len(names), squeeze=False)
    for down, up in enumerate(names):
        for across, name in enumerate(names):
            axes = grid[down][across]
            if across > down:
                axes.set_axis_off()
                continue
            span = float(table.loc[name, "from"]), float(table.loc[name, "to"])
            axes.set_xlim(*span)
            if across == down:
                axes.hist(found.draws[name], bins=30, range=span, density=True, color=BLUE, alpha=0.8)
                axes.axhline(1 / (span[1] - span[0]), color=GREY, ls=":", lw=1.5)
                axes.set_yticks([])
                tidy(axes, f"{table.loc[name, 'width']:.0%} of the width before")
            else:
                axes.plot(some[name], some[up], ".", color=BLUE, ms=2, alpha=0.3)
                axes.set_ylim(float(table.loc[up, "from"]), float(table.loc[up, "to"]))
                tidy(axes, f"correlation {found.correlation[name][up]:.2f}")
                if across == 0:
                    axes.set_ylabel(up, fontsize=8)
            if down == len(names) - 1:
                axes.set_xlabel(name, fontsize=8)
    figure.suptitle(f"{found.name}: what the targets leave (dotted: before)", x=0.01, ha="left", fontsize=12,
                    fontweight="bold")  # fmt: skip
    return figure
