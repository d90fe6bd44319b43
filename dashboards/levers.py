"""The levers of Explore: ecosystem, structure, shock, habits and policy; each changes the choice of the session."""

from __future__ import annotations

from typing import Any

import solara

from . import session, uploads, worlds
from .controls import Button, Select, Slider
from .worlds import AS_WRITTEN, ECOSYSTEMS, LEVERS, NOTHING, POLICIES, SHOCKS, STRUCTURES, WHO, Choice, Own

SIZES = (30, 60, 100, 150, 300, 1_000, 2_000, 5_000, 10_000)
DAYS = (60, 120, 180, 365, 730)
RUNS = (2, 4, 8, 16, 24, 48)


@solara.component
def Levers(choice: Choice, own: Own | None) -> None:
    """All levers that mean something in this ecosystem."""
    here = session.current()
    opened, set_opened = solara.use_state(False)

    def put(**changes: Any) -> None:
        here.choice.value = here.choice.peek().with_(**changes)

    try:
        base = worlds.base_of(choice, own)
    except ValueError as error:
        base = None
        solara.v.Html(tag="p", class_="eco-wrong", children=[str(error)], attributes={"role": "alert"})
    solara.v.Html(tag="h2", children=["World"])
    titles = {**ECOSYSTEMS, **({own.key: f"Yours: {own.title}"} if own is not None else {})}
    if choice.ecosystem not in titles:
        titles[choice.ecosystem] = "An upload that is not here"
    Select("Ecosystem", choice.ecosystem, lambda name: put(ecosystem=name), titles)
    Button("Close upload" if opened else "Use your own …", lambda: set_opened(not opened), "quiet", pressed=opened)
    if opened:
        with solara.Div(classes=["eco-own"]):
            uploads.Upload(lambda found: put(ecosystem=found.key))
    if base is None:
        return
    written = worlds.written(base)
    if written["firms"] is not None:
        usual = int(written["firms"])
        sizes = {str(size): f"{size:,}" for size in sorted({*SIZES, usual, choice.firms or usual})}
        Select("Number of firms", str(choice.firms or usual), lambda size: put(firms=int(size)), sizes)
    if written["suppliers"] is not None:
        Select("Structure", choice.structure, lambda name: put(structure=name), STRUCTURES)
        _lever(choice, "suppliers", written["suppliers"], put)
    solara.v.Html(tag="h2", children=["Shock"])
    Select("What happens", choice.shock, lambda name: put(shock=name), SHOCKS)
    if choice.shock not in {AS_WRITTEN, NOTHING}:
        Select("Who is struck", choice.who, lambda name: put(who=name), WHO)
        if choice.who != "region":
            _lever(choice, "share", None, put)
        for name in ("severity", "duration", "start"):
            if name != "duration" or choice.shock != "inventory_destruction":
                _lever(choice, name, None, put)
    solara.v.Html(tag="h2", children=["Habits"])
    _lever(choice, "stock", written["stock"], put)
    _lever(choice, "spare", written["spare"], put)
    solara.v.Html(tag="h2", children=["Policy"])
    Select("What is done", choice.policy, lambda name: put(policy=name), _policies(base))
    if choice.policy not in {AS_WRITTEN, NOTHING}:
        _lever(choice, "strength", None, put)
    solara.v.Html(tag="h2", children=["Time and luck"])
    days = int(written["days"] or DAYS[0])
    spans = {str(span): f"{span:,} days" for span in sorted({*DAYS, days, choice.days or days})}
    Select("Lived for", str(choice.days or days), lambda span: put(days=int(span)), spans)
    Select("Runs", str(choice.runs or ""), lambda runs: put(runs=int(runs) if runs else None), _runs(choice, own))


def _lever(choice: Choice, name: str, written: float | None, put: Any) -> None:
    """A slider at what is chosen, or else at what the ecosystem has."""
    lever = LEVERS[name]
    value = getattr(choice, name)
    value = value if value is not None else written if written is not None else lever.low
    ends = min(lever.low, value), max(lever.high, value)
    Slider(lever.label, value, lambda to: put(**{name: to}), *ends, lever.step, lever.unit, lever.tip)


def _runs(choice: Choice, own: Own | None) -> dict[str, str]:
    """How many runs, each with luck of its own; the usual number depends on how long one takes."""
    try:
        usual = f"As usual at this size: {worlds.runs_of(worlds.scenario(choice, own))}"
    except ValueError:  # told where the answer would be
        usual = "As usual at this size"
    return {"": usual} | {str(runs): f"{runs}" for runs in sorted({*RUNS, choice.runs or RUNS[0]})}


def _policies(base: Any) -> dict[str, str]:
    """Policies that mean something here: without mechanisms nobody has money to be given."""
    return {name: title for name, (title, _, _, core) in POLICIES.items() if core or base.mechanisms}
