"""A mutual pool: what sharing of losses can do, and what it cannot.

Of n members whose losses have standard deviation sigma and correlation rho, each bears the mean loss where all are
shared equally, and that varies by sigma^2 (rho + (1 - rho) / n): the part that strikes everybody alike stays.

Ecosim's pool does this exactly where it covers all, of members who share all, and is paid back on the same day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.mechanisms.collaboration import Collaboration
from ecosim.mechanisms.finance import Finance
from ecosim.validation.check import Check
from ecosim.validation.jolts import Jolts
from ecosim.validation.worlds import plan_of, world_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "variance of a mean"
SALES = 100.0  # of a firm, currency units a day
DEPTH = 0.5
TOGETHER = 0.25


def mutual_pool(*, members: int = 10, days: int = 20_000) -> list[Check]:
    """Let firms lose capacity, partly alike, and compare what they have left after the pool with the mean loss."""
    lost, income = _lived(members, days)
    mean_loss = SALES * (1.0 - lost.mean(axis=1))
    wrong = float(np.abs(income - mean_loss[:, None]).max() / SALES)
    sigma = DEPTH * SALES / np.sqrt(12.0)
    floor = sigma**2 * (TOGETHER + (1.0 - TOGETHER) / members)
    return [
        Check.at_most("a member's income against sales less the mean loss, share of sales", 1e-9, wrong,
                      days * members, SOURCE),
        Check.within("variance of a member's income, over that of its own loss", floor / sigma**2,
                     float(income.var(axis=0).mean()) / sigma**2, days, SOURCE, relative=0.02,
                     fewest=20_000),
    ]  # fmt: skip


def _lived(members: int, days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses (share of capacity) and incomes (currency units) of each day and member, both of shape (days, members)."""
    finance = Finance(
        wage_share=0.0, rent_share=0.0, credit_days=0.0, budgeting=1.0, cash_days=1000.0, resourcefulness=0.0,
        bootstrapping=0.0,
    )  # fmt: skip
    pool = Collaboration(
        partners=100.0, same_sector=1.0, coupling=1.0, exposure=0.0, lend=False, refer=False, diffusion=0.0,
        pool_cover=1.0, pool_days=365.0, refill_days=1.0,
    )  # fmt: skip
    eco = world_of(
        plan_of(np.full(members, SALES)), shocks=[Jolts(depth=DEPTH, together=TOGETHER)], mechanisms=[finance, pool]
    )
    firms = eco.world.firms
    firms.cash_target[:] = np.inf  # owners draw nothing, and everybody may claim
    firms.cash[:] = 0.0
    lost, income = np.empty((days, members)), np.empty((days, members))
    for day in range(days):
        before = firms.cash.copy()
        eco.run_for(1)
        lost[day] = 1.0 - firms.capacity / firms.potential
        income[day] = firms.cash - before
    return lost, income
