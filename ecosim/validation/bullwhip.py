"""Chen et al. (2000): orders vary more than sales, and the more so the further up the chain.

A shop that forecasts by the mean of the last p days and orders up to what it needs over a lead time of L days orders q
= (1 + L/p) D(t-1) - (L/p) D(t-p-1), whose variance is 1 + 2 L/p + 2 L^2/p^2 times that of its independent sales;
further up, where sales are orders of others, that is a lower bound. Ecosim's order rule is this one where a firm closes
the whole gap at once (smoothing 1 day) and expects a moving average: n days of stock and the day until goods arrive are
a lead time of L = n + 1.

The core's own rule expects yesterday's production. With g = 1 + n/tau and r = 1 - 1/tau its orders are (g + 1/tau)
D(t-1) - (g - r)/tau (D(t-2) + r D(t-3) + r^2 D(t-4) + ...), so their variance is (g + 1/tau)^2 + ((g - r)/tau)^2 / (1 -
r^2) times that of sales: 14 times with its usual 15 and 6 days.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.agents import SMB
from ecosim.validation.check import Check
from ecosim.validation.jolts import Noise
from ecosim.validation.worlds import plan_of, world_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.agents import Firm
    from ecosim.who import Who

SOURCE = "Chen et al. (2000)"
FORECAST = 10  # p, days
LEAD = 4  # L, days
STAGES = 3
START = 200  # days until nothing is left of the beginning


class Forecaster(SMB):
    """A firm that plans for the mean of its last days of sales."""

    def setup(self) -> None:
        """Begin with usual sales."""
        self.seen = deque([float(self.output)] * FORECAST, FORECAST)

    def expect(self) -> float:
        """Plan for the moving average."""
        self.seen.append(float(self.demand))
        return sum(self.seen) / FORECAST


def bullwhip(*, days: int = 8000) -> list[Check]:
    """Let customers of a chain of shops want a little more or less each day, and compare orders with sales."""
    expected = 1.0 + 2.0 * LEAD / FORECAST + 2.0 * (LEAD / FORECAST) ** 2
    rising = _variances(days, sd=0.05, forecast=True)
    found = [Check.within("first stage: variance of orders over that of sales", expected, float(rising[1] / rising[0]),
                          days, SOURCE, relative=0.03)]  # fmt: skip
    for stage in range(2, STAGES + 1):
        told = f"stage {stage}: variance of orders over that of the stage before, at least"
        ratio = float(rising[stage] / rising[stage - 1])
        found.append(Check(told, "", expected, expected, np.inf, ratio, days, SOURCE))
    g, r, tau = 1.0 + 15.0 / 6.0, 1.0 - 1.0 / 6.0, 6.0
    core = (g + 1.0 / tau) ** 2 + ((g - r) / tau) ** 2 / (1.0 - r**2)
    usual = _variances(days, sd=0.05, forecast=False)
    found.append(Check.within("the core's own rule, first stage", core, float(usual[1] / usual[0]), days,
                              "closed form, see the module", relative=0.03))  # fmt: skip
    return found


def _variances(days: int, *, sd: float, forecast: bool) -> NDArray[np.float64]:
    """Variance of what each stage is asked for, the shop first, shape (STAGES + 1,)."""
    firms = STAGES + 1
    final_demand = np.zeros(firms)
    final_demand[0] = 1000.0
    at = np.arange(STAGES)
    plan = plan_of(final_demand, at + 1, at, np.full(STAGES, 1000.0))
    rules: dict[str, Any] = {"inventory_days": LEAD - 1.0, "smoothing_days": 1.0} if forecast else {}
    agents: dict[type[Firm], Who | None] = {Forecaster: None} if forecast else {}
    eco = world_of(plan, shocks=[Noise(sd=sd)], agents=agents, headroom=10.0, rationing=0, **rules)
    asked = np.empty((days, firms))
    for day in range(days):
        eco.run_for(1)
        asked[day] = eco.world.firms.demand
    return np.asarray(asked[START:].var(axis=0))
