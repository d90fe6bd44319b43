"""What follows from packages lived in the same futures: effects, value for money, regret, targets met, least cost.

All functions take arrays with a row a package and a column a future, and know nothing of how they came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ecosim.resilience.estimate import STILL, Estimate, share_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    type Array = NDArray[np.float64]
    type Types = NDArray[np.str_]

RESAMPLED = 2000  # futures drawn anew so often for the uncertainty of a least cost


@dataclass(frozen=True, slots=True)
class Effect:
    """A mean over futures with its 95 % interval, and the P value of its being 0 (two-sided)."""

    value: float
    low: float
    high: float
    p: float
    n: int


def effect(values: ArrayLike, types: ArrayLike, level: float = 0.95) -> Effect:
    """Mean of futures, (futures,), with every kind of trouble counting the same.

    The futures of a kind are independent draws, so the error is that of a stratified sample, with the degrees of
    freedom of Satterthwaite (1946). A kind with fewer than two futures leaves the interval open: it is NaN.
    """
    given, kinds = np.asarray(values, dtype=np.float64), np.asarray(types)
    strata = [given[kinds == kind] for kind in np.unique(kinds)]
    mean = float(np.mean([some.mean() for some in strata]))
    if any(len(some) < 2 for some in strata):
        return Effect(mean, np.nan, np.nan, np.nan, len(given))
    parts = np.array([some.var(ddof=1) / len(some) for some in strata]) / len(strata) ** 2
    error = float(np.sqrt(parts.sum()))
    if error <= STILL * max(1.0, abs(mean)):
        return Effect(mean, mean, mean, 1.0 if abs(mean) <= STILL else 0.0, len(given))
    freedom = float(parts.sum() ** 2 / (parts**2 / [len(some) - 1 for some in strata]).sum())
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    return Effect(mean, mean - half, mean + half, float(2 * special.stdtr(freedom, -abs(mean) / error)), len(given))


def difference(one: Effect, other: Effect, level: float = 0.95) -> tuple[float, float, float]:
    """Difference of the means of two independent samples, and its interval, from their own intervals.

    Half-widths add in squares, as errors of independent samples do.
    """
    gap = one.value - other.value
    half = float(np.hypot((one.high - one.low) / 2, (other.high - other.low) / 2))
    return gap, gap - half, gap + half


def per_unit(gained: ArrayLike, spent: ArrayLike, types: ArrayLike, level: float = 0.95) -> Estimate:
    """Ratio of means of what was gained and what was spent, (futures,) each, with the jackknife's interval.

    Kinds of trouble count the same, as in `effect`, so that of an equal cost this is the interval of the effect,
    scaled. Leaves out one future at a time within its kind (Quenouille 1956; Tukey 1958), with
    Satterthwaite's degrees of freedom. NaN where nothing was spent, or a kind has fewer than two futures.
    """
    gain, cost, kinds = np.asarray(gained, np.float64), np.asarray(spent, np.float64), np.asarray(types)
    strata = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    unknown = Estimate(np.nan, np.nan, np.nan, len(gain), level)
    if not strata or any(len(some) < 2 for some in strata):
        return unknown
    gains, costs = (sum(values[some].mean() for some in strata) for values in (gain, cost))
    parts = []
    for some in strata:
        others = costs + (cost[some].mean() - cost[some]) / (len(some) - 1)  # the sum of means without each future
        if (others <= STILL).any() or costs <= STILL:
            return unknown
        left_out = (gains + (gain[some].mean() - gain[some]) / (len(some) - 1)) / others
        parts.append((len(some) - 1) / len(some) * float(((left_out - left_out.mean()) ** 2).sum()))
    whole, squares = float(gains / costs), np.array(parts)
    if not squares.any():
        return Estimate(whole, whole, whole, len(gain), level)
    freedom = float(squares.sum() ** 2 / (squares**2 / [len(some) - 1 for some in strata]).sum())
    half = float(special.stdtrit(freedom, 0.5 + level / 2) * np.sqrt(squares.sum()))
    return Estimate(whole, whole - half, whole + half, len(gain), level)


def regret(loss: ArrayLike) -> Array:
    """What each package loses beyond the best package of that future (Savage 1951), same shape as ``loss``."""
    given = np.asarray(loss, dtype=np.float64)
    return np.asarray(given - given.min(axis=0))


def quantile(loss: ArrayLike, share: float) -> Array:
    """Least loss that at least this share of futures does not exceed, along the last axis."""
    ordered = np.sort(np.asarray(loss, dtype=np.float64), axis=-1)
    n = ordered.shape[-1]
    at = min(n - 1, max(0, int(np.ceil(round(share * n, 9))) - 1))
    return np.asarray(ordered[..., at])


def satisficing(loss: ArrayLike, most: float) -> list[Estimate]:
    """Share of futures in which each package loses no more than ``most`` (Starr 1963), with the exact interval.

    Futures are drawn kind by kind, which makes the interval a little wider than it need be.
    """
    held = np.asarray(loss) <= most
    return [share_interval(int(row.sum()), held.shape[1]) for row in held]


def shown_to_hold(count: int, n: int, share: float, alpha: float = 0.05) -> bool:
    """Whether ``count`` of ``n`` futures show that a target holds in more than ``share`` of them (exact, one-sided)."""
    return bool(special.bdtrc(count - 1, n, share) <= alpha) if count else False


def needed(share: float, alpha: float = 0.05) -> int:
    """Fewest futures in which a target must hold without exception to show that it holds in more than ``share``."""
    return int(np.ceil(np.log(alpha) / np.log(share)))


def cheapest(cost: ArrayLike, holds: ArrayLike, share: float) -> int | None:
    """Position of the cheapest package, of mean ``cost`` (p,), that holds in at least ``share`` of futures; or None."""
    good = np.flatnonzero(np.asarray(holds, dtype=np.float64).mean(axis=1) >= share - STILL)
    return int(good[np.argmin(np.asarray(cost)[good])]) if len(good) else None


@dataclass(frozen=True, slots=True)
class LeastCost:
    """Least mean cost with which a target holds, how it varies over resampled futures, and how often none does."""

    package: int | None
    cost: float
    low: float
    high: float
    none: float
    """Share of resamples in which no package holds."""
    again: float
    """Share of resamples in which the same package, or none again, is the cheapest."""


def least_cost(cost: ArrayLike, loss: ArrayLike, types: Types, most: float, share: float, seed: int) -> LeastCost:
    """Least cost at which losses stay within ``most`` in ``share`` of futures; ``cost`` and ``loss`` (p, futures).

    Its uncertainty is the bootstrap's (Efron 1979): futures are drawn anew within each kind of trouble, and the
    cheapest package is chosen anew. Intervals are over the resamples in which there is one.
    """
    costs, holds = np.asarray(cost, dtype=np.float64), np.asarray(loss) <= most
    chosen = cheapest(costs.mean(axis=1), holds, share)
    rng = np.random.Generator(np.random.Philox(seed))
    places = [np.flatnonzero(types == kind) for kind in np.unique(types)]
    found, same = [], 0
    for _ in range(RESAMPLED):
        at = np.concatenate([rng.choice(some, len(some)) for some in places])
        means = costs[:, at].mean(axis=1)
        one = cheapest(means, holds[:, at], share)
        same += one == chosen
        if one is not None:
            found.append(float(means[one]))
    low, high = np.quantile(found, [0.025, 0.975]) if found else (np.nan, np.nan)
    value = np.nan if chosen is None else float(costs[chosen].mean())
    return LeastCost(chosen, value, float(low), float(high), 1 - len(found) / RESAMPLED, same / RESAMPLED)
