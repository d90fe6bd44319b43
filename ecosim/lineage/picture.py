"""The pictures of a cascade: who harmed whom, when what was lost, and one firm's days; and the data behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import provenance
from ecosim.folders import NewFolder
from ecosim.lineage.layout import Node, laid_out
from ecosim.lineage.story import amount, percent
from ecosim.lineage.tables import rows
from ecosim.report.figure import BLUE, GREY, INK, ORANGE, VERMILION

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.lineage.story import Story

Array = np.ndarray[Any, np.dtype[Any]]

#: Okabe & Ito (2008): distinguishable with every common form of colour blindness; by groups of causes.
COLOURS = {
    "struck by a shock": VERMILION,
    "a supplier delivers too little": BLUE,
    "a client orders less": "#56B4E9",
    "a client buys elsewhere": "#CC79A7",
    "customers earn less": ORANGE,
    "customers went elsewhere": "#F0E442",
    "short of cash, or closed": INK,
    "other causes": "#009E73",
}
GROUPS = {name: name for name in COLOURS} | {
    "it had no cash to order": "short of cash, or closed",
    "closed": "short of cash, or closed",
}

MOST = 40  # firms that fit into a tree
FIRMS = 30  # and into a timeline
SOURCES = 6  # firms from which a firm's harm came first hand, in its own picture
LETTERS = 26  # of a firm's name
LARGEST = 900.0  # area of the largest firm in the tree, square points
WIDEST = 7.0  # of the edges, points
FILES = (
    "tree.svg", "tree.png", "timeline.svg", "timeline.png", "entries.parquet", "conduits.parquet", "cascade.graphml",
    provenance.FILE,
)  # fmt: skip
OF_FIRM = ("firm.svg", "firm.png")
MADE_OF = ("series_sha256", "replicate", "files")  # what a run's manifest says that no other record does


def _group(cause: object) -> str:
    """What a cause counts as in a picture."""
    return GROUPS.get(str(cause), "other causes")


def write(story: Story, folder: str | Path, *, firm: str | None = None, force: bool = False) -> Path:
    """Write the cascade's tree and timeline as SVG and PNG, its tables as Parquet and its graph as GraphML.

    With ``firm``, that firm's days, too. The folder appears whole or not at all, and an earlier explanation's is
    replaced only with ``force``. Returns it as the user would write it; raises InputError where it cannot be written.
    """
    import networkx as nx
    from matplotlib import rc_context

    otherwise = "choose another folder with --out"
    with NewFolder(folder, FILES, optional=OF_FIRM, force=force, otherwise=otherwise) as place:
        pictures = {"tree": tree(story), "timeline": timeline(story)}
        if firm is not None:
            pictures["firm"] = days_of(story, firm)
        with place.told(), rc_context({"svg.hashsalt": "ecosim", "svg.fonttype": "none"}):
            for name, figure in pictures.items():
                figure.savefig(place.half / f"{name}.svg", metadata={"Date": None})
                figure.savefig(place.half / f"{name}.png")
            story.cascade.entries.to_parquet(place.half / "entries.parquet", compression="zstd")
            story.cascade.conduits().to_parquet(place.half / "conduits.parquet", compression="zstd")
            nx.write_graphml(_plain_graph(story), place.half / "cascade.graphml")
            (place.half / provenance.FILE).write_text(_record(story), encoding="utf-8")
        return place.publish()


def _record(story: Story) -> str:
    """Where the pictures come from: their own record, and under "run" what the run says of itself."""
    result = story.result
    made = provenance.record(result.scenario, seed=int(result.manifest["seed"]), imported=result.manifest["imported"])
    run = {name: value for name, value in result.manifest.items() if name in MADE_OF or made.get(name) != value}
    return json.dumps({**made, "run": run}, indent=2, ensure_ascii=False) + "\n"


def _plain_graph(story: Story) -> Any:
    """The graph with numbers and texts of Python's own, which is all that GraphML knows."""
    graph = story.cascade.graph()
    for _, data in [*graph.nodes(data=True), *((None, data) for *_, data in graph.edges(data=True))]:
        data.update({name: value.item() if isinstance(value, np.generic) else value for name, value in data.items()})
    return graph


