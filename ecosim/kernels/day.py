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
STRETCH = 2048  # firms whose orders are fetched together; a firm's result does not depend on its stretch

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


@njit(error_model="numpy", inline="always")
def _water_level(available, usual, final, final_ratio, flow, first, orders, at, clients):
    """Level up to which orders are filled, as (satisfied, level, gift).

    ``orders`` from ``at`` on holds the orders of the ``clients`` clients whose flows start at ``first``; ``usual`` is
    what they and final demand take at baseline. Those whose ratio of order to flow is at most ``satisfied`` get their
    order, the others ``level`` times their flow, and clients who ordered nothing get ``gift`` times it. As in the
    reference program, final demand keeps counting as a need after it is satisfied, and clients without an order take
    part in the first step.

    What is given out is concave and piecewise linear in the level, so Newton's method from the left ends in the right
    piece, mostly after one pass or two, and needs no sorting. Ratios lie on either side of the level in no order that a
    processor could guess: a pass selects instead of branching, because a wrong guess costs more than a whole client.
    """
    satisfied, gift = 0.0, 0.0
    level = available / usual if usual > 0.0 else 0.0  # nobody satisfied yet: never above the level in the end
    while True:
        asking, idle, waiting, filled = 0.0, 0.0, 0.0, 0.0
        least = final_ratio if final_ratio > 0.0 else np.inf
        below = level * (1.0 - NOISE)  # who stands at the level by a tie is not satisfied, in the reference program
        reached = final_ratio if final_ratio < below else 0.0  # highest ratio below the level
        beyond = np.inf if final_ratio < below else final_ratio  # lowest one from there on
        for k in range(clients):
            order = orders[at + k]
            size = flow[first + k]
            ratio = order / size
            asks = ratio > 0.0
            asking += size if asks else 0.0
            idle += 0.0 if asks else size
            least = min(least, ratio if asks else np.inf)
            waits = ratio >= below
            waiting += size if waits else 0.0
            filled += 0.0 if waits else order
            reached = max(reached, 0.0 if waits else ratio)
            beyond = min(beyond, ratio if waits else np.inf)
        # A firm at full capacity whose clients all ask for at least the usual has exactly what the first step needs:
        # that tie is common, and the last bit of a sum must not decide whether idle clients get goods.
        if least == np.inf or not available > least * usual * (1.0 + NOISE):
            weight = asking + (final if final_ratio > 0.0 else 0.0)
            level = available / weight if weight > 0.0 else 0.0
            break
        left = available - idle * least - filled
        need = waiting + final
        reach = left / need if need > 0.0 else level
        if reach * (1.0 - NOISE) > beyond:
            level = reach
            continue
        satisfied, gift = reached, least
        rest = max(0.0, left - need * satisfied)
        weight = waiting + (final if final_ratio > satisfied else 0.0)
        level = satisfied + rest / weight if weight > 0.0 else satisfied
        break
    return satisfied, level, gift


@njit(error_model="numpy", inline="always")
def _fill(made, usual, final, final_ratio, flow, first, orders, at, clients, out_link, delivered):
    """Fill the lowest order ratios first; return what clients get and the ratio that final demand gets."""
    satisfied, level, gift = _water_level(made, usual, final, final_ratio, flow, first, orders, at, clients)
    given = 0.0
    for k in range(clients):
        order = orders[at + k]
        size = flow[first + k]
        ratio = order / size
        amount = level * size if ratio > satisfied else order
        amount = amount if ratio > 0.0 else gift * size
        delivered[out_link[first + k]] = amount
        given += amount
    return given, (final_ratio if final_ratio <= satisfied else level)


@njit(error_model="numpy")
def _sell(
    start, stop, out_ptr, out_link, out_flow, delivered, capacity, ceiling,
    final, wanted, rationing, demand, production, consumption, lost,
):  # fmt: skip
    """Demand, production and rationing of a stretch of firms; ``delivered`` holds the orders until they are cut."""
    low, high = out_ptr[start], out_ptr[stop]
    # Orders lie where their buyers wrote them. Fetched in a loop of its own, many of these reads are under way at once;
    # fetched firm by firm, each would wait for the one before. They are read from where deliveries go, not from
    # ``ordered``: the cache line is then at hand when a delivery is written to it.
    orders = np.empty(high - low)
    for k in range(high - low):
        orders[k] = delivered[out_link[low + k]]
    for i in range(start, stop):
        first, clients = out_ptr[i], out_ptr[i + 1] - out_ptr[i]
        at = first - low
        want = wanted[i]
        total = 0.0
        usual = 0.0
        # Rule 2 counts customers at their usual wants, so it loses goods when they want less or clients want more.
        uneven = rationing == 2 and want < final[i]
        for k in range(clients):
            amount, flow = orders[at + k], out_flow[first + k]
            total += amount
            usual += flow
            uneven |= (amount > flow * (1.0 + NOISE)) | (amount <= 0.0)
        asked = want + total
        made = min(capacity[i], ceiling[i], asked)
        demand[i] = asked
        production[i] = made
        lost[i] = 0.0
        if rationing >= 2:
            if not uneven and made >= asked * (1.0 - NOISE):
                consumption[i] = want
                continue
            served = 0.0
            if rationing == 2:
                base = final[i]
                ratio = want / base if base > 0.0 else 1.0
                given, filled = _fill(
                    made, usual + base, base, ratio, out_flow, first, orders, at, clients, out_link, delivered
                )
                served = want if filled == ratio else base * filled
            else:
                served = min(max(made - total, 0.0), want)
                given, _ = _fill(
                    made - served, usual, 0.0, 0.0, out_flow, first, orders, at, clients, out_link, delivered
                )
            consumption[i] = served
            rest = made - given - served
            if abs(rest) > NOISE * made:
                lost[i] = rest
            continue
        share = 1.0
        if rationing == 0:
            share = made / asked if asked > 0.0 else 0.0
            consumption[i] = share * want
        elif want >= asked - made:
            consumption[i] = want - (asked - made)
        else:
            consumption[i] = 0.0
            share = made / total if total > 0.0 else 0.0
        if share < 1.0:
            for k in range(clients):
                delivered[out_link[first + k]] = orders[at + k] * share


def _sellers(
    out_ptr, out_link, out_flow, ordered, delivered, capacity, ceiling,
    final, wanted, rationing, demand, production, consumption, lost,
):  # fmt: skip
    firms = len(capacity)
    for part in prange((firms + STRETCH - 1) // STRETCH):
        _sell(
            part * STRETCH, min(firms, (part + 1) * STRETCH), out_ptr, out_link, out_flow, delivered, capacity,
            ceiling, final, wanted, rationing, demand, production, consumption, lost,
        )  # fmt: skip


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
