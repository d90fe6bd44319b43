"""Explore: choose a world, see what a shock does to it, step in on any day, and ask any firm what happened to it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import solara

from .. import charts, jobs, living, session, theme, uploads, worlds
from ..controls import Button, Download, Select, Slider
from ..levers import Levers
from ..network import Network
from ..network.scene import ARRANGED
from ..worlds import AS_WRITTEN, LEVERS, NOTHING, Answer, Choice, Now, Own

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "Explore"
ICON = "mdi-tune-variant"
STYLE = Path(__file__).parent.parent / "assets" / "explore.css"
#: What is in the three large figures: name in an Answer, what it is called, unit, and what it means.
HEADLINES = (
    ("lost", "Output lost", "% of output", "over all days, against an undisturbed twin"),
    ("worst", "Worst day", "% below usual", "how far output falls on its lowest day"),
    ("failed", "Firms hit hard", "% of firms", "fell below half of their usual output"),
)
MEASURES = {"made": "Output", "sold": "Sales to customers", "hurt": "Firms below half"}
UNITS = {"made": "% of undisturbed", "sold": "% of undisturbed", "hurt": "% of firms"}


@solara.component
def Page() -> None:
    """The page: levers, three figures, the course of days, the network."""
    here = session.current()
    choice, pinned, own = here.choice.value, here.baseline.value, uploads.mine.value
    asked = jobs.use_answers((choice, pinned) if pinned is not None else (choice,), own)
    jobs.use_questions((drawn(choice, own, 0, _arranged()),))  # laid out meanwhile, by another process
    last: Any = solara.use_ref(None)
    if all(one is not None for one in asked.answers):
        last.current = asked.answers
    shown = last.current
    solara.Style(STYLE)
    with solara.Div(classes=["page"]):
        say("h1", "Explore")
        say(
            "p",
            "Pull a lever and see who is hit, against the same world without the shock.",
            "lead",
        )
        with solara.Div(classes=["eco-split"]):
            with solara.Div(classes=["card", "eco-levers"]):
                Levers(choice, own)
            with solara.Div(classes=["stack", "eco-results"]):
                _Bar(asked, shown)
                if shown is not None:
                    one, base = shown[0], shown[1] if len(shown) > 1 else None
                    _Headlines(one, base, old=asked.busy)
                    _Course(one, base)
                    _Picture(one, own)


def say(tag: str, text: str, class_: str = "", **attributes: str) -> Any:
    """An element with a text in it, which is never read as HTML.

    A widget keeps the tag that it was made with, so elements that take each other's place have keys.
    """
    return solara.v.Html(tag=tag, children=[text], class_=class_, attributes=attributes)


# --- asking ----------------------------------------------------------------------------------------------------------


@solara.component
def _Bar(asked: jobs.Asked, shown: Sequence[Answer] | None) -> None:
    """How far the answer is, or what was wrong; the baseline; what can be taken away."""
    here = session.current()
    choice, pinned = here.choice.value, here.baseline.value
    with solara.v.Html(tag="div", class_="eco-bar", attributes={"aria-live": "polite"}):
        if asked.error:
            say("p", asked.error, "eco-wrong", role="alert").key("error")
            Button("Try again", asked.again, "quiet")
        elif asked.busy and (asked.progress > 0 or shown is None):
            percent = round(100 * asked.progress)
            label = {"role": "progressbar", "aria-label": "Living this world", "aria-valuenow": str(percent)}
            with solara.v.Html(tag="div", class_="eco-progress", attributes=label).key("progress"):
                solara.v.Html(tag="div", style_=f"width: {percent}%")
            say("span", f"{percent} %").key("percent")
            Button("Cancel", asked.cancel)
        elif shown is not None:
            say("span", _told(shown[0]), "muted").key("told")
        with solara.Div(classes=["eco-bar-end"]):
            if pinned is None:
                Button("Pin as baseline", lambda: here.baseline.set(choice), tip="Keep this as the dashed line")
            else:
                Button("Unpin baseline", lambda: here.baseline.set(None))
            if choice.now:
                Button("Drop what-ifs", lambda: here.choice.set(choice.with_(now=())))


def _told(answer: Answer) -> str:
    """How this was found out."""
    luck = "" if answer.by_chance or answer.runs == 1 else "; nothing is left to chance here, so all are the same"
    return f"{answer.firms:,} firms, {answer.days} days, {answer.runs} runs{luck}"


# --- three figures ---------------------------------------------------------------------------------------------------


@solara.component
def _Headlines(one: Answer, base: Answer | None, old: bool) -> None:
    """The three figures with their intervals, and the paired difference from the baseline."""
    with solara.Div(classes=["eco-heads", *(["eco-old"] if old else [])]):
        for name, what, unit, meaning in HEADLINES:
            with solara.v.Html(tag="section", class_="card eco-head", attributes={"aria-label": what}):
                say("div", what, "eco-head-what", title=meaning)
                with solara.Div(classes=["eco-head-number"]):
                    say("span", _figure(getattr(one, name).mean()))
                    say("span", unit, "eco-head-unit")
                say("div", interval(one, name), "eco-head-range")
                if base is not None:
                    say("div", change(one, base, name), "eco-head-change")


def _figure(value: float) -> str:
    """A figure with as many digits as mean something; no minus before nothing."""
    text = f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
    return "0.0" if text == "-0.0" else text.replace("-", "\u2212")


def interval(answer: Answer, name: str) -> str:
    """The 95 % interval of a mean over runs, in words."""
    estimate = answer.headline(name)
    if estimate is None:
        return "one run: no interval"
    if estimate.high - estimate.low < 1e-9:
        return f"the same in all {estimate.n} runs"
    return f"95 %: {_figure(estimate.low)} to {_figure(estimate.high)} (mean of {estimate.n} runs)"


def change(one: Answer, base: Answer, name: str) -> str:
    """Difference from the baseline, run by run, in words."""
    estimate = worlds.paired(one, base, name)
    if estimate is None:
        by = getattr(one, name).mean() - getattr(base, name).mean()
        return f"{_signed(by)} against the baseline (other runs: no paired interval)"
    if estimate.high - estimate.low < 1e-9:
        return f"{_signed(estimate.value)} against the baseline"
    return f"{_signed(estimate.value)} against the baseline ({_signed(estimate.low)} to {_signed(estimate.high)})"


def _signed(value: float) -> str:
    text = f"{value:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text.replace("-", "\u2212")


# --- the course of days ----------------------------------------------------------------------------------------------


@solara.component
def _Course(one: Answer, base: Answer | None) -> None:
    """The mean over runs by day with its band, the dashed baseline, and events."""
    here = session.current()
    measure = here.get("explore.show", "made")
    measure = measure if measure in MEASURES else "made"
    lines, unit, title = course(one, base, measure), UNITS[measure], MEASURES[measure]
    low, high = span(lines, measure)
    with solara.Div(classes=["card"]):
        with solara.v.Html(
            tag="div", class_="eco-tools", attributes={"role": "group", "aria-label": "What the chart shows"}
        ):
            for name, label in MEASURES.items():
                Button(label, partial(here.put, "explore.show", name), pressed=name == measure)
        charts.Chart(
            charts.bands(title, unit, lines, one.events, low, high, big=here.projector.value),
            charts.table_of(lines, unit),
            f"{title}, {unit}",
            summary(one, measure),
            height=460 if here.projector.value else 310,
            picture=lambda kind: charts.picture(title, unit, lines, one.events, kind),
        )
        with solara.Div(classes=["eco-tools"]):
            own = uploads.mine.value
            Download(
                "Scenario (YAML)",
                lambda: worlds.scenario(one.choice, own).to_yaml().encode(),
                "scenario.yaml",
                "text/yaml",
            )
            Download("All runs (CSV)", lambda: charts.safe_csv(worlds.to_csv(one)), "runs.csv", "text/csv")


def course(one: Answer, base: Answer | None, measure: str) -> list[charts.Line]:
    """Lines of the chart: what is now, and the baseline."""
    mean, low, high = one.band(measure)
    lines = [charts.Line("now", np.arange(one.days), mean, low, high, colour=theme.ACCENT)]
    if base is not None:
        lines.append(charts.Line("baseline", np.arange(base.days), base.band(measure)[0], dashed=True))
    return lines


def span(lines: Sequence[charts.Line], measure: str) -> tuple[float, float]:
    """Ends of the upright axis, in tens: it moves seldom while a lever is pulled."""
    values = np.concatenate(
        [np.asarray(part, float) for line in lines for part in (line.mean, line.low, line.high) if part is not None]
    )
    if measure == "hurt":
        return 0.0, max(10.0, float(np.ceil(values.max() / 20.0) * 20.0))
    return max(0.0, float(np.floor(min(values.min(), 89.0) / 20.0) * 20.0)), max(
        105.0, float(np.ceil(values.max() / 10.0) * 10.0)
    )


def summary(answer: Answer, measure: str) -> str:
    """What the chart says, in a sentence or two."""
    mean = answer.band(measure)[0]
    band = f" The band holds the middle 80 % of {answer.runs} runs." if answer.by_chance else ""
    if measure == "hurt":
        day = int(np.argmax(mean))
        return f"At most {_figure(mean[day])} % of firms make less than half of the usual, on day {day}.{band}"
    day = int(np.argmin(mean))
    if mean[day] > 99.5:
        return f"It never falls by more than half a percent.{band}"
    text = f"It falls to {_figure(mean[day])} % on day {day}."
    if measure == "made":
        back = answer.recovered()
        some = back[back >= 0]
        text += f" {len(some)} of {answer.runs} runs are back within 1 % for a week" + (
            f", half of them by day {int(np.median(some))}." if len(some) else " by the end."
        )
    return text + band


# --- the network -----------------------------------------------------------------------------------------------------


@solara.component
def _Picture(one: Answer, own: Own | None) -> None:
    """The network of one run with its days, the firm that is looked at, and what could happen now."""
    here = session.current()
    run = _whole(here.get("explore.run"), 0, one.runs - 1)
    by = _arranged()
    row, set_row = solara.use_state(-1)
    day = min(here.day.value if here.day.value is not None else _first_day(one), one.days - 1)
    mine = own if own is not None and own.key == one.choice.ecosystem else None
    asked = jobs.use_questions((drawn(one.choice, own, run, by),))
    last: Any = solara.use_ref(None)
    if asked.answers[0] is not None:
        last.current = asked.answers[0], run
    runs = {str(at): f"{at + 1} of {one.runs}: {_figure(one.lost[at])} % lost" for at in range(one.runs)}
    with solara.Div(classes=["card"]):
        say("h2", "The network, day by day")
        with solara.Div(classes=["eco-pick"]):
            Select(
                "Run shown",
                str(run),
                lambda at: here.put("explore.run", at),
                runs,
                tip="Each run has luck of its own: who is struck, and who trades with whom.",
            )
            Select("Arranged", by, lambda name: here.put("explore.by", name), ARRANGED)
        if asked.error:
            say("p", asked.error, "eco-wrong", role="alert").key("error")
        if last.current is None:
            say("p", "Laying out the network …", "muted").key("waiting")
            return
        with solara.Div(classes=["eco-net"]):
            Network(
                last.current[0],
                one.frames[run],
                one.struck[run],
                one.made[:, run].tolist(),
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
                _WhatIf(one, day)


def _arranged() -> str:
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
        of = worlds.scenario(one.choice, own)
        size = worlds.firms_of(of) * of.days
        questions = (jobs.Question(living.told, (one.choice, own, run, row), firm_days=lambda: 2 * size),)
    asked = jobs.use_questions(questions)
    if cells:
        say(
            "p",
            "Each mark is all firms of one sector in one region; fewer firms have a story each.",
            "muted",
        ).key("cells")
        return
    if row < 0:
        say("h3", "Ask a firm").key("ask")
        say("p", "Click one, or use Tab and the arrow keys, to hear what happened to it.", "muted").key("how")
        return
    told: living.Told | None = asked.answers[0]
    with solara.v.Html(tag="section", attributes={"aria-live": "polite", "aria-label": "The firm looked at"}).key(
        "looked at"
    ):
        if asked.error:
            say("p", asked.error, "eco-wrong", role="alert").key("error")
            return
        if told is None:
            say("p", f"Following the harm back … {round(100 * asked.progress)} %", "muted").key("waiting")
            return
        say("h3", told.firm).key("firm")
        facts = [say_ for what, value in told.numbers for say_ in (("dt", what), ("dd", value))]
        with solara.v.Html(tag="dl", class_="eco-facts"):
            for tag, text in facts:
                say(tag, text)
        with solara.v.Html(
            tag="ul", class_="eco-story", attributes={"tabindex": "0", "aria-label": f"Story of {told.firm}"}
        ):
            for line in told.story:
                say("li", line)


def struck_by(now: Now) -> str:
    """A shock that was injected, in words."""
    what = worlds.SHOCKS[now.shock].partition(":")[0].lower()
    return f"Day {now.day}: {what}, {now.share:g} % of firms, {now.severity:g} %"


@solara.component
def _WhatIf(one: Answer, day: int) -> None:
    """One more shock from this day on; the days before it stay as they are, to the bit."""
    here = session.current()
    choice = here.choice.value
    kinds = {name: title for name, title in worlds.SHOCKS.items() if name not in {AS_WRITTEN, NOTHING}}
    kind, set_kind = solara.use_state("outage")
    share, set_share = solara.use_state(20.0)
    severity, set_severity = solara.use_state(80.0)

    def strike() -> None:
        here.choice.value = choice.branch(Now(day, kind, "random", share, severity, 30))
        if here.baseline.value is None:
            here.baseline.value = choice

    with solara.v.Html(tag="section", class_="eco-now", attributes={"aria-label": "What if now?"}):
        say("h3", "What if now?")
        if choice.now:
            with solara.v.Html(tag="ul"):
                for now in choice.now:
                    say("li", struck_by(now))
        Select("What happens", kind, set_kind, kinds)
        Slider(LEVERS["share"].label, share, set_share, 1, 100, 1, LEVERS["share"].unit)
        Slider(LEVERS["severity"].label, severity, set_severity, 0, 100, 5, LEVERS["severity"].unit)
        Button(f"Strike on day {day}", strike, "primary")
        say("p", "The days before stay as they were; the dashed line is the world without it.", "muted")
