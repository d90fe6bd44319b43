"""Wages that people lost today, and benefits that make up for some of it."""

from typing import Any

from numba import njit

NOISE = 1e-12  # share of a wage bill below which a difference is rounding


@njit(cache=True)
def lost_wages(
    wage_bill: Any, wages: Any, benefits: Any, replacement: float, customer: Any, lost: Any, relief: Any
) -> bool:
    """Add up, by the community beside the firms, wages that are ``lost`` and what replaces them, ``relief``.

    ``benefits`` (n,) scales the share that is replaced. Say whether any firm paid other wages than the usual.
    """
    some = False
    for i in range(len(wages)):
        less = wage_bill[i] - wages[i]
        if abs(less) > NOISE * wage_bill[i]:
            some = True
            lost[customer[i]] += less
            if less > 0.0:
                relief[customer[i]] += replacement * less * benefits[i]
    return some
