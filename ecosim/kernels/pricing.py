"""Prices: what dearer suppliers add to costs, what firms would like to charge, and how customers take it."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative; a smaller difference is rounding


@njit(cache=True, error_model="numpy")
def costs(
    ptr: Any, buyer: Any, supplier: Any, flow: Any, out_ptr: Any, out_link: Any, output: Any, price: Any,
    pass_through: Any, dearer: Any, floor: float, unit_cost: Any,
) -> None:  # fmt: skip
    """Price that each firm's costs justify, from ``dearer`` inputs (1 as usual) and its suppliers' prices; in place.

    Only clients of firms whose price has moved look at what their suppliers charge; for all others that adds 0.
    Inputs may become cheaper than free on paper; a price stays a price.
    """
    concerned = np.zeros(len(output), np.bool_)
    for j in range(len(output)):
        if price[j] != 1.0:
            for k in range(out_ptr[j], out_ptr[j + 1]):
                concerned[buyer[out_link[k]]] = True
    for i in range(len(output)):
        unit_cost[i] = 1.0
        rise = dearer[i] - 1.0
        if concerned[i] and output[i] > 0.0:
            more = 0.0
            for k in range(ptr[i], ptr[i + 1]):
                more += flow[k] * (price[supplier[k]] - 1.0)
            rise += more / output[i]
        if rise != 0.0:
            unit_cost[i] = max(1.0 + pass_through[i] * rise, floor)


@njit(cache=True, error_model="numpy")
def wishes(
    demand: Any,
    capacity: Any,
    ceiling: Any,
    output: Any,
    unit_cost: Any,
    price: Any,
    alive: Any,
    war: Any,
    response: float,
    discount: float,
    floor: float,
    cap: float,
    moving: Any,
    wish: Any,
) -> int:
    """Find firms that would like to charge another price than they do; return how many.

    ``moving`` gets their rows, ``wish`` the price: a mark-up that follows scarcity, on the price that costs justify,
    times what a price war leaves of it (``war``, 1 in peace).
    """
    found = 0
    for i in range(len(demand)):
        scale = output[i] if output[i] > 0.0 else 1.0
        lacking = demand[i] - min(capacity[i], ceiling[i])
        idle = output[i] - demand[i]
        markup = 1.0
        if lacking > 0.0 and lacking / scale > NOISE:
            markup += response * (lacking / scale)
        if idle > 0.0 and discount > 0.0 and idle / scale > NOISE:
            markup -= discount * (idle / scale)
        fair = unit_cost[i] * min(max(markup, floor), cap) * war[i]
        if alive[i] > 0.0 and abs(fair - price[i]) > NOISE * price[i]:
            moving[found], wish[found] = i, fair
            found += 1
    return found


@njit(cache=True)
def received(
    price: Any, unit_cost: Any, alive: Any, elasticity: float, resentment: float, appeal: Any, grievance: Any
) -> None:
    """How customers take prices: a pull on their spending, and what they hold against the firm, a day.

    Whoever takes over a firm that is out of business starts with the usual price.
    """
    for i in range(len(price)):
        if alive[i] <= 0.0:
            price[i] = 1.0
        appeal[i] = price[i] ** (1.0 - elasticity) if price[i] != 1.0 else 1.0
        unfair = price[i] / unit_cost[i] - 1.0 if price[i] > unit_cost[i] else 0.0
        grievance[i] = resentment * unfair if unfair > NOISE else 0.0
