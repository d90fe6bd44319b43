"""Charts: bands over days, a dashed baseline, events on the axis, and behind each the table that it shows."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import solara

from . import theme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from .worlds import Event

PRINTED: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ecosim",
    "font.size": 11,
    "axes.titlelocation": "left",
}
FORMULA = ("=", "+", "-", "@")
DIGITS = 5
FILES = {"CSV": "text/csv", "SVG": "image/svg+xml", "PNG": "image/png"}
ROWS_SHOWN = 400  # of the table behind a chart; the file that can be downloaded has all
MARKS = {"shock": theme.LOSS, "low": theme.INK, "back": theme.GAIN}
LEVELS = 3  # rows of event names above a chart


@dataclass(frozen=True)
class Line:
    """A line with its band: ``x`` and ``mean`` (k,), ``low`` and ``high`` (k,) or None. A baseline is dashed."""

    name: str
    x: ArrayLike
    mean: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    dashed: bool = False
    colour: str | None = None


def numbers(values: ArrayLike) -> list[float | None]:
    """Numbers as short as they may be: what is sent is what is shown."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def colour_of(line: Line, at: int) -> str:
    """Its own colour, the baseline's, or the next of the series."""
    return line.colour or (theme.BASELINE if line.dashed else theme.SERIES[at % len(theme.SERIES)])


def bands(
    title: str,
    unit: str,
    lines: Sequence[Line],
    events: Sequence[Event] = (),
    low: float | None = None,
    high: float | None = None,
    across: str = "day",
    big: bool = False,
) -> dict[str, Any]:
    """ECharts option: lines over days with their bands, and events as upright lines; ``big`` for a projector."""
    text, row, top = (22, 24, 30) if big else (13, 16, 22)
    top *= len(lines) > 1
    series: list[dict[str, Any]] = []
    for at, line in enumerate(lines):
        series += band(line, colour_of(line, at))
        series.append(_line(line, at))
    if series and events:
        series[-1]["markLine"] = _marks(events, text - 1, row)
    return {
        "animation": False,
        "textStyle": {"fontFamily": theme.FONT, "fontSize": text, "color": theme.INK},
        "aria": {"enabled": False},
        "grid": {"left": 3.4 * text, "right": 24, "top": top + 14 + row * _levels(events), "bottom": 3.4 * text},
        "legend": {
            "show": len(lines) > 1,
            "data": [line.name for line in lines], "top": 0, "right": 20, "itemWidth": 34,
            "textStyle": {"fontSize": text},
        },
        "tooltip": {
            "trigger": "axis", "confine": True, "transitionDuration": 0,
            "axisPointer": {"lineStyle": {"color": theme.INK, "type": "dashed"}},
        },
        "xAxis": {
            "type": "category", "data": _places(lines), "boundaryGap": False, "name": across, "nameLocation": "middle",
            "nameGap": 2 * text,
            "axisLine": {"lineStyle": {"color": theme.MUTED}}, "axisTick": {"show": False},
            "axisLabel": {"color": theme.INK, "fontSize": text, "interval": _every(len(_places(lines))) - 1},
        },
        "yAxis": {
            "type": "value", "min": low, "max": high, "scale": True,
            "axisLabel": {"color": theme.INK, "fontSize": text},
            "splitLine": {"lineStyle": {"color": theme.LINE}},
        },
        "series": series,
    }  # fmt: skip


def _every(places: int) -> int:
    """Places from one label to the next: a round number that leaves ten labels at most."""
    return next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if places <= 10 * step), 1000)


def _places(lines: Sequence[Line]) -> list[float | int]:
    """Places along the axis: those of the longest line, which the others share from their first on."""
    longest = max((np.asarray(line.x) for line in lines), key=len, default=np.empty(0))
    return [int(x) if float(x).is_integer() else float(x) for x in longest]


def _line(line: Line, at: int) -> dict[str, Any]:
    return {
        "name": line.name,
        "type": "line",
        "data": numbers(line.mean),
        "symbol": "none",
        "lineStyle": {"width": 2 if line.dashed else 3, "type": "dashed" if line.dashed else "solid"},
        "itemStyle": {"color": colour_of(line, at)},
        "color": colour_of(line, at),
        "z": 3 if line.dashed else 4,
    }


