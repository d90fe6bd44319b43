"""How much each factor matters: Sobol' and Morris indices (SALib) where the design is theirs, PAWN for any sample.

Every index has a 95 % interval from resampling, and says where that is still too wide to be relied on.
"""

from __future__ import annotations

from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.study.analysis.sample import block

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecosim.study.analysis.sample import Axis, Sample

    type Array = NDArray[np.float64]

RESAMPLES = 1000
SHUFFLES = 100
WIDEST = 0.05  # half-width up to which a share counts as known (after Sarrazin, Pianosi & Wagener 2016)
WIDEST_EFFECT = 0.1  # the same for Morris' mean effects, as a share of the largest of them
SLICES = 10  # of a factor in PAWN
IN_SLICE = 10  # points, at least
LEAST_PATHS = 4  # paths or base points below which resampling says nothing
COLUMNS = ["factor", "index", "value", "low", "high", "chance", "converged"]


def indices(sample: Sample, design: dict[str, Any], seed: int = 1) -> tuple[pd.DataFrame, list[str]]:
    """Indices of all factors by every method that the design allows, and what is to be said about them.

    A row has the ``factor``, the ``index`` (S1, ST, S2 with another factor, mu_star, mu, sigma, PAWN), its ``value``,
    the 95 % interval from ``low`` to ``high``, what ``chance`` alone would give (PAWN), and whether it has
    ``converged``. Raises InputError where SALib is needed and missing.
    """
    rows, words = [], []
    if design["kind"] in {"sobol", "morris"}:
        whole, left_out = complete(sample, block(design, len(sample.axes)))
        blocks = len(np.unique(whole.group))
        what = "base points" if design["kind"] == "sobol" else "paths"
        if left_out:
            words.append(f"{left_out:,} {what} lack a run and are left out of the indices of this design")
        if blocks < LEAST_PATHS:
            words.append(f"{blocks} whole {what} are too few for the indices of this design")
        elif np.ptp(whole.mean) == 0:
            words.append("the outcome is the same at all points, so that no factor matters")
        else:
            by_design = _sobol if design["kind"] == "sobol" else _morris
            rows += by_design(whole, design, seed)
    rows += pawn(sample, seed)
    if len(sample.runs) < SLICES * IN_SLICE:
        words.append(f"PAWN has {len(sample.runs)} points, and wants {SLICES * IN_SLICE} or more")
    found = pd.DataFrame(rows, columns=COLUMNS)
    if not found["converged"].all():
        words.append("indices marked 'not converged' have intervals too wide to be relied on; take more points")
    return found, words


def complete(sample: Sample, size: int) -> tuple[Sample, int]:
    """Keep the blocks of a design all of whose points are there, with the replicates that all of them have.

    Return them and how many were left out. The mean over replicates that only some points of a block have would mix
    luck into the differences.
    """
    runs = sample.runs.copy()
    good = np.zeros(len(runs), dtype=bool)
    names, starts, counts = np.unique(sample.group, return_index=True, return_counts=True)
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        rows = slice(start, start + count)
        runs[rows, np.isnan(runs[rows]).any(axis=0)] = np.nan
        good[rows] = count == size and not np.isnan(runs[rows]).all()
    whole = type(sample)(**{**vars(sample), "runs": runs}).take(good)
    known = int(sample.group.max()) + 1 if len(names) else 0
    return whole, known - len(np.unique(whole.group))


def _row(factor: str, index: str, value: float, half: float, widest: float) -> dict[str, Any]:
    return {
        "factor": factor,
        "index": index,
        "value": value,
        "low": value - half,
        "high": value + half,
        "chance": np.nan,
        "converged": bool(half <= widest),
    }


