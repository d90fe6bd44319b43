"""What firms hear from those they deal with."""

from typing import Any

from numba import njit

FAINT = 1e-6  # a shortfall, or a fear, below this is none


@njit(cache=True)
def remember(
    production: Any, demand: Any, output: Any, alive: Any, age: Any, new: float, fade: float, fear: Any
) -> None:
    """Let fear fade, and replace it where today is worse; in place. Firms younger than ``new`` days take no fright."""
    for i in range(len(fear)):
        left = fear[i] * fade
        usual = min(output[i], demand[i])
        if usual > 0.0 and alive[i] > 0.0 and age[i] >= new:
            left = max(left, 1.0 - production[i] / usual)
        fear[i] = left if left >= FAINT else 0.0


@njit(cache=True)
def listen(
    rows: Any, ptr: Any, supplier: Any, buyer: Any, out_ptr: Any, out_link: Any, fear: Any, holds: Any, heard: Any,
    share: Any,
) -> None:  # fmt: skip
    """Mean fear of the suppliers and clients of some firms, and the share of them that holds each option; in place.

    ``holds`` has an array (n,) an option, ``heard`` is (rows,), ``share`` (options, rows); both are 0 for a firm that
    deals with nobody.
    """
    for at in range(len(rows)):
        i = rows[at]
        peers = ptr[i + 1] - ptr[i] + out_ptr[i + 1] - out_ptr[i]
        total = 0.0
        for e in range(ptr[i], ptr[i + 1]):
            total += fear[supplier[e]]
        for e in range(out_ptr[i], out_ptr[i + 1]):
            total += fear[buyer[out_link[e]]]
        heard[at] = total / peers if peers > 0 else 0.0
        for option in range(len(holds)):
            holders = 0
            for e in range(ptr[i], ptr[i + 1]):
                holders += holds[option][supplier[e]] > 0.0
            for e in range(out_ptr[i], out_ptr[i + 1]):
                holders += holds[option][buyer[out_link[e]]] > 0.0
            share[option, at] = holders / peers if peers > 0 else 0.0