def band(line: Line, colour: str) -> list[dict[str, Any]]:
    """Two silent lines stacked: the lower edge, unseen, and what is between it and the upper one."""
    if line.low is None or line.high is None or np.allclose(np.asarray(line.low), np.asarray(line.high), atol=1e-9):
        return []
    low = np.asarray(line.low, dtype=float)
    edges = (low, np.asarray(line.high, dtype=float) - low)
    return [
        {
            "name": f"{line.name} band",
            "type": "line",
            "stack": f"{line.name} band",
            "stackStrategy": "all",
            "data": numbers(edge),
            "showSymbol": False,
            "silent": True,
            "tooltip": {"show": False},
            "lineStyle": {"opacity": 0},
            "color": colour,
            "areaStyle": {"opacity": 0 if at == 0 else 0.16, "color": colour},
            "z": 1,
        }
        for at, edge in enumerate(edges)
    ]


def _levels(events: Sequence[Event]) -> int:
    return min(LEVELS, len(events))


def _marks(events: Sequence[Event], text: int, row: int) -> dict[str, Any]:
    """Upright lines at events, their names on up to three rows so that neighbours do not overlap."""
    return {
        "symbol": "none",
        "silent": True,
        "animation": False,
        "data": [
            {
                "xAxis": event.day,
                "name": event.label,
                "label": {
                    "formatter": f"{event.label} ({event.day})",
                    "position": "end",
                    "distance": 3 + row * (at % LEVELS),
                    "color": MARKS.get(event.kind, theme.INK),
                    "fontSize": text,
                },
                "lineStyle": {
                    "color": MARKS.get(event.kind, theme.MUTED),
                    "type": "solid" if event.kind == "shock" else "dotted",
                    "width": 1.5,
                },
            }
            for at, event in enumerate(events)
        ],
    }


# --- the table behind ------------------------------------------------------------------------------------------------


def table_of(lines: Sequence[Line], unit: str, across: str = "day") -> pd.DataFrame:
    """What a chart shows: a row a day, columns mean, low and high of each line."""
    import pandas as pd

    frames = []
    for line in lines:
        columns: dict[str, Any] = {f"{line.name} ({unit})": np.asarray(line.mean, dtype=float)}
        if line.low is not None and line.high is not None:
            columns |= {
                f"{line.name}, low": np.asarray(line.low, float),
                f"{line.name}, high": np.asarray(line.high, float),
            }
        frames.append(pd.DataFrame(columns, index=pd.Index(np.asarray(line.x), name=across)))
    return pd.concat(frames, axis=1).reset_index() if frames else pd.DataFrame()


def safe_csv(table: pd.DataFrame) -> bytes:
    """CSV in which no text begins like a formula: a spreadsheet would run it (CWE-1236). Numbers stay numbers."""
    safe = table.copy()
    for name in safe.columns:
        if not np.issubdtype(np.asarray(safe[name]).dtype, np.number):
            safe[name] = [harmless(cell) for cell in safe[name]]
    safe.columns = [harmless(name) for name in safe.columns]
    return safe.to_csv(index=False, float_format="%.10g").encode("utf-8-sig")


def harmless(cell: Any) -> Any:
    """A text on one line that no spreadsheet takes for a formula; anything else as it is."""
    if not isinstance(cell, str):
        return cell
    line = "".join(letter if letter.isprintable() else " " for letter in cell)
    return f"'{line}" if line.strip().startswith(FORMULA) else line


