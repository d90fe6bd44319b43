"""Early-warning signals: spread and memory of how each firm's orders are filled (Scheffer et al. 2009)."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-9  # a share below this is rounding


@njit(cache=True)
def watch(
    ptr: Any, ordered: Any, delivered: Any, weight: float, mean: Any, last: Any, variance: Any, covariance: Any
) -> None:
    """Update running moments of the share of orders that came, in place; all arrays but those of links are (n,).

    ``mean``, ``variance`` and ``covariance`` (with the day before, whose deviation is ``last``) forget at ``weight`` a
    day. A firm that orders nothing today sees nothing.
    """
    for i in range(len(mean)):
        asked = 0.0
        came = 0.0
        for e in range(ptr[i], ptr[i + 1]):
            asked += ordered[e]
            came += delivered[e]
        if asked <= 0.0:
            continue
        gap = came / asked - mean[i]
        if abs(gap) < NOISE:
            gap = 0.0
        variance[i] += weight * (gap * gap - variance[i])
        covariance[i] += weight * (gap * last[i] - covariance[i])
        mean[i] += weight * gap
        last[i] = gap


@njit(cache=True)
def struck(
    left: Any, ceiling: Any, output: Any, alive: Any, quality: Any, above: Any, active: Any, age: Any, share: Any
) -> Any:
    """Rows of the firms that activate their plan today; plans in use grow a day older, or end, in place.

    Trouble is damage, or what inputs fell short of yesterday (``ceiling`` below ``output``); all arrays are (n,).
    """
    n = len(active)
    rows = np.empty(n, dtype=np.int64)
    found = 0
    for i in range(n):
        trouble = 1.0 - left[i]
        if ceiling[i] < output[i] * (1.0 - NOISE):
            trouble = max(trouble, 1.0 - ceiling[i] / output[i])
        if active[i] > 0.0:
            if trouble > NOISE and alive[i] > 0.0:
                age[i] += 1.0
                continue
            active[i], age[i], share[i] = 0.0, 0.0, 0.0
        if trouble > 0.0 and trouble > above[i] and alive[i] > 0.0 and quality[i] > 0.0:
            rows[found] = i
            found += 1
    return rows[:found].copy()


@njit(cache=True)
def strength(age: float, ramp_days: float, backup_days: float) -> float:
    """How much of a backup is there on a day of its use: up, steady, down, gone."""
    up = (age + 1.0) / ramp_days
    down = (backup_days + ramp_days - 1.0 - age) / ramp_days
    return max(min(up, down, 1.0), 0.0)


@njit(cache=True)
def back_up(
    rows: Any, age: Any, share: Any, paid: Any, ramp_days: float, backup_days: Any, second: Any, relief: Any
) -> None:
    """Share of today's damage that still hurts firms ``rows``, ``relief``; and ``second``, whom they can turn to.

    That is how far second suppliers can be used today, (n,), 0 for all firms without a backup.
    """
    second[:] = 0.0
    for k in range(len(rows)):
        i = rows[k]
        there = strength(age[i], ramp_days, backup_days[i])
        relief[k] = 1.0 - share[i] * there * paid[i]
        second[i] = share[i] if there > 0.0 else 0.0


@njit(inline="always")
def payable(bill: float, cash: float, reserve: float, cash_target: float, alive: float) -> float:
    """What of a bill a firm in business can pay out of cash above the reserve."""
    return min(bill, max(cash - reserve * cash_target, 0.0)) * alive


@njit(cache=True)
def upkeep(
    cost: Any, output: Any, profit: Any, most: float, cash: Any, reserve: Any, cash_target: Any, alive: Any, paid: Any
) -> None:
    """What firms pay for plans and drills today, currency units, at ``most`` that share of their usual profit."""
    for i in range(len(paid)):
        usual = min(cost[i] * output[i], most * max(profit[i], 0.0))
        paid[i] = payable(usual, cash[i], reserve[i], cash_target[i], alive[i])


@njit(cache=True)
def rent(
    rows: Any, left: Any, output: Any, age: Any, share: Any, cost: Any, ramp_days: float, backup_days: Any, cash: Any,
    reserve: Any, cash_target: Any, alive: Any, bill: Any, part: Any,
) -> None:  # fmt: skip
    """What firms ``rows`` can pay today for their backups, ``bill``, and what ``part`` of the rent that is, (n,)."""
    bill[:] = 0.0
    for i in rows:
        part[i] = 1.0
        if left[i] < 1.0:
            there = share[i] * strength(age[i], ramp_days, backup_days[i])
            due = cost[i] * output[i] * (1.0 - left[i]) * there
            bill[i] = payable(due, cash[i], reserve[i], cash_target[i], alive[i])
            part[i] = bill[i] / due if due > 0.0 else 1.0


@njit(cache=True)
def stock_up(
    variance: Any, covariance: Any, quiet: float, full: Any, foresight: Any, extra: Any,
    aim: Any, own: Any, set_to: Any, raised: Any,
) -> None:  # fmt: skip
    """Raise the stock that alarmed firms ``aim`` at, and give back to each its ``own`` when the alarm is over.

    ``raised`` is by how much it was raised, to the value ``set_to``; an aim that is no longer that was changed by
    somebody else (an agent, an investment), who meant the value as it stood. In place; all arrays are (n,).
    """
    for i in range(len(aim)):
        by = 1.0
        if variance[i] > quiet * quiet:
            memory = min(max(covariance[i] / variance[i], 0.0), 1.0)
            by += foresight[i] * extra[i] * memory * min(np.sqrt(variance[i]) / full[i], 1.0)
        if by == raised[i]:
            continue
        if raised[i] == 1.0 or aim[i] != set_to[i]:
            own[i] = aim[i] / raised[i]
        aim[i] = own[i] * by
        set_to[i] = aim[i]
        raised[i] = by
