"""A stand-in for the simulation: a Gaussian process through the means of points, which knows how unsure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[np.float64]

MOST_POINTS = 300  # that it is fitted to: time grows with their cube
MOST_SEARCHED = 80  # of them, by which the likeliest correlation is sought
LENGTHS = (0.05, 20.0)  # of the correlation, in widths of the whole range
STARTS = (0.3, 1.0, 3.0)  # lengths from which the search for the likeliest begins
LEAST_NOISE = 1e-8  # of the variance of the outcome, so that matrices can be inverted


@dataclass(frozen=True)
class Emulator:
    """A Gaussian process with a linear trend, fitted by restricted likelihood (Rasmussen & Williams 2006, ch. 2, 5)."""

    points: Array
    """Where it was fitted, shape (points, columns), each column from 0 to 1."""
    lengths: Array
    """Correlation lengths, shape (columns,)."""
    signal: float
    """Variance around the trend, in units of the outcome squared, scaled."""
    centre: float
    scale: float
    _factor: Any
    _weights: Array
    _trend: Array
    _spread: Array
    _residuals: Array
    _variances: Array

    @property
    def predictivity(self) -> float:
        """Share of the variance of the outcome foretold at points left out one by one (Q2); 0 is a guess of the mean.

        Dubrule (1983) gives the residuals without fitting again.
        """
        y = self._residuals[0]
        total = float(((y - y.mean()) ** 2).sum())
        return 1 - float((self._residuals[1] ** 2).sum()) / total if total > 0 else 0.0

    @property
    def surprises(self) -> Array:
        """Errors at points left out one by one, in foretold standard deviations, shape (points,); about normal."""
        return np.asarray(self._residuals[1] / np.sqrt(self._variances))

    def mean(self, places: Array) -> Array:
        """Mean of the outcome at ``places``, shape (places, columns): (places,)."""
        cross = self.signal * _matern(places, self.points, self.lengths)
        return np.asarray(self.centre + self.scale * (_basis(places) @ self._trend + cross @ self._weights))

    def at(self, places: Array) -> tuple[Array, Array]:
        """Mean of the outcome and variance of that mean at ``places``, shape (places, columns): two of (places,)."""
        cross = self.signal * _matern(places, self.points, self.lengths)
        inner = cho_solve(self._factor, cross.T)
        basis = _basis(places) - (inner.T @ _basis(self.points))
        own = self.signal - np.einsum("ij,ji->i", cross, inner)
        variance = np.maximum(own + np.einsum("ij,jk,ik->i", basis, self._spread, basis), 0.0)
        return self.mean(places), self.scale**2 * variance


def fit(points: Array, outcome: Array, noise: Array | None = None) -> Emulator:
    """Fit an emulator to an outcome, shape (points,), at ``points``, shape (points, columns), each column from 0 to 1.

    ``noise`` is the variance of each outcome as a mean over replicates, shape (points,); what varies beyond it from
    point to point without following the columns is found, too. Of more than 300 points, 300 evenly picked are used.
    """
    if len(points) > MOST_POINTS:
        some = np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)
        points, outcome, noise = points[some], outcome[some], None if noise is None else noise[some]
    centre, scale = float(outcome.mean()), float(outcome.std()) or 1.0
    y = (outcome - centre) / scale
    known = np.zeros(len(y)) if noise is None else noise / scale**2
    columns = points.shape[1]
    bounds = [np.log(LENGTHS)] * columns + [(-8.0, 6.0), (np.log(LEAST_NOISE), 1.0)]
    starts = [np.concatenate((np.full(columns, np.log(length)), [0.0, np.log(0.01)])) for length in STARTS]
    few = np.unique(np.linspace(0, len(y) - 1, min(len(y), MOST_SEARCHED)).astype(int))
    given = (points[few], y[few], known[few])
    start = min(starts, key=lambda start: _unlikely(start, *given))
    best = minimize(_unlikely, start, given, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}).x
    return _with(best, points, y, known, centre, scale)


def _with(chosen: Array, points: Array, y: Array, known: Array, centre: float, scale: float) -> Emulator:
    lengths, signal, nugget = np.exp(chosen[:-2]), float(np.exp(chosen[-2])), float(np.exp(chosen[-1]))
    covariance = signal * _matern(points, points, lengths) + np.diag(known + nugget)
    factor = cho_factor(covariance, lower=True)
    basis = _basis(points)
    solved = cho_solve(factor, basis)
    spread = np.linalg.inv(basis.T @ solved)
    trend = spread @ (solved.T @ y)
    weights = cho_solve(factor, y - basis @ trend)
    inverse = cho_solve(factor, np.eye(len(y))) - solved @ spread @ solved.T
    left_out = np.diag(inverse)
    return Emulator(
        points, lengths, signal, centre, scale, factor, weights, trend, spread,
        np.stack((y, weights / left_out)), 1 / left_out,
    )  # fmt: skip


def _unlikely(chosen: Array, points: Array, y: Array, known: Array) -> float:
    """Minus twice the restricted log likelihood, up to a constant (Rasmussen & Williams 2006, eq. 2.45)."""
    lengths, signal, nugget = np.exp(chosen[:-2]), np.exp(chosen[-2]), np.exp(chosen[-1])
    covariance = signal * _matern(points, points, lengths)
    covariance[np.diag_indices(len(y))] += known + nugget
    try:
        root = cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e12
    white = solve_triangular(root, np.column_stack((_basis(points), y)), lower=True, check_finite=False)
    basis, rest = white[:, :-1], white[:, -1]
    inner = basis.T @ basis
    trend = np.linalg.solve(inner, basis.T @ rest)
    left = rest - basis @ trend
    return float(2 * np.log(np.diag(root)).sum() + np.linalg.slogdet(inner)[1] + left @ left)


def _basis(points: Array) -> Array:
    return np.column_stack((np.ones(len(points)), points))


def _matern(one: Array, other: Array, lengths: Array) -> Array:
    """Matérn correlation with smoothness 5/2: twice differentiable (Rasmussen & Williams 2006, eq. 4.17)."""
    a, b = one / lengths, other / lengths
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    distance = np.sqrt(5 * np.maximum(squares, 0.0))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))