def picture(
    title: str, unit: str, lines: Sequence[Line], events: Sequence[Event] = (), kind: str = "svg", across: str = "day"
) -> bytes:
    """The same chart as a file to print: ``kind`` is svg or png."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(PRINTED):
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        axes = figure.subplots()
        for at, line in enumerate(lines):
            colour = colour_of(line, at)
            axes.plot(line.x, line.mean, color=colour, lw=2, ls="--" if line.dashed else "-", label=line.name)
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.15, lw=0)
        top = axes.get_ylim()[1]
        for event in events:
            axes.axvline(
                event.day, color=MARKS.get(event.kind, theme.MUTED), lw=1, ls="-" if event.kind == "shock" else ":"
            )
            axes.text(
                event.day, top, f" {event.label}", rotation=90, va="top", ha="left", fontsize=8, color=theme.MUTED
            )
        axes.set(title=title, xlabel=across, ylabel=unit)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9)
        found = io.BytesIO()
        figure.savefig(found, format=kind, dpi=160, metadata={"Date": None} if kind == "svg" else None)
    return found.getvalue()


# --- on the page -----------------------------------------------------------------------------------------------------


@solara.component_vue("chart.vue")
def _Figure(
    title: str,
    summary: str,
    option: str,
    height: int,
    files: list[str],
    table: dict[str, Any] | None,
    payload: dict[str, str] | None,
    event_show: Callable[[bool], None],
    event_give: Callable[[str], None],
    event_taken: Callable[[Any], None],
) -> None:
    """A whole figure as one element of the browser, so that another picture is one message."""


@solara.component
def Chart(
    option: dict[str, Any] | str,
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    title: str,
    summary: str,
    height: int = 320,
    picture: Callable[[str], bytes] | None = None,
) -> None:
    """A chart under its title, what it says in words, and its table; files to download are made when asked for.

    ``option`` may be encoded already (`packed`), ``table`` a function that makes it when it is wanted.
    ``picture(kind)`` makes an svg or png; ``summary`` is told instead of the drawing by a screen reader.
    """
    shown, set_shown = solara.use_state(False)
    wanted, set_wanted = solara.use_state("")
    payload, set_payload = solara.use_state(None)
    name = "_".join(re.findall(r"[^\W_]+", title.lower()))

    def whole() -> pd.DataFrame:
        return table() if callable(table) else table

    def make() -> None:
        if wanted:
            data = safe_csv(whole()) if wanted == "CSV" else picture(wanted.lower()) if picture is not None else b""
            given = {"name": f"{name}.{wanted.lower()}", "mime": FILES[wanted]}
            set_payload({"data": base64.b64encode(data).decode()} | given)
            set_wanted("")

    solara.use_thread(make, dependencies=[wanted])
    files = ["CSV", *(["SVG", "PNG"] if picture is not None else [])]
    _Figure(
        title=title,
        summary=summary,
        option=option if isinstance(option, str) else packed(option),
        height=height,
        files=files,
        table=_cells(whole()) if shown else None,
        payload=payload,
        event_show=set_shown,
        event_give=lambda kind: set_wanted(kind if kind in files else ""),
        event_taken=lambda _: set_payload(None),
    )


def Days(title: str, unit: str, lines: Sequence[Line], events: Sequence[Event], summary: str) -> Any:
    """A `Chart` of lines over days, whose table and printed picture are made of the same lines."""
    return Chart(
        bands(title, unit, lines, events),
        table_of(lines, unit),
        title,
        summary,
        picture=lambda kind: picture(title, unit, lines, events, kind=kind),
    )


def packed(option: dict[str, Any]) -> str:
    """An option as it is sent: as one text, whose numbers nobody between here and the browser looks at one by one."""
    return json.dumps(option, separators=(",", ":"))


def _cells(table: pd.DataFrame) -> dict[str, Any]:
    """The numbers of a chart as they are sent when its table is opened."""
    rows = table.head(ROWS_SHOWN)
    more = f"The first {len(rows):,} of {len(table):,} rows; the CSV file has all." if len(rows) < len(table) else ""
    cells = [[_shown(cell) for cell in row] for row in rows.itertuples(index=False)]
    return {"columns": [str(name) for name in rows.columns], "rows": cells, "more": more}


def _shown(cell: Any) -> str:
    if isinstance(cell, float | np.floating):
        return f"{cell:.4g}" if np.isfinite(cell) else ""
    return str(cell)
