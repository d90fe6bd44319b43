"""What Explore found out: three figures with their intervals, and the course of days."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import solara

from .. import charts, session, theme, uploads, worlds
from ..controls import Button, Download
from ..words import figure, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..worlds import Answer

#: What is in the three large figures: name in an Answer, what it is called, unit, and what it means.
HEADLINES = (
    ("lost", "Output lost", "% of output", "over all days, against an undisturbed twin"),
    ("worst", "Worst day", "% below usual", "how far output falls on its lowest day"),
    ("failed", "Firms hit hard", "% of firms", "fell below half of their usual output"),
)
MEASURES = {"made": "Output", "sold": "Sales to customers", "hurt": "Firms below half"}
UNITS = {"made": "% of undisturbed", "sold": "% of undisturbed", "hurt": "% of firms"}
KEPT = 48  # pictures that are ready for whoever asks next: a class asks for the same ones


# --- three figures ---------------------------------------------------------------------------------------------------


@solara.component_vue("heads.vue")
def Heads(heads: list[dict[str, str]]) -> None:
    """The three figures as one element of the browser."""


@lru_cache(maxsize=KEPT)
def heads(one: Answer, base: Answer | None) -> list[dict[str, str]]:
    """The three figures with their intervals, and the paired difference from the baseline."""
    return [
        {
            "what": what,
            "meaning": meaning,
            "number": figure(getattr(one, name).mean()),
            "unit": unit,
            "range": interval(one, name),
            "change": "" if base is None else change(one, base, name),
        }
        for name, what, unit, meaning in HEADLINES
    ]


def interval(answer: Answer, name: str) -> str:
    """The 95 % interval of a mean over runs, in words."""
    estimate = answer.headline(name)
    if estimate is None:
        return "one run: no interval"
    if estimate.high - estimate.low < 1e-9:
        return f"the same in all {estimate.n} runs"
    return f"95 %: {figure(estimate.low)} to {figure(estimate.high)}, n = {estimate.n}"


def change(one: Answer, base: Answer, name: str) -> str:
    """Difference from the baseline, run by run, in words."""
    estimate = worlds.paired(one, base, name)
    if estimate is None:
        by = getattr(one, name).mean() - getattr(base, name).mean()
        return f"{signed(by)} against the baseline (other runs: no paired interval)"
    if estimate.high - estimate.low < 1e-9:
        return f"{signed(estimate.value)} against the baseline"
    return f"{signed(estimate.value)} against the baseline ({signed(estimate.low)} to {signed(estimate.high)})"


# --- the course of days ----------------------------------------------------------------------------------------------


@solara.component
def Course(one: Answer, base: Answer | None) -> None:
    """The mean over runs by day with its band, the dashed baseline, and events."""
    here = session.current()
    measure = here.get("explore.show", "made")
    measure = measure if measure in MEASURES else "made"
    big = here.projector.value
    option, said = course(one, base, measure, big)
    lines, unit, title = partial(lines_of, one, base, measure), UNITS[measure], MEASURES[measure]
    with solara.Div(classes=["card"]):
        with solara.v.Html(
            tag="div", class_="eco-tools", attributes={"role": "group", "aria-label": "What the chart shows"}
        ):
            for name, label in MEASURES.items():
                Button(label, _shows(name), pressed=name == measure)
        charts.Chart(
            option,
            lambda: charts.table_of(lines(), unit),
            f"{title}, {unit}",
            said,
            height=460 if big else 310,
            picture=lambda kind: charts.picture(title, unit, lines(), one.events, kind),
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


@cache
def _shows(measure: str) -> Any:
    """What the button of a measure does, the same for every session."""
    return lambda: session.current().put("explore.show", measure)


@lru_cache(maxsize=KEPT)
def course(one: Answer, base: Answer | None, measure: str, big: bool) -> tuple[str, str]:
    """The chart as it is sent, and what it says."""
    lines = lines_of(one, base, measure)
    low, high = span(lines, measure)
    option = charts.bands(MEASURES[measure], UNITS[measure], lines, one.events, low, high, big=big)
    return charts.packed(option), summary(one, measure)


def lines_of(one: Answer, base: Answer | None, measure: str) -> list[charts.Line]:
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
    mean_of = f"Averaged over {answer.runs} runs, " if answer.by_chance else "Here "  # each has a worst day of its own
    band = f" The band holds the middle 80 % of {answer.runs} runs." if answer.by_chance else ""
    if measure == "hurt":
        day = int(np.argmax(mean))
        return f"{mean_of}at most {figure(mean[day])} % of firms make less than half of the usual, on day {day}.{band}"
    day = int(np.argmin(mean))
    if mean[day] > 99.5:
        return f"{mean_of}it never falls by more than half a percent.{band}"
    text = f"{mean_of}it falls to {figure(mean[day])} % on day {day}."
    if measure == "made":
        back = answer.recovered()
        some = back[back >= 0]
        text += f" {len(some)} of {answer.runs} runs come back to within 1 % and stay" + (
            f", half of them by day {int(np.median(some))}." if len(some) else "."
        )
    return text + band
