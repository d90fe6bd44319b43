"""One replicate: a scenario beside its twin, at every intensity of its shocks, in one network and one set of draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.paired import live_calmly
from ecosim.resilience.curves import relative_response
from ecosim.resilience.inequality import gini
from ecosim.resilience.recovery import days_to_recover
from ecosim.resilience.responses import OUTCOMES
from ecosim.result import Calm, closures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.config import Scenario
    from ecosim.state import World

    type Array = NDArray[np.float64]

ENTRIES = ("rows", "day", "first", "left")  # what a shock keeps of whom it struck (`ecosim.shocks.hit.Hit`)
HOLD = 7  # days for which output must stay near the twin's to have recovered


@dataclass(frozen=True)
class Design:
    """What is lived in every replicate."""

    scenario: Scenario
    intensities: int
    axis: str
    window: float


@dataclass(frozen=True)
class Lived:
    """One replicate: d, e and outcomes by intensity, shape (m,) each, and what the structure costs."""

    rows: dict[str, Array]
    costs: dict[str, float]
    firms: int
    damages: bool


def live(design: Design, replicate: int) -> Lived:
    """Live every intensity of one replicate beside one twin."""
    scenario, m = design.scenario, design.intensities
    full = Ecosystem(scenario, replicate=replicate)
    _refuse_without_entries(scenario, full.world)
    plan, costs = full.world.plan, _costs(full.world)
    since = _first_strike(full)
    if replicate == 0:
        _refuse_unlike(full, design)
    calm = _calm(full, design)
    costs["stock"] = float(calm.series["stock"].loc[0:].mean())
    rows = {name: np.empty(m) for name in ("d", "e", *OUTCOMES)}
    firm_days = np.empty(m)
    for k in range(1, m):
        eco = full if k == m - 1 else Ecosystem(scenario, blueprint=plan, replicate=replicate)
        _scale(eco, k / (m - 1), design.axis)
        firm_days[k] = _days(eco)
        try:
            _note(rows, k, eco.series, eco.world.firms.produced, eco.world.firms.failed_on, calm, since, design.window)
        except InputError as error:
            raise InputError(f"{scenario.name}, replicate {replicate}: {error}") from None
        rows["closures"][k] = closures(eco)
    _note(rows, 0, calm.series, calm.produced, calm.failed_on, calm, since, design.window)
    rows["closures"][0], firm_days[0] = calm.closures, 0.0
    rows["firm_days"] = firm_days
    damages = all(getattr(shock, "damages", False) for shock in scenario.shocks)
    return Lived(rows, costs, full.world.firms.rows, damages)


def _refuse_without_entries(scenario: Scenario, world: World) -> None:
    shocks: tuple[Any, ...] = scenario.shocks
    for at, shock in enumerate(shocks):
        missing = [name for name in ENTRIES if name not in world.memory.get(shock.label, {})]
        if missing:
            raise InputError(
                f"shocks.{at}.kind: {shock.kind} keeps no {missing[0]} of whom it strikes in "
                f"world.memory[{shock.label!r}], so its intensity cannot be changed; derive it from "
                "ecosim.shocks.hit.Hit, or leave it out"
            )


def _first_strike(eco: Ecosystem) -> int:
    """Day of the first strike within the horizon, 0 where nobody is struck."""
    shocks: tuple[Any, ...] = eco.scenario.shocks
    kept = [eco.world.memory[shock.label] for shock in shocks]
    days = np.concatenate([one["day"][one["first"] > 0] for one in kept])
    return int(min(days[days < eco.scenario.days], default=0))


def _scale(eco: Ecosystem, intensity: float, axis: str) -> None:
    """Weaken all shocks of an economy at rest to a share of their strength."""
    world = eco.world
    shocks: tuple[Any, ...] = eco.scenario.shocks
    kept = [world.memory[shock.label] for shock in shocks]
    if axis == "severity":
        for entries in kept:
            entries["first"] = entries["first"] * intensity
        return
    struck = np.unique(np.concatenate([one["rows"][one["first"] > 0] for one in kept]))
    stream = world.streams["resilience: reach"]
    order = struck[np.argsort(stream.uniform(0, struck), kind="stable")]
    # A fraction of a firm is a firm with that chance, so that firms hit grow in step with the intensity on average.
    count = int(np.floor(intensity * len(order) + float(stream.uniform(0, [0], draw=1)[0])))
    hit = np.zeros(world.firms.rows, dtype=np.bool_)
    hit[order[:count]] = True
    for entries in kept:
        entries["first"] = np.where(hit[entries["rows"]], entries["first"], 0.0)


def _days(eco: Ecosystem) -> float:
    """Live all days; return what the shocks took, firm-days: where several hit one firm, what is left multiplies."""
    shocks: tuple[Any, ...] = eco.scenario.shocks
    kept = [eco.world.memory[shock.label] for shock in shocks]
    taken = 0.0
    for _ in range(eco.scenario.days):
        eco.run_for(1)
        if any(entries["left"].any() for entries in kept):
            whole = np.ones(eco.world.firms.rows)
            for entries in kept:
                np.multiply.at(whole, entries["rows"], 1.0 - np.minimum(entries["left"], 1.0))
            taken += float((1.0 - whole).sum())
    return taken


def _calm(full: Ecosystem, design: Design) -> Calm:
    """What the shocks are measured against: the same world without them, policies included.

    A policy that acts in peace, too, moves output whether a shock comes or not. Were the twin without it, that would be
    there at every intensity, and look like a gain from stress. Policies that wait for a shock wait in vain there.
    """
    scenario = design.scenario
    if not scenario.policies:
        return live_calmly(full.twin(), scenario.days)
    return Calm.of(_at_rest(scenario, full, design.axis))


def _at_rest(scenario: Scenario, full: Ecosystem, axis: str) -> Ecosystem:
    """Live a scenario with its shocks at intensity 0."""
    eco = Ecosystem(scenario, blueprint=full.world.plan, replicate=full.replicate)
    _scale(eco, 0.0, axis)
    eco.run_for(scenario.days)
    return eco


def _refuse_unlike(full: Ecosystem, design: Design) -> None:
    """At intensity 0 the run must equal the twin to the bit, or responses would measure something else as well.

    Policies are left out of both: one that acts from the first day is no fault of the shocks (see `_calm`).
    """
    scenario = design.scenario.with_({"policies": []}) if design.scenario.policies else design.scenario
    eco, calm = _at_rest(scenario, full, design.axis), live_calmly(full.twin(), scenario.days)
    series, firms = eco.series, eco.world.firms
    unlike = [name for name in calm.series.columns if not np.array_equal(series[name], calm.series[name])]
    if not (np.array_equal(firms.produced, calm.produced) and np.array_equal(firms.failed_on, calm.failed_on)):
        unlike.append("production of firms")
    if unlike:
        kinds = ", ".join(str(getattr(shock, "kind", "")) for shock in scenario.shocks)
        apart = ", policies apart" if design.scenario.policies else ""
        raise InputError(
            f"shocks: at intensity 0 the run differs from its twin in {unlike[0]}{apart}, so {kinds} do something "
            "beside what their entries say; let their effect be nothing where what is left of the severity is 0"
        )


def _note(
    rows: dict[str, Array],
    k: int,
    series: Any,
    produced: Array,
    failed_on: Array,
    calm: Calm,
    since: int,
    window: float,
) -> None:
    """Outcomes of one run beside its twin, at position ``k``."""
    lived, twin = series.loc[0:], calm.series.loc[0:]
    output, base = lived["total_production"].to_numpy(), twin["total_production"].to_numpy()
    rows["d"][k] = relative_response(output, base)
    rows["e"][k] = relative_response(output, base, window)
    days, seen = days_to_recover(output, base, since=since, hold=min(HOLD, len(base) - since))
    rows["days_to_recover"][k] = days if seen else np.nan
    rows["days_watched"][k] = len(base) - since
    rows["depth"][k] = max(0.0, float((1.0 - output / base).max()))
    rows["consumption_lost"][k] = -relative_response(lived["final_consumption"], twin["final_consumption"])
    rows["firms_failing"][k] = int((failed_on >= 0).sum())
    rows["gini"][k] = gini(np.maximum(produced, 0.0))
    rows["output"][k] = output.sum()


def _costs(world: World) -> dict[str, float]:
    """What can be counted of an economy at rest."""
    output = float(world.firms.output.sum())
    spare = float(world.firms.potential.sum()) - output
    return {"spare_capacity": spare, "links": float((world.links.flow > 0.0).sum()), "output_a_day": output}
