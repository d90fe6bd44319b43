"""A number with its interval and how many replicates it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ecosim.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


STILL = 1e-12
"""A spread below this is the dust of rounding: such replicates are told as equal."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` with the interval from ``low`` to ``high`` at confidence ``level``, from ``n`` replicates."""

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95

    def __str__(self) -> str:
        """The number, never without its interval and n."""
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] ({100 * self.level:.4g} %, n = {self.n})"


def replicates(values: ArrayLike, name: str = "values", ndim: int | None = 1) -> NDArray[np.float64]:
    """``values`` as finite floats with at least two replicates along the first axis; raises InputError otherwise."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers; give an array with a row for each replicate") from None
    if ndim is not None and array.ndim != ndim:
        raise InputError(f"{name} has shape {array.shape}; give {ndim} axes, replicates first")
    if array.ndim == 0 or len(array) < 2:
        count = 0 if array.ndim == 0 else len(array)
        raise InputError(f"{name} has {count} replicates; a spread needs at least 2, and a verdict at least 86")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0]
        where = f"replicate {place[0]}" + "".join(f", position {at}" for at in place[1:])
        raise InputError(
            f"{name} is {array[tuple(place)]} at {where} (counted from 0); leave out runs that did not finish, and "
            "give outcomes whose twin is above zero"
        )
    return array


def mean_interval(values: ArrayLike, level: float = 0.95) -> Estimate:
    """Mean of replicates, shape (replicates,), with Student's t interval (Gosset 1908).

    Raises InputError for fewer than two replicates or values that are not finite.
    """
    array = replicates(values)
    n = len(array)
    mean = float(array.mean())
    half = float(special.stdtrit(n - 1, 0.5 + _level(level) / 2) * array.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n, level)


def share_interval(count: int, n: int, level: float = 0.95) -> Estimate:
    """Share ``count`` of ``n`` with the exact binomial interval (Clopper & Pearson 1934)."""
    if not (n >= 1 and 0 <= count <= n):
        raise InputError(f"{count} of {n} is no share; give a count from 0 to n, and n from 1")
    tail = (1 - _level(level)) / 2
    low = float(special.betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(special.betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return Estimate(count / n, low, high, n, level)


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"level is {level}; give a confidence between 0 and 1, such as 0.95")
    return level


def below(mean: NDArray[np.float64], sd: NDArray[np.float64], n: int, margin: float) -> NDArray[np.float64]:
    """P values of one-sided t tests that means of ``n`` replicates lie below ``margin``; any shape.

    Where replicates do not differ at all, the mean is known: P is 0 if it lies below, else 1.
    """
    gap = mean - margin
    still = sd <= STILL
    spread = np.where(still, 1.0, sd)
    known = np.where(gap < -STILL, 0.0, 1.0)
    p: NDArray[np.float64] = np.where(still, known, special.stdtr(n - 1, gap / spread * np.sqrt(n)))
    return p


def above(mean: NDArray[np.float64], sd: NDArray[np.float64], n: int, margin: float) -> NDArray[np.float64]:
    """The same for means above ``margin``."""
    return below(-mean, sd, n, -margin)
