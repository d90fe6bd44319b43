"""What is kept of every firm while a run goes on, in one pass over the firms."""

from typing import Any

from numba import njit


@njit(cache=True)
def keep(day: int, production: Any, output: Any, produced: Any, lowest: Any, failed_on: Any, threshold: float) -> int:
    """Add today's production, keep the lowest share of baseline and the first day below ``threshold`` of it.

    Returns how many firms are below it today.
    """
    below = 0
    for i in range(len(output)):
        made = production[i]
        produced[i] += made
        base = output[i]
        if base <= 0.0:
            continue
        share = made / base
        lowest[i] = min(lowest[i], share)
        if share < threshold:
            below += 1
            if failed_on[i] < 0.0:
                failed_on[i] = day
    return below
