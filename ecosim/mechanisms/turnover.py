"""Turnover: businesses close for good, and others open in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter
from ecosim.state import GIVEN_UP

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

OLDEST = 1000.0  # years; the table of ages ends there
AGES = 1000  # entries of that table
CLASSES = 20  # classes of size per unit of the logarithm of the hazard
TRIES = 8  # random rows of a sector among which an entrant looks for a survivor to imitate
SAVED = 90  # days for which would-be founders who find no place wait
#: What an entrant copies from a survivor, and what it starts without.
IMITATED = (
    "know_how", "inventory_days", "holds_buffer", "automation", "holds_automation", "plan_quality", "holds_plan",
    "holds_reserve",
)  # fmt: skip
UNLEARNT = ("readiness",)


class Turnover(Mechanism):
    """Entry and exit: most closures are ordinary, young and small businesses close more, newcomers take their place.

    **Exit.** A firm of age t years closes at the rate ``g_i (newness / (maturing + t) + ageless)`` a year: the
    liability of newness (Stinchcombe 1965), and a risk that never ends. The three numbers were fitted to the survival
    of new establishments in the United States, near 80, 50 and 33 % after 1, 5 and 10 years (BLS), together with a rate
    of exit of 10 % a year over firms of all ages. ``g_i`` falls with size, output over the median to the power
    ``-size_effect`` (Evans 1987; Dunne, Roberts & Samuelson 1989), and is scaled so that ``exit_rate`` is the share of
    all firms that closes in a year. Ages on the first day are drawn from the distribution at which they settle.

    **Entry.** A firm that failed elsewhere is found by a new owner after ``search_days``; one that closes here
    announces it and has a successor by then. The new owner opens after ``regulation_days`` of permits
    (Djankov et al. 2002); both are multiplied by a random 0.5 to 1.5. Entrants follow unmet demand: the search goes
    ``1 + pull x u`` times as fast, u being the unmet share of today's demand in the row's market (its sector in
    its community); permits go as fast as the multiplier on the channel ``entry`` says. Founders are not without number:
    ``entry_rate (1 + pull x unmet share of all wants)`` a year and row, times the channel's mean, and they go first
    where most is unmet. So ordinary exits are replaced within days, before clients run out of stock, and a wave of
    failures takes years. Rows of closed firms keep their links and stocks.

    The entrant is a new agent of its row's class. It imitates a random survivor of its sector (know-how, stocks,
    automation, plans, and days of cash; imitation by entrants: Nelson & Winter 1982). Its people learn: what they can
    make starts at ``start`` and grows to all in ``ramp_days``.

    **Scale.** Entrants are small, and those that live grow (Dunne, Roberts & Samuelson 1989). Of the size of its row at
    rest an entrant has reached the share s, 1 for everybody else. It opens large enough for the orders that wait for
    it, b of its output, and beyond these at ``opening_scale``; each evening it grows towards what it was asked for ::

        s0 = b + (1 - b) opening_scale,   s <- s + min(growth, max(0, min(1, demand / output) - s))

    It never shrinks. Finance and income take rent, fixed wages and the cash that a firm aims at times s, workforce
    staffs an entrant at s, and where workforce is off nobody makes more than s of what its means allow. Where customers
    is off, all customers wait like clients, and entrants open at full size.

    Expresses creative destruction, the policy environment and the speed of regulation (regulation_days, entry).
    """

    kind: Literal["turnover"] = "turnover"

    exit_rate: float = parameter(
        0.10, unit="share of firms a year", source="BLS, Business Employment Dynamics", low=0, high=1
    )
    """Firms that close in a year, all ages together."""
    failures: float = parameter(0.0, unit="share of exits", source="assumption", low=0, high=1)
    """Part of ``exit_rate`` that is left to finance where that is on: firms that run out of cash. In the default world
    at rest hardly any does (docs/validation.md), so hardly anything is to be left."""
    newness: float = parameter(0.19, unit="1", source="fitted to BLS, Business Employment Dynamics", low=0, high=10)
    """Weight of the risk that fades with age."""
    maturing: float = parameter(
        0.73, unit="years", source="fitted to BLS, Business Employment Dynamics", low=0.01, high=100
    )
    """Age at which that risk has halved."""
    ageless: float = parameter(
        0.06, unit="a year", source="fitted to BLS, Business Employment Dynamics", low=1e-3, high=10
    )
    """Risk that does not fade."""
    size_effect: float = parameter(0.2, unit="exponent", source="assumption", low=0, high=1)
    """How the risk falls with size; 0.2 makes it 40 % of the usual in a firm 100 times the median. That it falls is
    well established (Evans 1987); the exponent is a choice under which entrants still survive as measured."""
    entry_rate: float = parameter(0.2, unit="share of rows a year", source="assumption", low=0, high=10)
    """Most newcomers a year while all wants are met: twice the usual, so that they hardly ever limit entry at rest."""
    pull: float = parameter(5.0, unit="multiple per unit of unmet wants", source="assumption", low=0, high=100)
    """How much unmet wants speed up the search, and raise the number of founders."""
    search_days: Level = parameter(2.0, unit="days", source="assumption", low=0, high=3650)
    """Days until someone takes up the place of a firm that failed, where all wants are met; estates are often run on
    and sold as a whole. With permits and ramp it must stay below what clients have in stock (15 days in the core):
    every failure of a supplier would else stop all its clients, which is not what happens."""
    regulation_days: Level = parameter(4.0, unit="days", source="Djankov et al. (2002)", low=0, high=3650)
    """Days that permits take: 4 business days in the United States, 2 at the fastest, 47 on average of 85 countries."""
    start: float = parameter(0.5, unit="share of capacity", source="assumption", low=0, high=1)
    """Capacity of an entrant on its first day; where workforce is on, its new people learning their jobs take the place
    of this and of ``ramp_days``."""
    ramp_days: float = parameter(20.0, unit="days", source="assumption", low=1, high=3650)
    """Days until it has all of it; the row's clients and equipment are there already."""
    opening_scale: float = parameter(
        0.3, unit="share of full size", source="BLS (2010), Issues in Labor Statistics 10-09", low=0, high=1
    )
    """Size at which an entrant opens, apart from orders that wait for it. In March 2009 the establishments younger than
    4 years were 27 % of all in the private sector and had 11 % of its jobs, those older than 10 years half of all and
    71 %: a mean size of 0.29 of theirs. On its first day an establishment is smaller still; 1 switches scale off."""
    growth: float = parameter(0.02, unit="share of full size a day", source="assumption", low=0, high=1)
    """Most that an entrant grows in a day, if so much is asked of it: as fast as workforce hires."""

    columns: ClassVar[dict[str, str]] = {
        "alive": "1 in business, 0 closed",
        "entered_on": "first day in business, below 0 before the first day",
        "age": "days in business",
        "closes_on": "day on which it will close for good if nothing else happens",
        "closed_on": "day of closing, -1 in business",
        "search_days": "days until somebody has found the gap, on average, where all wants are met",
        "regulation_days": "days that permits take, on average",
        "searching": "days of search that are left, at the usual speed",
        "permitting": "days of permits that are left, at the usual speed",
        "frailty": "risk of closing, multiple of that of the table of ages",
        "scale": "size that it has reached, share of the size of its row at rest",
    }
    channels: ClassVar[dict[str, str]] = {
        "entry": "speed at which new firms open and number of founders, share of the usual"
    }

    # --- ages and lives -------------------------------------------------------------------------------------------

    def ages(self) -> tuple[Array, Array]:
        """Ages in years, and the risk taken up to each of them by a firm of frailty 1: a table to interpolate in."""
        age = self.maturing * np.expm1(np.linspace(0.0, np.log1p(OLDEST / self.maturing), AGES))
        return age, self.newness * np.log1p(age / self.maturing) + self.ageless * age

    def survival(self, years: float | Array, frailty: float | Array = 1.0) -> Array:
        """Share of firms that live to some age."""
        return np.asarray(np.exp(-np.asarray(frailty) * np.interp(years, *self.ages())))

    def _remaining(self, age: Array, frailty: Array, chance: Array) -> Array:
        """Years left at some age, given a uniform draw."""
        table, risk = self.ages()
        end = np.interp(age, table, risk) - np.log1p(-chance) / np.maximum(frailty, 1e-12)
        last = table[-1] + np.maximum(end - risk[-1], 0.0) / self.ageless  # beyond the table, risk is even
        return np.where(end < risk[-1], np.interp(end, risk, table), last) - age

    def _lives(self, frailty: Array) -> Array:
        """Mean length of life in years, shape of ``frailty``."""
        table, risk = self.ages()
        return np.array([np.trapezoid(np.exp(-each * risk), table) for each in frailty])

    def _frailty(self, size: Array, goal: float) -> Array:
        """Risk of each firm by its size, such that the share ``goal`` of all firms closes in a year."""
        classes = np.rint(-self.size_effect * np.log(size.clip(1e-3, 1e6)) * CLASSES)
        each, which, count = np.unique(classes, return_inverse=True, return_counts=True)
        relative = np.exp(each / CLASSES)
        low, high = 1e-6, 1e6
        for _ in range(60):
            middle = float(np.sqrt(low * high))
            rate = float((count / self._lives(middle * relative)).sum() / count.sum())
            low, high = (middle, high) if rate < goal else (low, middle)
        frailty: Array = high * relative[which]
        return frailty

    def _first_ages(self, frailty: Array, chance: Array) -> Array:
        """Ages in years at which a population settles in which each exit is replaced."""
        table, risk = self.ages()
        age = np.empty(len(frailty))
        for each in np.unique(frailty):
            alike = frailty == each
            alive = np.exp(-each * risk)
            lived = np.append(0.0, np.cumsum(0.5 * (alive[1:] + alive[:-1]) * np.diff(table)))
            age[alike] = np.interp(chance[alike] * lived[-1], lived, table)
        return age

    # --- the day --------------------------------------------------------------------------------------------------

    def prepare(self, world: World, rng: Stream) -> None:
        """Draw ages, and the day on which each firm will close."""
        firms, sector = world.firms, world.plan.firms.sector
        everyone = np.arange(firms.rows)
        firms.ensure("alive", 1.0)
        busy = firms.output > 0
        middle = float(np.median(firms.output[busy])) if busy.any() else 1.0
        goal = self.exit_rate * (1.0 - self.failures * ("finance" in world.mechanisms))
        frailty = self._frailty(firms.output / middle, goal) if goal > 0 else np.zeros(firms.rows)
        age = self._first_ages(np.maximum(frailty, 1e-3), rng.uniform(0, everyone))
        left = self._remaining(age, frailty, rng.uniform(0, everyone, draw=1))
        firms.add("frailty", frailty)
        firms.ensure("age", 0.0)[:] = np.floor(YEAR * age)
        firms.ensure("entered_on", 0.0)[:] = -1.0 - firms.age
        firms.add("closes_on", np.floor(YEAR * left))
        firms.add("closed_on", -1.0)
        for name in ("search_days", "regulation_days"):
            firms.add(name, self.per_firm(world, name))
        firms.ensure("scale", 1.0)
        firms.add("searching", 0.0)
        firms.add("permitting", 0.0)
        by_sector = np.argsort(sector, kind="stable")
        first = np.searchsorted(sector[by_sector], np.arange(len(world.plan.firms.sector_names) + 1))
        founders = np.array([self._waiting(firms.rows)])
        market = world.plan.customer.astype(np.int64) * len(world.plan.firms.sector_names) + sector
        world.memory[self.kind] = {"founders": founders, "by_sector": by_sector, "first": first, "market": market}

    def _waiting(self, rows: int) -> float:
        """Most founders that can be waiting for a place."""
        return max(1.0, SAVED / YEAR * self.entry_rate * rows)

    def morning(self, world: World, rng: Stream) -> None:
        """Those who opened in the last weeks are not yet at their full capacity."""
        firms = world.firms.columns
        np.subtract(world.day, firms["entered_on"], out=firms["age"])
        if "workforce" in world.mechanisms:  # there, new people learning their jobs are the ramp
            return
        ramping = (firms["age"] < self.ramp_days) & (firms["entered_on"] >= 0)
        young = np.flatnonzero(ramping | (firms["scale"] < 1.0))
        if len(young):
            ramp = self.start + (1.0 - self.start) * np.minimum(firms["age"][young] / self.ramp_days, 1.0)
            world.sheet.multiply("capability", young, np.minimum(ramp, firms["scale"][young]))

    def expect(self, world: World, rng: Stream) -> None:
        """Whoever opens today has no yesterday, and plans for what it can make."""
        firms = world.firms.columns
        new = np.flatnonzero(firms["entered_on"] == world.day)
        if len(new):
            new = np.setdiff1d(new, world.choices.rows("expect"), assume_unique=True)
            firms["expected"][new] = np.minimum(firms["scale"][new] * firms["output"][new], firms["capacity"][new])

    def evening(self, world: World, rng: Stream) -> None:
        """Some close for good; whatever is closed waits for a new owner; new owners open tomorrow."""
        firms = world.firms.columns
        self._grow(firms)
        due = np.flatnonzero(firms["closes_on"] <= world.day)
        last = due[firms["alive"][due] > 0]
        if len(last):
            world.close(last, GIVEN_UP)
        free = np.flatnonzero(firms["alive"] == 0)
        gone = free[firms["closed_on"][free] < 0]
        if len(gone):
            firms["closed_on"][gone] = world.day
            luck = 0.5 + rng.uniform(world.day, gone, draw=2)
            announced = firms["closes_on"][gone] <= world.day
            firms["searching"][gone] = np.where(announced, 0.0, firms["search_days"][gone] * luck)
            firms["permitting"][gone] = firms["regulation_days"][gone] * luck
        self._found(world)
        if len(free):
            self._open(world, rng, free)

    def _grow(self, firms: dict[str, Array]) -> None:
        """Let those that are not at full size come nearer to what they were asked for today."""
        small = np.flatnonzero((firms["scale"] < 1.0) & (firms["alive"] > 0.0))
        if len(small):
            firms["scale"][small] += np.clip(self._asked(firms, small) - firms["scale"][small], 0.0, self.growth)

    @staticmethod
    def _asked(firms: dict[str, Array], rows: Array) -> Array:
        """What some firms were asked for today, as a share of full size, at most 1."""
        output = firms["output"][rows]
        asked: Array = np.minimum(
            np.divide(firms["demand"][rows], output, out=np.ones(len(rows)), where=output > 0.0), 1.0
        )
        return asked

    # --- entry ----------------------------------------------------------------------------------------------------

    def _found(self, world: World) -> None:
        """Founders of today join those who wait for a place."""
        people, founders = world.customers.columns, world.memory[self.kind]["founders"]
        unmet = max(float(people["unmet"].sum()), 0.0)
        share = unmet / max(float(people["spent"].sum()) + unmet, 1e-300)
        speed = world.sheet.read("entry")
        rows = world.firms.rows
        new = (
            self.entry_rate / YEAR * rows * (1.0 + self.pull * share) * (1.0 if speed is None else float(speed.mean()))
        )
        founders[0] = min(founders[0] + new, self._waiting(rows))

    def _open(self, world: World, rng: Stream, free: Array) -> None:
        """Let new owners come nearer to opening, and as many of them open as there are founders."""
        firms, founders = world.firms.columns, world.memory[self.kind]["founders"]
        speed = world.sheet.read("entry")
        missing, share = self._unmet(world, free)
        searching = firms["searching"][free]
        firms["searching"][free] = np.maximum(searching - (1.0 + self.pull * share), 0.0)
        found = free[searching <= 0.0]
        firms["permitting"][found] -= 1.0 if speed is None else speed[found]
        able = (searching <= 0.0) & (firms["permitting"][free] <= 0.0)
        ready, places = free[able], int(founders[0])
        if len(ready) > places:
            ready = np.sort(ready[np.argsort(-missing[able], kind="stable")[:places]])
        founders[0] -= len(ready)
        if len(ready):
            self._enter(world, rng, ready)

    def _unmet(self, world: World, rows: Array) -> tuple[Array, Array]:
        """What the markets of some firms were asked for today and did not make: amounts and shares, both (rows,)."""
        from ecosim.kernels.turnover import add_up

        firms, plan, market = world.firms.columns, world.plan, world.memory[self.kind]["market"]
        asked, made = np.zeros((2, world.customers.rows * len(plan.firms.sector_names)))
        add_up(market, firms["demand"], firms["production"], asked, made)
        missing = asked - made
        share = np.divide(missing, asked, out=np.zeros(len(asked)), where=asked > 0)
        return missing[market[rows]], share[market[rows]]

    def _enter(self, world: World, rng: Stream, rows: Array) -> None:
        """Put new owners into some rows, who open tomorrow."""
        firms = world.firms.columns
        firms["alive"][rows] = 1.0
        firms["entered_on"][rows] = world.day + 1
        firms["closed_on"][rows] = -1.0
        waiting = self._asked(firms, rows)
        firms["scale"][rows] = waiting + (1.0 - waiting) * self.opening_scale
        left = self._remaining(np.zeros(len(rows)), firms["frailty"][rows], rng.uniform(world.day, rows, draw=3))
        firms["closes_on"][rows] = world.day + 1 + np.floor(YEAR * left)
        for name in UNLEARNT:
            if name in firms:
                firms[name][rows] = 0.0
        self._imitate(world, rng, rows)
        world.choices.forget(rows)
        world.happened("opens", rows, 0.0)

    def _imitate(self, world: World, rng: Stream, rows: Array) -> None:
        """Copy the habits of a survivor of one's sector, found among a few firms looked at."""
        firms, memory = world.firms.columns, world.memory[self.kind]
        sector = world.plan.firms.sector[rows]
        first = memory["first"][sector]
        count = memory["first"][sector + 1] - first
        model = np.full(len(rows), -1)
        for attempt in range(TRIES):
            seen = memory["by_sector"][first + rng.integers(count, world.day, rows, draw=4 + attempt)]
            fits = (model < 0) & (firms["alive"][seen] > 0) & (firms["entered_on"][seen] <= world.day)
            model[fits] = seen[fits]
        rows, model = rows[model >= 0], model[model >= 0]
        for name in IMITATED:
            if name in firms:
                firms[name][rows] = firms[name][model]
        if "cash_target" in firms:
            costs = np.maximum(firms["output"] - firms["usual_profit"], 0.0)
            days = np.divide(
                firms["cash_target"][model], costs[model], out=np.zeros(len(model)), where=costs[model] > 0
            )
            firms["cash_target"][rows] = days * costs[rows]
