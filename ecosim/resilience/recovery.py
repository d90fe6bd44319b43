"""How much is lost and how long it lasts: loss area, depth, time to recover, and two kinds of resilience."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ecosim.errors import InputError
from ecosim.resilience.curves import curves, grid, relative_response, same_days
from ecosim.resilience.estimate import Estimate, above, below, mean_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def loss_area(output: ArrayLike, twin: ArrayLike, level: float = 0.95) -> Estimate:
    """Integral of (Q0 - Q) over integral of Q0 (Bruneau et al. 2003), mean over replicates with its t interval.

    ``output`` and ``twin`` have shape (replicates, days). At most 1; below 0 is a gain. Against the twin, not the level
    before the shock, which a trend would bias.
    """
    return mean_interval(-relative_response(output, twin), level)


def depth(output: ArrayLike, twin: ArrayLike, level: float = 0.95) -> Estimate:
    """Largest relative drop below the twin on any day, 0 to 1, mean over replicates with its t interval.

    ``output`` and ``twin`` have shape (replicates, days).
    """
    return mean_interval(np.maximum(0.0, 1.0 - _ratio(output, twin)).max(axis=-1), level)


def _ratio(output: ArrayLike, twin: ArrayLike) -> NDArray[np.float64]:
    lived, calm = same_days(output, twin)
    if not (calm > 0).all():
        raise InputError("the twin's output is zero or less on some day: there is no baseline to compare with")
    return lived / calm


@dataclass(frozen=True, eq=False, slots=True)
class Recovery:
    """Days to recover, some right-censored at the end of a run, by Kaplan & Meier (1958).

    ``days`` and ``recovered`` have shape (replicates,): where not recovered, the days that were seen. ``survival`` is
    the chance of not having recovered after each of ``times``, shape (times,). ``median`` may be infinite, with an
    interval where the log-log band (Brookmeyer & Crowley 1982) crosses one half; ``mean_within`` is the mean of days up
    to the longest seen, ``within``.
    """

    days: NDArray[np.float64]
    recovered: NDArray[np.bool_]
    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    median: Estimate
    mean_within: float
    within: float

    @property
    def share(self) -> float:
        """Share of replicates that were seen to recover."""
        return float(self.recovered.mean())

    @property
    def engineering_resilience(self) -> Estimate:
        """1/TTR, a day (Holling 1996), from the median: local, around one equilibrium. 0 where it never recovers."""
        of = self.median
        value, low, high = (np.inf if days == 0 else 1.0 / days for days in (of.value, of.high, of.low))
        return Estimate(value, low, high, of.n, of.level)

    def __str__(self) -> str:
        """The median with its interval, and how many recovered."""
        return f"median days to recover {self.median}; {int(self.recovered.sum())} of {len(self.days)} recovered"

    __repr__ = __str__


def days_to_recover(
    output: ArrayLike, twin: ArrayLike, *, since: int = 0, eps: float = 0.02, hold: int = 7
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Days from day ``since`` until abs(Y/Y0 - 1) <= eps begins to hold for ``hold`` days, and whether it was seen.

    ``output`` and ``twin`` have days on the last axis; returns two arrays without it. A run that never leaves the band
    took 0 days; days before it first does are not taken for recovery, since buffers delay harm. Where the run ends
    first, the days that were seen (right-censored): never average those with the others, use `time_to_recover`.
    """
    near = np.abs(_ratio(output, twin) - 1.0) <= eps
    length = near.shape[-1]
    if not (0 <= since < length and 1 <= hold <= length - since):
        raise InputError(f"since is {since}, hold {hold}; both must lie within the {length} days of the run")
    near = near[..., since:]
    left = np.cumsum(~near, axis=-1) > 0
    runs = np.lib.stride_tricks.sliding_window_view(near, hold, axis=-1).all(axis=-1)
    back = runs & left[..., : runs.shape[-1]]
    never_left = ~left[..., -1]
    seen = back.any(axis=-1) | never_left
    days = np.where(never_left, 0, np.where(seen, back.argmax(axis=-1), near.shape[-1]))
    return days.astype(np.float64), seen


def time_to_recover(
    output: ArrayLike, twin: ArrayLike, *, since: int = 0, eps: float = 0.02, hold: int = 7, level: float = 0.95
) -> Recovery:
    """Estimate the time to recover from replicates, shape (replicates, days); arguments as for `days_to_recover`."""
    days, recovered = days_to_recover(output, twin, since=since, eps=eps, hold=hold)
    return recovery_of(days, recovered, level)


def recovery_of(days: ArrayLike, recovered: ArrayLike, level: float = 0.95) -> Recovery:
    """Kaplan-Meier estimate from ``days``, shape (replicates,), and whether each ``recovered`` or was cut off then."""
    at, seen = np.asarray(days, dtype=np.float64), np.asarray(recovered, dtype=bool)
    if at.ndim != 1 or at.shape != seen.shape or len(at) < 2 or not np.isfinite(at).all() or at.min() < 0:
        raise InputError("days and recovered need one value from 0 for each of at least 2 replicates")
    sample = stats.CensoredData(uncensored=at[seen], right=at[~seen])
    curve = stats.ecdf(sample).sf
    low, high = _band(curve, level)
    times, survival = curve.quantiles, curve.probabilities
    first = [float(times[of <= 0.5][0]) if (of <= 0.5).any() else np.inf for of in (survival, low, high)]
    median = Estimate(first[0], first[1], first[2], len(at), level)
    steps = np.diff(np.concatenate([[0.0], times]))
    mean = float(steps @ np.concatenate([[1.0], survival[:-1]]))
    return Recovery(at, seen, times, survival, median, mean, float(times[-1]))


def _band(curve: Any, level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-log band; where the curve is 0 or 1 the formula is undefined and the band is the curve."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(level, method="log-log")
    edges = (band.low.probabilities, band.high.probabilities)
    flat = (curve.probabilities <= 0) | (curve.probabilities >= 1)
    low, high = (np.where(flat | np.isnan(edge), curve.probabilities, edge) for edge in edges)
    return low, high


@dataclass(frozen=True, slots=True)
class Threshold:
    """Smallest intensity with a lasting loss, in the units of x; infinite where there is none up to ``x_max``.

    ``low`` is the smallest intensity at which a lasting loss is not ruled out, ``high`` the smallest at which it is
    shown (each by a one-sided t test): the answer lies between them, and is censored at ``x_max`` where infinite.
    """

    value: float
    low: float
    high: float
    x_max: float
    n: int

    def __str__(self) -> str:
        """The threshold with its bounds."""
        told = [f"above {self.x_max:g}" if np.isinf(x) else f"{x:g}" for x in (self.value, self.low, self.high)]
        return f"{told[0]} [{told[1]}, {told[2]}] (n = {self.n})"


def ecological_resilience(x: ArrayLike, e: ArrayLike, delta: float = 0.02, level: float = 0.95) -> Threshold:
    """Smallest x with end state e(x) < -delta (Holling 1973); ``e`` has shape (replicates, intensities)."""
    at = grid(x)
    end = curves(at, e, "e")
    mean, sd, alpha = end.mean(axis=0), end.std(axis=0, ddof=1), 1 - level
    n = len(end)

    def first(where: NDArray[np.bool_]) -> float:
        return float(at[where.argmax()]) if where.any() else float("inf")

    possible = ~(above(mean, sd, n, -delta) <= alpha)
    return Threshold(
        first(mean < -delta), first(possible), first(below(mean, sd, n, -delta) <= alpha), float(at[-1]), n
    )
