"""Eisenberg & Noe (2001): who pays how much when everybody owes everybody.

With invoices L, what is owed in all l, and cash e, clearing payments p satisfy p = min(l, e + P' p), P = L / l: each
firm pays what it owes, or all it has, to its suppliers in proportion. They also solve the linear programme max sum p
under p <= l and p <= e + P' p.

In the engine nobody clears: firms pay day by day what falls due out of the cash they have, and are paid by those who
have some. If nothing else happens (nobody works, nobody earns), what they have paid in the end is the clearing vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from ecosim.mechanisms.finance import Finance
from ecosim.rng import Stream
from ecosim.shocks.outage import Outage
from ecosim.validation.check import Check
from ecosim.validation.worlds import plan_of, world_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.model import Ecosystem

SOURCE = "Eisenberg & Noe (2001)"
BOUND = 1e300  # currency units that nobody reaches


def eisenberg_noe(*, firms: int = 40, days: int = 900, economies: int = 5) -> list[Check]:
    """Stop all work, let firms settle what they owe each other, and compare with the linear programme."""
    worst, defaults = 0.0, 0
    for number in range(economies):
        eco = _indebted(firms, number)
        owed, cash = eco.world.firms.payables.copy(), eco.world.firms.cash.copy()
        share = np.zeros((firms, firms))
        np.add.at(share, (eco.world.links.buyer, eco.world.links.supplier), eco.world.links.columns["owed"])
        share /= np.maximum(owed, 1e-300)[:, None]
        eco.run_for(days)
        paid = owed - eco.world.firms.payables
        expected = clearing(share, owed, cash)
        worst = max(worst, float((np.abs(paid - expected) / owed.max()).max()))
        defaults += int((expected < owed * (1.0 - 1e-9)).sum())
    told = f"payments against the linear programme, share of the largest debt ({defaults} defaults)"
    return [Check.at_most(told, 1e-12, worst, economies * firms, SOURCE)]


def clearing(share: NDArray[np.float64], owed: NDArray[np.float64], cash: NDArray[np.float64]) -> NDArray[np.float64]:
    """Clearing payments (n,) by the linear programme; ``share`` (n, n) of a debt that goes from row to column."""
    n = len(owed)
    scale = float(owed.max())
    bounds = [(0.0, most) for most in (owed / scale).tolist()]
    solved = linprog(
        -np.ones(n), A_ub=np.eye(n) - share.T, b_ub=cash / scale, bounds=bounds,
        method="highs-ds", options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    return np.asarray(solved.x) * scale


def _indebted(firms: int, number: int) -> Ecosystem:
    """Firms that owe each other a month of purchases, have little cash, and no work to earn any."""
    rng = Stream(1, number, "validation: eisenberg_noe").generator()
    buyer = np.repeat(np.arange(firms), 4)
    supplier = (buyer + rng.integers(1, firms, len(buyer))) % firms
    pairs = np.unique(np.column_stack((supplier, buyer)), axis=0)
    flow = rng.pareto(1.5, len(pairs)) + 0.1
    bought = np.bincount(pairs[:, 1], flow, minlength=firms)  # customers buy as much, so that nobody runs at a loss
    plan = plan_of(bought, pairs[:, 0], pairs[:, 1], flow)
    finance = Finance(
        wage_share=0.0, rent_share=0.0, late_payment=0.0, credit_days=0.0, budgeting=1.0, payment_days=30.0,
        cash_days=5.0, grace_days=1000,
    )  # fmt: skip
    eco = world_of(plan, shocks=[Outage(recovery=None)], mechanisms=[finance], rationing=0)
    eco.world.firms.cash_target[:] = BOUND  # owners draw nothing while debts are settled
    eco.world.firms.payment_days[:] = 1.0  # all that is owed falls due at once
    return eco
