"""Gibrat and Kesten: sizes that grow by chance, and the power law that is left where nobody gets too small.

Log sizes that take independent normal steps of mean m and standard deviation s have variance t s^2 after t of them
(Gibrat 1931). With m < 0 and a least size they settle at a power law whose exponent solves E exp(zeta step) = 1, which
for normal steps is zeta = -2 m / s^2 exactly (Kesten 1973, Gabaix 1999).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.rng import Stream
from ecosim.validation.check import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIFT, SPREAD = -0.05, 0.05**0.5  # m and s of a step; the exponent is 2
TAIL = 0.05  # share of firms, the largest, whose sizes tell the exponent
SETTLED, APART = 300, 50  # steps until the law is reached, and between two looks at it


def tail_exponent(sizes: NDArray[np.float64], share: float) -> float:
    """Hill's estimate of the power of the tail from the largest ``share`` of sizes (n,)."""
    top = np.sort(sizes)[-round(share * len(sizes)) - 1 :]
    return float(1.0 / np.log(top[1:] / top[0]).mean())


def gibrat(*, firms: int = 100_000, steps: int = 100, looks: int = 5) -> list[Check]:
    """Let firms grow by chance, freely and above a least size."""
    rng = Stream(1, 0, "validation: gibrat").generator()
    free, held, seen = np.zeros(firms), np.zeros(firms), []
    for _ in range(steps):
        free += DRIFT + SPREAD * rng.standard_normal(firms)
    for step in range(SETTLED + looks * APART):
        held = np.maximum(held + DRIFT + SPREAD * rng.standard_normal(firms), 0.0)
        if step >= SETTLED and (step - SETTLED) % APART == 0:
            seen.append(tail_exponent(np.exp(held), TAIL))
    exponent = -2.0 * DRIFT / SPREAD**2
    return [
        Check.within(f"variance of log size after {steps} steps", steps * SPREAD**2, float(free.var()), firms,
                     "Gibrat (1931)", relative=0.03, tests="library"),
        Check.within("tail exponent above a least size", exponent, float(np.mean(seen)), firms * looks,
                     "Kesten (1973)", relative=0.03, fewest=400_000, tests="library"),
    ]  # fmt: skip
