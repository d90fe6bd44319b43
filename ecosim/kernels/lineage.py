"""What bound each firm that made less than it would have, and from whom that came: loops over links (no randomness)."""

from typing import Any

import numpy as np
from numba import njit

from ecosim.kernels.day import ESSENTIAL, IMPORTANT, NOISE, NOTHING, order_rule

#: Causes by number; `ecosim.lineage.causes` has their words, and some are only told apart there.
STRUCK, MEANS, SUPPLIER, ORDERED_LITTLE, NO_CASH, CLIENT, INCOME, ELSEWHERE, PRICES, CLOSED, CLIENT_LEFT = range(1, 12)
LITTLE = 1e-9  # share of a usual day's flow below which what failed to come is forgotten
CUT = -2  # source of what is struck because its orders do not get through today


@njit(cache=True)
def notice(
    calm: Any, made: Any, output: Any, least: float, gains: Any, unnoticed: Any, rows: Any, loss: Any
) -> int:  # fmt: skip
    """Put firms that made less than their twin by more than ``least`` of their output first in ``rows`` and ``loss``.

    Returns how many there are; what the others made more or a little less is added to ``gains`` and ``unnoticed``.
    """
    count = 0
    for i in range(len(made)):
        less = calm[i] - made[i]
        if less > least * output[i]:
            rows[count], loss[count] = i, less
            count += 1
        elif less > 0.0:
            unnoticed[i] += less
        elif less < 0.0:
            gains[i] -= less
    return count


@njit(cache=True)
def any_rationed(demand: Any, production: Any) -> bool:
    """Whether any firm made less than was asked of it."""
    found = False
    for i in range(len(demand)):
        found |= production[i] < demand[i] * (1.0 - NOISE)
    return found


@njit(cache=True)
def remember_shortfalls(
    ptr: Any, flow: Any, reached: Any, delivered: Any, production: Any, output: Any, inventory_days: Any, short: Any
) -> bool:
    """Add what each link was asked for and did not deliver today to ``short`` (L,).

    What failed to come is forgotten at the pace at which the stock turns over: a stock of n days covers what failed to
    come for about n days of work, and what is older no longer shows in it. Returns whether anything is left. Asked for
    means the order that ``reached`` the supplier, up to the usual ``flow``: who gets the usual amount and asked for
    more, to refill an empty stock, was not let down by the supplier but by whatever emptied the stock.
    """
    most = 0.0
    for i in range(len(output)):
        kept = keeps(production[i], output[i], inventory_days[i])
        for e in range(ptr[i], ptr[i + 1]):
            asked = min(reached[e], flow[e])
            missing = asked - delivered[e]  # selected, not branched on: which links fall short cannot be guessed
            now = short[e] * kept + (missing if missing > NOISE * asked else 0.0)
            now = now if now > LITTLE * flow[e] else 0.0
            short[e] = now
            most = max(most, now)
    return most > 0.0


@njit(inline="always")
def keeps(production: float, output: float, inventory_days: float) -> float:
    """Share of what did not come in that still shows in a firm's stocks a day later."""
    pace = production / output if output > 0.0 else 0.0
    return 1.0 - min(pace, 1.0) / max(inventory_days, 1.0)


@njit(cache=True)
def fade(ptr: Any, production: Any, output: Any, inventory_days: Any, amounts: Any) -> None:
    """Let what is remembered of links, ``amounts`` (L,), grow older by a day, as shortfalls do; in place."""
    for i in range(len(output)):
        kept = keeps(production[i], output[i], inventory_days[i])
        for e in range(ptr[i], ptr[i + 1]):
            amounts[e] *= kept


@njit(cache=True)
def remember_unbought(
    ptr: Any, flow: Any, stock: Any, ordered: Any, less: Any, pace: Any, inventory_days: Any, smoothing_days: Any,
    unbought: Any,
) -> None:  # fmt: skip
    """Add what each link was not ordered for want of cash today to ``unbought`` (L,).

    ``less`` (n,) is by how many days of usual purchases each firm cuts its orders.
    """
    for i in range(len(less)):
        if less[i] <= 0.0:
            continue
        for e in range(ptr[i], ptr[i + 1]):
            cut = less[i] * flow[e]
            if ordered[e] <= 0.0:
                cut = min(cut, order_rule(flow[e], pace[i], inventory_days[i], smoothing_days[i], stock[e]))
            unbought[e] += cut