def _sobol(sample: Sample, design: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """First-order, total and, if asked for, second-order indices (Saltelli et al. 2010) with bootstrap intervals."""
    second = bool(design["second_order"])
    found = salib("sobol").analyze(
        problem(sample.axes), sample.mean, calc_second_order=second, num_resamples=RESAMPLES, seed=seed
    )
    rows = []
    for index in ("S1", "ST"):
        for axis, value, half in zip(sample.axes, found[index], found[f"{index}_conf"], strict=True):
            rows.append(_row(axis.name, index, float(value), float(half), WIDEST))
    for one in range(len(sample.axes) if second else 0):
        for other in range(one + 1, len(sample.axes)):
            name = f"S2 with {sample.axes[other].name}"
            value, half = float(found["S2"][one, other]), float(found["S2_conf"][one, other])
            rows.append(_row(sample.axes[one].name, name, value, half, WIDEST))
    return rows


def _morris(sample: Sample, design: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Mean absolute and mean effect of crossing the range, and their spread (Morris 1991, Campolongo et al. 2007)."""
    size = block(design, len(sample.axes))
    points = np.column_stack([axis.codes for axis in sample.axes]).reshape(-1, size, len(sample.axes))
    outcome = sample.mean.reshape(-1, size)
    effects = np.full((len(points), len(sample.axes)), np.nan)
    steps, change = np.diff(points, axis=1), np.diff(outcome, axis=1)
    widths = np.array([float(np.ptp(axis.codes)) for axis in sample.axes])
    for at, axis in enumerate(sample.axes):
        path, step = np.nonzero(steps[:, :, at])
        # Text has no distances: what counts is that it changed.
        share = steps[path, step, at] / widths[at] if axis.number else 1.0
        effects[path, at] = change[path, step] / share
    # A step that stays within one value of a list, or one whole number, changes nothing.
    effects = np.where(np.isnan(effects), 0.0, effects)
    rng = np.random.Generator(np.random.Philox(seed))
    drawn = effects[rng.integers(len(effects), size=(RESAMPLES, len(effects)))]
    largest = float(np.abs(effects).mean(axis=0).max())
    measures: dict[str, Callable[[Array], Array]] = {
        "mu_star": lambda e: np.abs(e).mean(axis=-2),
        "mu": lambda e: e.mean(axis=-2),
        "sigma": lambda e: e.std(axis=-2, ddof=1),
    }
    rows = []
    for index, measure in measures.items():
        values, halves = measure(effects), 1.96 * measure(drawn).std(axis=0)
        for axis, value, half in zip(sample.axes, values, halves, strict=True):
            rows.append(_row(axis.name, index, float(value), float(half), WIDEST_EFFECT * largest))
    return rows


def pawn(sample: Sample, seed: int = 1) -> list[dict[str, Any]]:
    """PAWN (Pianosi & Wagener 2018): how far the outcome's distribution moves when a factor is held in a slice.

    The median over slices of the Kolmogorov-Smirnov distance to the distribution of all points. ``chance`` is the
    95 % quantile of the index of a factor whose values were shuffled: an index below it shows nothing.
    """
    outcome = sample.mean
    if np.ptp(outcome) == 0 or len(outcome) < 2 * IN_SLICE:
        return []
    rng = np.random.Generator(np.random.Philox(seed))
    blocks = np.unique(sample.group, return_inverse=True)[1]  # drawn together, as they belong together
    rows = []
    for axis in sample.axes:
        slices = sliced(axis)
        count = int(slices.max()) + 1
        if count < 2:
            continue
        distance = _Distance(slices, outcome, count)
        value = distance.of()
        again, shuffled = np.empty(SHUFFLES), np.empty(SHUFFLES)
        for at in range(SHUFFLES):
            drawn = np.bincount(rng.integers(blocks.max() + 1, size=blocks.max() + 1), minlength=blocks.max() + 1)
            again[at] = distance.of(drawn[blocks])
            shuffled[at] = _Distance(rng.permutation(slices), outcome, count).of()
        half = 1.96 * float(again.std())
        # Distances of small samples are too large, and those of samples from a sample still more.
        middle = value - (float(again.mean()) - value)
        row = _row(axis.name, "PAWN", value, half, WIDEST)
        row |= {"low": max(min(middle, value) - half, 0.0), "high": value + half}
        rows.append(row | {"chance": float(np.quantile(shuffled, 0.95))})
    return rows


def sliced(axis: Axis) -> NDArray[np.int64]:
    """Slice of each point, shape (points,): a value each, or as many equal shares of the points as have ten each."""
    codes = axis.codes
    if axis.discrete:
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    count = max(2, min(SLICES, len(codes) // IN_SLICE))
    edges = np.quantile(codes, np.arange(1, count) / count)
    return np.searchsorted(edges, codes, side="right").astype(np.int64)


class _Distance:
    """Median over slices of the Kolmogorov-Smirnov distance to all points, for points that count once or more."""

    def __init__(self, slices: NDArray[np.int64], outcome: Array, count: int) -> None:
        self.order = np.argsort(outcome, kind="stable")
        ordered = outcome[self.order]
        self.last = np.concatenate((ordered[1:] != ordered[:-1], [True]))  # of equal outcomes: where to compare
        self.member = (slices[self.order][None, :] == np.arange(count)[:, None]).astype(np.float64)

    def of(self, times: NDArray[np.int64] | None = None) -> float:
        """Return the distance where each point counts so many ``times``, shape (points,); once by default."""
        weights = np.ones(len(self.order)) if times is None else times[self.order].astype(np.float64)
        below = np.cumsum(self.member * weights, axis=1)
        below = below[below[:, -1] > 0]
        everybody = np.cumsum(weights)
        apart = np.abs(below / below[:, -1:] - everybody / everybody[-1])[:, self.last]
        return float(np.median(apart.max(axis=1)))


def problem(axes: tuple[Axis, ...]) -> dict[str, Any]:
    """SALib's description of the unit cube; a copy for each use, because some of its methods change it."""
    return deepcopy({"num_vars": len(axes), "names": [axis.name for axis in axes], "bounds": [[0.0, 1.0]] * len(axes)})


def salib(method: str) -> Any:
    """A method of SALib's analysis."""
    try:
        return import_module(f"SALib.analyze.{method}")
    except ImportError:
        raise InputError(f"{method} indices need SALib; install it with: pip install 'ecosim[analysis]'") from None
