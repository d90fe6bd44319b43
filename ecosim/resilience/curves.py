"""Response curves: relative response, curvature, Jensen gap, and the grid of intensities they are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.errors import InputError
from ecosim.resilience.estimate import Estimate, mean_interval, replicates, share_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FEWEST = 5
"""Intensities that a curve needs."""


def relative_response(output: ArrayLike, twin: ArrayLike, last: float = 1.0) -> NDArray[np.float64]:
    """d = sum(Y - Y0) / sum(Y0) over the horizon: negative is a loss, positive a gain.

    ``output`` and ``twin`` have days on their last axis and otherwise any shapes that fit together; ``last`` is the
    share of the horizon that counts, from its end (0.1 gives the end state e). Returns the shape without days.
    Raises InputError for values that are not finite, and for a baseline that is not above zero.
    """
    lived, calm = same_days(output, twin)
    if not 0 < last <= 1:
        raise InputError(f"last is {last}; give the share of the horizon that counts, above 0 and at most 1")
    days = max(1, round(last * lived.shape[-1]))
    base = calm[..., -days:].sum(axis=-1)
    if not (base > 0).all():
        raise InputError("the twin's output sums to zero or less: there is no baseline to compare with")
    response: NDArray[np.float64] = lived[..., -days:].sum(axis=-1) / base - 1.0
    return response


def same_days(output: ArrayLike, twin: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as finite floats that fit together, days on the last axis; raises InputError otherwise."""
    lived, calm = (np.asarray(values, dtype=np.float64) for values in (output, twin))
    if lived.ndim == 0 or calm.ndim == 0 or lived.shape[-1] != calm.shape[-1] or lived.shape[-1] == 0:
        raise InputError(f"output has shape {lived.shape}, twin {calm.shape}; give the same days on the last axis")
    if not (np.isfinite(lived).all() and np.isfinite(calm).all()):
        raise InputError("output or twin holds NaN or infinity; leave out runs that did not finish")
    try:
        np.broadcast_shapes(lived.shape, calm.shape)
    except ValueError:
        raise InputError(f"output has shape {lived.shape}, twin {calm.shape}; they do not fit together") from None
    return lived, calm


def grid(x: ArrayLike) -> NDArray[np.float64]:
    """The intensities as floats, shape (intensities,), in physical units.

    Raises InputError unless they are an odd number from 5, equally spaced and rising from 0: unequal spacing would give
    curvature to a straight line, and rescaling x would change which responses are curved.
    """
    try:
        at = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("x must be numbers, one for each intensity") from None
    if at.ndim != 1 or len(at) < FEWEST or len(at) % 2 == 0:
        raise InputError(f"x has shape {at.shape}; give an odd number of intensities from {FEWEST} (nine by default)")
    if not np.isfinite(at).all():
        raise InputError("x holds NaN or infinity; give every intensity")
    if at[0] != 0:
        raise InputError(f"x begins at {at[0]:g}; its first intensity must be 0, the run without a shock")
    even = np.linspace(0.0, at[-1], len(at))
    if at[-1] <= 0 or np.abs(at - even).max() > 1e-9 * at[-1]:
        raise InputError("x must rise in equal steps from 0, such as numpy.linspace(0, 800, 9)")
    return at


def curves(x: NDArray[np.float64], values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Responses as finite floats, shape (replicates, intensities); raises InputError otherwise."""
    array = replicates(values, name, 2)
    if array.shape[1] != len(x):
        raise InputError(f"{name} has {array.shape[1]} intensities and x has {len(x)}; give both on the same grid")
    return array


def spreads(intensities: int) -> NDArray[np.int64]:
    """How far the contrast at each inner intensity reaches, min(j, m - j), shape (intensities - 2,)."""
    j = np.arange(1, intensities - 1)
    reach: NDArray[np.int64] = np.minimum(j, intensities - 1 - j)
    return reach


def curvature(d: ArrayLike) -> NDArray[np.float64]:
    """H_j = (d(x_j + k) + d(x_j - k))/2 - d(x_j) with k = min(j, m - j) steps (Taleb & Douady 2013).

    ``d`` has intensities on its last axis, equally spaced; returns two fewer there. Negative is concave. In shares of
    output; not invariant to a rescaling of x, so keep x in physical units.
    """
    at = np.asarray(d, dtype=np.float64)
    j = np.arange(1, at.shape[-1] - 1)
    k = spreads(at.shape[-1])
    bend: NDArray[np.float64] = (at[..., j + k] + at[..., j - k]) / 2 - at[..., j]
    return bend


def jensen_gap(d: ArrayLike) -> NDArray[np.float64]:
    """J = mean response of the whole grid minus that of its midpoint, of equal mean intensity (Jensen 1906).

    ``d`` has intensities on its last axis; returns the shape without it. A floor fakes it: a linear loss that is
    clipped at total loss bends upwards, so J is no sign of antifragility without a gain.
    """
    at = np.asarray(d, dtype=np.float64)
    gap: NDArray[np.float64] = at.mean(axis=-1) - at[..., at.shape[-1] // 2]
    return gap


def ruin(d: ArrayLike, tau: float = 0.5, level: float = 0.95) -> Estimate:
    """Share of replicates whose response falls below -tau at any intensity, with the exact binomial interval.

    ``d`` has shape (replicates, intensities).
    """
    at = replicates(d, "d", 2)
    return share_interval(int((at.min(axis=1) < -tau).sum()), len(at), level)


def inoculation_gain(naive: ArrayLike, stressed: ArrayLike, level: float = 0.95) -> Estimate:
    """Loss of the naive minus loss of the pre-stressed under the same test shock: adaptation, without curvature.

    ``naive`` and ``stressed`` are relative responses, shape (replicates,), with common random numbers row by row.
    """
    one, other = replicates(naive, "naive"), replicates(stressed, "stressed")
    if one.shape != other.shape:
        raise InputError(f"naive has {len(one)} replicates, stressed {len(other)}; give pairs of equal seeds")
    return mean_interval(other - one, level)
