"""The page Policy: levers with budgets, assumptions apart from them, who gains and loses, and a challenge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import solara

from .. import controls, jobs, session
from ..answers import policies
from ..answers.policies import ASSUMPTIONS, LEVERS, PURSE, UNIT, Answer, Question
from . import parts, policy_found, policy_study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "Policy"
ICON = "mdi-scale-balance"
LEAD = (
    "Spend a budget on a small town before and after a flood: what does each measure bring, what does it cost, and who "
    "gains or loses?"
)
STUDIED = "A study that ecosim policy made: which packages hold up, what they cost, and who gains or loses."


@solara.component
def Page() -> None:
    """Levers and assumptions to the left, what they do to the right; or a finished study."""
    here = session.current()
    folder = here.get("policy.study")
    with solara.Div(classes=["page"]):
        parts.Head("Policy", STUDIED if folder else LEAD)
        policy_study.Choose(folder)
        if folder:
            policy_study.Study(folder).key(folder)
        else:
            Town()


@solara.component
def Town() -> None:
    """The small live world."""
    here = session.current()
    levers = {name: _number(here.get(f"policy.{name}"), 0.0, 0.0, PURSE) for name in LEVERS}
    assumed = {
        name: _number(here.get(f"policy.{name}"), one.usual, one.low, one.high) for name, one in ASSUMPTIONS.items()
    }
    question = Question(
        tuple((name, budget) for name, budget in levers.items() if budget > 0),
        tuple((name, value) for name, value in assumed.items() if value != ASSUMPTIONS[name].usual),
    )
    asked_for, ask_for = solara.use_state(Question())
    each, each_too = solara.use_state(False)
    ready = replace(question, alone=each)
    asked = jobs.use_questions((jobs.Question(policies.answer, (asked_for,), firm_days=lambda: _cost(asked_for)),))
    found: Answer | None = asked.answers[0]
    changed = asked_for != ready
    with solara.Div(classes=["split"]):
        with solara.Div(classes=["stack"]):
            Levers(levers)
            with (
                solara.v.Html(tag="section", class_="card", attributes={"aria-label": "Work it out"}),
                solara.Div(classes=["stack"]),
            ):
                controls.Select(
                    "Beside the package",
                    "each" if each else "",
                    lambda value: each_too(value == "each"),
                    {"": "The package only (about 10 s)", "each": "Each lever alone, too (about a minute)"},
                    "Alone: with its own budget, and with the whole purse.",
                )
                controls.Button(
                    "Work it out" if changed else "Worked out",
                    lambda: ask_for(ready),
                    "primary",
                    disabled=not changed,
                )
            Assumptions(assumed)
        with solara.Div(classes=["stack"]):
            parts.Working(asked, "Living the town")
            if found is not None:
                if changed:
                    parts.Note("Shown is what was worked out last; your levers have changed since.")
                policy_found.Found(found)


def _number(text: str, usual: float, low: float, high: float) -> float:
    """A number of the address, or the usual one where it is none or out of its limits."""
    try:
        value = float(text)
    except ValueError:
        return usual
    return value if low <= value <= high else usual


def _cost(question: Question) -> int:
    variants = 3 + (len(question.budgets) + len(LEVERS) + 1 if question.alone else 0)
    return policies.FIRMS * policies.DAYS * question.replicates * variants


@solara.component
def Levers(levers: Mapping[str, float]) -> None:
    """What can be paid for, each with its budget."""
    here = session.current()
    total = sum(levers.values())

    def set_(name: str) -> Callable[[float], None]:
        return lambda value: here.put(f"policy.{name}", f"{value:g}" if value else None)

    with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "Levers"}):
        parts.Words("h2", "Levers and their budgets")
        parts.Words("p", f"{total:.2g} of {PURSE:g} day of output", ["bigger"], style="margin: .25rem 0")
        if total > PURSE + 1e-9:
            parts.Alert(f"This is {total - PURSE:.2g} more than the purse holds.")
        parts.Note("A day of output is what the whole town makes in a day. A budget is the most that is spent.")
        with solara.Div(style={"margin-top": ".75rem"}):
            for name, lever in LEVERS.items():
                controls.Slider(lever.title, levers[name], set_(name), 0, PURSE, 0.05, UNIT, lever.tip)


@solara.component
def Assumptions(assumed: Mapping[str, float]) -> None:
    """What no policy can choose, apart from the levers."""
    here = session.current()

    def set_(name: str) -> Callable[[float], None]:
        usual = ASSUMPTIONS[name].usual
        return lambda value: here.put(f"policy.{name}", None if value == usual else f"{value:g}")

    with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "Assumptions"}):
        parts.Words("h2", "Assumptions")
        parts.Note("Not levers: nobody chooses them. Move them to see how far a result depends on them.")
        with solara.Div(style={"margin-top": ".75rem"}):
            for name, one in ASSUMPTIONS.items():
                controls.Slider(one.label, assumed[name], set_(name), one.low, one.high, one.step, one.unit, one.tip)
