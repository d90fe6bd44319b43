"""The network of a run in Explore: days to scrub, a firm to ask, and what could happen now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import solara

from .. import controls, jobs, living, session, worlds
from ..controls import Button, Controls
from ..network import Network
from ..network.scene import ARRANGED
from ..words import figure
from ..worlds import AS_WRITTEN, LEVERS, NOTHING, Now
from .parts import Alert, Words

if TYPE_CHECKING:
    from ..worlds import Answer, Choice, Own

KINDS = {name: title for name, title in worlds.SHOCKS.items() if name not in {AS_WRITTEN, NOTHING}}


@solara.component
def Picture(one: Answer, own: Own | None) -> None:
    """The network of one run with its days, the firm that is looked at, and what could happen now."""
    here = session.current()
    run = _whole(here.get("explore.run"), 0, one.runs - 1)
    by = arranged()
    row, set_row = solara.use_state(-1)
    day = min(here.day.value if here.day.value is not None else _first_day(one), one.days - 1)
    mine = own if own is not None and own.key == one.choice.ecosystem else None
    asked = jobs.use_questions((drawn(one.choice, own, run, by),))
    last: Any = solara.use_ref(None)
    if asked.answers[0] is not None:
        last.current = asked.answers[0], run
    runs = {str(at): f"{at + 1} of {one.runs}: {figure(one.lost[at])} % lost" for at in range(one.runs)}
    with solara.Div(classes=["card"]):
        Words("h2", "The network, day by day")
        with solara.Div(classes=["eco-pick"]):
            luck = "Each run has luck of its own: who is struck, and who trades with whom."
            Controls(
                (
                    controls.choice("Run shown", str(run), lambda at: here.put("explore.run", at), runs, luck),
                    controls.choice("Arranged", by, lambda name: here.put("explore.by", name), ARRANGED),
                )
            )
        if asked.error:
            Alert(asked.error).key("error")
        if last.current is None:
            Words("p", "Laying out the network …", ["muted"]).key("waiting")
            return
        with solara.Div(classes=["eco-net"]):
            Network(
                last.current[0],
                one.frames[run],
                one.struck[run],
                one.made[:, run].astype("<f4").tobytes(),
                one.events,
                f"Run {run + 1} of {one.runs}",
                day,
                row,
                here.projector.value,
                here.day.set,
                set_row,
            )
            with solara.Div(classes=["eco-side"]):
                _Firm(one, mine, run, row, cells=last.current[0].of_cells)
                _WhatIf(day)


def arranged() -> str:
    """How the picture is arranged."""
    by = session.current().get("explore.by", "trade")
    return by if by in ARRANGED else "trade"


def drawn(choice: Choice, own: Own | None, run: int, by: str) -> jobs.Question:
    """The question where the firms of a run stand in the picture."""
    mine = own if own is not None and own.key == choice.ecosystem else None
    return jobs.Question(living.scene, (laid_out(choice), mine, run, by), reports=False)


def laid_out(choice: Choice) -> Choice:
    """The choice without what changes no link, so that pulling a lever sends no network again."""
    return choice.with_(
        shock=NOTHING, policy=NOTHING, who="random", share=20.0, severity=60.0, start=20, duration=30, stock=None,
        spare=None, strength=50.0, days=None, runs=None, now=(),
    )  # fmt: skip


def _first_day(one: Answer) -> int:
    """Worst day, which is where a picture says most."""
    return int(np.argmin(one.made.mean(axis=1)))


def _whole(text: str, low: int, high: int) -> int:
    return min(max(int(text), low), high) if text.isascii() and text.isdigit() and len(text) < 7 else low


@solara.component
def _Firm(one: Answer, own: Own | None, run: int, row: int, cells: bool) -> None:
    """Numbers and story of the firm that is looked at."""
    questions: tuple[jobs.Question, ...] = ()
    if row >= 0 and not cells:
        size = 2 * one.firms * one.days
        questions = (jobs.Question(living.told, (one.choice, own, run, row), firm_days=lambda: size),)
    asked = jobs.use_questions(questions)
    if cells:
        Words("p", "Each mark is all firms of one sector in one region; fewer firms have a story each.", ["muted"]).key(
            "cells"
        )
        return
    if row < 0:
        Words("h3", "Ask a firm").key("ask")
        Words("p", "Click one, or use Tab and the arrow keys, to hear what happened to it.", ["muted"]).key("how")
        return
    told: living.Told | None = asked.answers[0]
    with solara.v.Html(tag="section", attributes={"aria-live": "polite", "aria-label": "The firm looked at"}).key(
        "looked at"
    ):
        if asked.error:
            Alert(asked.error).key("error")
            return
        if told is None:
            Words("p", f"Following the harm back … {round(100 * asked.progress)} %", ["muted"]).key("waiting")
            return
        Words("h3", told.firm).key("firm")
        facts = [say_ for what, value in told.numbers for say_ in (("dt", what), ("dd", value))]
        with solara.v.Html(tag="dl", class_="eco-facts"):
            for tag, text in facts:
                Words(tag, text)
        with solara.v.Html(
            tag="ul", class_="eco-story", attributes={"tabindex": "0", "aria-label": f"Story of {told.firm}"}
        ):
            for line in told.story:
                Words("li", line)


def struck_by(now: Now) -> str:
    """A shock that was injected, in words."""
    what = worlds.SHOCKS[now.shock].partition(":")[0].lower()
    return f"Day {now.day}: {what}, {now.share:g} % of firms, {now.severity:g} %"


@solara.component
def _WhatIf(day: int) -> None:
    """One more shock from this day on; the days before it stay as they are, to the bit."""
    here = session.current()
    choice = here.choice.value
    kind, set_kind = solara.use_state("outage")
    share, set_share = solara.use_state(20.0)
    severity, set_severity = solara.use_state(80.0)

    def strike() -> None:
        here.choice.value = choice.branch(Now(day, kind, "random", share, severity, 30))
        if here.baseline.value is None:
            here.baseline.value = choice

    with solara.v.Html(tag="section", class_="eco-now", attributes={"aria-label": "What if now?"}):
        Words("h3", "What if now?")
        if choice.now:
            with solara.v.Html(tag="ul"):
                for now in choice.now:
                    Words("li", struck_by(now))
        Controls(
            (
                controls.choice("What happens", kind, set_kind, KINDS),
                controls.slider(LEVERS["share"].label, share, set_share, 1, 100, 1, LEVERS["share"].unit),
                controls.slider(LEVERS["severity"].label, severity, set_severity, 0, 100, 5, LEVERS["severity"].unit),
            )
        )
        Button(f"Strike on day {day}", strike, "primary")
        Words("p", "The days before stay as they were; the dashed line is the world without it.", ["muted"])
