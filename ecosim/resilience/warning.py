"""Early warning: do variance and memory rise before a change, more than they would by luck (Scheffer et al. 2009)?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage, signal

from ecosim.errors import InputError
from ecosim.rng import Stream

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Detrend = Literal["gaussian", "linear"] | None
SHORTEST = 40
"""Days that a series needs."""
BANDWIDTH = 0.1
"""Standard deviation of the Gaussian trend, as a share of the series (Dakos et al. 2008)."""
MOST = 250
"""Windows that a trend is looked for in; longer series are looked at in equal steps."""


@dataclass(frozen=True, eq=False, slots=True)
class EarlyWarning:
    """Trends of variance and lag-1 autocorrelation in a rolling window, and how likely luck makes as strong ones.

    ``day`` is the last day of each window, shape (windows,), as are ``variance`` and ``autocorrelation``. ``tau_*`` is
    Kendall's correlation of each with time, ``p_*`` the share of AR(1) surrogates with as high a one, ``p`` the larger
    of both: an alarm needs both to rise. ``phi`` is the coefficient of the surrogates.
    """

    day: NDArray[np.int64]
    variance: NDArray[np.float64]
    autocorrelation: NDArray[np.float64]
    tau_variance: float
    tau_autocorrelation: float
    p_variance: float
    p_autocorrelation: float
    phi: float
    surrogates: int

    @property
    def p(self) -> float:
        """P value that both rise."""
        return max(self.p_variance, self.p_autocorrelation)

    def __str__(self) -> str:
        """The trends with their P values."""
        return (
            f"variance tau {self.tau_variance:.2f} (P {self.p_variance:.2g}), autocorrelation tau "
            f"{self.tau_autocorrelation:.2f} (P {self.p_autocorrelation:.2g}); both: P {self.p:.2g} against "
            f"{self.surrogates} AR(1) surrogates with phi = {self.phi:.2f}"
        )

    __repr__ = __str__


def early_warning(
    series: ArrayLike, *, window: float = 0.5, detrend: Detrend = "gaussian", surrogates: int = 1000, seed: int = 0
) -> EarlyWarning:
    """Test a ``series``, shape (days,), for rising variance and memory.

    ``window`` is the rolling window as a share of the series. The trend is taken off first ("gaussian": a Gaussian
    kernel, "linear", or None), in the series and in each surrogate. Rolling windows overlap, so their Kendall tau has
    no usable P value of its own: it is held against ``surrogates`` of a stationary AR(1) process of equal length and
    memory. Raises InputError for a series that is short, constant or not finite.
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1 or len(values) < SHORTEST:
        raise InputError(f"series has shape {values.shape}; give one number a day, for at least {SHORTEST} days")
    if not np.isfinite(values).all():
        raise InputError("series holds NaN or infinity; cut it where it does")
    days, width = len(values), round(window * len(values))
    if not (10 <= width <= days - 10):
        raise InputError(f"window is {window}; of {days} days it must hold at least 10 and leave at least 10")
    if surrogates < 19:
        raise InputError(f"surrogates is {surrogates}; give at least 19, fewer cannot reach P = 0.05")
    if detrend not in ("gaussian", "linear", None):
        raise InputError(f"detrend is {detrend!r}; give 'gaussian', 'linear' or None")
    rest = _detrended(values[None, :], detrend)
    if rest.std() <= 1e-12 * max(1.0, float(np.abs(values).max())):
        raise InputError("series is constant but for its trend: it has no variance that could rise")
    phi = memory(rest[0])
    step = -(-(days - width + 1) // MOST)
    variance, correlation = indicators(rest, width, step)
    rng = Stream(seed, 0, "early warning").generator()
    drawn = _detrended(_ar1(phi, surrogates, days, rng), detrend)
    nulls = indicators(drawn, width, step)
    taus = [(kendall(one)[0], kendall(null)) for one, null in zip((variance, correlation), nulls, strict=True)]
    p = [float((1 + (null >= tau - 1e-12).sum()) / (1 + surrogates)) for tau, null in taus]
    return EarlyWarning(
        day=np.arange(width - 1, days, step),
        variance=variance[0],
        autocorrelation=correlation[0],
        tau_variance=float(taus[0][0]),
        tau_autocorrelation=float(taus[1][0]),
        p_variance=p[0],
        p_autocorrelation=p[1],
        phi=phi,
        surrogates=surrogates,
    )


def _detrended(values: NDArray[np.float64], how: Detrend) -> NDArray[np.float64]:
    rest: NDArray[np.float64]
    if how == "gaussian":
        rest = values - ndimage.gaussian_filter1d(values, BANDWIDTH * values.shape[-1], axis=-1)
    elif how == "linear":
        rest = signal.detrend(values, axis=-1)
    else:
        rest = values
    centred: NDArray[np.float64] = rest - rest.mean(axis=-1, keepdims=True)
    return centred


def memory(values: NDArray[np.float64]) -> float:
    """Lag-1 autocorrelation of a centred series, with the correction (1 + 4 phi)/n for short ones (Kendall 1954)."""
    phi = float(values[1:] @ values[:-1] / (values @ values))
    return float(np.clip(phi + (1 + 4 * phi) / len(values), -0.99, 0.99))


def _ar1(phi: float, count: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Stationary AR(1) series of unit variance, shape (count, days)."""
    noise = rng.standard_normal((count, days)) * np.sqrt(1 - phi**2)
    noise[:, 0] /= np.sqrt(1 - phi**2)
    series: NDArray[np.float64] = signal.lfilter([1.0], [1.0, -phi], noise, axis=-1)
    return series


def indicators(
    values: NDArray[np.float64], width: int, step: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance and lag-1 autocorrelation in rolling windows of centred series, shape (series, windows) each."""

    def rolling(terms: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        total = np.concatenate([np.zeros((len(terms), 1)), np.cumsum(terms, axis=-1)], axis=-1)
        mean: NDArray[np.float64] = (total[:, size:] - total[:, :-size]) / size
        return mean

    mean, square = rolling(values, width), rolling(values**2, width)
    pairs = width - 1
    product = rolling(values[:, :-1] * values[:, 1:], pairs)
    means, squares = rolling(values, pairs), rolling(values**2, pairs)
    early, late = means[:, :-1], means[:, 1:]
    spread = np.sqrt(np.maximum((squares[:, :-1] - early**2) * (squares[:, 1:] - late**2), 0.0))
    correlation = np.divide(product - early * late, spread, out=np.zeros_like(product), where=spread > 0)
    return (square - mean**2)[:, ::step], correlation[:, ::step]


def kendall(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kendall's tau of each row with time (Kendall 1938), shape (series,) from (series, windows)."""
    count = values.shape[-1]
    score = np.zeros(len(values))
    for lag in range(1, count):
        later, earlier = values[:, lag:], values[:, :-lag]
        score += (later > earlier).sum(axis=-1)
        score -= (later < earlier).sum(axis=-1)
    tau: NDArray[np.float64] = score / (count * (count - 1) / 2)
    return tau
