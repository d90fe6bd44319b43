"""The levers of Explore: ecosystem, structure, shock, habits and policy; each changes the choice of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import solara

from .. import controls, session, uploads, worlds
from ..controls import Button, Controls
from ..worlds import AS_WRITTEN, ECOSYSTEMS, LEVERS, NOTHING, POLICIES, SHOCKS, STRUCTURES, WHO, Choice, Own
from .parts import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim import Scenario

    from ..controls import Control

SIZES = (30, 60, 100, 150, 300, 1_000, 2_000, 5_000, 10_000)
DAYS = (60, 120, 180, 365, 730)
RUNS = (2, 4, 8, 16, 24, 48)
NUMBERS = {"firms", "days", "runs"}


@solara.component
def Levers(choice: Choice, own: Own | None) -> None:
    """All levers that mean something in this ecosystem."""
    opened, set_opened = solara.use_state(False)
    try:
        base = worlds.base_of(choice, own)
    except ValueError as error:
        base = None
        Words("p", str(error), ["eco-wrong"], role="alert")
    titles = {**ECOSYSTEMS, **({own.key: f"Yours: {own.title}"} if own is not None else {})}
    if choice.ecosystem not in titles:
        titles[choice.ecosystem] = "An upload that is not here"
    Controls(("World", controls.choice("Ecosystem", choice.ecosystem, _put("ecosystem"), titles)))
    Button("Close upload" if opened else "Use your own …", lambda: set_opened(not opened), "quiet", pressed=opened)
    if opened:
        with solara.Div(classes=["eco-own"]):
            uploads.Upload(lambda found: _put("ecosystem")(found.key))
    if base is not None:
        Controls(_levers(choice, own, base))


def _levers(choice: Choice, own: Own | None, base: Scenario) -> list[Control | str]:
    """What can be chosen beside the ecosystem, with titles."""
    written = worlds.written(base)
    found: list[Control | str] = []
    if written["firms"] is not None:
        usual = int(written["firms"])
        sizes = {str(size): f"{size:,}" for size in sorted({*SIZES, usual, choice.firms or usual})}
        found.append(controls.choice("Number of firms", str(choice.firms or usual), _put("firms"), sizes))
    if written["suppliers"] is not None:
        found.append(controls.choice("Structure", choice.structure, _put("structure"), STRUCTURES))
        found.append(_lever(choice, "suppliers", written["suppliers"]))
    found += ["Shock", controls.choice("What happens", choice.shock, _put("shock"), SHOCKS)]
    if choice.shock not in {AS_WRITTEN, NOTHING}:
        found.append(controls.choice("Who is struck", choice.who, _put("who"), WHO))
        apart = {"share"} if choice.who == "region" else set()
        apart |= {"duration"} if choice.shock == "inventory_destruction" else set()
        levels = ("share", "severity", "duration", "start")
        found += [_lever(choice, name) for name in levels if name not in apart]
    found += ["Habits", _lever(choice, "stock", written["stock"]), _lever(choice, "spare", written["spare"])]
    found += ["Policy", controls.choice("What is done", choice.policy, _put("policy"), _policies(base))]
    if choice.policy not in {AS_WRITTEN, NOTHING}:
        found.append(_lever(choice, "strength"))
    days = int(written["days"] or DAYS[0])
    spans = {str(span): f"{span:,} days" for span in sorted({*DAYS, days, choice.days or days})}
    found += ["Time and luck", controls.choice("Lived for", str(choice.days or days), _put("days"), spans)]
    found.append(controls.choice("Runs", str(choice.runs or ""), _put("runs"), _runs(choice, own)))
    return found


def _put(name: str) -> Callable[[Any], None]:
    """What changes a field of the choice; an empty number is none."""

    def put(value: Any) -> None:
        here = session.current()
        given = (int(value) if value else None) if name in NUMBERS else value
        here.choice.value = here.choice.peek().with_(**{name: given})

    return put


def _lever(choice: Choice, name: str, written: float | None = None) -> Control:
    """A slider at what is chosen, or else at what the ecosystem has."""
    lever = LEVERS[name]
    value = getattr(choice, name)
    value = value if value is not None else written if written is not None else lever.low
    ends = min(lever.low, value), max(lever.high, value)
    return controls.slider(lever.label, value, _put(name), *ends, lever.step, lever.unit, lever.tip)


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
