"""The page About: what the model is, what it rests on, how far it was tested, and what it cannot say."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import solara

from .. import charts, controls
from ..answers import about, prose
from . import parts

if TYPE_CHECKING:
    import pandas as pd

TITLE = "About"
ICON = "mdi-information"
LEAD = (
    "A model, not a forecast: it works out what follows from its assumptions, so that people can see what matters and "
    "argue about it. This page says which assumptions they are, and how far they were tested."
)
LIMITS = (
    "It does not say when a shock comes, nor how likely one is: shocks are put in, results are what follows.",
    "Most magnitudes of the mechanisms are assumptions and marked so below. A result that rests on one of them should "
    "be shown for its range, not for its default.",
    "The small teaching worlds (tens of firms) show how cascades work. Their percentages are those of a toy town.",
    "An interval is about luck within the model. What the model gets wrong is in no interval.",
    "A verdict (fragile, robust, resilient, antifragile) belongs to a structure under one shock, with its numbers and "
    "margins, and to nothing else.",
    "Firms are rules, not people: nobody here invents what the rules do not know, or cares for a neighbour unless a "
    "mechanism says so.",
)
SIZE = 25


@solara.component
def Page() -> None:
    """Sections with their own headings."""
    with solara.Div(classes=["page"]):
        parts.Head("About the model", LEAD)
        Sure()
        with solara.v.Html(tag="section", class_="card stack prose", attributes={"aria-label": "Limits"}):
            parts.Words("h2", "What it cannot say")
            solara.v.Html(tag="ul", children=[parts.Words("li", text) for text in LIMITS])
        Checked()
        Equations()
        Parameters()
        parts.Note(f"ecosim {version('ecosim')}. No telemetry; nothing leaves this computer.")


@solara.component
def Sure() -> None:
    """How sure one may be, in the words of the documentation."""
    answer, how = about.how_sure()
    if answer:
        with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "How sure"}):
            parts.Words("h2", "How sure are we?")
            # Our own documentation, read from the package, as below.
            solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=prose.own(answer))
            parts.Words("h3", "How to say it")
            solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=prose.own(how))


@solara.component
def Checked() -> None:
    """What the model was compared with, the misses first."""
    tables = about.validation()
    with solara.v.Html(tag="section", class_="stack", attributes={"aria-label": "Validation"}):
        parts.Words("h2", "How far it was tested")
        if not tables:
            parts.Alert("The pages of the documentation did not come along; ecosim validate measures everything again.")
        with solara.Div(classes=["cards"]):
            for each in tables:
                met, judged = each.met
                with solara.Div(classes=["card"]):
                    parts.Words("h3", each.title)
                    with solara.Div(classes=["row"], style={"align-items": "baseline", "gap": ".4rem"}):
                        parts.Words("span", f"{met} of {judged}", ["number"])
                        parts.Words("span", "checks met", ["unit"])
                    judged_not = len(each.rows) - judged
                    unjudged = f" {judged_not} more measured and not judged." if judged_not else ""
                    parts.Note(f"{each.said} Tolerances were set before anything was measured.{unjudged}")
                    for missed in each.missed:
                        parts.Words("p", f"✗ Missed: {missed}")
        for each in tables:
            with Fold(f"All checks: {each.title.lower()} ({len(each.rows)})"):
                right = [
                    at for at, name in enumerate(each.columns) if name in {"expected", "measured", "tolerance", "n"}
                ]
                parts.Table(
                    each.title,
                    [name.capitalize() for name in each.columns],
                    each.rows,
                    numbers=right,
                    headed=False,
                    tall=True,
                    wraps=True,
                )
        parts.Note("Measure all of it on this computer: ecosim validate (some minutes), or ecosim validate --quick.")


@solara.component
def Equations() -> None:
    """The day of the model, from its documentation."""
    text = about.page("model.md")
    with solara.v.Html(tag="section", class_="stack", attributes={"aria-label": "Equations"}):
        parts.Words("h2", "Equations")
        parts.Words(
            "p",
            "The core is the model of Inoue & Todo (2019, Nature Sustainability 2, 841-847), after Hallegatte (2008). "
            "Seventeen mechanisms (money, customers, plans, owners who learn) can be switched on around it.",
        )
        for title, name in (
            ("The day, step by step", "The day"),
            ("What each symbol means", "State"),
            ("The day with mechanisms", "The day with mechanisms"),
            ("What surprises people", "What surprises people"),
        ):
            section = about.section(text, name)
            if section:
                with Fold(title, open_=name == "The day"):
                    # Pages of our own documentation, read from the package: no text of a user's gets here.
                    solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=prose.own(section))


@solara.component
def Fold(title: str, children: list[solara.Element] = [], open_: bool = False) -> None:  # noqa: B006 - as Solara has it
    """Something that opens when its title is pressed; nothing of it is sent before."""
    shown, show = solara.use_state(open_)
    with solara.Div(classes=["card", "stack"]):
        with solara.Div(classes=["row"]):
            controls.Button(f"{'▾' if shown else '▸'} {title}", lambda: show(not shown), "quiet", pressed=shown)
        if shown:
            solara.Div(children=children)


@solara.component
def Parameters() -> None:
    """Every parameter with its range and source, to search in."""
    which, set_which = solara.use_state("mechanisms")
    wanted, want = solara.use_state("")
    at, set_at = solara.use_state(0)
    table = about.parameters() if which == "mechanisms" else about.policy_parameters()
    kept = matching(table, wanted)
    assumed = int((table["source"] == "assumption").sum())
    pages = max(1, -(-len(kept) // SIZE))
    here = min(at, pages - 1)

    def choose(name: str) -> None:
        set_which(name)
        set_at(0)

    def search(text: str) -> None:
        want(text)
        set_at(0)

    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "Parameters"}):
        parts.Words("h2", "Parameters and their sources")
        parts.Note(
            f"Read from the code. Of {len(table)} parameters of {which}, {assumed} are assumptions: no source is known."
        )
        with solara.Div(classes=["fields"]):
            controls.Select(
                "Of",
                which,
                choose,
                {"mechanisms": "Mechanisms", "policies": "Policies"},
            )
            parts.Field("Search", wanted, search, "cash, Mizuno, assumption…")
        part = kept.iloc[here * SIZE : (here + 1) * SIZE]
        parts.Table(
            f"Parameters of {which}",
            ("Part", "Parameter", "Meaning", "Unit", "Default", "Range", "Source"),
            [
                (
                    row["mechanism"],
                    row["parameter"],
                    row["meaning"],
                    row["unit"],
                    row["default"],
                    "" if row["low"] != row["low"] else f"{row['low']:g} to {row['high']:g}",
                    row["source"],
                )
                for row in part.to_dict("records")
            ],
            headed=False,
            tall=True,
            wraps=True,
        )
        with solara.Div(classes=["row"]):
            controls.Button("Previous", lambda: set_at(here - 1), disabled=here == 0)
            parts.Words("span", f"Page {here + 1} of {pages}; {len(kept)} parameters", role="status")
            controls.Button("Next", lambda: set_at(here + 1), disabled=here >= pages - 1)
            controls.Download(
                "Download all (CSV)", lambda: charts.safe_csv(table), f"parameters_of_{which}.csv", "text/csv"
            )


def matching(table: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Rows that hold all the words somewhere."""
    kept = table
    for word in wanted.casefold().split():
        text = kept[["mechanism", "parameter", "meaning", "unit", "source"]].agg(" ".join, axis=1).str.casefold()
        kept = kept[text.str.contains(word, regex=False)] if len(kept) else kept
    return kept