# --- the tree ---------------------------------------------------------------------------------------------------------


def tree(story: Story) -> Any:
    """Who harmed whom: generations from left to right, areas and widths in proportion to what was lost."""
    cascade = story.cascade
    nodes, edges = laid_out(cascade, MOST)
    deep = max((node.generation for node in nodes.values()), default=0)
    height = max((node.row for node in nodes.values()), default=0.0) + 1.0
    figure, axes = _figure((max(8.0, 3.2 * (deep + 1)), 2.1 + 0.34 * max(height, 6.0)))
    if nodes:
        _draw_edges(axes, nodes, edges)
        _draw_nodes(axes, nodes)
        _say_generations(axes, cascade, deep, height)
        _legend(axes, {_group(cause) for cause in (*(node.cause for node in nodes.values()), *edges["cause"])})
    harmed = cascade.entries["firm"].nunique()
    shown = sum(node.loss for node in nodes.values()) / cascade.loss if cascade.loss else 1.0
    left = harmed - len(nodes)
    rest = f"; {left:,} firms with smaller losses ({percent(1.0 - shown)}) are left out" if left else ""
    _title(figure, story, "who harmed whom", f"{len(nodes):,} of {harmed:,} firms that lost output{rest}")
    axes.set_axis_off()
    return _finished(figure)


def _draw_edges(axes: Any, nodes: dict[str, Node], edges: pd.DataFrame) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    most = float(edges["loss"].max()) if len(edges) else 1.0
    for row in rows(edges.sort_values("loss")):
        giver, taker = nodes[row.giver], nodes[row.firm]
        start, end = (giver.generation, -giver.row), (taker.generation, -taker.row)
        bend = 0.45 * (end[0] - start[0]) if end[0] > start[0] else 0.35
        points = [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]
        if end[0] <= start[0]:  # back to an earlier generation, or within one: bow out to the right
            points[2] = (end[0] + bend, end[1])
        curve = Curve(points, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])
        width = 0.5 + (WIDEST - 0.5) * float(row.loss) / most
        colour = COLOURS[_group(row.cause)]
        axes.add_patch(PathPatch(curve, fill=False, edgecolor=colour, lw=width, alpha=0.45, zorder=1))


