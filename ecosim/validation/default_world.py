"""The default world, with every mechanism on, beside what is known of small businesses (docs/mechanisms.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.found import load
from ecosim.model import Ecosystem
from ecosim.validation.check import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.config import Scenario

YEAR, QUARTER = 365, 91
START = 30  # day of the disaster
AGES = 200  # years of age that are told apart
BLS = "BLS, Business Employment Dynamics"
JPMORGAN = "JPMorgan Chase Institute (2016)"
FEWEST = 100  # closures or openings below which chance alone moves a rate by more than the tolerance
HIT = 0.05  # share of firms that a disaster strikes, for what suppliers' trouble costs their customers


def default_world(*, firms: int = 2000, years: int = 3, seed: int = 1) -> list[Check]:
    """Live the default world in peace for some years, and once more with a disaster, and compare.

    With fewer firms or years the figures rest on less: ``n`` of each check says on how much.
    """
    peace = load("default_world").with_({"shocks": [], "economy.firms": firms, "days": years * YEAR, "seed": seed})
    lived = Lived.through(peace)
    return [
        *_rest(lived),
        *_lives(lived),
        *_links(lived),
        *_cash(lived),
        *_spread_of_harm(peace),
    ]


@dataclass
class Lived:
    """What is kept of years in peace, day by day or once a year."""

    eco: Ecosystem
    at_rest: float
    output: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    exits: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # by age in whole years
    exposure: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # firm-years lived at that age
    entries: int = 0
    kept_links: float = float("nan")

    @classmethod
    def through(cls, scenario: Scenario) -> Lived:
        """Live all days of a scenario."""
        eco = Ecosystem(scenario)
        world = eco.world
        at_rest = float(world.firms.output.sum())
        lived = cls(eco, at_rest, np.zeros(scenario.days), np.zeros(AGES), np.zeros(AGES))
        before = _pairs(world.links)
        for day in range(scenario.days):
            alive = np.flatnonzero(world.firms.alive > 0)
            age = np.minimum(world.firms.age[alive] // YEAR, AGES - 1).astype(int)
            lived.exposure += np.bincount(age, minlength=AGES) / YEAR
            told = len(world.events)
            lived.eco.run_for(1)
            lived.output[day] = world.firms.production.sum()
            for event in world.events[told:]:
                if event["event"].startswith("closes"):
                    ages = np.minimum(world.firms.age[event["rows"]] // YEAR, AGES - 1).astype(int)
                    lived.exits += np.bincount(ages, minlength=AGES)
                lived.entries += len(event["rows"]) if event["event"] == "opens" else 0
            if day == YEAR - 1:
                lived.kept_links = len(before & _pairs(world.links)) / len(before)
        return lived

    def survival(self, years: int) -> float:
        """Share of new firms that live so long, from the closures at each age (a period life table)."""
        lived, closed = self.exposure[:years], self.exits[:years]
        return float(np.exp(-np.sum(np.divide(closed, lived, out=np.zeros(years), where=lived > 0))))


def _pairs(links: Any) -> set[tuple[int, int]]:
    used = links.flow > 0
    return set(zip(links.supplier[used].tolist(), links.buyer[used].tolist(), strict=True))


def _rest(lived: Lived) -> list[Check]:
    """Without shocks the mean stays where it was, and goes nowhere."""
    output = lived.output / lived.at_rest
    days = len(output)
    slope = float(np.polyfit(np.arange(days), output, 1)[0]) * days
    return [
        Check("mean output over rest", "share", 1.0, 0.99, 1.01, float(output.mean()), days, "stationarity"),
        Check("drift of output over the run", "share", 0.0, -0.01, 0.01, slope, days, "stationarity"),
    ]


def _lives(lived: Lived) -> list[Check]:
    years = float(lived.exposure.sum()) / 100  # hundreds of firm-years lived
    closed, opened = int(lived.exits.sum()), lived.entries
    found = [
        Check("firms that close in a year", "%", 10, 8, 12, closed / years, closed, BLS, FEWEST),
        Check("firms that open in a year", "%", 10, 8, 12, opened / years, opened, BLS, FEWEST),
    ]
    for age, told, share in ((1, "1 year", 80), (5, "5 years", 50), (10, "10 years", 33)):
        alive, seen = 100 * lived.survival(age), int(lived.exits[:age].sum())
        found.append(Check(f"new firms alive after {told}", "%", share, share - 5, share + 5, alive, seen, BLS, FEWEST))
    return found


def _links(lived: Lived) -> list[Check]:
    kept = 100 * lived.kept_links
    return [
        Check(
            "supply links that outlive a year",
            "%",
            92.5,
            91,
            94,
            kept,
            len(lived.eco.world.links),
            "Mizuno et al. (2014)",
        )
    ]


def _cash(lived: Lived) -> list[Check]:
    """Cash in days of what a firm of its size usually pays out."""
    world = lived.eco.world
    firms, names = world.firms, world.plan.firms.sector_names
    open_ = (firms.alive > 0) & (firms.costs > 0)
    usual = np.bincount(world.links.buyer, world.links.flow, minlength=firms.rows) + firms.wage_bill + firms.rent_bill
    days = firms.cash / np.maximum(usual * firms.scale, 1e-300)
    found = []
    for what, median in (("", 27), ("food services", 16), ("real estate", 47)):
        sectors = [at for at, name in enumerate(names) if what in name.lower()]
        chosen = days[open_ & np.isin(world.plan.firms.sector, sectors)]
        middle = float(np.median(chosen)) if len(chosen) else float("nan")
        told = f"cash buffer, median of {what or 'all firms'}"
        found.append(Check(told, "days", median, 0.8 * median, 1.2 * median, middle, len(chosen), JPMORGAN, FEWEST))
    return found


def _spread_of_harm(peace: Scenario) -> list[Check]:
    """A disaster to some firms, drawn at random: what it costs their customers, and everybody, in the quarter after."""
    days = START + QUARTER
    recovery = {"law": "exponential", "days": 30}
    disaster = {"kind": "outage", "name": "disaster", "who": {"share": HIT}, "when": START, "severity": 0.5}
    calm = Ecosystem(peace.with_({"days": days}))
    struck = Ecosystem(peace.with_({"days": days, "shocks": [{**disaster, "recovery": recovery}]}))
    before = [_lived(eco, START) for eco in (calm, struck)]
    usual, found = (_lived(eco, QUARTER) - then for eco, then in zip((calm, struck), before, strict=True))
    plan = struck.world.plan
    direct = np.zeros(len(plan.firms), dtype=bool)
    direct[struck.world.memory["disaster"]["rows"]] = True
    fed = np.zeros_like(direct)
    fed[plan.buyer[direct[plan.supplier]]] = True
    change = 100 * (found - usual) / np.maximum(usual, 1e-300)
    customers, others = fed & ~direct & (usual > 0), ~fed & ~direct & (usual > 0)
    points = float(change[customers].mean() - change[others].mean())
    lost = 100 * float((usual - found).sum() / usual.sum())
    return [
        Check("sales of customers whose supplier was struck, against others'", "points", -2.5, -5, -0.5, points,
              int(customers.sum()), "Barrot & Sauvagnat (2016)"),
        Check(f"output lost where {100 * HIT:.0f} % of firms lose half their capacity, at most", "%", 5, 0, 5, lost,
              int(direct.sum()), "cascades stay small: Arata (2018)"),
    ]  # fmt: skip


def _lived(eco: Ecosystem, days: int) -> NDArray[np.float64]:
    """What each firm has made by the end of some more days, shape (firms,)."""
    eco.run_for(days)
    made: NDArray[np.float64] = eco.world.firms.produced.copy()
    return made
