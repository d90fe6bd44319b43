"""Choosing suppliers as arithmetic on arrays: distinct suppliers, preferential attachment, degree-keeping swaps.

A "place" is an index into ``members``, the firms of every pool laid end to end. Random numbers come in as arrays.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

STRETCH = 2048  # swaps looked up together


@njit(cache=True)
def turns(ptr: NDArray[np.int64], pool: NDArray[np.int32], pools: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the slots of the same buyer in the same pool: how many come before, and how many there are; shape (L,)."""
    turn, many = np.empty(len(pool), np.int64), np.empty(len(pool), np.int64)
    seen_by = np.full(pools, -1, np.int64)
    count = np.zeros(pools, np.int64)
    for i in range(len(ptr) - 1):
        for e in range(ptr[i], ptr[i + 1]):
            if seen_by[pool[e]] != i:
                seen_by[pool[e]] = i
                count[pool[e]] = 0
            turn[e] = count[pool[e]]
            count[pool[e]] += 1
        for e in range(ptr[i], ptr[i + 1]):
            many[e] = count[pool[e]]
    return turn, many


@njit(cache=True)
def settle(
    ptr: NDArray[np.int64],
    members: NDArray[np.int32],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    late: NDArray[np.uint8],
    search: bool,
    place: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Grant wishes buyer by buyer, so that nobody supplies itself and no supplier fills two slots of one buyer.

    ``place`` (L,) holds the wishes, -1 for none; slots with a lower ``late`` are served first. Returns which wishes
    were refused. With ``search``, a refused slot takes the next free place of its window ``low:high``, going round,
    and -1 is written only where the whole window is taken.
    """
    refused = np.zeros(len(place), np.bool_)
    levels = 0
    for e in range(len(late)):
        levels = max(levels, late[e] + 1)
    taken_by = np.full(len(ptr) - 1, -1, np.int64)  # the last buyer served by each firm: no clearing between buyers
    for i in range(len(ptr) - 1):
        taken_by[i] = i  # a firm is taken for itself from the start
        for level in range(levels):
            for e in range(ptr[i], ptr[i + 1]):
                if late[e] != level:
                    continue
                at = place[e]
                if at >= 0:
                    if taken_by[members[at]] != i:
                        taken_by[members[at]] = i
                        continue
                    refused[e] = True
                if not search:
                    continue
                place[e] = -1
                at = max(at, low[e])
                for _ in range(high[e] - low[e]):
                    if taken_by[members[at]] != i:
                        taken_by[members[at]] = i
                        place[e] = at
                        break
                    at = at + 1 if at + 1 < high[e] else low[e]
    return refused


@njit(cache=True)
def _add(tree: NDArray[np.float64], base: int, size: int, at: int, change: float) -> None:
    """Add to one leaf of the Fenwick tree that occupies ``tree[base : base + size]``."""
    j = at + 1
    while j <= size:
        tree[base + j - 1] += change
        j += j & -j


@njit(cache=True)
def _find(tree: NDArray[np.float64], base: int, size: int, target: float) -> tuple[int, float]:
    """Leaf in which the running sum passes ``target``, and how far into the leaf."""
    step = 1
    while step * 2 <= size:
        step *= 2
    at = 0
    while step > 0:
        if at + step <= size and tree[base + at + step - 1] <= target:
            at += step
            target -= tree[base + at - 1]
        step //= 2
    return min(at, size - 1), target


@njit(cache=True)
def attach(
    order: NDArray[np.int64],
    draw: NDArray[np.float64],
    ptr: NDArray[np.int64],
    buyer: NDArray[np.int32],
    pool: NDArray[np.int32],
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    demand: NDArray[np.int64],
    members: NDArray[np.int32],
    exponent: float,
) -> NDArray[np.int64]:
    """Fill slots in ``order``, each from a supplier drawn by (its connections)**exponent; place of each slot.

    ``first``, ``size`` and ``demand`` are start, members and slots of each pool. Members of a pool open for business
    one by one as its slots are filled. A buyer's present suppliers (and itself) are set aside when drawn: what is
    left of the uniform number is uniform again, so the next draw needs no new one. -1 where nobody is left.
    """
    most = 0
    for i in range(len(ptr) - 1):
        most = max(most, ptr[i + 1] - ptr[i])
    tree, weight = np.zeros(len(members)), np.zeros(len(members))
    customers = np.zeros(len(members), np.int64)
    total = np.zeros(len(first))
    opened, filled = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
    aside = np.empty(most + 2, np.int64)
    place = np.full(len(order), -1, np.int64)
    for e in order:
        p, i = pool[e], buyer[e]
        base, n = first[p], size[p]
        filled[p] += 1
        due = max(min(n, most + 1), -(-filled[p] * n // demand[p]))
        while opened[p] < due:
            at = base + opened[p]
            own = ptr[members[at] + 1] - ptr[members[at]]
            weight[at] = float(max(own, 1)) ** exponent
            _add(tree, base, n, opened[p], weight[at])
            total[p] += weight[at]
            opened[p] += 1
        u = draw[e]
        skipped = 0
        while skipped < opened[p]:
            leaf, rest = _find(tree, base, n, u * total[p])
            at = base + leaf
            if leaf >= opened[p] or weight[at] == 0.0 or skipped > most:
                break  # rounding at the far end: the slot is filled afterwards
            firm = members[at]
            known = firm == i
            for f in range(ptr[i], ptr[i + 1]):
                known = known or (place[f] >= 0 and members[place[f]] == firm)
            if not known:
                place[e] = at
                customers[at] += 1
                own = ptr[firm + 1] - ptr[firm]
                grown = float(max(own, 1) + customers[at]) ** exponent
                _add(tree, base, n, leaf, grown - weight[at])
                total[p] += grown - weight[at]
                weight[at] = grown
                break
            u = min(max(rest / weight[at], 0.0), 1.0 - 1e-16)
            aside[skipped] = at
            skipped += 1
            _add(tree, base, n, leaf, -weight[at])
            total[p] -= weight[at]
        for k in range(skipped):
            _add(tree, base, n, aside[k] - base, weight[aside[k]])
            total[p] += weight[aside[k]]
    return place


@njit(cache=True)
def swap(
    ptr: NDArray[np.int64],
    buyer: NDArray[np.int32],
    link: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    odd: int,
    draw: NDArray[np.float64],
    supplier: NDArray[np.int32],
) -> int:
    """Offer every second link a swap of suppliers with a link drawn from its group, in place; number of swaps made.

    A swap concerns two links, so that each link is offered one on average.

    ``link`` lists the slots group by group; the group of the k-th is ``link[first[k] : last[k]]``. A swap that would
    make a firm its own supplier or give a buyer the same supplier twice is not made.
    """
    made = 0
    partner = np.empty(STRETCH, np.int64)
    owner = np.empty(STRETCH, np.int32)
    begin, end = np.empty(STRETCH, np.int64), np.empty(STRETCH, np.int64)
    for start in range(0, len(draw), STRETCH):
        stretch = min(STRETCH, len(draw) - start)
        # Partners lie anywhere. Looked up for a stretch at once, many of these reads are under way at the same time;
        # swap by swap, each would wait for the one before.
        for d in range(stretch):
            k = 2 * (start + d) + odd
            partner[d] = link[first[k] + int(draw[start + d] * (last[k] - first[k]))]
        for d in range(stretch):
            owner[d] = buyer[partner[d]]
        for d in range(stretch):
            begin[d], end[d] = ptr[owner[d]], ptr[owner[d] + 1]
        for d in range(stretch):
            e, f = link[2 * (start + d) + odd], partner[d]
            i, j = buyer[e], owner[d]
            s, t = supplier[e], supplier[f]
            if i == j or t in (s, i) or s == j:
                continue
            doubled = False
            for g in range(ptr[i], ptr[i + 1]):
                doubled = doubled or supplier[g] == t
            for g in range(begin[d], end[d]):
                doubled = doubled or supplier[g] == s
            if not doubled:
                supplier[e], supplier[f] = t, s
                made += 1
    return made
