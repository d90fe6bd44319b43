"""Customers: how market shares drift, what each firm's customers want, and who serves those turned away.

A market is one community's demand for the goods of one sector. Sums over markets are taken in order of row, so they
are the same to the bit in every run.
"""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative rounding noise: below it nobody was turned away
TRACE = 1e-30  # of its usual share that an open firm keeps: nothing, and yet something to come back from


@njit(inline="always")
def damaged(left: float) -> float:
    """Share of its means that a firm has lost, where events leave it ``left`` of them."""
    return 1.0 - min(left, 1.0)


@njit(cache=True)
def remember(left: Any, alive: Any, sympathy: Any, fade: float) -> None:
    """People remember the worst that befell a firm, and forget it slowly; a new owner starts unknown. In place.

    ``left`` is what today's events leave of each firm's means.
    """
    for i in range(len(sympathy)):
        if left[i] < 1.0 or sympathy[i] > 0.0:
            felt = max(damaged(left[i]), sympathy[i] * fade)
            sympathy[i] = felt * alive[i] if felt >= NOISE else 0.0


@njit(cache=True, error_model="numpy")
def drift(
    share: Any, usual: Any, market: Any, markets: int, alive: Any, fill: Any, intimacy: Any, personalisation: Any,
    focus: Any, sympathy: Any, grievance: Any, switching: float, forgiveness: float, win_back: float, newcomer: float,
) -> None:  # fmt: skip
    """Move market shares by a day, in place; they add up to 1 in each market where anybody is open.

    Measured by what is missing, not by what is served, so that at rest each exponent is exactly 0.
    """
    mean = np.zeros(markets)
    before = np.zeros(markets)
    after = np.zeros(markets)
    for i in range(len(share)):
        before[market[i]] += share[i]
        if fill[i] != 1.0:
            mean[market[i]] += share[i] * (1.0 - fill[i])
    for i in range(len(share)):
        g = market[i]
        if alive[i] <= 0.0 or usual[i] <= 0.0:
            share[i] = 0.0
            continue
        if share[i] <= 0.0:
            share[i] = max(newcomer, TRACE) * usual[i]
            fill[i] = 1.0
        else:
            better = mean[g] - (1.0 - fill[i])
            change = -grievance[i]
            if better != 0.0:
                change += better * switching * (1.0 - intimacy[i]) * (1.0 - forgiveness * focus[i] * sympathy[i])
            if share[i] != usual[i]:
                # Nobody comes back more than once: a rate above 1 would overshoot further every day.
                change += min(win_back * (1.0 + personalisation[i]), 1.0) * np.log(usual[i] / share[i])
            if change != 0.0:
                share[i] = max(share[i] * np.exp(change), TRACE * usual[i])
        after[g] += share[i]
    for i in range(len(share)):
        g = market[i]
        if after[g] != before[g] and after[g] > 0.0:
            share[i] /= after[g]


@njit(cache=True, error_model="numpy")
def wants(
    base: Any, share: Any, usual: Any, market: Any, markets: int, appeal: Any, focus: Any, sympathy: Any, left: Any,
    support: float, district: Any, districts: int, alive: Any, joint_visits: Any, price: Any, customer: Any,
    means: Any, final_demand: Any,
) -> None:  # fmt: skip
    """What each firm's customers usually want now, written to ``final_demand``.

    ``appeal`` and the support of the community move spending inside a market; usual visits are made as far as the
    other firms of the district, by their ``base`` sales, are open; ``means`` (one a community) is today's budget over
    the usual one. Ratios of equal sums, so that rest is exact.
    """
    plain = np.zeros(markets)
    pulled = np.zeros(markets)
    sales = np.zeros(districts)
    closed = np.zeros(districts)
    for i in range(len(share)):
        g = market[i]
        pull = share[i] * appeal[i]
        if sympathy[i] > 0.0:
            pull = share[i] * appeal[i] * (1.0 + support * focus[i] * sympathy[i] * (1.0 - damaged(left[i])))
        plain[g] += share[i]
        pulled[g] += pull
        final_demand[i] = pull
        sales[district[i]] += base[i]
        if left[i] < 1.0 or alive[i] < 1.0:
            closed[district[i]] += base[i] * (1.0 - alive[i] * (1.0 - damaged(left[i])))
    for i in range(len(share)):
        if share[i] <= 0.0:
            continue
        visits = 1.0
        if closed[district[i]] > 0.0:
            others = sales[district[i]] - base[i]
            missing = closed[district[i]] - base[i] * (1.0 - alive[i] * (1.0 - damaged(left[i])))
            if others > NOISE * base[i]:
                visits = 1.0 - joint_visits[i] * min(max(missing / others, 0.0), 1.0)
        g = market[i]
        part = final_demand[i] / usual[i] * (plain[g] / pulled[g])
        final_demand[i] = base[i] * part * means[customer[i]] * visits / price[i]


