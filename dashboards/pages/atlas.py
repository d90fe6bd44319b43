"""The page Atlas: which structure is what under which shock, as a map; behind each cell its curve and a run of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import solara

from ecosim.errors import InputError

from .. import charts, controls, jobs, session
from ..answers import atlas, cells, figures, folders, prose
from . import parts

if TYPE_CHECKING:
    from ..answers.atlas import View

TITLE = "Atlas"
ICON = "mdi-grid"
LEAD = (
    "Which network structure is fragile, robust, resilient or antifragile, under which shock and with which habits. "
    "Each cell is hundreds of paired runs; the number is G, the mean response in % of the undisturbed twin."
)
SHIPPED = "the atlas that comes with ecosim"
ACROSS = "strength of the shock (firm-days of capacity lost at full severity)"


@solara.component
def Page() -> None:
    """Choose an atlas, a table of it, and a cell."""
    here = session.current()
    folder = here.get("atlas.folder")

    def read() -> View | str:
        try:
            return atlas.opened(folders.inside(folder)) if folder else atlas.shipped()
        except InputError as error:
            return str(error)

    view = solara.use_memo(read, [folder])
    own = solara.use_memo(lambda: [each.path for each in folders.look() if each.kind == "atlas"], [])
    with solara.Div(classes=["page"]):
        parts.Head("Atlas", LEAD)
        if own or folder:
            names = {"": SHIPPED.capitalize()} | {
                path: f"Folder {path}" for path in (*own, *([folder] if folder else []))
            }
            with solara.Div(classes=["fields"]):
                controls.Select("Atlas", folder, lambda value: _go(folder=value or None), names)
        if isinstance(view, str):
            parts.Alert(view)
        else:
            Shown(view)


def _go(**params: str | None) -> None:
    """Change the page's part of the address; another atlas or table begins without a cell."""
    here = session.current()
    if "folder" in params:
        params |= dict.fromkeys(("table", "measure", "habit", "cell"))
    for name, value in params.items():
        here.put(f"atlas.{name}", value)


@parts.stacked
def Shown(view: View) -> None:
    """The map, and the cell that is chosen on it."""
    here = session.current()
    tables = [name for name in atlas.TABLES if name in view.there("table")]
    table = _among(here.get("atlas.table"), tables)
    measure = _among(here.get("atlas.measure"), view.there("measure"))
    habits = view.habits(table)
    habit = _among(here.get("atlas.habit"), habits)
    grid = view.grid(table, measure, habit)
    structures = [row[0]["structure"] for row in grid]
    shocks = [cell["shock"] for cell in grid[0]]
    structure, _, shock = here.get("atlas.cell").partition("|")
    chosen = structure in structures and shock in shocks
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "Map"}):
        with solara.Div(classes=["fields"]):
            controls.Select(
                "Habit",
                habit,
                lambda value: _go(habit=value),
                {name: view.title("habit", name).capitalize() for name in habits},
                "What firms keep and do.",
            )
            controls.Select(
                "Compared",
                table,
                lambda value: _go(table=value),
                {name: atlas.TABLES[name].capitalize() for name in tables},
                "Structures as they are; at the same cost of resilience; or with who trades with whom shaken out.",
            )
            controls.Select(
                "What is measured",
                measure,
                lambda value: _go(measure=value),
                {name: atlas.MEASURES.get(name, name).capitalize() for name in view.there("measure")},
            )
        parts.Map(
            label=f"Map: {view.title('habit', habit)}, {atlas.TABLES[table]}",
            rows=[name.replace("_", " ") for name in structures],
            columns=[view.title("shock", name) for name in shocks],
            cells=grid,
            chosen=f"{structure}|{shock}" if chosen else "",
            event_pick=lambda cell: _go(cell=f"{cell['structure']}|{cell['shock']}"),
        )
        parts.Legend()
        parts.Note(
            f"n = {int(view.verdicts['n'].iloc[0])} paired replicates of each cell; labels are corrected for several "
            "structures (Holm). Choose a cell (click, or arrow keys and Enter) to see what its label rests on."
        )
    if chosen:
        Cell(view, table, measure, habit, structure, shock).key(f"{table}|{measure}|{habit}|{structure}|{shock}")
    Counts(view, table, measure, habit, grid)


def _among(named: str, known: list[str]) -> str:
    return named if named in known else known[0]


@parts.stacked
def Counts(view: View, table: str, measure: str, habit: str, grid: list[list[dict[str, Any]]]) -> None:
    """The map as a table of numbers, for whoever cannot see it or wants it in a file."""
    shown, show = solara.use_state(False)
    rows = view.verdicts
    rows = rows[(rows["table"] == table) & (rows["measure"] == measure) & (rows["habit"] == habit)]
    columns = [name for name in COLUMNS if name in rows]
    with solara.Div(classes=["row"]):
        controls.Button("Hide the table" if shown else "The map as a table", lambda: show(not shown), pressed=shown)
        controls.Download(
            "Download all verdicts (CSV)", lambda: charts.safe_csv(view.verdicts), "verdicts.csv", "text/csv"
        )
    if shown:
        with solara.Div(classes=["card"]):
            cells_ = [
                [_shown(name, value) for name, value in zip(columns, row, strict=True)]
                for row in rows[columns].itertuples(index=False, name=None)
            ]
            parts.Table(
                f"Verdicts: {view.title('habit', habit)}, {atlas.TABLES[table]}",
                [COLUMNS[name] for name in columns],
                cells_,
                numbers=range(3, len(columns)),
                tall=True,
            )


