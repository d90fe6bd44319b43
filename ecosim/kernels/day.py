"""The core day as arithmetic on arrays: stocks, orders, demand, production, rationing (Inoue & Todo 2019).

Every function works on plain arrays, row by row, and writes each element from exactly one row, so the result is the
same to the bit whatever the number of threads: clients' orders are gathered by their supplier, never scattered.
"""

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit, prange

NOTHING = 1e-20  # the reference program's threshold for "no stock"
NOISE = 1e-12  # relative rounding noise of sums of orders: below it a firm counts as fully supplied

ESSENTIAL, IMPORTANT, OTHER = 2, 1, 0


@njit(inline="always")
def order_rule(flow: float, pace: float, inventory_days: float, smoothing_days: float, stock: float) -> float:
    """Replace what will be used and close the gap to the target stock over the smoothing time."""
    use = flow * pace
    return max(0.0, use + (inventory_days * use - stock) / smoothing_days)


def _buyers(
    ptr, product, importance, flow, stock, delivered, ordered,
    production, output, expected, inventory_days, smoothing_days, ceiling,
):  # fmt: skip
    for i in prange(len(output)):
        first, end = ptr[i], ptr[i + 1]
        base = output[i]
        limit = np.inf
        if base <= 0.0:
            for k in range(first, end):
                ordered[k] = flow[k]
                delivered[k] = flow[k]
            ceiling[i] = limit
            continue
        used = production[i] / base
        pace = expected[i] / base
        cover, smoothing = inventory_days[i], smoothing_days[i]
        k = first
        while k < end:
            start, good = k, product[k]
            need = 0.0
            have = 0.0
            level = 0
            while k < end and product[k] == good:
                need += flow[k]
                have += stock[k]
                level = max(level, importance[k])
                k += 1
            drawn = used * need / have if have > NOTHING else 0.0
            left = 0.0
            for e in range(start, k):
                # Rest must be an exact fixed point: orders amplify a deviation by up to 1 + n/tau at every firm, so in
                # a cycle of big spenders even the last bit of a difference would grow into a crisis of its own.
                change = delivered[e] - stock[e] * drawn
                if abs(change) <= NOISE * delivered[e]:
                    change = 0.0
                kept = stock[e] + change
                if kept <= NOTHING:
                    kept = 0.0
                stock[e] = kept
                left += kept
                amount = order_rule(flow[e], pace, cover, smoothing, kept)
                ordered[e] = amount
                delivered[e] = amount
            if level == ESSENTIAL:
                limit = min(limit, left / need * base)
            elif level == IMPORTANT:
                limit = min(limit, 0.5 * (left / need + 1.0) * base)
        ceiling[i] = base if base * (1.0 - NOISE) <= limit < base else limit


@njit(error_model="numpy")
def _water_level(available, final, final_ratio, flow, ordered, clients, first, end):
    """Level up to which orders are filled, as (satisfied, level, gift).

    Clients whose order ratio is at most ``satisfied`` get their order, the others ``level`` times their baseline flow,
    and clients who ordered nothing get ``gift`` times it. Concave and piecewise linear in the level, so Newton's
    method from the left passes at least one break point a step and needs no sorting. As in the reference program,
    final demand keeps counting as a need after it is satisfied, and clients without an order take part in the
    first step.
    """
    idle = 0.0
    asking = 0.0
    least = final_ratio if final_ratio > 0.0 else np.inf
    for e in range(first, end):
        amount = ordered[clients[e]]
        if amount > 0.0:
            asking += flow[e]
            least = min(least, amount / flow[e])
        else:
            idle += flow[e]
    if least == np.inf:
        return 0.0, 0.0, 0.0
    if not available > least * (asking + idle + final):
        weight = asking + (final if final_ratio > 0.0 else 0.0)
        return 0.0, (available / weight if weight > 0.0 else 0.0), 0.0
    satisfied = least
    while True:
        filled = idle * least + final * satisfied
        waiting = 0.0
        for e in range(first, end):
            amount = ordered[clients[e]]
            if amount / flow[e] > satisfied:
                waiting += flow[e]
                filled += flow[e] * satisfied
            else:
                filled += amount
        rest = available - filled
        if waiting + final <= 0.0 or rest <= 0.0:
            return satisfied, satisfied, least
        reach = satisfied + rest / (waiting + final)
        highest = satisfied
        if satisfied < final_ratio < reach:
            highest = final_ratio
        for e in range(first, end):
            ratio = ordered[clients[e]] / flow[e]
            if highest < ratio < reach:
                highest = ratio
        if highest == satisfied:
            weight = waiting + (final if final_ratio > satisfied else 0.0)
            level = satisfied + rest / weight if weight > 0.0 else satisfied
            return satisfied, level, least
        satisfied = highest


