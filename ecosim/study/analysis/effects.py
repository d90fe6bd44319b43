"""How the outcome follows each factor, and two of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import t

from ecosim.study.analysis.indices import sliced
from ecosim.study.emulator import Emulator, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.study.analysis.sample import Axis, Sample

    type Array = NDArray[np.float64]

GRID = 21  # places a side of a response surface
OTHERS = 25  # points over which the other factors are averaged
LEAST_A_COLUMN = 5  # points that a surface needs for each column of the fit
TRUSTED = 0.5  # predictivity from which a surface is said to show something


def main_effects(sample: Sample, design: str) -> pd.DataFrame:
    """Mean outcome at each value of each factor, over all that the others do.

    A row has the ``factor``, the ``value`` (the mean one of a slice where there are many), the ``mean``, its
    difference from all points (or from the base, one at a time) as ``effect`` with a 95 % interval from ``low`` to
    ``high``, and the ``points``. Where the design is exhaustive or one at a time, the interval is of the luck alone,
    replicate by replicate; elsewhere it is of what the other factors do, too. NaN where one number is all there is.
    """
    rows = []
    for axis in sample.axes:
        slices = sliced(axis)
        for each in np.unique(slices):
            here = slices == each
            shown: Any = axis.values[here][0]
            if axis.number:
                shown = float(np.exp(axis.codes[here].mean()) if axis.log else axis.codes[here].mean())
            if design == "one_at_a_time":
                here = here & _alone(sample, axis)
            if not here.any():
                continue
            effects = _effects(sample, here, design)
            half = _half(effects)
            effect = float(effects.mean()) if len(effects) else np.nan
            rows.append([axis.name, shown, float(sample.mean[here].mean()), effect, effect - half, effect + half,
                         int(here.sum())])  # fmt: skip
    return pd.DataFrame(rows, columns=["factor", "value", "mean", "effect", "low", "high", "points"])


def _effects(sample: Sample, here: NDArray[np.bool_], design: str) -> Array:
    """Numbers whose mean is the effect, and whose spread says how well it is known."""
    if design == "one_at_a_time":
        base = sample.runs[sample.group == 0]
        paired = np.nanmean(sample.runs[here], axis=0) - base[0] if len(base) else np.full(1, np.nan)
        return np.asarray(paired[~np.isnan(paired)])
    if design == "full":
        runs = sample.runs[:, ~np.isnan(sample.runs).any(axis=0)]
        if runs.shape[1]:
            return np.asarray(runs[here].mean(axis=0) - runs.mean(axis=0))
    return np.asarray(sample.mean[here] - sample.mean.mean())


def _alone(sample: Sample, axis: Axis) -> NDArray[np.bool_]:
    """The base, and the points that differ from it in this factor alone."""
    first = np.flatnonzero(sample.group == 0)
    if not len(first):
        return np.zeros(len(sample.group), dtype=bool)
    same = np.ones(len(sample.group), dtype=bool)
    for other in sample.axes:
        if other.name != axis.name:
            same &= other.values == other.values[first[0]]
    return same


def _half(values: Array) -> float:
    if len(values) < 2:
        return float("nan")
    return float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


@dataclass(frozen=True)
class Surface:
    """Mean outcome over two factors, the others averaged over what they were (Friedman 2001, partial dependence)."""

    names: tuple[str, str]
    across: Array
    """Values of the first factor, shape (GRID,)."""
    up: Array
    """Values of the second, shape (GRID,)."""
    mean: Array
    """Outcome, shape (GRID of the second, GRID of the first)."""
    predictivity: float
    """Share of the variance of the outcome that the fit foretells at points left out (Q2)."""
    log: tuple[bool, bool]


def surface(sample: Sample, ranking: list[str]) -> Surface | None:
    """Response surface over the two ranges that matter most; None where there are no two, or too few points."""
    numbers = {axis.name: axis for axis in sample.axes if axis.number and len(axis.levels) > 2}
    names = [name for name in ranking if name in numbers][:2]
    unit = sample.unit()
    if len(names) < 2 or len(unit) < LEAST_A_COLUMN * (unit.shape[1] + 1) or np.ptp(sample.mean) == 0:
        return None
    emulator = fit(unit, sample.mean, sample.noise)
    at = np.cumsum([0, *(axis.unit().shape[1] for axis in sample.axes)])
    columns = [int(at[place]) for name in names for place, axis in enumerate(sample.axes) if axis.name == name]
    even = np.linspace(0, 1, GRID)
    return Surface(
        (names[0], names[1]),
        _stretched(numbers[names[0]], even),
        _stretched(numbers[names[1]], even),
        _averaged(emulator, unit, columns, even),
        emulator.predictivity,
        (numbers[names[0]].log, numbers[names[1]].log),
    )


def _averaged(emulator: Emulator, unit: Array, columns: list[int], even: Array) -> Array:
    others = unit[np.linspace(0, len(unit) - 1, min(OTHERS, len(unit))).astype(int)]
    mean = np.empty((len(even), len(even)))
    for row, high in enumerate(even):
        places = np.tile(others, (len(even), 1))
        places[:, columns[0]] = np.repeat(even, len(others))
        places[:, columns[1]] = high
        mean[row] = emulator.mean(places).reshape(len(even), len(others)).mean(axis=1)
    return mean


def _stretched(axis: Axis, even: Array) -> Array:
    low, high = axis.codes.min(), axis.codes.max()
    values = low + even * (high - low)
    return np.asarray(np.exp(values) if axis.log else values)
