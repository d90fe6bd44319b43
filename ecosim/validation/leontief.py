"""Leontief's multipliers: what an economy makes in the long run when its customers want something else."""

from __future__ import annotations

import numpy as np

from ecosim.rng import Stream
from ecosim.shocks.pulse import Pulse
from ecosim.validation.check import Check
from ecosim.validation.worlds import EVER, balanced, plan_of, world_of
from ecosim.who import Who

SOURCE = "Leontief (1936)"
EXACT = 1e-9
SUPPLIERS = 5


def leontief(*, firms: int = 200, days: int = 3000) -> list[Check]:
    """Change final demand of some firms for good, let the engine settle, and compare with (I - A)^-1 f.

    Firms have all the capacity they need and close gaps of stock slowly: with the core's 15 days of stock and 6 days of
    smoothing, orders would swing ever wider around a cycle of firms, and there would be no long run to compare.
    Rationing is in proportion, because rule 2 of the published program loses goods where somebody wants less than usual
    or more.
    """
    share, final_demand = _random_economy(firms)
    supplier, buyer = np.nonzero(share)
    output = balanced(share, final_demand)
    flow = share[supplier, buyer] * output[buyer]
    plan = plan_of(final_demand, supplier, buyer, flow, np.arange(len(flow)))
    struck = tuple(plan.names[row] for row in range(0, firms, 10))
    change = Pulse(channel="demand", who=Who(firms=struck), when=0, days=EVER, factor=1.2)
    found: list[Check] = []
    for factor, what in ((1.2, "a fifth more"), (0.7, "three tenths less")):
        eco = world_of(
            plan, shocks=[change.model_copy(update={"factor": factor})], headroom=9.0, smoothing_days=60.0, rationing=0
        )
        at_rest = eco.world.firms.output
        wanted = final_demand.copy()
        wanted[::10] *= factor
        eco.run_for(days)
        lasting = eco.world.firms.production - at_rest
        expected = balanced(share, wanted - final_demand)
        if not found:
            worst = float(np.abs(at_rest / output - 1.0).max())
            found.append(Check.at_most("output at rest against (I-A)^-1 f, largest relative difference", EXACT, worst,
                                       firms, SOURCE))  # fmt: skip
        wrong = float((np.abs(lasting - expected) / output).max())
        found.append(Check.at_most(f"lasting change where some want {what}, against (I-A)^-1 df, share of output",
                                   EXACT, wrong, firms, SOURCE))  # fmt: skip
        total = float(lasting.sum() / (wanted - final_demand).sum())
        multiplier = float(expected.sum() / (wanted - final_demand).sum())
        found.append(Check.within(f"output multiplier where some want {what}", multiplier, total, firms, SOURCE,
                                  relative=EXACT))  # fmt: skip
    return found


def _random_economy(firms: int) -> tuple[np.ndarray, np.ndarray]:
    """Input shares (n, n) that add up to 0.2 to 0.6 a firm, over `SUPPLIERS` each, and final demand (n,)."""
    rng = Stream(1, 0, "validation: leontief").generator()
    share = np.zeros((firms, firms))
    for buyer in range(firms):
        others = np.delete(np.arange(firms), buyer)
        share[rng.choice(others, SUPPLIERS, replace=False), buyer] = rng.dirichlet(np.ones(SUPPLIERS))
    return share * rng.uniform(0.2, 0.6, firms), rng.uniform(10.0, 100.0, firms)
