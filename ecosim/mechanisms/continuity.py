"""Business continuity: plans that work if they were drilled, and firms that see trouble coming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

OF_PROFIT = 0.25  # most of its usual profit that a firm spends on planning; beyond it, owners do it in their evenings
QUIET = 0.01  # spread of the share delivered that no firm takes for a signal
MONEY = ("upkeep_cost", "drill_cost", "backup_cost", "reserve")
LEVELS = (*MONEY, "drills", "backup_days", "activate_above", "foresight", "extra_stock", "alarm_spread")
#: Memory that starts at 0: a plan in use, its day, what it replaces; moments of the share delivered; the raised aim.
STATE = ("active", "age", "share", "last", "variance", "covariance", "set_to")


class Continuity(Mechanism):
    """Business continuity planning: a plan with a backup, drills that make it work, and signals that warn early.

    *The plan.* On the first day on which damage, or what is missing for production, exceeds ``activate_above``, the
    firm activates its plan. It works with probability ::

        p = p_untested + (p_tested - p_untested) (1 - exp(-drills / drills_scale))

    one draw a firm and event. A plan that works replaces the share ``quality`` of what is lost (``relief``), ramping up
    in ``ramp_days`` and, after ``backup_days``, down again; and it has second suppliers agreed beforehand: column
    ``second_source`` is that share meanwhile, and taking on a new supplier takes so much less time (sourcing). The
    quality of a plan is a column, which judgement raises and entrants copy (turnover); it stays as long as its upkeep
    is owed. The event is over when the damage is repaired
    and stocks suffice. A plan has chapters: it replaces ``quality`` where the name of what befalls the firm contains
    one of ``scenarios``, and only ``improvised`` times that where it was not foreseen. Plans, exercises and backup are
    what continuity standards ask for (ISO 22301:2019); that good planning is general and helps beyond its chapters is
    Quarantelli (1988); how much less, is assumed.

    *Early warning.* Before a system tips, it recovers from small disturbances ever more slowly, and so its fluctuations
    grow and remember the day before (Scheffer et al. 2009). Each firm watches the share of its orders that
    is delivered ::

        alarm = min(1, sd / alarm_spread) x max(0, lag-1 autocorrelation),   over about ``watch_days`` days
        inventory_days = own value x (1 + foresight x extra_stock x alarm)

    so it stocks up before it gets worse, and goes back to its own value afterwards. Who stocks up in a shortage takes
    goods from others: what is good for one need not be good for all.

    With finance on, the plan's upkeep and drills take staff time (paid to households), and a backup in use is rented
    from outside, all out of cash above the reserve; a firm that cannot pay the rent has as much backup as it can pay.

    Which idea is which parameter: continuity plan ``quality``; drills ``drills``; redundancy ``backup_days`` with
    ``backup_cost``; scenario preparedness ``scenarios`` against ``improvised``; anticipation ``foresight``; limited
    foresight, a low one; optionality, the second suppliers.
    """

    kind: Literal["continuity"] = "continuity"
    priced: ClassVar[tuple[str, ...]] = MONEY
    quality: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of a loss that the plan replaces when it works; 0 is no plan. Depends on the trade; half stands for a shop
    that can serve half of its clients from a borrowed room."""
    drills: Level = parameter(1.0, unit="1/year", source="assumption", low=0, high=365)
    """Exercises a year; one a year is what auditors commonly look for."""
    drills_scale: float = parameter(1.0, unit="1/year", source="assumption", low=0.01, high=365)
    """Drills a year that close 63 % of the gap between an untested and a well-tested plan."""
    p_untested: float = parameter(0.4, unit="probability", source="assumption", low=0, high=1)
    """Chance that a plan works which nobody ever tried. No measurement for small firms is known."""
    p_tested: float = parameter(0.95, unit="probability", source="assumption", low=0, high=1)
    """Chance that a plan works which is drilled all the time."""
    activate_above: Level = parameter(0.1, unit="share", source="assumption", low=0, high=1)
    """Loss of capacity, or of what inputs allow, above which the plan is activated."""
    ramp_days: float = parameter(3.0, unit="days", source="assumption", low=1, high=365)
    """Days until the backup carries its full share, and over which it ends."""
    backup_days: Level = parameter(60.0, unit="days", source="assumption", low=0, high=3650)
    """Days that the backup lasts: rented rooms, fuel and friends' patience run out."""
    scenarios: tuple[str, ...] = parameter(
        ("outage", "flood", "fire", "storm", "power", "strike", "breakdown"), unit="words", source="assumption"
    )
    """What the plan foresees: words that the name of a shock may contain."""
    improvised: float = parameter(0.4, unit="share", source="assumption", low=0, high=1)
    """Share of the plan that is of use against what it did not foresee."""
    foresight: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of an alarm that the firm acts on; 0 sees nothing coming."""
    extra_stock: Level = parameter(0.5, unit="share", source="assumption", low=0, high=10)
    """Stock that a full alarm adds to what the firm usually aims at."""
    alarm_spread: Level = parameter(0.1, unit="share of orders", source="assumption", low=0.001, high=10)
    """Standard deviation of the share delivered at which the alarm is full."""
    watch_days: float = parameter(28.0, unit="days", source="assumption", low=2, high=3650)
    """Days over which the firm watches: four weeks, so that a single late delivery is no signal."""
    upkeep_cost: Level = parameter(0.0005, unit="share of output", source="assumption", low=0, high=1)
    """Staff time that a plan of quality 1 costs a day."""
    drill_cost: Level = parameter(0.1, unit="days of output", source="assumption", low=0, high=100)
    """Staff time of one drill."""
    backup_cost: Level = parameter(0.3, unit="share of output", source="assumption", low=0, high=10)
    """Rent of a backup that replaces all of the output, a day."""
    reserve: Level = parameter(0.25, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash that the firm keeps for wages and bills before it pays for any of this."""

    columns: ClassVar[dict[str, str]] = {
        "plan_quality": "share of a loss that the firm's plan replaces when it works, 0 without a plan",
        "second_source": "share of the time to take on a supplier that its plan saves today, 0 to 1",
    }

    @model_validator(mode="after")
    def _drills_help(self) -> Self:
        if self.p_tested < self.p_untested:
            raise ValueError(
                f"p_tested {self.p_tested:g} is below p_untested {self.p_untested:g}, so drills would harm; swap them"
            )
        return self

    def prepare(self, world: World, rng: Stream) -> None:
        """Lay plans, and remember nothing yet."""
        kept = {name: self.per_firm(world, name) for name in LEVELS}
        kept |= {name: np.zeros(world.firms.rows) for name in STATE}
        kept |= {name: np.ones(world.firms.rows) for name in ("mean", "raised", "paid")}
        kept["own"] = world.firms.inventory_days.copy()
        kept["chance"] = self.p_untested + (self.p_tested - self.p_untested) * -np.expm1(
            -kept["drills"] / self.drills_scale
        )
        kept["drilling"] = kept["drill_cost"] * kept["drills"] / YEAR
        world.firms.add("plan_quality", self.per_firm(world, "quality"))
        world.memory[self.kind] = kept
        world.firms.ensure("alive", 1.0)
        world.firms.ensure("second_source", 0.0)

    # --- the plan -----------------------------------------------------------------------------------------------

    def morning(self, world: World, rng: Stream) -> None:
        """Activate plans, and let those that work replace some of what is lost."""
        from ecosim.kernels.continuity import back_up, struck

        kept, firms = world.memory[self.kind], world.firms.columns
        rows = struck(
            world.sheet.multipliers["capacity"], firms["ceiling"], firms["output"], firms["alive"],
            firms["plan_quality"], kept["activate_above"], kept["active"], kept["age"], kept["share"],
        )  # fmt: skip
        if len(rows):
            self._activate(world, rng, rows)
        working = np.flatnonzero(kept["share"])
        relief = np.empty(len(working))
        back_up(
            working, kept["age"], kept["share"], kept["paid"], self.ramp_days, kept["backup_days"],
            firms["second_source"], relief,
        )  # fmt: skip
        if len(working):
            world.sheet.multiply("relief", working, relief)

    def _activate(self, world: World, rng: Stream, rows: Array) -> None:
        """Try the plans of firms ``rows``; one draw each decides whether it works."""
        kept, quality = world.memory[self.kind], world.firms.plan_quality
        works = rng.uniform(world.day, rows) < kept["chance"][rows]
        fit = np.where(self._foreseen(world)[rows], 1.0, self.improvised)
        kept["active"][rows], kept["paid"][rows] = 1.0, 1.0
        kept["share"][rows] = quality[rows] * fit * works
        world.happened("continuity plan works", rows[works], kept["share"][rows[works]])
        world.happened("continuity plan fails", rows[~works], 0.0)

    def _foreseen(self, world: World) -> Array:
        """Whether what strikes each firm today has a chapter in its plan, shape (n,).

        Today's diary tells what it is; what nobody wrote down, such as missing inputs, every firm knows.
        """
        told, known = np.zeros((2, world.firms.rows), dtype=bool)
        for event in reversed(world.events):
            if event["day"] < world.day:
                break
            named = event["event"].lower()
            if named.endswith(" is over"):
                continue
            rows = event["rows"][event["damage"] | (event["amount"] != 1.0)]  # a channel scaled by 1 is no event
            told[rows] = True
            if any(word.lower() in named for word in self.scenarios):
                known[rows] = True
        return np.asarray(known | ~told)

    def settle(self, world: World, rng: Stream) -> None:
        """Pay for plans, drills and backups out of cash above the reserve."""
        from ecosim.kernels.continuity import rent, upkeep

        if world.money is None:
            return
        kept, firms, bill = world.memory[self.kind], world.firms.columns, np.empty(world.firms.rows)
        daily = kept["upkeep_cost"] * firms["plan_quality"] + kept["drilling"] * (firms["plan_quality"] > 0.0)
        accounts = firms["cash"], kept["reserve"], firms["cash_target"], firms["alive"]
        upkeep(daily, firms["output"], firms["usual_profit"], OF_PROFIT, *accounts, bill)
        world.money.pay("continuity planning", "firms", "households", bill)
        working = np.flatnonzero(kept["share"])
        if len(working):
            rent(
                working, world.sheet.multipliers["capacity"], firms["output"], kept["age"], kept["share"],
                kept["backup_cost"], self.ramp_days, kept["backup_days"], *accounts, bill, kept["paid"],
            )  # fmt: skip
            world.money.pay("backup capacity", "firms", "outside", bill)

    # --- early warning ------------------------------------------------------------------------------------------

    def evening(self, world: World, rng: Stream) -> None:
        """Watch how orders are filled, and aim at more stock where that begins to swing slowly."""
        from ecosim.kernels.continuity import stock_up, watch

        kept, links = world.memory[self.kind], world.links
        watch(
            links.ptr, links.ordered, links.delivered, 2.0 / (self.watch_days + 1.0),
            kept["mean"], kept["last"], kept["variance"], kept["covariance"],
        )  # fmt: skip
        stock_up(
            kept["variance"], kept["covariance"], QUIET, kept["alarm_spread"], kept["foresight"], kept["extra_stock"],
            world.firms.inventory_days, kept["own"], kept["set_to"], kept["raised"],
        )  # fmt: skip
