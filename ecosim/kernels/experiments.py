"""What practice, idleness and pressure do to know-how and to the next trial of every firm."""

from typing import Any

from numba import njit

NOISE = 1e-9  # a shortfall below this share is rounding, not a reason to search


@njit(cache=True)
def practise(
    production: Any, output: Any, alive: Any, know_how: Any, aspiration: Any, urge: Any, trial_ends: Any,
    rate: Any, search: Any, fading: Any, freedom: Any, erosion_days: float, aspiration_days: float,
) -> None:  # fmt: skip
    """One day of erosion and forgetting, of getting used to what is achieved, and of nearing the next trial; in place.

    In a closed firm nobody learns or forgets, and its trial is over.
    """
    for i in range(len(know_how)):
        z = know_how[i]
        if alive[i] == 0.0:
            know_how[i] = z - (z - 1.0) / erosion_days
            trial_ends[i] = -1.0
            continue
        activity = production[i] / output[i] if output[i] > 0.0 else 1.0
        idle = 1.0 - activity
        if idle < NOISE:
            idle = 0.0
        know_how[i] = z - ((z - 1.0) / erosion_days + fading[i] * z * idle)
        short = aspiration[i] - activity
        if short < NOISE:
            short = 0.0
        aspiration[i] += (activity - aspiration[i]) / aspiration_days
        if trial_ends[i] < 0.0:
            urge[i] -= rate[i] * (1.0 + search[i] * short) * freedom[i]
