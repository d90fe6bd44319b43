"""The page Compare: two to four worlds under the same shock and the same luck, and which of them is better."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import solara

from .. import charts, controls, jobs, session, theme
from ..answers import atlas, comparing, figures, prose
from ..answers.comparing import Answer, Ours, Question
from . import parts

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "Compare"
ICON = "mdi-compare"
LEAD = (
    "Worlds side by side under the same shock and with the same luck: every difference is one between twins, so "
    "what is left is due to what you changed."
)
ACROSS = "strength of the shock (firm-days of capacity lost at full severity)"


@solara.component
def Page() -> None:
    """Choose worlds, live them, and read who is better, with the numbers that it rests on."""
    here = session.current()
    names = ("worlds", "shock", "measure", "replicates", "seed")
    question = Question.from_params({name: here.get(f"compare.{name}") for name in names})

    def ask(new: Question) -> None:
        if new.aided and new.measure != "production":
            new = replace(new, measure="production")
        params = new.to_params()
        for name in names:
            here.put(f"compare.{name}", params.get(name))

    wrong = question.refuse()
    asked = jobs.use_questions(
        () if wrong else (jobs.Question(comparing.answer, (question,), firm_days=lambda: question.firm_days),)
    )
    found: Answer | None = asked.answers[0] if asked.answers else None
    with solara.Div(classes=["page"]):
        parts.Head("Compare", LEAD)
        Same(question, ask)
        Worlds(question, ask, found)
        if wrong:
            parts.Alert(wrong)
        else:
            parts.Working(asked, "Living the worlds")
        if found is not None:
            Found(found, question)


@solara.component
def Same(question: Question, ask: Callable[[Question], None]) -> None:
    """What all worlds have in common."""
    spec = comparing.spec()
    with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "What all worlds share"}):
        parts.Words("h2", "The same for all")
        with solara.Div(classes=["fields"], style={"margin-top": ".75rem"}):
            controls.Select(
                "Shock",
                question.shock,
                lambda value: ask(replace(question, shock=value)),
                {name: shock.title or name for name, shock in spec.shocks.items()},
                "Befalls every world, at eight strengths up to full.",
            )
            controls.Select(
                "What is measured",
                question.measure,
                lambda value: ask(replace(question, measure=value)),
                {name: title.capitalize() for name, title in comparing.MEASURES.items()},
                "With policies it is everything made.",
                disabled=question.aided,
            )
            controls.Select(
                "Replicates",
                str(question.replicates),
                lambda value: ask(replace(question, replicates=int(value))),
                {str(many): f"{many} of each world" for many in comparing.REPLICATES},
                "Each has a network and luck of its own. A verdict other than FRAGILE needs 86 or more.",
            )
            controls.Slider(
                "Seed",
                question.seed,
                lambda value: ask(replace(question, seed=int(value))),
                1,
                20,
                1,
                tip="Another seed is other luck for all worlds.",
            )


@parts.stacked
def Worlds(question: Question, ask: Callable[[Question], None], found: Answer | None) -> None:
    """Each world with what it is, and, when it is known, its verdict."""
    worlds, names = question.worlds, question.names()
    verdicts = {row["world"]: row for row in found.verdicts} if found is not None else {}

    def put(at: int, *new: Ours) -> None:
        ask(replace(question, worlds=(*worlds[:at], *new, *worlds[at + 1 :])))

    with solara.Div(classes=["worlds"]):
        for at, world in enumerate(worlds):
            World(at, names[at], world, verdicts.get(names[at]), partial(put, at), len(worlds) > 2)
    if len(worlds) < comparing.MOST:
        with solara.Div(classes=["row"]):
            controls.Button("Add a world", lambda: ask(replace(question, worlds=(*worlds, another(question)))))


@solara.component
def World(
    at: int, name: str, world: Ours, verdict: dict[str, Any] | None, put: Callable[..., None], removable: bool
) -> None:
    """One world; ``put`` takes another in its place, or none."""
    spec, letter = comparing.spec(), "ABCD"[at]
    structures = {name: name.replace("_", " ").capitalize() for name in spec.structures}
    habits = {name: (habit.title or name).capitalize() for name, habit in spec.habits.items()}
    policies = {name: title.capitalize() for name, (title, _, _) in comparing.POLICIES.items()}
    with solara.v.Html(
        tag="section",
        class_="card world",
        style_=f"border-top-color: {theme.SERIES[at]}",
        attributes={"aria-label": f"World {letter}"},
    ):
        parts.Words("h2", f"{letter} · {name}")
        with solara.Div(style={"margin-top": ".75rem"}):
            controls.Select(
                "Structure", world.structure, lambda value: put(replace(world, structure=value)), structures
            )
            controls.Select("Habit", world.habit, lambda value: put(replace(world, habit=value)), habits)
            controls.Select("Policy", world.policy, lambda value: put(replace(world, policy=value)), policies)
        if verdict is not None:
            Judged(verdict)
        if removable:
            controls.Button(f"Remove {letter}", put, "quiet")


def another(question: Question) -> Ours:
    """A world that is not there yet: the last one with the next structure."""
    last, structures = question.worlds[-1], list(comparing.spec().structures)
    at = structures.index(last.structure)
    choices = (replace(last, structure=name) for name in structures[at + 1 :] + structures[: at + 1])
    return next(world for world in choices if world not in question.worlds)


@parts.stacked
def Judged(row: dict[str, Any]) -> None:
    """A verdict with the numbers it rests on."""
    parts.Verdict(row["label"])
    with solara.Div(style={"margin": ".75rem 0"}):
        parts.Facts(atlas.numbers(row))
    parts.Note(prose.reason(row["reason"]))


@parts.stacked
def Found(found: Answer, question: Question) -> None:
    """Who is better, and by how much."""
    first, *others = found.names
    lines = [
        charts.Line(name, found.x, curve["mean"], curve["low"], curve["high"]) for name, curve in found.curves.items()
    ]
    gaps = [charts.Line(name, found.x, gap["mean"], gap["low"], gap["high"]) for name, gap in found.gaps.items()]
    what = comparing.MEASURES[question.measure]
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "Who is better"}):
        parts.Words("h2", "Who is better")
        for name in others:
            said, rests = found.relations[name]
            with solara.Div():
                parts.Words("p", f"{said[:1].upper()}{said[1:]}.", ["bigger"])
                parts.Note(f"{rests[:1].upper()}{rests[1:]}; intervals 95 %, each for itself.")
    with solara.Div(
        classes=["split"], style={"grid-template-columns": "repeat(auto-fit, minmax(min(26rem, 100%), 1fr))"}
    ):
        with solara.Div(classes=["card"]):
            charts.Chart(
                figures.curves(lines, ACROSS),
                charts.table_of(lines, "%", "strength"),
                f"Response: {what}, % of the undisturbed twin's",
                "At full strength: "
                + "; ".join(f"{name} {curve['mean'][-1]:.1f} %" for name, curve in found.curves.items())
                + ". Bands are 95 % intervals of the mean.",
                picture=lambda kind: charts.picture(f"Response: {what}", "%", lines, kind=kind, across=ACROSS),
            )
        with solara.Div(classes=["card"]):
            charts.Chart(
                figures.curves(gaps, ACROSS),
                charts.table_of(gaps, "points", "strength"),
                f"Difference from {first}, pair by pair",
                "Above 0 loses less than the first world. Bands are 95 % intervals of paired differences.",
                picture=lambda kind: charts.picture(
                    f"Difference from {first}", "points", gaps, kind=kind, across=ACROSS
                ),
            )
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "Effects"}):
        parts.Words("h2", f"Paired differences from {first}, at full strength")
        rows = [(row["world"], *comparing.effect_row(row)) for row in found.effects]
        parts.Table(
            f"Paired differences from {first}",
            ("World", "Outcome", first.capitalize(), "This world", "Difference", "95 % interval"),
            rows,
            numbers=(2, 3, 4, 5),
        )
        parts.Note(f"n = {found.n} pairs. Verdicts are corrected for several worlds ({found.correction}).")
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "What each keeps"}):
        parts.Words("h2", "What each keeps in order to be resilient")
        costs = [
            (row["world"], f"{row['stock']:g}", f"{100 * row['spare']:g}", f"{row['links']:.1f}") for row in found.costs
        ]
        parts.Table(
            "What each world keeps",
            ("World", "Stock, days of use", "Spare capacity, %", "Links a firm"),
            costs,
            numbers=(1, 2, 3),
        )
        parts.Note(
            "Compare like with like: a world that keeps more is paid for. The Atlas shows habits at equal cost, too."
        )
        for remark in found.remarks:
            parts.Note(f"{remark[:1].upper()}{remark[1:]}")