@njit(cache=True)
def _scarcest(first: Any, end: Any, product: Any, importance: Any, flow: Any, stock: Any) -> Any:
    """Links (from, to) of the input whose stock limits production most."""
    low, high, least = first, first, np.inf
    k = first
    while k < end:
        start, good = k, product[k]
        need, have, level = 0.0, 0.0, 0
        while k < end and product[k] == good:
            need += flow[k]
            have += stock[k]
            level = max(level, importance[k])
            k += 1
        if need <= NOTHING or level < IMPORTANT:
            continue
        cover = have / need
        limit = cover if level == ESSENTIAL else 0.5 * (cover + 1.0)
        if limit < least:
            low, high, least = start, k, limit
    return low, high


@njit(cache=True)
def bind(
    rows: Any, alive: Any, capacity: Any, ceiling: Any, demand: Any, calm_demand: Any,
    ptr: Any, product: Any, importance: Any, flow: Any, stock: Any, supplier: Any, ordered: Any, reached: Any,
    out_ptr: Any, out_link: Any, short: Any, taken: Any, unbought: Any,
    calm_ptr: Any, calm_link: Any, calm_client: Any, calm_supplier: Any, calm_ordered: Any, moved: bool,
    cause: Any, source: Any, link: Any,
) -> Any:  # fmt: skip
    """Find what binds firms ``rows`` (k,) today, into ``cause``, ``source`` (a firm, or -1) and ``link``, all (k,).

    Production is the least of capacity, what stocks allow, and demand; the least one binds, and of equal ones the first
    of these. Behind a short stock stands whatever kept most of late from coming in: a supplier that failed to deliver
    (``short``), a shock that took goods (``taken``), or a lack of cash (``unbought``; each (L,), the last two may be
    empty); where nothing did, the firm ordered little itself. Behind low demand stand customers or clients, whoever's
    demand fell more below that of the undisturbed twin (``calm_...``, its links by supplier), and of clients the one
    whose orders fell most, that buys elsewhere now, or whose orders do not get through (``reached`` is what does).
    Returns how many want a closer look: means, struck through links, own orders, customers.
    """
    means, shocked, own, people = 0, 0, 0, 0
    for at in range(len(rows)):
        i = rows[at]
        source[at], link[at] = -1, -1
        least = min(capacity[i], ceiling[i], demand[i])
        edge = least + 1e-9 * abs(least)
        if alive[i] == 0.0 or capacity[i] <= edge:
            cause[at] = MEANS
            means += 1
        elif ceiling[i] <= edge:
            low, high = _scarcest(ptr[i], ptr[i + 1], product, importance, flow, stock)
            cause[at] = ORDERED_LITTLE
            most = LITTLE * flow[low] if high > low else 0.0
            cash = 0.0
            for e in range(low, high):
                if short[e] > most:
                    most, cause[at], source[at], link[at] = short[e], SUPPLIER, supplier[e], e
                if len(taken) > 0 and taken[e] > most:
                    most, cause[at], source[at], link[at] = taken[e], STRUCK, -1, e
                cash += unbought[e] if len(unbought) > 0 else 0.0
            if cash > most:
                cause[at], source[at], link[at] = NO_CASH, -1, -1
            shocked += cause[at] == STRUCK
            own += cause[at] in (ORDERED_LITTLE, NO_CASH)
        else:
            customers = calm_demand[i] - demand[i]  # less what is the clients' of it
            clients, most = 0.0, 0.0
            for k in range(calm_ptr[i], calm_ptr[i + 1]):
                e = calm_link[k]
                asked, arrived = 0.0, 0.0
                if supplier[e] == i:
                    asked, arrived = ordered[e], reached[e]
                less, stopped = calm_ordered[e] - asked, asked - arrived
                customers -= less + stopped
                clients += max(less + stopped, 0.0)
                if less > most:
                    most, source[at], link[at] = less, calm_client[k], e
                if stopped > most:
                    most, source[at], link[at] = stopped, CUT, e
            if moved:
                for k in range(out_ptr[i], out_ptr[i + 1]):
                    if calm_supplier[out_link[k]] != i:
                        customers += reached[out_link[k]]
            if clients > customers:
                if source[at] == CUT:
                    cause[at] = STRUCK
                    shocked += 1
                else:
                    cause[at] = CLIENT if supplier[link[at]] == i else CLIENT_LEFT
            else:
                cause[at], source[at], link[at] = ELSEWHERE, -1, -1
                people += 1
    return means, shocked, own, people


