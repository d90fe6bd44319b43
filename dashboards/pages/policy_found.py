"""What came of a question of the page Policy: headlines, the challenge, each lever alone, and who gains."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import solara

from .. import charts, controls, theme
from ..answers import figures, policies
from ..answers.policies import LEVERS, MONEY, PURSE, TARGET, UNIT, Answer, Package
from ..words import figure, signed
from ..worlds import Event
from . import parts

GROUPS = {"size": "Size", "region": "Region", "sector": "Sector"}


@parts.stacked
def Found(found: Answer) -> None:
    """Headlines, the challenge, the course of the days, each lever alone, and who gains."""
    package, chosen = found.package, found.question.budgets
    with solara.Div(classes=["cards"]):
        Headline(
            "Customers lose without any policy",
            f"{found.lost.value:.2f}",
            "days of what they usually get",
            _between(found.lost),
        )
        if chosen:
            avoids = package.avoided
            if avoids.high < 0:
                added = replace(avoids, value=-avoids.value, low=-avoids.high, high=-avoids.low)
                Headline("The package adds to that", f"{added.value:.0f}", "%", _between(added, 0))
            else:
                Headline("Of that, the package avoids", f"{avoids.value:.0f}", "%", _between(avoids, 0))
            Headline("It costs", f"{package.spent.value:.2f}", UNIT, _between(package.spent))
    Challenge(found)
    Course(found)
    if found.full:
        Alone(found)
    if chosen:
        Gains(found)
    parts.Note(
        f"Means over {found.question.replicates} replicates of {policies.FIRMS} firms and {policies.DAYS} days, with "
        "95 % intervals; every run of a replicate has the same firms, flood and luck. Money is the government's, and "
        "nobody is taxed for it. A model, not a forecast."
    )


def _between(effect: policies.Effect, digits: int = 2) -> str:
    return f"95 % interval {effect.low:.{digits}f} to {effect.high:.{digits}f}".replace("-", "−")


def Headline(name: str, value: str, unit: str, below: str) -> None:
    """One figure, large."""
    with solara.Div(classes=["card"]):
        parts.Words("h2", name)
        with solara.Div(classes=["row"], style={"align-items": "baseline", "gap": ".4rem"}):
            parts.Words("span", value.replace("-", "−"), ["number"])
            parts.Words("span", unit, ["unit"])
        parts.Note(below)


@solara.component
def Challenge(found: Answer) -> None:
    """A target, and whether this package meets it."""
    package = found.package
    said = {
        "yes": "Reached: even the lower end of the interval is above the target.",
        "perhaps": "Open: the target lies within the interval, so luck may be the reason.",
        "no": "Not reached.",
    }
    with solara.v.Html(tag="section", class_="card stack challenge", attributes={"aria-label": "Challenge"}):
        parts.Words("h2", f"Challenge: avoid {TARGET:g} % of what customers lose, for at most {PURSE:g} day of output")
        if found.question.budgets:
            answer = policies.reached(package)
            mark = {"yes": "✓", "perhaps": "?", "no": "✗"}[answer]
            worse = " Customers lose more with the package than without it." if package.avoided.high < 0 else ""
            parts.Words("p", f"{mark} {said[answer]}{worse}", ["bigger"])
        else:
            parts.Words("p", "Choose budgets, and work it out.", ["bigger"])
        if found.full:
            best = max((one for one in found.full if one.name != MONEY), key=lambda one: one.avoided.value)
            alone = [title(one.name) for one in found.full if one.name != MONEY and policies.reached(one) != "no"]
            parts.Words(
                "p",
                f"Alone, with the whole purse, the best is “{title(best.name)}” with {best.avoided.value:.0f} % "
                f"[{best.avoided.low:.0f}, {best.avoided.high:.0f}]. "
                + (
                    f"Not ruled out alone: {', '.join(alone)}."
                    if alone
                    else "No lever reaches it alone: no silver bullet."
                ),
            )
        else:
            parts.Note("Is there a silver bullet? Work out each lever alone to see.")


def title(name: str) -> str:
    """What a lever is called."""
    return "Money alone" if name == MONEY else "Your package" if name == "package" else LEVERS[name].title


@solara.component
def Course(found: Answer) -> None:
    """What customers got, day by day."""
    days = list(range(policies.DAYS))
    lines = [charts.Line("without a policy", days, found.daily["none"], dashed=True)]
    if found.question.budgets:
        lines.append(charts.Line("with the package", days, found.daily["package"], colour=theme.ACCENT))
    lines.append(charts.Line("without the flood", days, found.daily["calm"], colour=theme.MUTED))
    events = (Event(30, "flood"),)
    name = "What customers got, % of usual"
    with solara.Div(classes=["card"]):
        charts.Days(
            name,
            "%",
            lines,
            events,
            f"Lowest without a policy {min(found.daily['none']):.1f} %, with the package "
            f"{min(found.daily['package']):.1f} %. Means over replicates.",
        )


@solara.component
def Alone(found: Answer) -> None:
    """Each lever alone: what it costs and brings, and which are beaten by none."""
    groups: list[tuple[str, tuple[Package, ...]]] = [("alone, whole purse", found.full)]
    if found.singles:
        groups.append(("alone, its budget", found.singles))
    if found.question.budgets:
        groups.append(("your package", (found.package,)))
    named = [
        (name, replace(one, name=title(one.name) if name != "alone, its budget" else f"{title(one.name)} (own budget)"))
        for name, some in groups
        for one in some
    ]
    front = policies.front(tuple(one for _, one in named))
    drawn = [
        (name, [(one.name, one.spent.value, one.consumption.value) for of, one in named if of == name])
        for name, _ in groups
    ]
    table = pd.DataFrame(
        [
            {
                "lever": one.name,
                "how": name,
                "spent": one.spent.value,
                "gained": one.consumption.value,
                "low": one.consumption.low,
                "high": one.consumption.high,
                "gained per unit": one.ratio,
                "avoided %": one.avoided.value,
                "failures avoided": one.failures.value,
                "front": one.name in front,
            }
            for name, one in named
        ]
    )
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": "Cost and effect"}):
        charts.Chart(
            figures.points(drawn, f"spent, {UNIT}", tuple(front)),
            table,
            "Days of consumption gained, by what was spent",
            "Gained: consumption, in days of the usual. Beaten by none (neither cheaper nor better): "
            + ", ".join(sorted(front))
            + ".",
            height=420,
        )
        rows = [
            (
                one.name,
                f"{one.spent.value:.2f}",
                f"{signed(one.consumption.value, 2)} [{signed(one.consumption.low, 2)}, "
                f"{signed(one.consumption.high, 2)}]",
                "–" if one.ratio is None else signed(one.ratio, 2),
                figure(one.avoided.value, 0),
                signed(one.failures.value, 2),
                "yes" if one.name in front else "",
            )
            for _, one in sorted(named, key=lambda each: -each[1].consumption.value)
        ]
        parts.Table(
            "Cost and effect of each lever",
            (
                "Lever",
                "Spent, days",
                "Gained, days (95 %)",
                "For each day spent",
                "Loss avoided, %",
                "Failures avoided",
                "Beaten by none",
            ),
            rows,
            numbers=range(1, 6),
        )
        parts.Note(
            "Each lever has the whole purse where nothing else is said. “Money alone” pays it out for nothing: what a "
            "lever brings beyond that is its own doing. None of the intervals is corrected for looking at many."
        )


@solara.component
def Gains(found: Answer) -> None:
    """Who gains, who loses: change of what groups of firms made."""
    by, set_by = solara.use_state("size")
    up, down = found.gainers
    rows = [
        (f"{group.name} ({group.firms})", group.change.value, group.change.low, group.change.high)
        for group in found.groups
        if group.of == by
    ]
    rows.sort(key=lambda row: -row[1])
    table = pd.DataFrame(rows, columns=["group (firms)", "change %", "low", "high"])
    name = "Who gains, who loses"
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": name}):
        parts.Words("h2", name)
        parts.Words(
            "p", f"{up:.0f} % of firms made more with the package, {down:.0f} % less; the others the same to 0.1 %."
        )
        parts.Note("What firms make counts what goes on shelves, too: they may make more while customers get less.")
        with solara.Div(classes=["row"]):
            for key, label in GROUPS.items():
                controls.Button(label, partial(set_by, key), pressed=by == key)
        charts.Chart(
            figures.effects(rows, "change of what they made, % of usual"),
            table,
            f"{name}, by {GROUPS[by].lower()}",
            f"Largest gain {rows[0][0]}: {rows[0][1]:+.2f} %; least {rows[-1][0]}: {rows[-1][1]:+.2f} %. Lines are "
            "95 % intervals; circles gain, diamonds lose.",
            height=max(180, 34 * len(rows) + 60),
        )
