"""Dominance: does one structure lose no more than another at every intensity? A label alone is no ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from ecosim.errors import InputError
from ecosim.resilience.curves import curves, grid
from ecosim.resilience.estimate import STILL, above, below

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Dominance:
    """How A compares with B, by paired differences d_A - d_B, shape (intensities,), and their intervals.

    ``relation`` is "A dominates" (d_A >= d_B at every x, and above somewhere), "B dominates", "they cross" (each is
    better somewhere), "equal" (no replicate differs anywhere) or "undecided". ``low`` and ``high`` are each at
    ``level`` for one intensity; ``p_values`` belong to the first three relations.
    """

    relation: Literal["A dominates", "B dominates", "they cross", "equal", "undecided"]
    x: NDArray[np.float64]
    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_values: dict[str, float]
    n: int
    level: float

    def __str__(self) -> str:
        """The relation with its numbers."""
        points = ", ".join(
            f"{x:g}: {100 * mean:+.3g} % [{100 * low:+.3g}, {100 * high:+.3g}]"
            for x, mean, low, high in zip(self.x, self.difference, self.low, self.high, strict=True)
        )
        tests = ", ".join(f"{name} {p:.2g}" for name, p in self.p_values.items())
        return f"{self.relation} (n = {self.n}; d_A - d_B at x, {100 * self.level:g} %: {points}; P {tests})"

    __repr__ = __str__


def dominance(
    x: ArrayLike, d_a: ArrayLike, d_b: ArrayLike, *, tolerance: float = 0.0, alpha: float = 0.05
) -> Dominance:
    """Compare two structures under the same shocks: ``d_a`` and ``d_b`` have shape (replicates, intensities).

    Rows are pairs of equal seeds. A dominates where at each intensity d_A > d_B - ``tolerance`` is shown, or the two
    never differ (as at x = 0), each at ``alpha`` (intersection-union), and somewhere d_A > d_B (Bonferroni). They cross
    where each is shown to be better somewhere (Bonferroni). Raises InputError for unequal grids or replicates.
    """
    if not (tolerance >= 0 and 0 < alpha < 1):
        raise InputError(f"tolerance is {tolerance}, alpha {alpha}; give one from 0, and one between 0 and 1")
    at = grid(x)
    one, other = curves(at, d_a, "d_a"), curves(at, d_b, "d_b")
    if one.shape != other.shape:
        raise InputError(f"d_a has {len(one)} replicates, d_b {len(other)}; give pairs of equal seeds")
    gap = one - other
    n = len(gap)
    mean, sd = gap.mean(axis=0), gap.std(axis=0, ddof=1)
    half = special.stdtrit(n - 1, 1 - alpha / 2) * sd / np.sqrt(n)
    same = np.abs(gap).max(axis=0) <= STILL
    better, worse = above(mean, sd, n, 0.0), below(mean, sd, n, 0.0)
    some_a, some_b = (min(1.0, len(at) * float(p.min())) for p in (better, worse))
    all_a = float(np.where(same, 0.0, above(mean, sd, n, -tolerance)).max())
    all_b = float(np.where(same, 0.0, below(mean, sd, n, tolerance)).max())
    p = {"A dominates": max(all_a, some_a), "B dominates": max(all_b, some_b), "they cross": max(some_a, some_b)}
    relation: Literal["A dominates", "B dominates", "they cross", "equal", "undecided"] = "undecided"
    if same.all():
        relation = "equal"
    elif p["they cross"] <= alpha:
        relation = "they cross"
    elif p["A dominates"] <= alpha:
        relation = "A dominates"
    elif p["B dominates"] <= alpha:
        relation = "B dominates"
    return Dominance(relation, at, mean, mean - half, mean + half, p, n, 1 - alpha)
