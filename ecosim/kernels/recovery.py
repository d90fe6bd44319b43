"""Recovery with the help of neighbours (law 5 of the reference program of Inoue & Todo 2019)."""

from typing import Any

from numba import njit


@njit(cache=True)
def helped(rows: Any, damage: Any, ptr: Any, supplier: Any, out_ptr: Any, client: Any, days: float) -> None:
    """Let damaged firms recover, faster the less their suppliers and clients are damaged; in place, row by row.

    Firms are taken in order and see neighbours before them as they are already this evening, as in the reference
    program. ``client`` lists the buyers behind ``out_ptr``.
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
        damage[i] = max(0.0, damage[i] * (1.0 - help_share / days))
