"""What automation lets people do, what its upkeep costs, and how it falls behind without."""

from typing import Any

from numba import njit


@njit(cache=True)
def capability(
    level: Any, gain: Any, synergy: Any, autonomy: Any, base_exposure: Any, hygiene: Any, intact: Any,
    up_to_date: Any, able: Any,
) -> None:  # fmt: skip
    """What firms are ``able`` to make: (1 + gain a' (1 + synergy autonomy)) (1 - exposure (1 - intact)), (n,)."""
    for i in range(len(able)):
        useful = level[i] * min(up_to_date[i], 1.0)
        able[i] = gain[i] * useful * (1.0 + synergy[i] * autonomy[i]) + 1.0
        if intact[i] < 1.0:
            exposure = (base_exposure[i] + (1.0 - base_exposure[i]) * level[i]) * (1.0 - hygiene[i])
            able[i] *= 1.0 - exposure * (1.0 - intact[i])


@njit(cache=True)
def upkeep(
    level: Any, maintained: Any, cost: Any, output: Any, profit: Any, most: float, alive: Any, cash: Any,
    reserve: Any, cash_target: Any, paid: Any, funded: Any,
) -> None:  # fmt: skip
    """What firms pay for upkeep today, out of cash above the reserve, and which part of it is ``funded``, (n,).

    It costs as the square of the level, and at ``most`` that share of the usual profit.
    """
    for i in range(len(paid)):
        bill = maintained[i] * cost[i] * (level[i] * level[i]) * output[i]
        bill = min(bill, most * max(profit[i], 0.0)) * alive[i]
        paid[i] = min(bill, max(cash[i] - reserve[i] * cash_target[i], 0.0))
        funded[i] = paid[i] / bill if bill > paid[i] else 1.0


@njit(cache=True)
def keep_up(
    level: Any, goal: Any, maintained: Any, funded: Any, decay: float, adoption_days: float, labour_saving: Any,
    up_to_date: Any, exposure: Any,
) -> None:  # fmt: skip
    """A day of decay where upkeep is missed and of catching up where it is done, in place; and who is missed how much.

    Whoever invested meanwhile means to keep it. ``exposure`` is 1 - labour saving x what the level is still worth.
    """
    for i in range(len(level)):
        goal[i] = max(goal[i], level[i])
        kept = maintained[i] * funded[i]
        if kept < 1.0 or level[i] < goal[i]:
            lost = level[i] * decay * (1.0 - kept)
            level[i] += kept * (goal[i] - level[i]) / adoption_days - lost
        exposure[i] = 1.0 - labour_saving[i] * (level[i] * min(up_to_date[i], 1.0))