@njit(cache=True)
def enter(
    day: int, pause: int, rows: Any, cause: Any, detail: Any, source: Any, loss: Any,
    first: Any, last: Any, causes: Any, details: Any, sources: Any, losses: Any, ended: Any,
) -> int:  # fmt: skip
    """Go on with the entries (n,) of firms whose cause is as before, after at most ``pause`` days; begin new ones else.

    Entries that end thereby are copied to ``ended`` (columns firm, first, last, cause, detail, source, loss; float64),
    and their number is returned.
    """
    count = 0
    for at in range(len(rows)):
        i = rows[at]
        same = causes[i] == cause[at] and details[i] == detail[at] and sources[i] == source[at]
        if not (same and last[i] >= day - 1 - pause):
            if losses[i] > 0.0:
                ended[count, 0], ended[count, 1], ended[count, 2] = i, first[i], last[i]
                ended[count, 3], ended[count, 4], ended[count, 5] = causes[i], details[i], sources[i]
                ended[count, 6] = losses[i]
                count += 1
            first[i] = day
            losses[i] = 0.0
            causes[i], details[i], sources[i] = cause[at], detail[at], source[at]
        last[i] = day
        losses[i] += loss[at]
    return count


@njit(cache=True)
def harm_through(parent: Any, firm: Any, loss: Any, through: Any) -> None:
    """Add each loss to every other firm on its way back to the shock, once a firm, into ``through`` (n,).

    ``parent`` (E,) is the entry from which each entry came, -1 for none; ``firm`` and ``loss`` are those of the entry.
    """
    for start in range(len(parent)):
        at = parent[start]
        while at >= 0:
            new = firm[at] != firm[start]
            back = parent[start]
            while new and back != at:
                new = firm[back] != firm[at]
                back = parent[back]
            if new:
                through[firm[at]] += loss[start]
            at = parent[at]


@njit(cache=True)
def forest(
    order: Any, wants: Any, held: Any, firm: Any, begins: Any, supply: Any, first: Any, parent: Any
) -> None:  # fmt: skip
    """Parent of each entry, (E,), by ``order`` of beginning: the latest entry of the firm that it ``wants``, or -1.

    Where ``held`` says so, the latest by which that firm was held back in what it could make (``supply``), if there is
    any. Entries of firm f are ``first[f]:first[f + 1]``, by the day on which they begin. An entry comes from one that
    began before it, or on the same day and leads back to something older: so nothing is its own cause.
    """
    settled = np.zeros(len(order), dtype=np.bool_)
    changed = True
    last = False  # all that is left waits for each other: let one take something older
    while changed:
        changed = False
        for e in order:
            if settled[e]:
                continue
            f = wants[e]
            best, other = -1, -1
            waits = False
            if f >= 0:
                for k in range(first[f + 1] - 1, first[f] - 1, -1):
                    if k == e or begins[k] > begins[e]:
                        continue
                    if begins[k] == begins[e] and not settled[k]:
                        waits = waits or supply[k] or not held[e]
                        continue
                    if supply[k] or not held[e]:
                        best = k
                        break
                    if other < 0:
                        other = k
            if waits and not last:
                continue
            parent[e] = best if best >= 0 else other
            settled[e] = changed = True
            if last and waits:
                last = False
        if not (changed or last):
            last = changed = True
