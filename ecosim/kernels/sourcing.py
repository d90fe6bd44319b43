"""Supply links that are watched, replaced and exchanged: loops over links and over those who look for a supplier."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative rounding noise: a delivery short by less is complete
CALM = 1e-6  # a reliability this close to 1 is 1 again


@njit(cache=True)
def watch(
    ptr: Any, flow: Any, ordered: Any, delivered: Any, weight: float, threshold: Any, patience: Any, alive: Any,
    reliability: Any, short: Any,
) -> Any:  # fmt: skip
    """Smooth each link's share of deliveries into ``reliability``, count days below the buyer's threshold in ``short``.

    Return the links whose buyer, still in business, has run out of patience, in order of row.
    """
    due = []
    for i in range(len(alive)):
        for e in range(ptr[i], ptr[i + 1]):
            if reliability[e] == 1.0 and delivered[e] >= ordered[e] * (1.0 - NOISE):
                continue
            # Firms that refill empty stocks order more than usual; who gets the usual has no reason to complain.
            asked = min(ordered[e], flow[e])
            if asked > 0.0:
                filled = delivered[e] / asked
                filled = 1.0 if filled >= 1.0 - NOISE else filled
                reliability[e] += weight * (filled - reliability[e])
                if reliability[e] > 1.0 - CALM:
                    reliability[e] = 1.0
            if reliability[e] >= threshold[i] or alive[i] == 0.0:
                short[e] = 0
                continue
            short[e] += 1
            if short[e] >= patience[i]:
                due.append(e)
    return np.array(due, dtype=np.int64)


@njit(cache=True)
def holds(ptr: Any, supplier: Any, flow: Any, buyer: int, firm: int, spares: bool) -> bool:
    """Whether a buyer has ``firm`` among its suppliers, ``spares`` counted or not."""
    for e in range(ptr[buyer], ptr[buyer + 1]):  # noqa: SIM110 - numba knows no any() of a generator
        if supplier[e] == firm and (spares or flow[e] > 0.0):
            return True
    return False


@njit(cache=True)
def strangers(buyer: Any, firms: Any, ptr: Any, supplier: Any, flow: Any) -> Any:
    """Which of some firms do not deliver to some buyers yet, shape (k,)."""
    new = np.empty(len(buyer), dtype=np.bool_)
    for k in range(len(buyer)):
        new[k] = not holds(ptr, supplier, flow, buyer[k], firms[k], False)
    return new


@njit(cache=True)
def spares(links: Any, buyer: Any, ptr: Any, product: Any, supplier: Any, flow: Any, most: int) -> Any:
    """Return the second sources agreed for the product of each link, shape (k, most), -1 where there are no more."""
    found = np.full((len(links), most), -1, dtype=np.int64)
    for k in range(len(links)):
        i, many = buyer[k], 0
        for e in range(ptr[i], ptr[i + 1]):
            if product[e] == product[links[k]] and flow[e] == 0.0 and many < most:
                found[k, many] = supplier[e]
                many += 1
    return found


@njit(cache=True)
def possible(
    link: int, buyer: int, firm: int, ptr: Any, supplier: Any, flow: Any, room: Any, alive: Any
) -> bool:  # fmt: skip
    """Whether ``firm`` can take over a link: another firm, in business, with room for all of its flow."""
    if firm < 0 or firm == buyer or alive[firm] == 0.0 or holds(ptr, supplier, flow, buyer, firm, False):
        return False
    return bool(room[firm] >= flow[link])


@njit(cache=True)
def choose(
    links: Any, buyer: Any, candidates: Any, ptr: Any, supplier: Any, flow: Any, output: Any, alive: Any, room: Any
) -> Any:  # fmt: skip
    """For each link in turn the candidate with most room for its size, -1 where none is possible.

    What is chosen is taken off ``room`` at once, so no capacity is promised twice. ``candidates`` is (k, m).
    """
    chosen = np.full(len(links), -1, dtype=np.int64)
    for k in range(len(links)):
        e, i = links[k], buyer[k]
        most = -np.inf
        for firm in candidates[k]:
            if possible(e, i, firm, ptr, supplier, flow, room, alive) and room[firm] / output[firm] > most:
                most = room[firm] / output[firm]
                chosen[k] = firm
        if chosen[k] >= 0:
            room[chosen[k]] -= flow[e]
    return chosen


@njit(cache=True)
def candidates_of(
    link: int, buyer: int, offered: Any, ptr: Any, supplier: Any, flow: Any, room: Any, alive: Any
) -> Any:  # fmt: skip
    """Those of the offered firms that can take over a link, each once, in order."""
    kept = []
    for firm in offered:
        if firm not in kept and possible(link, buyer, firm, ptr, supplier, flow, room, alive):
            kept.append(firm)
    return np.array(kept, dtype=np.int64)


@njit(cache=True)
def follow(
    ptr: Any, supplier: Any, flow: Any, final: Any, output: Any, near: float, rounds: int, agreed: Any, pace: Any
) -> None:
    """Pass changes of needs on to suppliers and theirs until nobody's needs are off by ``near`` of its output.

    Needs are x = final + A x: a firm that must make x of a usual output needs x / output times its usual purchases.
    ``pace`` (n,) is the x / output that its suppliers know of, ``agreed`` (n,) what its clients need of it at theirs.
    What is too small to be told stays in the difference of the two and is never lost.
    """
    for _ in range(rounds):
        still = True
        for i in range(len(output)):
            if _is_news(i, final, output, near, agreed, pace):
                still = False
                _, change = _tell(i, final, output, agreed, pace)
                for e in range(ptr[i], ptr[i + 1]):
                    agreed[supplier[e]] += flow[e] * change
        if still:
            break


@njit(cache=True)
def means(
    capacity: Any, ceiling: Any, demand: Any, final: Any, output: Any, potential: Any, part: float, agreed: Any,
    room: Any,
) -> Any:  # fmt: skip
    """Say in ``room`` what each firm could make beyond demand and needs; return the most that it may come to need.

    That is ``part`` of its headroom above usual output, or what it needs already.
    """
    limit = np.empty(len(room))
    for i in range(len(room)):
        need = final[i] + agreed[i]
        room[i] = min(capacity[i], ceiling[i]) - max(demand[i], need)
        limit[i] = max(output[i] + part * (potential[i] - output[i]), need)
    return limit


@njit(inline="always")
def _is_news(firm: int, final: Any, output: Any, near: float, agreed: Any, pace: Any) -> bool:
    """Whether a firm needs another pace than its suppliers know of."""
    off = abs(final[firm] + agreed[firm] - pace[firm] * output[firm])
    return bool(off > near * output[firm] and output[firm] > 0.0)


@njit(inline="always")
def _tell(firm: int, final: Any, output: Any, agreed: Any, pace: Any) -> tuple[float, float]:
    """Give a firm the pace that it needs; return the old one and by how much it changes."""
    old = pace[firm]
    pace[firm] = (final[firm] + agreed[firm]) / output[firm]
    return old, pace[firm] - old


@njit(cache=True)
def agree(
    links: Any, buyer: Any, firms: Any, ptr: Any, planned: Any, flow: Any, final: Any, output: Any, limit: Any,
    near: float, most: int, agreed: Any, pace: Any,
) -> Any:  # fmt: skip
    """Let links move to new suppliers, one after the other, where nobody's needs rise above its ``limit`` by it.

    Return which do, shape (k,); ``near`` of a limit is forgiven. ``planned`` (L,), ``agreed`` and ``pace`` take in
    those; a move is followed up to ``most`` changes of needs and what is left is for `follow`. None moves to a firm
    below 0, which stands for nobody, or to one that is planned to deliver to the buyer anyway.
    """
    fits = np.zeros(len(links), dtype=np.bool_)
    for k in range(len(links)):
        e, new, old = links[k], int(firms[k]), int(planned[links[k]])
        amount = flow[e] * pace[buyer[k]]
        if new < 0 or holds(ptr, planned, flow, buyer[k], new, False):
            continue
        planned[e] = new
        # A list of firms to look at in turn, and of what to put back where the move comes to nothing.
        changed, told = [(old, agreed[old]), (new, agreed[new])], [(old, pace[old])]
        agreed[old] -= amount
        agreed[new] += amount
        at = 0
        while at < len(changed) and len(changed) < most:
            i = changed[at][0]
            at += 1
            if not _is_news(i, final, output, near, agreed, pace):
                continue
            before, change = _tell(i, final, output, agreed, pace)
            told.append((i, before))
            for f in range(ptr[i], ptr[i + 1]):
                other = int(planned[f])
                changed.append((other, agreed[other]))
                agreed[other] += flow[f] * change
        fits[k] = True
        for i, _ in changed:
            fits[k] &= final[i] + agreed[i] <= limit[i] * (1.0 + near)
        if not fits[k]:
            planned[e] = old
            for i, before in changed[::-1]:
                agreed[i] = before
            for i, before in told[::-1]:
                pace[i] = before
    return fits


@njit(cache=True)
def reach_of(order: Any, out_ptr: Any, power: float) -> Any:
    """Return the running sum of (clients + 1) ** power over firms in some order, from 0 on, shape (n + 1,)."""
    reach, weight = np.zeros(len(order) + 1), np.zeros(np.diff(out_ptr).max() + 1)
    for k in range(len(order)):
        clients = out_ptr[order[k] + 1] - out_ptr[order[k]]
        if weight[clients] == 0.0:  # most firms have few clients, and powers take time
            weight[clients] = (clients + 1.0) ** power
        reach[k + 1] = reach[k] + weight[clients]
    return reach


@njit(cache=True)
def first_stranger(buyer: Any, candidates: Any, ptr: Any, supplier: Any, flow: Any) -> Any:
    """For each buyer its first candidate with whom it has no contract of any kind, -1 where it knows all of them."""
    chosen = np.full(len(buyer), -1, dtype=np.int64)
    for k in range(len(buyer)):
        for firm in candidates[k]:
            if firm >= 0 and firm != buyer[k] and not holds(ptr, supplier, flow, buyer[k], firm, True):
                chosen[k] = firm
                break
    return chosen


@njit(cache=True)
def take_over(links: Any, buyer: Any, firms: Any, ptr: Any, product: Any, supplier: Any, flow: Any) -> None:
    """Give each link its new supplier, in ``supplier``.

    A second source that becomes the main one changes places with it: the old supplier's contract is kept as a spare.
    """
    for k in range(len(links)):
        i = buyer[k]
        for e in range(ptr[i], ptr[i + 1]):
            if supplier[e] == firms[k] and flow[e] == 0.0 and product[e] == product[links[k]]:
                supplier[e] = supplier[links[k]]
                break
        supplier[links[k]] = firms[k]


@njit(cache=True)
def exchange(
    one: Any, other: Any, quota: int, buyer: Any, ptr: Any, supplier: Any, flow: Any, final: Any, output: Any,
    potential: Any, mismatch: float, part: float, agreed: Any, pace: Any,
) -> Any:  # fmt: skip
    """Let pairs of links exchange suppliers, the first ``quota`` that can; return which did, shape (k,).

    Nobody supplies itself or the same buyer twice, and no supplier's needs, ``final`` and ``agreed``, move further from
    its output than ``part`` of its headroom, unless they come nearer.
    """
    done = np.zeros(len(one), dtype=np.bool_)
    left = quota
    for k in range(len(one)):
        if left <= 0:
            break
        e, f = one[k], other[k]
        a, b = supplier[e], supplier[f]
        i, j = buyer[e], buyer[f]
        gap = flow[f] - flow[e]  # what a's sales rise by
        if a == b or i in (j, b) or j == a or abs(gap) > mismatch * max(flow[e], flow[f]):
            continue
        if abs(gap) > NOISE * flow[e] and not (
            _keeps(final[a] + agreed[a], gap, output[a], potential[a], part)
            and _keeps(final[b] + agreed[b], -gap, output[b], potential[b], part)
        ):
            continue
        if holds(ptr, supplier, flow, i, b, True) or holds(ptr, supplier, flow, j, a, True):
            continue
        supplier[e], supplier[f] = b, a
        more = flow[f] * pace[j] - flow[e] * pace[i]
        agreed[a] += more
        agreed[b] -= more
        done[k] = True
        left -= 1
    return done


@njit(inline="always")
def _keeps(usual: float, change: float, output: float, potential: float, part: float) -> bool:
    """Whether usual sales stay near output, or come nearer to it."""
    after = abs(usual + change - output)
    return after <= part * (potential - output) or after < abs(usual - output)