@njit(cache=True)
def served(
    wanted: Any, consumption: Any, lost: Any, fill: Any, pace: float, price: Any, tries: float,
    switching_cost: Any, market: Any, offered: Any,
) -> None:  # fmt: skip
    """Note how well each firm serves its customers, smoothed; what they did not ask for they do not take.

    Rule 2 of rationing can hand customers more than they want; those goods then count as delivered to nobody.
    ``offered``, one a market, gets the money of customers who were turned away and try another business today.
    """
    for i in range(len(wanted)):
        over = consumption[i] - wanted[i]
        part = 1.0
        if over > NOISE * wanted[i]:
            lost[i] += over
            consumption[i] = wanted[i]
        elif over < -NOISE * wanted[i]:
            part = consumption[i] / wanted[i]
            offered[market[i]] += tries * (1.0 - switching_cost[i]) * -over * price[i]
        if wanted[i] > 0.0:
            fill[i] += pace * (part - fill[i])


@njit(cache=True)
def takings(customer: Any, consumption: Any, price: Any, paid: Any) -> None:
    """Add up, by community, what customers pay today."""
    for i in range(len(customer)):
        paid[customer[i]] += consumption[i] * price[i]


@njit(cache=True, error_model="numpy")
def redirect(
    start: Any,
    order: Any,
    offered: Any,
    tries: float,
    switching_cost: Any,
    share: Any,
    price: Any,
    capacity: Any,
    ceiling: Any,
    wanted: Any,
    demand: Any,
    production: Any,
    consumption: Any,
) -> None:
    """Serve those turned away at other firms of their market, which are ``order[start[g]:start[g + 1]]``; in place.

    They turn to firms in proportion to market share, and again where a firm has nothing more to give: firm j gets
    min(spare_j, level x share_j), with the level at which all are served or nobody can serve any more.
    """
    firm = np.empty(len(share), np.int64)
    spare = np.empty(len(share))
    known = np.empty(len(share))
    for g in range(len(offered)):
        if offered[g] <= 0.0:
            continue
        able = 0
        total = 0.0
        weight = 0.0
        for k in range(start[g], start[g + 1]):
            i = order[k]
            left = price[i] * (min(capacity[i], ceiling[i]) - production[i])
            if left > 0.0 and share[i] > 0.0:
                firm[able], spare[able], known[able] = i, left, share[i]
                able += 1
                total += left
                weight += share[i]
        if able == 0:
            continue
        placed = min(offered[g], total)
        level = np.inf
        if placed < total:
            level = placed / weight
            while True:
                full = 0.0
                open_ = 0.0
                for k in range(able):
                    if spare[k] <= level * known[k]:
                        full += spare[k]
                    else:
                        open_ += known[k]
                if open_ <= 0.0 or (placed - full) / open_ <= level:
                    break
                level = (placed - full) / open_
        moved = placed / offered[g]
        for k in range(start[g], start[g + 1]):
            i = order[k]
            missing = wanted[i] - consumption[i]
            if missing > NOISE * wanted[i]:
                wanted[i] -= moved * (tries * (1.0 - switching_cost[i])) * missing
        for k in range(able):
            i = firm[k]
            more = min(spare[k], level * known[k]) / price[i]
            production[i] = min(production[i] + more, capacity[i], ceiling[i])
            demand[i] += more
            wanted[i] += more
            consumption[i] += more
