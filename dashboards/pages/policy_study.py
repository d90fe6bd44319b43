"""A finished study of ``ecosim policy``, opened on the page Policy: its answer, its front, who gains and who loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import solara

from ecosim.errors import InputError
from ecosim.study.policy.tables import HARMS, SAVES

from .. import charts, controls, session
from ..answers import figures, folders, prose, table
from . import parts

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

HERE = "a small town, live"
NEEDED = {
    "packages": {"package", "cost", "loss", "front"},
    "winners": {"package", "futures", "grouping", "group", "effect", "low", "high", "claim"},
}
MOST_NAMED = 12


def Choose(folder: str) -> None:
    """Which study, where there is one below the folder that the server was started in."""
    here = session.current()
    studies = solara.use_memo(lambda: [each.path for each in folders.look() if each.kind == "policy study"], [])
    if not studies and not folder:
        return
    names = {"": HERE.capitalize()} | {
        path: f"Study {path}" for path in dict.fromkeys([*studies, *([folder] if folder else [])])
    }
    with solara.Div(classes=["fields"]):
        controls.Select("World", folder, lambda value: here.put("policy.study", value or None), names)


@parts.stacked
def Study(folder: str) -> None:
    """What it found; a bad folder is told in its place."""

    def read() -> tuple[str, dict[str, pd.DataFrame]] | str:
        try:
            place = folders.inside(folder)
            return _words(place), {name: _table(place, name) for name in NEEDED}
        except (InputError, OSError) as error:
            return str(error)

    found = solara.use_memo(read, [folder])
    if isinstance(found, str):
        parts.Alert(found)
        return
    words, tables = found
    Front(tables["packages"])
    if not tables["winners"].empty:
        Winners(tables["winners"])
    with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "The study in words"}):
        solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=prose.foreign(words))
    parts.Note("All tables of the study can be looked at on the page Data.")


def _words(place: Path) -> str:
    page = place / "page.md"
    if not page.is_file():
        raise InputError(
            f"{place.name}: not a finished policy study (page.md is missing); finish it with ecosim policy"
        )
    return page.read_text(encoding="utf-8", errors="replace")


def _table(place: Path, name: str) -> pd.DataFrame:
    file = folders.tables(place).get(f"{name}.parquet")
    if file is None:
        raise InputError(
            f"{place.name}: not a finished policy study ({name}.parquet is missing); finish it with ecosim policy"
        )
    found = table.read(file)
    missing = sorted(NEEDED[name] - set(found.columns))
    if missing and not found.empty:
        raise InputError(f"{name}.parquet: has no column {missing[0]}; write it again with ecosim policy")
    return found


@solara.component
def Front(packages: pd.DataFrame) -> None:
    """Cost and loss of every package that was lived; those beaten by none joined."""
    kept = packages.dropna(subset=["cost", "loss"])
    front = kept[kept["front"].astype(bool)]
    named = front.sort_values("cost").head(MOST_NAMED)
    rest = kept.drop(named.index)
    points = [
        (
            "beaten by none",
            [(str(row["package"]), float(row["cost"]), float(row["loss"])) for row in named.to_dict("records")],
        ),
    ]
    option = figures.points(points, "cost, days of output", [name for name, *_ in points[0][1]])
    option["series"].insert(0, figures.cloud(rest["cost"], rest["loss"], "", "other packages")["series"][0])
    option["yAxis"] |= {"scale": True}
    with solara.Div(classes=["card"]):
        charts.Chart(
            option,
            packages,
            "Loss by cost, % of the twin's, in the futures that packages were chosen by",
            f"{len(kept)} packages; beaten by none: {', '.join(map(str, named['package']))}.",
            height=420,
        )


def _shown(rows: pd.DataFrame) -> str:
    """Of whom a gain or a loss is shown once all groups are allowed for."""
    told = [
        f"{word}: {', '.join(map(str, rows.loc[rows['claim'] == claim, 'group']))}"
        for word, claim in (("gain", SAVES), ("lose", HARMS))
        if (rows["claim"] == claim).any()
    ]
    return f"corrected for all groups of all packages, {'; '.join(told) or 'no gain and no loss could be shown'}"


@solara.component
def Winners(winners: pd.DataFrame) -> None:
    """Effects on groups of firms or people, of one package."""
    groupings = list(dict.fromkeys(map(str, winners["grouping"])))
    futures = list(dict.fromkeys(map(str, winners["futures"])))
    where, set_where = solara.use_state("held_out" if "held_out" in futures else futures[-1])
    lived = list(dict.fromkeys(map(str, winners.loc[winners["futures"] == where, "package"])))
    picked, set_package = solara.use_state("")
    package = picked if picked in lived else lived[0]
    by, set_by = solara.use_state(groupings[0])
    rows = winners[(winners["package"] == package) & (winners["grouping"] == by) & (winners["futures"] == where)]
    rows = rows.dropna(subset=["effect", "low", "high"]).sort_values("effect", ascending=False).head(40)
    told = [
        (str(row["group"]), float(row["effect"]), float(row["low"]), float(row["high"]))
        for row in rows.to_dict("records")
    ]
    title = f"Who gains, who loses with {package}, by {by}"
    with solara.Div(classes=["card"]):
        with solara.Div(classes=["fields"]):
            controls.Select("Package", package, set_package, {name: name for name in lived})
            controls.Select("By", by, set_by, {name: name.replace("_", " ").capitalize() for name in groupings})
            controls.Select(
                "Futures", where, set_where, {name: name.replace("_", " ").capitalize() for name in futures}
            )
        if told:
            charts.Chart(
                figures.effects(told, "loss avoided, points"),
                rows,
                title,
                f"Most {told[0][0]}: {told[0][1]:+.2f}; least {told[-1][0]}: {told[-1][1]:+.2f}. "
                f"Lines are 95 % intervals, each for itself; {_shown(rows)}.",
                height=max(180, 34 * len(told) + 60),
            )
        else:
            parts.Note("Nothing was measured for this choice.")
