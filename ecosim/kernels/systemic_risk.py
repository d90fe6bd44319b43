"""Arithmetic of the Economic Systemic Risk Index: cascades of loss on a supply network, on plain arrays.

The rules are those of Diem, Borsos, Reisch, Kertesz and Thurner (2022); `ecosim.published.systemic_risk` states them.

Up- and downstream cascades obey one rule. Each firm owns *cells*, each cell links, each link a partner and a share;
a firm loses `max(psi, max over its cells of sum over links of share * what the partner's loss means to others)`, at
most 1. Upstream a firm owns one cell, its clients. Downstream it owns one cell for each essential supplying sector
and one for all its non-essential suppliers together. So `spread` serves both directions.

A scenario alone spends its time waiting for memory. Up to `LANES` scenarios therefore run side by side: every
per-firm quantity is a row of lanes, so that one look-up of a link serves all of them. Rows whose partners stood still
keep their value without being computed; every other row is summed afresh in a fixed order, so rounding cannot pile up
and a result does not depend on which scenarios share a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Ids = NDArray[np.int32]
    Flags = NDArray[np.bool_]

LANES, FEWEST_LANES, ROOM = 64, 16, 640_000
"""Scenarios run side by side: as many as keep a table of firms x lanes within ROOM numbers, about what caches hold.

Measured: 64 lanes beat 16 by half at 10,000 firms and lose threefold at 100,000.
"""

EMPTY_MARKET = 1e-10
"""Market sales at or below this count as 1, as in the authors' program (money units of the flows)."""


class Direction(NamedTuple):
    """One direction of contagion: n firms own cells, C cells own links, L links name partners."""

    cells: Ints
    """First cell of each firm, shape (n + 1,)."""
    links: Ints
    """First link of each cell, shape (C + 1,)."""
    partner: Ids
    """Firm whose loss the link carries, shape (L,)."""
    share: Floats
    """Fraction of the owner's activity that hangs on the link, shape (L,)."""


class Markets(NamedTuple):
    """Firms that replace one another; no members at all means nobody is replaceable."""

    start: Ints
    """First member of each market, shape (markets + 1,)."""
    member: Ids
    """Firms, market by market, shape (n,) or (0,)."""
    sales: Floats
    """Total sales of each firm, money, shape (n,)."""


class Shocks(NamedTuple):
    """Initial losses of S scenarios, only those above zero."""

    start: Ints
    """First entry of each scenario, shape (S + 1,)."""
    firm: Ids
    """Firm hit, shape (entries,)."""
    lost: Floats
    """Fraction of its activity lost, in (0, 1], shape (entries,)."""


class State(NamedTuple):
    """One direction of one batch."""

    loss: Floats
    """1 - h, shape (n, lanes)."""
    felt: Floats
    """The loss as partners feel it, shape (n, lanes)."""
    floor: Floats
    """Initial loss psi, shape (n, lanes); meaningful where `struck`."""
    struck: Flags
    """Firms with an initial loss in some lane, shape (n,)."""
    hit: Flags
    """Firms with any loss so far, shape (n,)."""
    changed: Flags
    """Firms whose loss changed in this round, shape (n,)."""
    moved: Flags
    """Firms whose felt loss changed in the last round, shape (n,)."""


@njit(cache=True)
def spread(way: Direction, state: State, total: Floats, worst: Floats, fall: Floats) -> None:
    """One synchronous round in one direction: new losses from the felt losses, which stay as they were.

    `fall`, shape (lanes,), is raised to the largest decrease of h; `total` and `worst` are scratch of that shape.
    """
    lanes = fall.size
    for owner in range(way.cells.size - 1):
        state.changed[owner] = False
        first, last = way.cells[owner], way.cells[owner + 1]
        touched = False
        for link in range(way.links[first], way.links[last]):
            if state.moved[way.partner[link]]:
                touched = True
                break
        if not touched:
            continue
        for lane in range(lanes):
            worst[lane] = 0.0
        if state.struck[owner]:
            for lane in range(lanes):
                worst[lane] = state.floor[owner, lane]
        for cell in range(first, last):
            for lane in range(lanes):
                total[lane] = 0.0
            for link in range(way.links[cell], way.links[cell + 1]):
                partner, share = way.partner[link], way.share[link]
                for lane in range(lanes):
                    total[lane] += share * state.felt[partner, lane]
            for lane in range(lanes):
                worst[lane] = max(worst[lane], total[lane])
        different = False
        for lane in range(lanes):
            loss = min(1.0, worst[lane])
            rise = loss - state.loss[owner, lane]
            fall[lane] = max(fall[lane], rise)
            different |= rise != 0.0
            state.loss[owner, lane] = loss
        if different:
            state.changed[owner] = True
            state.hit[owner] = True


@njit(cache=True)
def publish(state: State) -> bool:
    """Partners feel the whole loss. Tells whether any felt loss moved."""
    any_moved = False
    for firm in range(state.changed.size):
        state.moved[firm] = state.changed[firm]
        if state.changed[firm]:
            any_moved = True
            for lane in range(state.loss.shape[1]):
                state.felt[firm, lane] = state.loss[firm, lane]
    return any_moved