def _draw_nodes(axes: Any, nodes: dict[str, Node]) -> None:
    most = max(node.loss for node in nodes.values())
    every = list(nodes.values())
    axes.scatter(
        [node.generation for node in every],
        [-node.row for node in every],
        s=[max(LARGEST * node.loss / most, 6.0) for node in every],
        c=[COLOURS[_group(node.cause)] for node in every],
        edgecolors="white",
        linewidths=0.8,
        zorder=2,
    )
    for name, node in nodes.items():
        aside = 3.0 + np.sqrt(LARGEST * node.loss / most / np.pi)
        axes.annotate(
            f"{_short(name)}  {amount(node.loss)}",
            (node.generation, -node.row),
            xytext=(aside, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
            zorder=3,
            bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
        )


def _say_generations(axes: Any, cascade: Any, deep: int, height: float) -> None:
    shares = cascade.by_generation()["share"]
    for generation in range(deep + 1):
        name = "struck" if generation == 0 else f"{generation} away"
        text = f"{name}: {percent(float(shares.get(generation, 0.0)))} of all loss"
        axes.text(generation, 1.1, text, fontsize=9, color=GREY, ha="left", va="bottom")
    axes.set_xlim(-0.15, deep + 0.95)
    axes.set_ylim(-height + 0.3, 1.8)


# --- the timeline -----------------------------------------------------------------------------------------------------


def timeline(story: Story) -> Any:
    """What all lost day by day, by cause, and the days of the firms that lost most."""
    figure, (above, below) = _figure((10.0, 9.5), panels=2, ratios=(2.2, 3.4))
    entries, days = story.cascade.entries, int(story.result.summary["days"])
    colours, sums = _by_cause(entries, days)
    above.stackplot(np.arange(days + 1), *_as_lost(story, sums), colors=colours, step="post", lw=0)
    _mark_shocks(above, story, days)
    above.set_ylabel("output lost a day")
    _head(above, "What all firms lost each day, less what others gained, split by what bound them")
    most = entries.groupby("firm", observed=True)["loss"].sum().nlargest(FIRMS)
    for place, firm in enumerate(most.index):
        _bars(below, entries[(entries["firm"] == firm).to_numpy()], -place, 0.8)
    below.set_yticks(-np.arange(len(most)), [_short(str(firm)) for firm in most.index], fontsize=8)
    below.set_ylim(-len(most) + 0.3, 0.7)
    below.set_xlim(0, min(days, 1.1 * entries["last_day"].to_numpy().max(initial=days if not len(entries) else 0) + 5))
    below.set_xlabel("day")
    _head(below, f"What bound the {len(most)} firms that lost most")
    _mark_shocks(below, story, days, named=False)
    _legend(above, {_group(cause) for cause in entries["cause"].unique()})
    harmed = entries["firm"].nunique()
    rest = f"; of the {harmed - len(most):,} others only the sums above are shown" if harmed > len(most) else ""
    _title(figure, story, "loss over time", f"{harmed:,} firms lost output{rest}")
    return _finished(figure)


def _as_lost(story: Story, sums: list[Array]) -> list[Array]:
    """The sums by cause of each day, scaled to what was lost on that day: entries know the mean of their days only."""
    series = story.result.series.loc[0:]
    net = (series["twin_total_production"] - series["total_production"]).to_numpy()
    lost, told = np.maximum(np.append(net, net[-1]), 0.0), np.sum(sums, axis=0)
    scale = np.divide(lost, told, out=np.zeros_like(told), where=told > 0.0)
    return [each * scale for each in sums]


def _by_cause(entries: pd.DataFrame, days: int) -> tuple[list[str], list[Array]]:
    """Colours and loss by day of each group of causes; an entry's loss counts alike on each of its days."""
    colours, sums = [], []
    group = entries["cause"].astype(str).map(_group).to_numpy()
    first, last = entries["first_day"].to_numpy(), entries["last_day"].to_numpy()
    a_day = entries["loss"].to_numpy() / (last - first + 1)
    for name, colour in COLOURS.items():
        some = group == name
        change = np.zeros(days + 1)
        np.add.at(change, first[some], a_day[some])
        np.add.at(change, np.minimum(last[some] + 1, days), -a_day[some])
        if some.any():
            colours.append(colour)
            by_day = np.maximum(np.cumsum(change)[:days], 0.0)
            sums.append(np.append(by_day, by_day[-1]))  # so that the last day has its width, too
    return colours or [GREY], sums or [np.zeros(days + 1)]


def _bars(axes: Any, entries: pd.DataFrame, at: float, height: float) -> None:
    for row in rows(entries):
        colour = COLOURS[_group(row.cause)]
        axes.barh(
            at, row.last_day - row.first_day + 1, left=row.first_day, height=height, color=colour, ec="white", lw=0.3
        )


def _mark_shocks(axes: Any, story: Story, days: int, *, named: bool = True) -> None:
    """A line on the day on which each shock began; names above it where they do not run into each other."""
    free = -1.0
    for shock in sorted(story.result.summary["shocks"], key=lambda shock: shock["day"] or 0):
        day = shock["day"]
        if day is None or shock["too_late"]:
            continue
        axes.axvline(day, color=VERMILION, lw=1.2, zorder=5)
        if named and day >= free:
            name = _short(shock["name"])
            free = day + 0.011 * days * (len(name) + 2)
            axes.annotate(
                name, (day, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
                ha="left", color=VERMILION, fontsize=9,
            )  # fmt: skip


# --- one firm ---------------------------------------------------------------------------------------------------------


def days_of(story: Story, firm: str) -> Any:
    """One firm's days: what it lost, what bound it, and above it the firms that its largest part came through."""
    cascade, days = story.cascade, int(story.result.summary["days"])
    own = cascade.of_firm(firm)
    above = _sources(story, own, firm)
    names = [*above, firm]
    figure, (lost, bars) = _figure((10.0, 4.6 + 0.45 * len(names)), panels=2, ratios=(2.0, 0.6 + 0.35 * len(names)))
    colours, sums = _by_cause(own, days)
    lost.stackplot(np.arange(days + 1), *sums, colors=colours, step="post", lw=0)
    lost.set_ylabel("output lost a day")
    _head(lost, f"What {_short(firm)} lost, by what bound it (each stretch of days at its mean)")
    _mark_shocks(lost, story, days)
    for place, name in enumerate(names):
        _bars(bars, cascade.of_firm(name), -place, 0.7)
    bars.set_yticks(-np.arange(len(names)), [_short(name) for name in names], fontsize=9)
    bars.set_xlim(0, days)
    bars.set_xlabel("day")
    _head(bars, "Its days, below those of the firms that its harm came from" if above else "Its days")
    _mark_shocks(bars, story, days, named=False)
    shown = cascade.entries[cascade.entries["firm"].isin(names)]
    _legend(lost, {_group(cause) for cause in shown["cause"].unique()})
    _title(figure, story, firm, story.of_firm(firm)[0])
    return _finished(figure)


def _sources(story: Story, own: pd.DataFrame, firm: str) -> list[str]:
    """Firms that a firm's harm came from: those on the way back of its largest part, then others first hand."""
    if not len(own):
        return []
    entries = story.cascade.entries
    largest = int(own.index.to_numpy()[own["loss"].to_numpy().argmax()])
    trail = entries["firm"].astype(str).iloc[story.cascade.trail(largest)[::-1]]
    first_hand = own.groupby("from_firm", observed=True)["loss"].sum().nlargest(SOURCES)
    names = dict.fromkeys([*(str(name) for name in first_hand.index[::-1]), *trail])
    return [name for name in names if name != firm][-2 * SOURCES :]


# --- what they share --------------------------------------------------------------------------------------------------


def _figure(size: tuple[float, float], *, panels: int = 1, ratios: tuple[float, ...] = (1.0,)) -> tuple[Any, Any]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=size, dpi=150, layout="constrained", facecolor="white")
    axes = figure.subplots(panels, 1, height_ratios=ratios, sharex=panels > 1)
    for each in np.atleast_1d(axes):
        for side in ("top", "right"):
            each.spines[side].set_visible(False)
        each.tick_params(labelsize=9, labelbottom=True)
        each.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return figure, axes


def _title(figure: Any, story: Story, what: str, below: str) -> None:
    figure.suptitle(f"{story.result.summary['name']}: {what}\n\n", fontsize=14, fontweight="bold", x=0.012, ha="left")
    figure.text(0.012, 1.0 - 0.42 / figure.get_figheight(), below, fontsize=9.5, color=GREY, va="top")


def _head(axes: Any, text: str) -> None:
    """A title of one panel, above the names of shocks."""
    axes.set_title(text, loc="left", fontsize=11, color=INK, pad=16)


def _legend(axes: Any, groups: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in COLOURS.items() if name in groups]
    axes.figure.legend(handles=handles, frameon=False, fontsize=8.5, loc="outside lower left", ncols=4)


def _finished(figure: Any) -> Any:
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
    return figure


def _short(name: str) -> str:
    """A name as the picture has room for it: a long one keeps its number."""
    if len(name) <= LETTERS:
        return name
    start, mark, number = name.rpartition(" #")
    tail = f"{mark}{number}" if mark else ""
    return f"{(start or name)[: LETTERS - len(tail) - 1].rstrip()}…{tail}"
