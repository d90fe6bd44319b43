"""The page Data: any folder of ecosim's below the one the server was started in, as tables and series."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import solara

from ecosim.errors import InputError

from .. import charts, controls, session, theme
from ..answers import figures, folders, table
from ..answers.table import Sieve
from . import parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

TITLE = "Data"
ICON = "mdi-table"
LEAD = (
    "Look at any run or study below the folder in which the dashboard was started. Files are read as data: nothing "
    "in a folder is ever run."
)
PAGE = 50  # rows of a table at once
SIEVES = 4
LINES = 4  # of a chart
LOOK = 2.0  # seconds between two looks at a study under way


@solara.component
def Page() -> None:
    """Choose a folder, then a table of it."""
    here = session.current()
    looked, look = solara.use_state(0)
    found = solara.use_memo(folders.look, [looked])
    named = here.get("data.folder")
    with solara.Div(classes=["page"]):
        parts.Head("Data", LEAD)
        with solara.Div(classes=["card"]):
            with solara.Div(classes=["fields"]):
                options = {"": "Choose…" if found else "Nothing found here yet"} | {
                    each.path: f"{each.kind}: {each.path}" for each in found
                }
                if named and named not in options:
                    options[named] = named
                controls.Select("Folder", named, lambda value: _open(value or None), options)
            with solara.Div(classes=["row"]):
                controls.Button("Look again", lambda: look(looked + 1))
                makers = "made by ecosim run, compare, atlas, sweep or policy"
                parts.Note(f"{len(found)} found below {folders.root().name or '/'}, {makers}.")
        if named:
            Folder(named, looked).key(f"{named}-{looked}")


def _open(name: str | None) -> None:
    here = session.current()
    here.put("data.folder", name)
    here.put("data.table", None)


@parts.stacked
def Folder(named: str, looked: int) -> None:
    """What a folder holds; a bad one is told in its place."""
    here = session.current()
    try:
        place = folders.inside(named)
        kind, files = folders.kind_of(place), folders.tables(place)
    except (InputError, OSError) as error:
        parts.Alert(str(error))
        return
    if kind is None:  # whatever else lies there is nobody's business in a class
        parts.Alert(f"{named}: nothing that ecosim wrote; choose one of the list.")
        return
    names = [*(["runs of the study"] if kind == "study" else []), *files]
    if kind == "study":
        Progress(place)
    if kind == "run":
        Told(place)
    if not names:
        parts.Alert(f"{named}: holds no tables.")
        return
    first = next(
        (name for name in ("series.parquet", "runs of the study", "effects.parquet") if name in names), names[0]
    )
    chosen = here.get("data.table")
    chosen = chosen if chosen in names else first
    with solara.Div(classes=["fields"]):
        controls.Select("Table", chosen, lambda value: here.put("data.table", value), {name: name for name in names})
    Table(place, kind, chosen, looked).key(f"{named}|{chosen}|{looked}")


def _text(path: Path) -> Any:
    """Values of a small JSON file; None where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < 5_000_000 else None
    except (OSError, ValueError, RecursionError):
        return None


@solara.component
def Told(place: Path) -> None:
    """What a run says of itself."""
    summary, manifest = _text(place / "summary.json"), _text(place / "manifest.json")
    if not isinstance(summary, dict) or not isinstance(manifest, dict):
        parts.Alert(f"{place.name}: its summary or manifest cannot be read; tables are shown below all the same.")
        return
    loss, versions = (
        each if isinstance(each, dict) else {} for each in (summary.get("loss"), manifest.get("versions"))
    )
    facts = [
        (name, table.shown(value) + unit, "")
        for name, value, unit in (
            ("Days", summary.get("days"), ""),
            ("Output lost", loss.get("production_percent"), " %"),
            ("Consumption lost", loss.get("final_consumption_percent"), " %"),
            ("Seed", manifest.get("seed"), ""),
            ("ecosim", versions.get("ecosim"), ""),
        )
        if value is not None
    ]
    with solara.Div(classes=["card"]):
        parts.Facts(facts)


@solara.component
def Progress(place: Path) -> None:
    """How far a study is, looked at again and again while somebody is at work on it."""
    from ecosim.study.progress import Progress as Far
    from ecosim.study.progress import duration

    tick, set_tick = solara.use_state(0)
    far = Far.of(place)

    def wait() -> None:
        if far is not None and far.working and far.done < far.total:
            time.sleep(LOOK)
            set_tick(tick + 1)

    solara.use_thread(wait, dependencies=[tick])
    if far is None:
        parts.Note("Nobody has said how far this study is.")
        return
    state = (
        "Under way"
        if far.working and far.done < far.total
        else "Done"
        if far.done >= far.total
        else "Nobody is at work on it"
    )
    left = f", about {duration(far.seconds_left)} left" if far.working and far.seconds_left else ""
    failed = f", {far.failed:,} failed" if far.failed else ""
    with solara.Div(classes=["card", "working"], attributes={"aria-live": "polite"}):
        parts.Words("span", f"{state}: {far.done:,} of {far.total:,} runs{failed}{left}")
        solara.HTML(
            tag="div",
            style={"display": "contents"},
            unsafe_innerHTML=f'<progress max="{far.total or 1}" value="{far.done}" aria-label="Runs done"></progress>',
        )


@solara.component
def Table(place: Path, kind: str, name: str, looked: int) -> None:
    """One table: filters, rows, a chart, and the file of what is left."""

    def read() -> pd.DataFrame | str:
        try:
            if name == "runs of the study":
                from ecosim import Study

                return Study.load(place).table()
            return table.read(folders.tables(place)[name])
        except (InputError, OSError, KeyError) as error:
            return str(error)

    found = solara.use_memo(read, [str(place), name, looked])
    if isinstance(found, str):
        parts.Alert(found)
    else:
        Rows(found, name, series=name == "series.parquet")


