"""From supply links to what the Economic Systemic Risk Index is computed on, on plain arrays (Diem et al. 2022).

`ecosim.kernels.systemic_risk` says what cells are; `ecosim.published.systemic_risk` states the equations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.kernels.systemic_risk import FEWEST_LANES, Direction, Markets, Shocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NEGLIGIBLE, NON_ESSENTIAL, ESSENTIAL = 0, 1, 2
"""How much a client needs an input."""

LOOK_AHEAD = 64
"""Rounds looked ahead when scenarios of like length are put side by side."""


def below(
    supplier: Any, client: Any, flow: Floats, need: Any, good: Any, firms: int, scale: Floats | None = None
) -> Direction:
    """Downstream: one cell a client and essential good, and one a client for all non-essential suppliers together.

    Links are arrays of shape (L,): firms by row, flow in money, `need` one of the codes above, `good` a number of what
    is supplied. A firm's non-essential losses add up over goods, so they are one sum; its activity is then limited by
    the largest sum of any cell. `scale`, shape (firms,), is what inputs weigh in all costs of a client, 1 by default.
    """
    goods = int(good.max(initial=-1)) + 1
    client = client.astype(np.int64)
    cell = client * (goods + 1) + np.where(need == ESSENTIAL, good, goods)
    _, place = np.unique(cell, return_inverse=True)
    inputs = np.bincount(client, flow, firms)
    share = flow / np.where(need == ESSENTIAL, np.bincount(place, flow)[place], inputs[client])
    if scale is not None:
        share = share * scale[client]
    used = need >= NON_ESSENTIAL
    return _direction(cell[used], client[used], supplier[used], share[used], firms)


def above(supplier: Any, client: Any, flow: Floats, revenue: Floats) -> Direction:
    """Upstream: one cell a supplier, all its clients; `revenue` in money, shape (n,)."""
    return _direction(supplier, supplier, client, flow / revenue[supplier], revenue.size)


def markets(code: Any, sales: Floats) -> Markets:
    """Firms by market, numbered by `code` (n,), in the order of their rows; `sales` in money, shape (n,)."""
    member = np.argsort(code, kind="stable").astype(np.int32)
    return Markets(np.append(0, np.cumsum(np.bincount(code))), member, sales)


def renumbered(shocks: Shocks, order: Ints) -> Shocks:
    """The scenarios in `order`, numbered anew from 0."""
    size = np.diff(shocks.start)[order]
    start = np.append(0, np.cumsum(size))
    entry = np.arange(start[-1]) + np.repeat(shocks.start[order] - start[:-1], size)
    return Shocks(start, shocks.firm[entry], shocks.lost[entry])


def _direction(cell: Ints, owner: Ints, partner: Ints, share: Floats, n: int) -> Direction:
    """Sort links into cells and cells into firms; `cell` rises with `owner`, and each cell has one owner."""
    order = np.lexsort((partner, cell))
    _, first = np.unique(cell[order], return_index=True)
    cells = np.append(0, np.cumsum(np.bincount(owner[order][first], minlength=n)))
    ends = np.append(first, cell.size).astype(np.int64)
    return Direction(cells, ends, partner[order].astype(np.int32), share[order])


def by_length(below: Direction, above: Direction, markets: Markets, hits: Shocks, tolerance: float) -> Ints:
    """Scenarios, those likely to end early first: a batch runs until its slowest scenario has settled.

    The guess follows the steepest path: the largest loss t links away from a failed firm, per unit of its own.
    """
    scenarios = hits.start.size - 1
    if scenarios <= FEWEST_LANES:
        return np.arange(scenarios)
    sales = markets.sales
    n = sales.size
    felt = np.ones(n)
    if markets.member.size:
        # Nearly the sigma of a lone failure: the firm's sales against those of the others in its market.
        market = np.empty(n, np.int64)
        market[markets.member] = np.repeat(np.arange(markets.start.size - 1), np.diff(markets.start))
        others = np.bincount(market, sales)[market] - sales
        felt = np.minimum(1.0, sales / np.where(others > 0, others, 1.0))
    lasts = np.maximum(_reach(below, felt, tolerance), _reach(above, np.ones(n), tolerance))
    scenario = np.repeat(np.arange(scenarios), np.diff(hits.start))
    longest = np.zeros(scenarios)
    np.maximum.at(longest, scenario, lasts[hits.firm])
    return np.argsort(longest, kind="stable")


def _reach(way: Direction, felt: Floats, tolerance: float) -> Floats:
    """Links after which the steepest path from each firm has worn down to the tolerance, at most LOOK_AHEAD."""
    owner = np.repeat(np.arange(way.cells.size - 1), np.diff(way.links[way.cells]))
    steepness = way.share * felt[way.partner]
    left, reach = np.ones(felt.size), np.zeros(felt.size)
    for _ in range(LOOK_AHEAD):
        further = np.zeros(felt.size)
        np.maximum.at(further, way.partner, steepness * left[owner])
        left = np.minimum(further, left)
        if not (left > tolerance).any():
            break
        reach += left > tolerance
    return reach
