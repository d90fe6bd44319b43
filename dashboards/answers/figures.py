"""Charts of the pages: curves told apart by dash and mark as well as by colour, points, and effects with intervals.

They are ECharts options, as `charts.Chart` draws them; charts over the days of a run are made by `charts.bands`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import theme
from ..charts import DIGITS, band, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..charts import Line

LABEL = {"color": theme.INK, "fontSize": 13}
GRID_LINE = {"show": True, "lineStyle": {"color": theme.LINE}}
UNSEEN = {"showSymbol": False, "silent": True, "tooltip": {"show": False}}


def _base(across: str) -> dict[str, Any]:
    """What all have: two axes of numbers, no animation, the dashboard's letters."""
    return {
        "animation": False,
        "textStyle": {"fontFamily": theme.FONT, "fontSize": 14, "color": theme.INK},
        "aria": {"enabled": False},
        "grid": {"left": 12, "right": 28, "top": 16, "bottom": 62, "containLabel": True},
        "legend": {
            "show": True,
            "bottom": 0,
            "left": 12,
            "type": "scroll",
            "itemHeight": 10,
            "itemWidth": 18,
            "textStyle": {"fontSize": 13},
        },
        "tooltip": {"trigger": "item", "confine": True, "transitionDuration": 0},
        "xAxis": {
            "type": "value",
            "name": across,
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLine": {"lineStyle": {"color": theme.MUTED}},
            "splitLine": {"show": False},
            "axisLabel": LABEL,
        },
        "yAxis": {"type": "value", "axisLabel": LABEL, "splitLine": GRID_LINE},
        "series": [],
    }


def _zero(axis: str) -> dict[str, Any]:
    """A line through 0."""
    return {
        "symbol": "none",
        "silent": True,
        "animation": False,
        "label": {"show": False},
        "lineStyle": {"color": theme.MUTED, "type": "solid", "width": 1.5},
        "data": [{axis: 0}],
    }


def _pairs(x: ArrayLike, y: ArrayLike) -> list[list[float]]:
    """Points with no more digits than can be seen."""
    both = np.stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)], axis=1)
    return [[float(f"{value:.{DIGITS}g}") for value in point] for point in both if np.isfinite(point).all()]


def curves(lines: Sequence[Line], across: str) -> dict[str, Any]:
    """Curves over few intensities with their bands: each has a colour, a dash and a mark of its own."""
    option = _base(across)
    series: list[dict[str, Any]] = []
    for at, line in enumerate(lines):
        colour, mark = line.colour or theme.SERIES[at % len(theme.SERIES)], theme.SHAPES[at % len(theme.SHAPES)]
        series += band(line, colour)
        series.append(
            {
                "name": line.name,
                "type": "line",
                "data": numbers(line.mean),
                "showSymbol": True,
                "symbol": mark,
                "symbolSize": 9,
                "color": colour,
                "lineStyle": {"width": 3, "type": theme.DASHES[at % len(theme.DASHES)]},
                "z": 4,
            }
        )
    if series:
        series[-1]["markLine"] = _zero("yAxis")
    option["series"] = series
    option["legend"]["data"] = [
        {"name": line.name, "icon": theme.SHAPES[at % len(theme.SHAPES)]} for at, line in enumerate(lines)
    ]
    option["tooltip"] = {"trigger": "axis", "confine": True, "transitionDuration": 0}
    # Intensities are evenly spaced; on an axis of numbers ECharts would stack the bands sideways.
    at_all = np.asarray(lines[0].x, dtype=float) if lines else np.empty(0)
    option["xAxis"] |= {"type": "category", "boundaryGap": False, "data": [f"{x:.3g}" for x in at_all]}
    if len(lines) < 2:
        option["legend"]["show"] = False
        option["grid"]["bottom"] = 36
    return option


def points(
    groups: Sequence[tuple[str, Sequence[tuple[str, float, float]]]], across: str, front: Sequence[str] = ()
) -> dict[str, Any]:
    """Named points in groups, x and y of each; those of the ``front`` are joined by a line, the cheapest first."""
    option = _base(across)
    series: list[dict[str, Any]] = [
        {
            "name": name,
            "type": "scatter",
            "symbol": theme.SHAPES[at % len(theme.SHAPES)],
            "symbolSize": 15,
            "z": 4,
            "itemStyle": {"color": theme.SERIES[at % len(theme.SERIES)], "borderColor": theme.INK, "borderWidth": 1},
            "label": {"show": True, "formatter": "{b}", "position": "right", "fontSize": 12, "color": theme.INK},
            "labelLayout": {"hideOverlap": True},  # a name that is hidden is in the table
            "data": [{"name": label, "value": point} for label, x, y in some for point in _pairs([x], [y])],
        }
        for at, (name, some) in enumerate(groups)
    ]
    every = {label: (x, y) for _, some in groups for label, x, y in some}
    line = sorted(every[name] for name in front if name in every)
    series.append(
        {
            "name": "beaten by none",
            "type": "line",
            "data": [list(point) for point in line],
            "z": 1,
            "color": theme.MUTED,
            "lineStyle": {"type": "dashed", "color": theme.MUTED, "width": 2},
            "markLine": _zero("yAxis"),
            **UNSEEN,
        }
    )
    option["grid"]["right"] = 150
    option["xAxis"] |= {"min": 0, "splitLine": GRID_LINE}
    return option | {"series": series}


def cloud(x: ArrayLike, y: ArrayLike, across: str, name: str) -> dict[str, Any]:
    """Many points without names."""
    option = _base(across)
    option["legend"]["show"] = False
    option["grid"]["bottom"] = 36
    for axis in ("xAxis", "yAxis"):
        option[axis]["scale"] = True
    return option | {
        "series": [
            {
                "name": name,
                "type": "scatter",
                "symbolSize": 7,
                "data": _pairs(x, y),
                "large": True,
                "itemStyle": {"color": theme.ACCENT, "opacity": 0.6},
            }
        ]
    }


def effects(rows: Sequence[tuple[str, float, float, float]], across: str) -> dict[str, Any]:
    """Effects with their intervals, one below the other: name, mean, low, high; circles gain, diamonds lose."""
    up = rows[::-1]
    marks = [
        {
            "value": [value, at],
            "symbol": theme.SHAPES[0] if value >= 0 else theme.SHAPES[3],
            "itemStyle": {
                "color": theme.GAIN if value >= 0 else theme.LOSS,
                "borderColor": theme.INK,
                "borderWidth": 1,
            },
        }
        for at, (_, value, _, _) in enumerate(up)
    ]
    spans = [
        {
            "type": "line",
            "data": [[low, at], [high, at]],
            "z": 2,
            "lineStyle": {"width": 3, "color": theme.INK},
            **UNSEEN,
        }
        for at, (_, _, low, high) in enumerate(up)
    ]
    option = _base(across)
    option["legend"]["show"] = False
    option["grid"] |= {"bottom": 36, "top": 6}
    option["xAxis"] |= {"splitLine": GRID_LINE}
    option["yAxis"] = {
        "type": "category",
        "data": [name for name, *_ in up],
        "axisTick": {"show": False},
        "axisLine": {"show": False},
        "axisLabel": {**LABEL, "width": 220, "overflow": "break", "interval": 0},
    }
    return option | {
        "series": [*spans, {"type": "scatter", "data": marks, "symbolSize": 14, "z": 4, "markLine": _zero("xAxis")}]
    }