@parts.stacked
def Rows(found: pd.DataFrame, name: str, series: bool) -> None:
    """Filters above, a chart where there are numbers, rows below."""
    sieves, set_sieves = solara.use_state(())
    order, set_order = solara.use_state(("", False))
    at, set_at = solara.use_state(0)

    def sift() -> tuple[pd.DataFrame, str]:
        try:
            kept, wrong = table.sift(found, sieves), ""
        except InputError as error:
            kept, wrong = found, str(error)
        return table.ordered(kept, order[0] or None, falling=order[1]), wrong

    kept, wrong = solara.use_memo(sift, [sieves, order, id(found)])
    pages = max(1, -(-len(kept) // PAGE))
    here = min(at, pages - 1)

    def sieved(new: tuple[Sieve, ...]) -> None:
        set_sieves(new)
        set_at(0)

    def sort(column: str) -> None:
        set_order((column, order[0] == column and not order[1]))
        set_at(0)

    Draw(kept, name, series)
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": f"Table {name}"}):
        parts.Words("h2", name)
        Sieves(list(map(str, found.columns)), sieves, sieved)
        if wrong:
            parts.Alert(wrong)
        columns = [
            {"name": str(one), "label": str(one), "num": str(one) in set(table.numeric(kept))} for one in kept.columns
        ]
        parts._Table(
            columns=columns,
            rows=table.page(kept, here, PAGE),
            label=f"{name}, rows {here * PAGE + 1:,} to {min((here + 1) * PAGE, len(kept)):,} of {len(kept):,}",
            empty="No row passes.",
            headed=False,
            tall=True,
            marked=[],
            sorted=order[0],
            falling=order[1],
            event_sort=sort,
        )
        with solara.Div(classes=["row"]):
            controls.Button("Previous", lambda: set_at(here - 1), disabled=here == 0)
            parts.Words("span", f"Page {here + 1:,} of {pages:,}; {len(kept):,} of {len(found):,} rows", role="status")
            controls.Button("Next", lambda: set_at(here + 1), disabled=here >= pages - 1)
            controls.Download(
                "Download these rows (CSV)",
                lambda: charts.safe_csv(kept),
                f"{name.rpartition('/')[2].rpartition('.')[0] or 'table'}.csv",
                "text/csv",
            )


@parts.stacked
def Sieves(columns: list[str], sieves: tuple[Sieve, ...], on_change: Callable[[tuple[Sieve, ...]], None]) -> None:
    """Conditions on the rows, all of which must hold."""

    def put(at: int, *new: Sieve) -> None:
        on_change((*sieves[:at], *new, *sieves[at + 1 :]))

    for at, sieve in enumerate(sieves):
        OneSieve(at + 1, columns, sieve, partial(put, at))
    if len(sieves) < SIEVES and columns:
        with solara.Div(classes=["row"]):
            controls.Button("Add a filter", lambda: on_change((*sieves, Sieve(columns[0], "contains"))))


@solara.component
def OneSieve(number: int, columns: list[str], sieve: Sieve, put: Callable[..., None]) -> None:
    """One condition; ``put`` takes another in its place, or none."""
    name = f"Filter {number}"
    with solara.v.Html(
        tag="fieldset", class_="fields", style_="border: 0; padding: 0", attributes={"aria-label": name}
    ):
        controls.Select(
            f"{name}: column",
            sieve.column,
            lambda value: put(replace(sieve, column=value)),
            {one: one for one in columns},
        )
        controls.Select(
            "Test",
            sieve.test,
            lambda value: put(replace(sieve, test=cast("Any", value))),
            {one: one for one in table.TESTS},
        )
        if sieve.test != "is empty":
            parts.Field("Value", sieve.value, lambda value: put(replace(sieve, value=value)), "0.5, or words")
        with solara.Div(style={"align-self": "center"}):
            controls.Button(f"Remove filter {number}", put, "quiet")


@solara.component
def Draw(kept: pd.DataFrame, name: str, series: bool) -> None:
    """Numbers as a chart: a series over its days with the twin's dashed, else one column against another."""
    numbers = table.numeric(kept)
    across_first = next((one for one in ("day", "run", "x") if one in numbers), numbers[0] if numbers else "")
    shown_first = table.worth_showing(numbers, across_first)
    across, set_across = solara.use_state(across_first)
    up, set_up = solara.use_state(shown_first)
    if len(numbers) < 2 or up not in numbers or across not in numbers or kept.empty:
        return
    options = {one: one for one in numbers if not (series and one.startswith("twin_"))}
    title = f"{up} by {across}"
    if series:
        lines = [charts.Line(up, kept[across].to_numpy(float), kept[up].to_numpy(float), colour=theme.ACCENT)]
        if f"twin_{up}" in numbers:
            lines.insert(
                0, charts.Line("undisturbed twin", lines[0].x, kept[f"twin_{up}"].to_numpy(float), dashed=True)
            )
        option = charts.bands(title, up, lines, across=across)
        option["grid"] |= {"left": 12, "containLabel": True}  # amounts are wider than percentages
    else:
        x, y = table.thinned(kept, across, up)
        lines, option = [charts.Line(up, x, y)], figures.cloud(x, y, across, up)
    with solara.Div(classes=["card"]):
        with solara.Div(classes=["fields"]):
            controls.Select("Show", up, set_up, options)
            controls.Select("Across", across, set_across, options)
        charts.Chart(
            option,
            charts.table_of(lines, up, across),
            title,
            f"{len(kept):,} rows; {up} from {table.shown(kept[up].min())} to {table.shown(kept[up].max())}.",
            picture=(lambda kind: charts.picture(title, up, lines, kind=kind, across=across)) if series else None,
        )
