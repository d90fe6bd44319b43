"""Platforms: what members' customers want when pools share it, what is missed in an outage, and fees."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative; a smaller difference is rounding


@njit(cache=True, error_model="numpy")
def pooled(
    rows: Any, pool: Any, pools: int, share: Any, price: Any, alive: Any, customer: Any, means: Any, final_demand: Any,
    wanted: Any, today: Any,
) -> bool:  # fmt: skip
    """Write what the customers of members, ``rows``, want ``today``; say whether that differs from ``wanted``.

    Each member's pooled share follows the pool's wants over its usual ones: wanted + q (usual Z - wanted).
    """
    brought = np.zeros(pools)
    expected = np.zeros(pools)
    usual = np.empty(len(rows))
    calm = True
    for k in range(len(rows)):
        i = rows[k]
        worth = wanted[i] * price[i]
        usual[k] = final_demand[i] * price[i] / means[customer[i]] * alive[i]
        today[k] = wanted[i]
        calm &= worth == usual[k]
        brought[pool[k]] += share[i] * worth
        expected[pool[k]] += share[i] * usual[k]
    if calm:
        return False
    moved = False
    for k in range(len(rows)):
        i = rows[k]
        if expected[pool[k]] <= 0.0:
            continue
        worth = wanted[i] * price[i]
        change = share[i] * (usual[k] * (brought[pool[k]] / expected[pool[k]]) - worth)
        if abs(change) > NOISE * worth:
            today[k] = max(wanted[i] + change / price[i], 0.0)
            moved |= today[k] != wanted[i]
    return moved


@njit(cache=True)
def reached(rows: Any, today: Any, final_demand: Any, wanted: Any) -> None:
    """Let firms ``rows`` be asked for what their customers want ``today``, and count it as usual; in place.

    The core loses goods where customers want less than the usual; what a platform moves is usual today.
    """
    for k in range(len(rows)):
        i = rows[k]
        if wanted[i] > 0.0:
            final_demand[i] *= today[k] / wanted[i]
        wanted[i] = today[k]


@njit(cache=True)
def fees(
    rows: Any, consumption: Any, price: Any, share: Any, direct: Any, fee: Any, works: Any, capped: Any, usual: Any,
    alive: Any, output: Any, cash: Any, due: Any,
) -> bool:  # fmt: skip
    """Write what platforms take of members, ``rows``, beyond the usual (or less), ``due`` (n,); say whether anything.

    A platform that ``works`` at a brings share x a / (1 - share (1 - a)(1 - direct)) of what is sold.
    """
    due[:] = 0.0
    some = False
    for k in range(len(rows)):
        i = rows[k]
        sold = consumption[i] * price[i] * share[i]
        a = min(works[i], 1.0)
        if a < 1.0:
            kept = 1.0 - share[i] * (1.0 - a) * (1.0 - direct[i])
            sold *= a / kept if kept > 0.0 else 0.0
        more = (fee[i] * capped[i] * sold - fee[i] * (usual[i] * share[i])) * alive[i]
        if abs(more) > NOISE * output[i]:
            due[i] = min(more, max(cash[i], 0.0))
            some = True
    return some


@njit(cache=True)
def sold_to_strangers(
    rows: Any, gained: Any, consumption: Any, wanted: Any, price: Any, customer: Any, sold: Any
) -> None:
    """Add up, by community, what its firms sold of the wants they ``gained`` from elsewhere; below 0 what they lost."""
    for k in range(len(rows)):
        i = rows[k]
        if wanted[i] > 0.0:
            sold[customer[i]] += gained[k] * min(consumption[i] / wanted[i], 1.0) * price[i]
