"""Demand feedback: people who earn less buy less, cushioned by benefits and by what they have put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import Mechanism
from ecosim.money import ROUNDING, Commuting
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

NOISE = 1e-12  # share of a wage bill below which a difference is rounding
LEAST = 0.01  # share of usual purchases below which people do not mean to go
NOTHING = 1e-9  # share of usual purchases that stands for none, and is something to come back from
PRICED = ("precaution", "habit_days", "contribution_days")
WAGES = ("wage_share", "rigid_wages")


class Income(Mechanism):
    """What people buy follows what they earn: lost wages come back to firms as lost sales.

    With W the wages of a firm today and W0 those at rest, summed over the firms where the people of community c work
    (some commute, see `ecosim.money.Commuting`), each evening::

        lost_c     = sum (W0 - W)
        benefits_c = replacement_rate x sum max(0, W0 - W)
        aim_c      = (budget_c - spending_share (lost_c - benefits_c)) min(1, savings_c / usual_c) ^ precaution
        usual_c   += (savings_c - usual_c) / habit_days
        spending_c moves towards aim_c by 1/adjustment_days of the gap

    and tomorrow's wants of the firms beside c are scaled by spending / budget, or customers (where that mechanism is
    on) spend that much. Where finance is on, wages are what firms pay, the government pays the benefits, ``usual``
    starts at ``savings_days`` of finance, and spending_c is at most what c has in savings tonight. Where it is off,
    nobody has savings, and W = W0 (rigid_wages + (1 - rigid_wages) x production / output), W0 = wage_share x value
    added.

    The factor of savings is buffer-stock saving: who has less than the usual buffer spends less, the more so the less
    is left (Deaton 1991; Carroll 1997). So what is not cut at once is cut little by little while savings shrink,
    whatever they shrink by: owners whose drawings stop lose no wages, and live on their savings. A power is the
    simplest function that is 1 at the usual savings and 0 at none. Savings above the usual are kept: most of them were
    paid out by firms that must earn them back, and spent at once they would make a boom of every disaster. That people
    get used to what they have lets an economy rest again that has lost money for good, say to the outside.

    The government gets its benefits back as contributions, 1/contribution_days a day of what it is still owed, from all
    people in proportion to what they usually buy: benefits that nobody paid for would add to savings for ever.

    The multiplier of Keynes, day by day. Spending falls by about half of lost income, and not at once (Jappelli &
    Pistaferri 2010, 2014; Kaplan & Violante 2014 give a quarter within a quarter for small windfalls). What is not cut
    comes out of savings. ``spending_share`` and ``adjustment_days`` say how closely people and firms of a place hang
    together; ``replacement_rate`` is the policy environment.
    """

    kind: Literal["income"] = "income"
    priced: ClassVar[tuple[str, ...]] = PRICED
    spending_share: float = parameter(
        0.48,
        unit="share of lost income",
        source="Jappelli & Pistaferri (2014): marginal propensity to consume 0.48",
        low=0,
        high=1,
    )
    """How much less people buy for each unit of income lost."""
    replacement_rate: float = parameter(
        0.5, unit="share of lost wages", source="Chetty (2008): US benefits replace about half", low=0, high=1
    )
    """Benefits: share of lost wages that the government pays. Rates in Europe are higher (OECD, Benefits and Wages)."""
    adjustment_days: float = parameter(30.0, unit="days", source="assumption", low=1, high=1000)
    """Days in which people adapt to what they earn, in the mean: wages are paid by the month."""
    wage_share: Level = parameter(
        0.6,
        unit="share of value added",
        source="Karabarbounis & Neiman (2014): corporate labour share near 0.6",
        low=0,
        high=1,
    )
    """Wages at rest, where finance is off."""
    rigid_wages: Level = parameter(0.7, unit="share", source="assumption", low=0, high=1)
    """Share of wages that is paid whatever is made, where finance is off."""

    precaution: float = parameter(
        0.22,
        unit="elasticity",
        source="Kaplan & Violante (2014): a quarter of a windfall is spent within a quarter",
        low=0,
        high=10,
    )
    """Change of spending per change of savings below the usual, both in proportion. The source gives a speed for those
    who have hardly any: at 0.22, with savings for 42 days, 30 days to adapt and 180 to get used to it, a quarter of a
    small gap is saved after 91 days. At 0 people live on as usual until nothing is left."""
    contribution_days: float = parameter(365.0, unit="days", source="assumption", low=1, high=100_000)
    """Days over which people pay benefits back as contributions, in the mean: funds for the unemployed go into debt in
    bad times and are filled up afterwards. At 1, benefits are paid out of contributions of the next day."""
    habit_days: float = parameter(180.0, unit="days", source="assumption", low=1, high=100_000)
    """Days until people are used to other savings than before, in the mean. Half a year: long beside a flood, short
    beside the years in which owners cash in one large firm and put money into another."""

    columns: ClassVar[dict[str, str]] = {
        "wages": "wages paid today, currency units",
        "wage_bill": "wages a day at rest, currency units",
        "rigid_wages": "share of wages paid whatever is made, share",
    }
    people_columns: ClassVar[dict[str, str]] = {
        "spending": "what people mean to buy, currency units a day",
        "lost_wages": "wages they lack today, currency units",
        "benefits": "benefits they get today, currency units",
        "scaled": "their wants today, share of the usual",
    }
    channels: ClassVar[dict[str, str]] = {
        "wages": "wages to be paid today, share of the usual",
        "benefits": "benefits for lost wages near a firm, share of the usual",
    }

    def check(self, on: frozenset[str]) -> str | None:
        """Refuse wages that finance would pay otherwise."""
        wrong = super().check(on)
        if wrong is not None:
            return wrong
        twice = [name for name in WAGES if self.changed(name)]
        if "finance" in on and twice:
            return f"{twice[0]}: finance pays the wages and would ignore it; set {twice[0]} of finance"
        return None

    def prepare(self, world: World, rng: Stream) -> None:
        """Start with people who buy what they always do."""
        people, firms = world.customers, world.firms
        people.ensure("spending", people.budget)
        for name, value in (("lost_wages", 0.0), ("benefits", 0.0), ("scaled", 1.0)):
            people.add(name, value)
        world.memory[self.kind] = {"advanced": np.zeros(1)}  # benefits that people have not paid back yet
        if "finance" in world.mechanisms:
            return
        earned = firms.output * np.maximum(firms.value_added_share, 0.0)
        wages = self.per_firm(world, "wage_share") * earned
        for name, values in (("wage_bill", wages), ("wages", wages), ("rigid_wages", self.per_firm(world, WAGES[1]))):
            firms.add(name, values)
        near = np.bincount(world.plan.customer, earned, minlength=people.rows)
        surplus = float(near.sum()) / max(float(people.budget.sum()), 1e-300)  # above 1 where some make losses at rest
        commuting = Commuting.at_rest(near, people.budget * surplus)
        world.memory[self.kind] |= {"kept": commuting.kept, "shared": commuting.shared}

    def morning(self, world: World, rng: Stream) -> None:
        """Scale what people want of the firms beside them, unless they choose for themselves (customers)."""
        if "customers" in world.mechanisms:
            return
        people = world.customers
        share = np.divide(people.spending, people.budget, out=np.ones(people.rows), where=people.budget > 0)
        if (share == people.scaled).all():
            return
        world.firms.final_demand[:] *= (share / people.scaled)[world.plan.customer]  # others may have changed it, too
        people.scaled[:] = share

    def evening(self, world: World, rng: Stream) -> None:
        """Let people see what they earned today, and change what they mean to buy."""
        from ecosim.kernels.income import lost_wages

        people, firms = world.customers, world.firms
        if "finance" not in world.mechanisms:
            self._pay(world)
        lost, relief = np.zeros((2, people.rows))
        other = lost_wages(
            firms.wage_bill, firms.wages, world.sheet.multipliers["benefits"], self.replacement_rate,
            world.plan.customer, lost, relief,
        )  # fmt: skip
        caution = self._caution(world)
        self._contribute(world)
        if not other and (caution == 1.0).all() and (people.spending == people.budget).all():
            people.lost_wages[:] = people.benefits[:] = 0.0
            self._spend_no_more_than_saved(world)
            return
        people.lost_wages[:], people.benefits[:] = self._reach(world, lost), self._reach(world, relief)
        if world.money is not None and people.benefits.any():
            world.money.pay("benefits", "government", "households", people.benefits)
            world.memory[self.kind]["advanced"] += people.benefits.sum()
        aim = (people.budget - self.spending_share * (people.lost_wages - people.benefits)) * caution
        gap = np.maximum(aim, LEAST * people.budget) - people.spending
        there = np.abs(gap) <= NOISE * people.budget
        people.spending[:] = np.where(there, people.spending + gap, people.spending + gap / self.adjustment_days)
        self._spend_no_more_than_saved(world)

    def _contribute(self, world: World) -> None:
        """Let people pay back benefits of earlier days, as far as they have any savings."""
        people, advanced = world.customers, world.memory[self.kind]["advanced"]
        if world.money is None or advanced[0] <= 0.0:
            return
        due = advanced[0] / self.contribution_days * people.budget / people.budget.sum()
        paid = np.minimum(due, np.maximum(people.savings, 0.0))
        world.money.pay("contributions", "households", "government", paid)
        advanced -= paid.sum()

    def _caution(self, world: World) -> Array:
        """Factor by which people spend less for want of savings, shape (m,); let them get used to what they have.

        Savings within rounding of the usual ones are the usual ones, so that nothing moves at rest.
        """
        people = world.customers
        if world.money is None:
            return np.ones(people.rows)
        usual = np.maximum(people.usual_savings, people.budget)  # a day's purchases are needed to live at all
        gap = people.savings - usual
        gap[np.abs(gap) <= ROUNDING * usual] = 0.0
        held = np.divide(np.maximum(usual + gap, 0.0), usual, out=np.ones(people.rows), where=(usual > 0) & (gap != 0))
        people.usual_savings[:] = usual + gap / self.habit_days
        return np.asarray(np.minimum(held, 1.0) ** self.precaution)

    @staticmethod
    def _spend_no_more_than_saved(world: World) -> None:
        """Bound what people mean to buy tomorrow by what is on their accounts tonight."""
        if world.money is None:
            return
        people = world.customers
        short = people.savings < people.spending * (1.0 - ROUNDING)
        if short.any():
            least = NOTHING * people.budget[short]
            people.spending[short] = np.maximum(people.savings[short], least)

    def _pay(self, world: World) -> None:
        """Wages of today, where no accounts are kept."""
        firms = world.firms
        activity = np.divide(firms.production, firms.output, out=np.zeros(firms.rows), where=firms.output > 0)
        there = firms.columns.get("staff", firms.columns.get("scale"))
        rigid = firms.rigid_wages if there is None else firms.rigid_wages * np.minimum(there, 1.0)
        firms.wages[:] = firms.wage_bill * (rigid + (1.0 - firms.rigid_wages) * activity)
        firms.wages[:] *= world.sheet.multipliers["wages"]
        if "alive" in firms:
            firms.wages[:] *= firms.columns["alive"]

    def _reach(self, world: World, near: Array) -> Array:
        """What each community gets of amounts that are earned beside each, both (m,)."""
        memory = world.memory.get(self.kind, {})
        commuting = world.money.commuting if world.money is not None else Commuting(memory["kept"], memory["shared"])
        return commuting.earned(near)
