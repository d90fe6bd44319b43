"""The core day in words (Inoue & Todo 2019): slow, plain and literal, to read beside the kernels and to test them.

``buyers`` and ``sellers`` take the arrays of the kernels in ``day.py`` and leave the same numbers in them. Nothing
is clever here: lists instead of compressed loops, and rationing by the authors' own repeated subtraction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.kernels.day import ESSENTIAL, IMPORTANT

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    type Array = np.ndarray[Any, np.dtype[Any]]
    type Shares = tuple[list[float], float]

NOTHING = 1e-20  # what the reference program takes for zero
ROUNDING = 1e-12  # relative; sums that differ by less are equal


def buyers(
    ptr: Array, product: Array, importance: Array, flow: Array, stock: Array, delivered: Array, ordered: Array,
    production: Array, output: Array, expected: Array, inventory_days: Array, smoothing_days: Array, ceiling: Array,
) -> None:  # fmt: skip
    """Morning of every firm: yesterday's deliveries in and use out, orders, and what its stocks allow it to make.

    ``production`` and ``delivered`` are yesterday's; ``stock``, ``ordered`` and ``ceiling`` become today's.
    """
    for i in range(len(output)):
        links = list(range(ptr[i], ptr[i + 1]))
        ceiling[i] = np.inf
        if output[i] <= 0:  # a firm that sells nothing keeps its stocks and repeats its purchases
            for k in links:
                ordered[k] = flow[k]
            continue
        for goods in sorted({int(product[k]) for k in links}):
            same = [k for k in links if product[k] == goods]  # suppliers of one sector replace each other
            baseline = sum(float(flow[k]) for k in same)
            held = sum(float(stock[k]) for k in same)
            used = production[i] / output[i] * baseline / held if held > NOTHING else 0.0
            for k in same:
                left = stock[k] + delivered[k] - stock[k] * used
                stock[k] = left if left > NOTHING else 0.0
            for k in same:
                use = flow[k] * expected[i] / output[i]
                ordered[k] = max(0.0, use + (inventory_days[i] * use - stock[k]) / smoothing_days[i])
            days = sum(float(stock[k]) for k in same) / baseline  # of use at baseline, at least 1 to make all of it
            level = max(int(importance[k]) for k in same)
            if level == ESSENTIAL:
                ceiling[i] = min(ceiling[i], days * output[i])
            elif level == IMPORTANT:
                ceiling[i] = min(ceiling[i], 0.5 * (days + 1.0) * output[i])


def sellers(
    out_ptr: Array, out_link: Array, out_flow: Array, ordered: Array, delivered: Array, capacity: Array,
    ceiling: Array, final: Array, wanted: Array, rationing: int,
    demand: Array, production: Array, consumption: Array, lost: Array,
) -> None:  # fmt: skip
    """Rest of the day of every firm: demand, production, and who gets how much of it."""
    for i in range(len(capacity)):
        sold_on = out_link[out_ptr[i] : out_ptr[i + 1]]
        orders = [float(amount) for amount in ordered[sold_on]]
        flows = [float(amount) for amount in out_flow[out_ptr[i] : out_ptr[i + 1]]]
        want = float(wanted[i])
        demand[i] = want + sum(orders)
        production[i] = min(capacity[i], ceiling[i], demand[i])
        ratio = want / float(final[i]) if final[i] > 0 else 1.0
        to_clients, to_customers = RULES[rationing](float(production[i]), orders, flows, want, float(final[i]), ratio)
        delivered[sold_on] = to_clients
        consumption[i] = to_customers
        lost[i] = production[i] - sum(to_clients) - to_customers


def in_proportion(
    made: float, orders: list[float], flows: list[float], want: float, final: float, ratio: float
) -> Shares:
    """Rule 0: everyone, customers included, gets the same share of what it asked for."""
    asked = want + sum(orders)
    share = made / asked if asked > 0 else 0.0
    return [share * order for order in orders], share * want


def clients_first(
    made: float, orders: list[float], flows: list[float], want: float, final: float, ratio: float
) -> Shares:
    """Rule 1: customers go short first, then clients in proportion."""
    short = max(0.0, want + sum(orders) - made)
    if want >= short:
        return list(orders), want - short
    share = made / sum(orders)
    return [share * order for order in orders], 0.0


def lowest_first(
    made: float, orders: list[float], flows: list[float], want: float, final: float, ratio: float
) -> Shares:
    """Rule 2: clients and customers are filled like vessels, the lowest ratio of order to baseline first."""
    return fill(made, orders, flows, final, ratio)


def clients_then_lowest(
    made: float, orders: list[float], flows: list[float], want: float, final: float, ratio: float
) -> Shares:
    """Rule 3: customers get what all orders of clients leave, and the clients share the rest by rule 2."""
    to_customers = min(max(made - sum(orders), 0.0), want)
    to_clients, _ = fill(made - to_customers, orders, flows, 0.0, 0.0)
    return to_clients, to_customers


def fill(remaining: float, orders: list[float], flows: list[float], final: float, final_ratio: float) -> Shares:
    """Water-filling by subtraction, as (to each client, to customers).

    Two traits of the authors' program make goods disappear or appear as gifts, and are kept: customers count in the
    need after they are satisfied, and a client who ordered nothing stays in the list during the first step, which
    gives it that step's share of its baseline flow.

    Goods are given only where more than the need remains. The two are often equal: a firm at full capacity whose
    clients all order more than usual, or nothing, makes exactly what the first step needs. It then gives nothing to
    those who ordered nothing, and the order in which sums are taken must not decide otherwise.
    """
    missing = {k: order / flow for k, (order, flow) in enumerate(zip(orders, flows, strict=True))}
    to_clients = [0.0 for _ in orders]
    to_customers = 0.0
    while True:
        positive = [ratio for ratio in (*missing.values(), final_ratio) if ratio > NOTHING]
        if not positive:
            break
        step = min(positive)
        need = step * (sum(flows[k] for k in missing) + final)
        if not remaining > need * (1.0 + ROUNDING):
            weight = sum(flows[k] for k in missing if missing[k] > 0) + (final if final_ratio > 0 else 0.0)
            last = remaining / weight if weight > 0 else 0.0
            for k, ratio in missing.items():
                if ratio > 0:
                    to_clients[k] += last * flows[k]
            if final_ratio > 0:
                to_customers += last * final
            break
        for k in list(missing):
            to_clients[k] += step * flows[k]
            missing[k] -= step
            if missing[k] <= NOTHING:
                del missing[k]
        if final_ratio > 0:
            to_customers += step * final
            final_ratio -= step
            if final_ratio <= NOTHING:
                final_ratio = 0.0
        remaining -= need
        if remaining <= NOTHING:
            break
    return to_clients, to_customers


RULES: tuple[Callable[[float, list[float], list[float], float, float, float], Shares], ...] = (
    in_proportion,
    clients_first,
    lowest_first,
    clients_then_lowest,
)
