"""Recovery with the help of neighbours (law 5 of Inoue & Todo 2019), and how fast each firm repairs."""

from typing import Any

from numba import njit


@njit(cache=True)
def helped(rows: Any, damage: Any, speed: Any, ptr: Any, supplier: Any, out_ptr: Any, client: Any, days: float) -> None:
    """Let damaged firms recover, faster the less their suppliers and clients are damaged; in place, row by row.

    Firms are taken in order and see neighbours before them as they are already this evening, as in the reference
    program. ``client`` lists the buyers behind ``out_ptr``; ``speed`` is each firm's own, 1 being the law's.
    """
    for i in rows:
        if damage[i] <= 0.0:
            continue
        total = 0.0
        for e in range(ptr[i], ptr[i + 1]):
            total += damage[supplier[e]]
        for e in range(out_ptr[i], out_ptr[i + 1]):
            total += damage[client[e]]
        degree = ptr[i + 1] - ptr[i] + out_ptr[i + 1] - out_ptr[i]
        help_share = 1.0 - total / degree if degree > 0 else 1.0
        damage[i] = max(0.0, damage[i] * (1.0 - help_share / days * speed[i]))


@njit(cache=True)
def speeds(
    damage: Any, potential: Any, alive: Any, standing: Any, spare: Any, priced: bool, ready: Any, delay: Any,
    repair_today: Any, aid_today: Any, permits_today: Any, days: Any, permit: Any,
    drag: Any, rebuild_cost: Any, own_hands: Any, aid_effect: Any, readiness_effect: Any, community_help: Any,
    trust: Any, permit_days: Any, permit_above: Any, repair: Any,
) -> None:  # fmt: skip
    """Speed of tonight's repairs of each firm, into ``repair``; all arrays are (n,).

    ``days`` and ``permit`` count the days since a firm was damaged, by its own and by the authorities' time, in place.
    ``spare`` is the money it can spend; it matters only where repairs are ``priced``.
    """
    for i in range(len(repair)):
        repair[i] = 1.0
        if damage[i] <= 0.0:
            days[i] = 0.0
            permit[i] = 0.0
            continue
        days[i] += 1.0
        permit[i] += permits_today[i]
        if alive[i] == 0.0:
            continue  # nobody pays or decides: the landlord repairs as the law says
        speed = repair_today[i] * (1.0 + 0.5 * drag[i]) / (1.0 + drag[i] * damage[i])
        speed *= max(1.0 + aid_effect[i] * (aid_today[i] - 1.0), 0.0)
        if priced:
            bill = rebuild_cost[i] * potential[i] * damage[i] / max(aid_today[i], 1.0)
            share = min(spare[i] / bill, 1.0) if bill > 0.0 else 1.0
            speed *= own_hands[i] + (1.0 - own_hands[i]) * share
        speed *= 1.0 + readiness_effect[i] * ready[i]
        speed *= max(1.0 + community_help[i] * (trust[i] * standing[i] - 0.5), 0.0)
        if damage[i] > permit_above[i] and permit[i] <= permit_days[i]:
            speed = 0.0
        repair[i] = speed * min(max(days[i] - delay[i] + 1.0, 0.0), 1.0)
