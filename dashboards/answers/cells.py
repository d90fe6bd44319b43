"""One run of a cell of an atlas, lived in a worker; and the nearest thing to it that the sliders of Explore can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..choice import SHOCKS, STRUCTURES, Choice
from ..worlds import Event

if TYPE_CHECKING:
    from .atlas import View


@dataclass(frozen=True)
class Run:
    """A run day by day: what was made, and what customers got, in % of the undisturbed twin."""

    made: list[float]
    sold: list[float]
    events: tuple[Event, ...]
    failing: int
    firms: int


def live(scenario: str) -> Run:
    """Live a scenario written as YAML, beside its twin; kinds of one's own are refused."""
    from ecosim import Scenario, run

    found = run(Scenario.from_yaml(scenario, allow_code=False), lineage="off")
    series = found.series.loc[0:]
    made, sold = (100.0 * series[name] / series[f"twin_{name}"] for name in ("total_production", "final_consumption"))
    shocks: tuple[Any, ...] = found.scenario.shocks
    return Run(
        made=made.tolist(),
        sold=sold.tolist(),
        events=tuple(Event(int(shock.when), shock.label) for shock in shocks if isinstance(shock.when, int)),
        failing=int((found.firms["failed_on"] >= 0).sum()),
        firms=len(found.firms),
    )


#: Whom a shock of the default atlas strikes, in words of Explore.
WHO = {"outage": "random", "town": "region", "hubs": "hubs", "demand": "random", "stocks": "random"}


def nearest(view: View, habit: str, structure: str, shock: str) -> Choice | None:
    """A choice for Explore like a cell; None where its sliders have no such structure or shock."""
    if view.spec is None or shock not in WHO or structure not in STRUCTURES or habit not in view.spec.habits:
        return None
    first: Any = view.spec.shocks[shock].of[0]
    if first.kind not in SHOCKS:
        return None
    kept = view.spec.habits[habit]
    firms = int(view.spec.economy.firms)  # type: ignore[attr-defined]
    share = 100.0 * (first.who.count or first.who.top or firms) / firms
    return Choice(
        ecosystem="sixty",
        structure=structure,
        suppliers=min(view.spec.suppliers, 10),
        shock=first.kind,
        who=WHO[shock],
        share=share,
        severity=100.0 * float(first.severity) if isinstance(first.severity, int | float) else 60.0,
        start=max(int(first.when), 1),
        stock=kept.inventory_days,
        spare=100.0 * kept.headroom,
    )
