"""Equity: how unequally output, cash or staff are spread over firms.

Each works on the last axis, firms, so that ``mean_interval(gini(values))`` with ``values`` of shape (replicates, firms)
is the estimate with its interval. Values must not be negative, and not all be zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ecosim.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def gini(values: ArrayLike) -> NDArray[np.float64]:
    """Gini coefficient (Gini 1912), 0 equal to 1 - 1/firms, without the last axis."""
    held = np.sort(_held(values), axis=-1)
    n = held.shape[-1]
    ranks = 2 * np.arange(1, n + 1) - n - 1
    share: NDArray[np.float64] = (held * ranks).sum(axis=-1) / (n * held.sum(axis=-1))
    return share


def theil(values: ArrayLike) -> NDArray[np.float64]:
    """Theil index, the mean of (v/mean) ln(v/mean) (Theil 1967), 0 equal to ln(firms), without the last axis."""
    held = _held(values)
    relative = held / held.mean(axis=-1, keepdims=True)
    terms: NDArray[np.float64] = np.asarray(special.xlogy(relative, relative), dtype=np.float64)
    index: NDArray[np.float64] = terms.mean(axis=-1)
    return index


def herfindahl(values: ArrayLike) -> NDArray[np.float64]:
    """Sum of squared shares (Herfindahl 1950), 1/firms equal to 1, without the last axis."""
    held = _held(values)
    index: NDArray[np.float64] = ((held / held.sum(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    return index


def _held(values: ArrayLike) -> NDArray[np.float64]:
    held = np.asarray(values, dtype=np.float64)
    if held.ndim == 0 or held.shape[-1] == 0:
        raise InputError("values need at least one firm on the last axis")
    if not np.isfinite(held).all() or (held < 0).any():
        raise InputError("values must be finite and not negative; leave out firms in debt, or measure output instead")
    if not (held.sum(axis=-1) > 0).all():
        raise InputError("values sum to zero: nobody holds anything, so inequality has no meaning")
    return held
