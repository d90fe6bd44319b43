"""Planning on what was seen some days ago: the delayed, smoothed expectation of every firm."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative rounding noise that must not count as news, because orders amplify it


@njit(cache=True)
def plan(seen: Any, today: int, delay: Any, eagerness: Any, alive: Any, outlook: Any, expected: Any) -> None:
    """Move each firm's outlook towards what it sees, and plan for it; in place. Closed firms plan for nothing.

    ``seen`` (days, n) is a ring of past production with yesterday's at place ``today``; a firm looks ``delay`` days
    back, rounded (1 is yesterday), and closes the share ``eagerness`` of the gap.
    """
    days = seen.shape[0]
    for i in range(len(outlook)):
        back = min(max(int(np.rint(delay[i])), 1), days)
        at = today - (back - 1)
        gap = seen[at if at >= 0 else at + days, i] - outlook[i]
        if abs(gap) > NOISE * abs(outlook[i]):
            outlook[i] += eagerness[i] * gap
        expected[i] = outlook[i] if alive[i] != 0.0 else 0.0
