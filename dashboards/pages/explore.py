"""Explore: choose a world, see what a shock does to it, step in on any day, and ask any firm what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import solara

from .. import jobs, session, uploads
from ..controls import Button
from . import explore_network, parts
from .explore_found import Course, Heads, heads
from .explore_levers import Levers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..worlds import Answer, Own

TITLE = "Explore"
ICON = "mdi-tune-variant"
LEAD = "Pull a lever and see who is hit, against the same world without the shock."


@solara.component
def Page() -> None:
    """The page: levers, three figures, the course of days, the network."""
    here = session.current()
    choice, pinned, own = here.choice.value, here.baseline.value, uploads.mine.value
    asked = jobs.use_answers((choice, pinned) if pinned is not None else (choice,), own)
    # The network is laid out meanwhile, by another process.
    jobs.use_questions((explore_network.drawn(choice, own, 0, explore_network.arranged()),))
    last: Any = solara.use_ref(None)
    if all(one is not None for one in asked.answers):
        last.current = asked.answers
    shown = last.current
    # Elements that are the same ones as before are not looked at: a move draws the levers, an answer draws the results.
    levers = solara.use_memo(lambda: Levers(choice, own), [choice, own])
    results = solara.use_memo(lambda: None if shown is None else _Results(shown, own), [shown, own])
    with solara.Div(classes=["page"]):
        parts.Head("Explore", LEAD)
        with solara.Div(classes=["eco-split"]):
            solara.Div(classes=["card", "eco-levers"], children=[levers])
            late = ["eco-late"] if asked.late else []
            found = [] if results is None else [results]
            solara.Div(classes=["stack", "eco-results", *late], children=[_Bar(asked, shown), *found])


@solara.component
def _Results(shown: Sequence[Answer], own: Own | None) -> None:
    """What was found: three figures, the course of days, the network."""
    one, base = shown[0], shown[1] if len(shown) > 1 else None
    with solara.Div(classes=["stack", "eco-found"]):
        Heads(heads=heads(one, base))
        Course(one, base)
        explore_network.Picture(one, own)


@solara.component
def _Bar(asked: jobs.Asked, shown: Sequence[Answer] | None) -> None:
    """How far the answer is, or what was wrong; the baseline."""
    here = session.current()
    pinned, branched = here.baseline.value, here.choice.value.now
    with solara.Div(classes=["eco-bar"]):
        parts.Working(asked, "Living this world", "" if shown is None else told(shown[0]), at_once=shown is None)
        with solara.Div(classes=["eco-bar-end"]):
            Button(
                "Pin as baseline" if pinned is None else "Unpin baseline",
                _pin if pinned is None else _unpin,
                tip="Keep this as the dashed line" if pinned is None else "Take the dashed line away",
            )
            if branched:
                Button("Drop what-ifs", _drop)


def _pin() -> None:
    here = session.current()
    here.baseline.value = here.choice.value


def _unpin() -> None:
    session.current().baseline.value = None


def _drop() -> None:
    here = session.current()
    here.choice.value = here.choice.value.with_(now=())


def told(answer: Answer) -> str:
    """How this was found out."""
    luck = "" if answer.by_chance or answer.runs == 1 else "; nothing is left to chance here, so all are the same"
    return f"{answer.firms:,} firms, {answer.days} days, {answer.runs} runs{luck}"