@njit(cache=True)
def publish_replaceable(state: State, markets: Markets, sales_left: Floats) -> bool:
    """Partners feel the loss times the firm's market share sigma = min(1, s / A), A the sales left in its market.

    A firm's sigma moves whenever anyone in its market does, so whole markets are renewed; firms without loss are
    passed over, their felt loss is zero whatever sigma is. `sales_left` is scratch, shape (lanes,).
    """
    lanes = state.loss.shape[1]
    any_moved = False
    for market in range(markets.start.size - 1):
        members = markets.member[markets.start[market] : markets.start[market + 1]]
        touched = False
        for firm in members:
            state.moved[firm] = False
            touched |= state.changed[firm]
        if not touched:
            continue
        for lane in range(lanes):
            sales_left[lane] = 0.0
        for firm in members:
            sales = markets.sales[firm]
            for lane in range(lanes):
                sales_left[lane] += (1.0 - state.loss[firm, lane]) * sales
        for lane in range(lanes):
            if sales_left[lane] <= EMPTY_MARKET:
                sales_left[lane] = 1.0
        for firm in members:
            if not state.hit[firm]:
                continue
            sales = markets.sales[firm]
            different = False
            for lane in range(lanes):
                felt = min(1.0, sales / sales_left[lane]) * state.loss[firm, lane]
                different |= felt != state.felt[firm, lane]
                state.felt[firm, lane] = felt
            state.moved[firm] = different
            any_moved |= different
    return any_moved


@njit(cache=True)
def strike(state: State, shocks: Shocks, batch: Ints) -> None:
    """Set a fresh state and the initial losses of the scenarios in `batch`, one a lane."""
    state.loss[:] = 0.0
    state.felt[:] = 0.0
    state.struck[:] = False
    for lane in range(batch.size):
        for entry in range(shocks.start[batch[lane]], shocks.start[batch[lane] + 1]):
            firm = shocks.firm[entry]
            if not state.struck[firm]:
                state.struck[firm] = True
                state.floor[firm, :] = 0.0
            state.floor[firm, lane] = shocks.lost[entry]
            state.loss[firm, lane] = shocks.lost[entry]
    state.hit[:] = state.struck
    state.changed[:] = state.struck


@njit(cache=True)
def weigh(down: State, up: State, weight: Floats, sums: Floats) -> None:
    """Weighted mean losses, shape (3, lanes): the larger of both directions, downstream, upstream."""
    lanes = sums.shape[1]
    sums[:] = 0.0
    for firm in range(weight.size):
        if down.hit[firm] or up.hit[firm]:
            part = weight[firm]
            for lane in range(lanes):
                below, above = down.loss[firm, lane], up.loss[firm, lane]
                sums[0, lane] += part * max(below, above)
                sums[1, lane] += part * below
                sums[2, lane] += part * above


@njit(cache=True)
def settled(old: float, new: float, fall: float, tolerance: float, convergence: int) -> bool:
    """Whether a round ends the cascade; a zero index (nobody of weight is hit yet) that stays zero has settled."""
    if convergence == 1:
        return fall <= tolerance
    return new <= 0.0 if old <= 0.0 else new / old <= 1.0 + tolerance


@njit(cache=True)
def blank(firms: int, lanes: int) -> State:
    """Room for one direction of one batch."""
    return State(
        np.empty((firms, lanes)),
        np.empty((firms, lanes)),
        np.empty((firms, lanes)),
        np.empty(firms, np.bool_),
        np.empty(firms, np.bool_),
        np.empty(firms, np.bool_),
        np.empty(firms, np.bool_),
    )


@njit(cache=True)
def advance(
    below: Direction,
    above: Direction,
    markets: Markets,
    down: State,
    up: State,
    total: Floats,
    worst: Floats,
    fall: Floats,
) -> None:
    """One round in both directions, which do not touch each other; sets `fall` to the largest decrease of h."""
    moved = publish_replaceable(down, markets, total) if markets.member.size else publish(down)
    moved_above = publish(up)
    fall[:] = 0.0
    # A direction at rest is skipped, but must not repeat its last changes.
    if moved:
        spread(below, down, total, worst, fall)
    else:
        down.changed[:] = False
    if moved_above:
        spread(above, up, total, worst, fall)
    else:
        up.changed[:] = False


@njit(cache=True)
def cascades(
    below: Direction,
    above: Direction,
    markets: Markets,
    weight: Floats,
    hits: Shocks,
    hits_above: Shocks,
    order: Ints,
    tolerance: float,
    convergence: int,
    rounds: int,
    kept: Floats,
) -> tuple[Floats, Ints]:
    """Run the scenarios in `order`, a batch of lanes at a time, to their ends.

    Returns the weighted losses of `weigh`, shape (3, S), and the rounds each scenario took, shape (S,), 0 where it
    had not settled after `rounds`. `kept`, shape (2, n, S), receives down- and upstream losses of every firm if
    it is not empty. Columns follow the scenarios' numbers, not `order`.
    """
    sums = np.zeros((3, order.size))
    taken = np.zeros(order.size, np.int64)
    lanes = min(order.size, max(FEWEST_LANES, min(LANES, ROOM // weight.size)))
    down, up = blank(weight.size, lanes), blank(weight.size, lanes)
    total, worst, fall = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    now, before = np.zeros((3, lanes)), np.zeros(lanes)
    for head in range(0, order.size, lanes):
        batch = order[head : head + lanes]
        strike(down, hits, batch)
        strike(up, hits_above, batch)
        if convergence != 1:
            weigh(down, up, weight, now)
        running = batch.size
        for time in range(1, rounds + 1):
            before[:] = now[0]
            advance(below, above, markets, down, up, total, worst, fall)
            weighed = convergence != 1
            if weighed:
                weigh(down, up, weight, now)
            for lane in range(batch.size):
                scenario = batch[lane]
                if taken[scenario] or not settled(before[lane], now[0, lane], fall[lane], tolerance, convergence):
                    continue
                if not weighed:
                    weigh(down, up, weight, now)
                    weighed = True
                taken[scenario] = time
                running -= 1
                sums[:, scenario] = now[:, lane]
                if kept.size:
                    kept[0, :, scenario] = down.loss[:, lane]
                    kept[1, :, scenario] = up.loss[:, lane]
            if running == 0:
                break
    return sums, taken