def _sellers(
    out_ptr, out_link, out_flow, ordered, delivered, capacity, ceiling,
    final, wanted, rationing, demand, production, consumption, lost,
):  # fmt: skip
    for i in prange(len(capacity)):
        first, end = out_ptr[i], out_ptr[i + 1]
        orders = 0.0
        uneven = False
        for e in range(first, end):
            amount = ordered[out_link[e]]
            orders += amount
            uneven = uneven or amount > out_flow[e] * (1.0 + NOISE) or amount <= 0.0
        want = wanted[i]
        asked = want + orders
        made = min(capacity[i], ceiling[i], asked)
        demand[i] = asked
        production[i] = made
        lost[i] = 0.0
        if rationing == 0:
            share = made / asked if asked > 0.0 else 0.0
            consumption[i] = share * want
            if share < 1.0:
                for e in range(first, end):
                    delivered[out_link[e]] = ordered[out_link[e]] * share
            continue
        if rationing == 1:
            short = asked - made
            if want >= short:
                consumption[i] = want - short
                continue
            consumption[i] = 0.0
            share = made / orders if orders > 0.0 else 0.0
            for e in range(first, end):
                delivered[out_link[e]] = ordered[out_link[e]] * share
            continue
        if not uneven and made >= asked * (1.0 - NOISE):
            consumption[i] = want
            continue
        if rationing == 2:
            base = final[i]
            ratio = want / base if base > 0.0 else 1.0
        else:
            base = 0.0
            ratio = 0.0
            consumption[i] = min(max(made - orders, 0.0), want)
        available = made - (consumption[i] if rationing == 3 else 0.0)
        satisfied, level, gift = _water_level(available, base, ratio, out_flow, ordered, out_link, first, end)
        given = 0.0
        for e in range(first, end):
            link = out_link[e]
            amount = ordered[link]
            if amount <= 0.0:
                amount = gift * out_flow[e]
            elif amount / out_flow[e] > satisfied:
                amount = level * out_flow[e]
            delivered[link] = amount
            given += amount
        if rationing == 2:
            consumption[i] = want if ratio <= satisfied else base * level
        rest = made - given - consumption[i]
        lost[i] = rest if abs(rest) > NOISE * made else 0.0


def _orders_of(rows, ptr, flow, stock, output, expected, inventory_days, smoothing_days, ordered, delivered):
    for at in prange(len(rows)):
        i = rows[at]
        pace = expected[i] / output[i] if output[i] > 0.0 else 1.0
        for e in range(ptr[i], ptr[i + 1]):
            ordered[e] = order_rule(flow[e], pace, inventory_days[i], smoothing_days[i], stock[e])
            delivered[e] = ordered[e]


Kernel = Callable[..., Any]


def _compiled(function: Kernel, *, parallel: bool) -> Kernel:
    """Compile a row kernel; the parallel twin gets a name of its own because numba caches by name, not by option."""
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    twin.__module__ = function.__module__
    twin.__qualname__ = f"{function.__qualname__}{'_parallel' if parallel else ''}"
    compiled: Kernel = njit(cache=True, error_model="numpy", parallel=parallel)(twin)
    return compiled


@lru_cache(maxsize=2)
def day_kernels(parallel: bool = False) -> tuple[Kernel, Kernel, Kernel]:
    """The kernels of one day, (buyers, sellers, orders_of), serial or threaded; compiled on first call."""
    return (
        _compiled(_buyers, parallel=parallel),
        _compiled(_sellers, parallel=parallel),
        _compiled(_orders_of, parallel=parallel),
    )
