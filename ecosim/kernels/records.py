"""What is kept of every firm while a run goes on, in one pass over the firms."""

from typing import Any

from numba import njit


@njit(cache=True)
def keep(
    day: int,
    threshold: float,
    production: Any,
    output: Any,
    consumption: Any,
    wanted: Any,
    customer: Any,
    produced: Any,
    lowest: Any,
    failed_on: Any,
    spent: Any,
    unmet: Any,
) -> int:
    """Add up today's production and purchases, keep the lowest share of baseline and the first day below a threshold.

    ``spent`` and ``unmet`` are sums over the firms of each community, in order of row, so that they are the same to the
    bit in every run. Returns how many firms are below the threshold today.
    """
    below = 0
    spent[:] = 0.0
    unmet[:] = 0.0
    for i in range(len(output)):
        made = production[i]
        sold = consumption[i]
        produced[i] += made
        spent[customer[i]] += sold
        unmet[customer[i]] += wanted[i] - sold
        base = output[i]
        if base <= 0.0 or made >= base * lowest[i]:
            below += made < threshold * base
            continue
        share = made / base
        lowest[i] = share
        if share < threshold:
            below += 1
            if failed_on[i] < 0.0:
                failed_on[i] = day
    return below