COLUMNS = {
    "structure": "Structure",
    "shock": "Shock",
    "label": "Label",
    "gain": "G, %",
    "gain_low": "low",
    "gain_high": "high",
    "worst": "Worst d, %",
    "min_curvature": "Smallest H, %",
    "n": "n",
    "recovery_full": "Days to recover",
    "failing_full": "Firms failing",
    "equity_full": "Change of Gini",
    "cost": "Cost, %",
}
SHARES = ("gain", "gain_low", "gain_high", "worst", "min_curvature", "cost")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    if name in SHARES:
        return atlas.percent(value)
    if value == float("inf"):
        return "not by the end"
    return f"{value:.3g}"


@solara.component
def Cell(view: View, table: str, measure: str, habit: str, structure: str, shock: str) -> None:
    """What the label of a cell rests on: its numbers, its response curve, and a run."""
    try:
        row = view.row(table, measure, habit, structure, shock)
    except InputError as error:
        parts.Alert(str(error))
        return
    curve = view.curve(table, measure, habit, structure, shock)
    lines = [
        charts.Line("over the whole run (d)", curve["x"], curve["d"], curve["d_low"], curve["d_high"]),
        charts.Line("at its end (e)", curve["x"], curve["e"], curve["e_low"], curve["e_high"]),
    ]
    name = f"{structure.replace('_', ' ').capitalize()}, {view.title('shock', shock)}"
    with solara.v.Html(tag="section", class_="split wider", attributes={"aria-label": name}):
        with solara.Div(classes=["card", "stack"]):
            parts.Words("h2", name)
            parts.Note(view.title("habit", habit).capitalize() + "; " + atlas.TABLES[table] + ".")
            parts.Verdict(row["label"])
            parts.Facts(atlas.numbers(row))
            parts.Note(prose.reason(row["reason"]))
        with solara.Div(classes=["stack"]):
            with solara.Div(classes=["card"]):
                charts.Chart(
                    figures.curves(lines, ACROSS),
                    charts.table_of(lines, "%", "strength"),
                    f"Response of {atlas.MEASURES.get(measure, measure)}, % of the twin's",
                    f"At full strength {curve['d'].iloc[-1]:.1f} % over the whole run and {curve['e'].iloc[-1]:.1f} % "
                    "at its end. Bands are 95 % intervals of the mean.",
                    picture=lambda kind: charts.picture(name, "%", lines, kind=kind, across=ACROSS),
                )
            OneRun(view, habit, structure, shock, name)


@solara.component
def OneRun(view: View, habit: str, structure: str, shock: str, name: str) -> None:
    """A run of the cell, lived when it is asked for."""
    wanted, want = solara.use_state(0)
    try:
        scenario = view.scenario(habit, structure, shock).with_({"seed": max(wanted, 1)})
    except InputError as error:
        parts.Note(str(error))
        return
    size = int(scenario.economy.firms) * scenario.days  # type: ignore[attr-defined]
    asked = jobs.use_questions(
        (jobs.Question(cells.live, (scenario.to_yaml(),), reports=False, firm_days=lambda: 2 * size),) if wanted else ()
    )
    with solara.Div(classes=["card", "stack"]):
        with solara.Div(classes=["row"]):
            controls.Button(
                "Live one run of it" if not wanted else "Another run, other luck", lambda: want(wanted + 1), "primary"
            )
            Elsewhere(view, habit, structure, shock)
        parts.Working(asked, "Living the run")
        if asked.answers and asked.answers[0] is not None:
            Lived(asked.answers[0], f"{name}: run {wanted} at full strength")


@solara.component
def Elsewhere(view: View, habit: str, structure: str, shock: str) -> None:
    """A way to Explore with the nearest thing to this cell that its sliders can say."""
    here, router = session.current(), solara.use_router()
    choice = cells.nearest(view, habit, structure, shock)
    if choice is None:
        return

    def go() -> None:
        here.choice.value = choice
        router.push(f"/?{here.address()}")

    controls.Button(
        "Something like it in Explore", go, tip="The same structure, stocks and spare capacity, with its sliders."
    )


@solara.component
def Lived(run: cells.Run, title: str) -> None:
    """A run as its daily output and consumption."""
    days = list(range(len(run.made)))
    lines = [charts.Line("made", days, run.made), charts.Line("got by customers", days, run.sold)]
    charts.Chart(
        charts.bands(title, "% of the twin", lines, run.events),
        charts.table_of(lines, "% of the twin"),
        title,
        f"Everything made fell to {min(run.made):.0f} % of the undisturbed twin's, what customers got to "
        f"{min(run.sold):.0f} %; {run.failing} of {run.firms} firms fell below half of their usual output.",
        picture=lambda kind: charts.picture(title, "% of the twin", lines, run.events, kind=kind),
    )
