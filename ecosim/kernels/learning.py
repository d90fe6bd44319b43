"""What firms learn from a day, and forget."""

from typing import Any

from numba import njit


@njit(cache=True)
def learn(
    production: Any, output: Any, left: Any, alive: Any, rate: Any, routine: Any, noise: Any, forgotten: Any, ready: Any
) -> None:
    """Raise readiness by today's stress and lower it by forgetting, in place; all arrays are (n,).

    ``left`` is the share of means that is undamaged. A closed firm is back at routine.
    """
    for i in range(len(ready)):
        if alive[i] == 0.0:
            ready[i] = routine[i]
            continue
        stress = 1.0 - left[i]
        if output[i] > 0.0:
            stress = max(stress, 1.0 - production[i] / output[i])
        stress = min(stress, 1.0) if stress > noise[i] else 0.0
        lesson = rate[i] * stress * (1.0 - ready[i])
        ready[i] += lesson - forgotten[i] * max(ready[i] - routine[i], 0.0)
