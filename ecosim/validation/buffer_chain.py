"""A chain of buffers: how long stock carries those downstream of a firm that stands still."""

from __future__ import annotations

import numpy as np

from ecosim.agents import SMB
from ecosim.shocks.outage import Outage
from ecosim.shocks.recovery import Recovery
from ecosim.validation.check import Check
from ecosim.validation.worlds import plan_of, world_of
from ecosim.who import Who

SOURCE = "arithmetic"
FLOW = 100.0  # currency units a day through the chain
CHAINS = ((15.0,), (4.0, 3.0, 6.0), (2.0, 9.0, 5.0, 12.0, 3.0))  # days of stock of each firm after the first
OUTAGES = (1, 5, 10, 14, 15, 27, 60)


class Planner(SMB):
    """A firm that goes on planning for its usual sales while it stands still.

    The published rule plans for what was made yesterday. A firm that made nothing then orders nothing, and a chain that
    has once run dry stays dry.
    """

    def expect(self) -> float:
        """Plan for the usual output."""
        return float(self.output)


def buffer_chain(*, days: int = 120) -> list[Check]:
    """Stop the first firm of a chain, and compare what the last one loses with max(0, outage - cover) x flow.

    Goods travel for a day, so n days of stock in the published model cover n - 1 days without a delivery.
    """
    wrong, cases = 0.0, 0
    for cover in CHAINS:
        for outage in OUTAGES:
            wrong = max(wrong, abs(_lost(cover, outage, days) - _expected(cover, outage)) / FLOW)
            cases += 1
    cover, outage = CHAINS[1], 27
    return [
        Check.within(
            f"lost by the last firm after {outage} days, with stocks for 4, 3 and 6",
            _expected(cover, outage) / FLOW, _lost(cover, outage, days) / FLOW, 1, SOURCE, absolute=1e-9,
            unit="days of output",
        ),
        Check.at_most("largest difference over all chains and outages", 1e-9, wrong, cases, SOURCE,
                      unit="days of output"),
    ]  # fmt: skip


def _expected(cover: tuple[float, ...], outage: int) -> float:
    return max(0.0, outage - sum(days - 1.0 for days in cover)) * FLOW


def _lost(cover: tuple[float, ...], outage: int, days: int) -> float:
    """What the last firm of the chain sells less in all."""
    firms = len(cover) + 1
    final_demand = np.zeros(firms)
    final_demand[-1] = FLOW
    plan = plan_of(final_demand, np.arange(firms - 1), np.arange(1, firms), np.full(firms - 1, FLOW))
    back = Recovery(law="at_once", start=outage - 1)
    stop = Outage(who=Who(firms=plan.firm_name(0)), severity=1.0, recovery=back)
    eco = world_of(plan, shocks=[stop], agents={Planner: None})
    eco.world.firms.inventory_days[1:] = cover
    eco.world.links.stock[:] = np.array(cover) * FLOW
    eco.run_for(days)
    return float(days * FLOW - eco.world.firms.produced[-1])
