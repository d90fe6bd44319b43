"""Cramér & Lundberg: how likely a firm with a reserve is ever ruined by accidents that it can pay for on average.

Income c = (1 + theta) lambda mu a day, accidents at rate lambda of exponential size, mean mu; with a reserve u the
probability of ruin is exp(-theta u / ((1 + theta) mu)) / (1 + theta).

Ecosim settles once a day. With an accident on a day with probability q, and the day's income at hand when it is paid,
the exponent R solves exp(-R c) (1 - q + q / (1 - R mu)) = 1, and by the memoryless claim the probability is (1 - R mu)
exp(-R u): the formula above in the limit of small q.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from ecosim.mechanisms.finance import Finance
from ecosim.rng import Stream
from ecosim.validation.check import Check
from ecosim.validation.jolts import Claims
from ecosim.validation.worlds import plan_of, world_of

SOURCE = "Cramér-Lundberg (Asmussen & Albrecher 2010)"
THETA, RESERVE, MEAN = 0.2, 5.0, 1.0
CHANCE = 0.5  # of an accident on a day of the engine
ROUNDING = 1e-9  # currency units


def ruin(theta: float, reserve: float, mean: float) -> float:
    """Probability of ruin in continuous time."""
    return float(np.exp(-theta * reserve / ((1.0 + theta) * mean)) / (1.0 + theta))


def ruin_by_day(theta: float, reserve: float, mean: float, chance: float) -> float:
    """Probability of ruin where accidents are paid once a day, out of the day's income too."""
    income = (1.0 + theta) * chance * mean

    def excess(exponent: float) -> float:
        return float(np.exp(-exponent * income) * (1.0 - chance + chance / (1.0 - exponent * mean)) - 1.0)

    found = brentq(excess, 1e-6, (1.0 - 1e-9) / mean)
    return float((1.0 - found * mean) * np.exp(-found * reserve))


def cramer_lundberg(
    *, paths: int = 20_000, claims: int = 2000, engine_paths: int = 20_000, days: int = 2000
) -> list[Check]:
    """Let many firms with a reserve live with accidents, in the engine and accident by accident."""
    exact, by_day = ruin(THETA, RESERVE, MEAN), ruin_by_day(THETA, RESERVE, MEAN, CHANCE)
    ruined, wrong = _through_engine(engine_paths, days)
    return [
        Check.within("the formula", 0.3622, exact, 1, SOURCE, absolute=5e-5, tests="library"),
        Check.within("accident by accident: ruined in the end", exact, _random_walks(paths, claims), paths, SOURCE,
                     relative=0.02, unit="share", tests="library"),
        Check.within("engine: firms that once could not pay", by_day, ruined, engine_paths,
                     "the same, settled once a day", relative=0.02, unit="share", fewest=20_000),
        Check.at_most("engine: firms for which sums of the same accidents say otherwise", 0.0, wrong, engine_paths,
                      "arithmetic", unit="firms"),
    ]  # fmt: skip


def _random_walks(paths: int, claims: int) -> float:
    rng = Stream(1, 0, "validation: cramer_lundberg").generator()
    reserve, alive = np.full(paths, RESERVE), np.ones(paths, dtype=bool)
    for _ in range(claims):
        reserve += (1.0 + THETA) * MEAN * rng.exponential(size=paths) - rng.exponential(MEAN, paths)
        alive &= reserve >= 0.0
    return float(1.0 - alive.mean())


def _through_engine(paths: int, days: int) -> tuple[float, int]:
    """Share of firms that once could not pay, and for how many their accidents, added up, say otherwise.

    A firm sells the same every day, and all it ever pays are accidents.
    """
    income = (1.0 + THETA) * CHANCE * MEAN
    finance = Finance(
        wage_share=0.0, rent_share=1.0, cash_days=RESERVE / income, credit_days=0.0, budgeting=1.0,
        resourcefulness=0.0, tolerated_gap=0.0, grace_days=1000,
    )  # fmt: skip
    accidents = Claims(chance=CHANCE, mean=MEAN / income)
    eco = world_of(plan_of(np.full(paths, income)), shocks=[accidents], mechanisms=[finance])
    firms, stream = eco.world.firms, eco.world.streams[f"shock: {accidents.label}"]
    firms.cash_target[:] = np.inf  # owners draw nothing
    ruined, said = np.zeros(paths, dtype=bool), np.zeros(paths, dtype=bool)
    reserve, rows = np.full(paths, RESERVE), np.arange(paths)
    for day in range(days):
        eco.run_for(1)
        ruined |= firms.distress > 0.0
        reserve += income * (1.0 - accidents.sizes(stream, day, rows))
        said |= reserve < -ROUNDING
    return float(ruined.mean()), int((ruined != said).sum())
