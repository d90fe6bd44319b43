"""What about a structure goes with its response: covariates, with all their confounding, and nulls of equal degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from ecosim.resilience.atlas_tables import columns
from ecosim.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecosim.resilience.atlas_run import Atlas

    type Array = NDArray[np.float64]

COVARIATES = (
    "size_herfindahl", "clients_gini", "in_cycles", "schneider_r_z", "assortativity_z", "modularity_z",
    "core_periphery_z", "esri_mean", "esri_gini",
)  # fmt: skip
"""Covariates looked at. Those in _z are against networks of equal degrees, and 0 where these have no spread."""
PERMUTATIONS = 9999


def explained(atlas: Atlas, measure: str = "consumption") -> pd.DataFrame:
    """How G goes with each covariate across structures, by habit, in the table of habits as they are.

    There is one point a structure: its G less the mean of all structures under the same shock, mean over shocks.
    ``slope`` is the change of G with one standard deviation of the covariate, ``r2`` what it explains alone, ``p`` by
    permuting the structures, ``p_bh`` corrected over covariates and habits (Benjamini & Hochberg 1995). ``inflation``
    is the variance inflation factor: how many times less is known of the slope because other covariates say the same.
    With a dozen structures, one slope at a time is all that can be looked at, and none is a cause: what moves a
    covariate moves the others. `patterns` is the controlled comparison.
    """
    names = list(atlas.spec.structures)
    points = covariates(atlas)
    inflation = inflations(points)
    gaps: dict[str, list[Array]] = {}
    for table, habit, _, cells in columns(atlas):
        if table == "own":
            gain = np.array([atlas.responses(cells[name]).outcomes[f"d_{measure}"].mean() for name in names])
            gaps.setdefault(habit, []).append(gain - gain.mean())
    rows = []
    for habit, each in gaps.items():
        effect = np.mean(each, axis=0)
        for name, values in points.items():
            rows.append({"habit": habit, "covariate": name, **slope_of(values, effect), "inflation": inflation[name]})
    found = pd.DataFrame(rows)
    found.insert(len(found.columns) - 1, "p_bh", stats.false_discovery_control(found["p"].to_numpy()))
    return found


def covariates(atlas: Atlas) -> dict[str, Array]:
    """Covariates of structures, shape (structures,) each, in standard deviations; constant ones are left out."""
    found = {}
    for name in COVARIATES:
        values = np.nan_to_num(
            np.array([each["network"][name] for each in atlas.structures.values()], dtype=np.float64)
        )
        if np.ptp(values) > 0:
            found[name] = (values - values.mean()) / values.std(ddof=1)
    return found


def slope_of(covariate: Array, effect: Array, permutations: int = PERMUTATIONS, seed: int = 0) -> dict[str, float]:
    """Slope, share explained and permutation P (two-sided) of one standardised covariate, shape (structures,) both."""
    n = len(effect)
    slope = float(covariate @ (effect - effect.mean()) / (n - 1))
    rng = Stream(seed, 0, "atlas: permutations").generator()
    shuffled = rng.permuted(np.tile(effect - effect.mean(), (permutations, 1)), axis=1)
    other = np.abs(shuffled @ covariate / (n - 1))
    spread = float(effect.std(ddof=1))
    return {
        "slope": slope,
        "r2": (slope / spread) ** 2 if spread > 0 else 0.0,
        "p": float((1 + (other >= abs(slope) * (1 - 1e-12)).sum()) / (permutations + 1)),
    }


def inflations(points: Mapping[str, Array]) -> dict[str, float]:
    """Variance inflation of each covariate, 1 where it has nothing in common with the others; infinite where all."""
    found = {}
    for name, values in points.items():
        others = np.stack([each for other, each in points.items() if other != name] + [np.ones(len(values))], axis=1)
        fitted = others @ np.linalg.lstsq(others, values, rcond=None)[0]
        left = float(((values - fitted) ** 2).sum() / (values**2).sum())
        found[name] = 1.0 / left if left > 1e-9 else float("inf")
    return found


def patterns(atlas: Atlas, measure: str = "consumption") -> pd.DataFrame:
    """G of each structure less that of its null, in which everybody has as many clients and suppliers as before.

    ``pattern`` is what is due to who trades with whom, beyond the numbers of clients; ``degrees`` is the null's G less
    that of the first structure, what is due to these numbers. Paired over replicates, with 95 % intervals (Student).
    Holm-corrected ``p`` is of pattern = 0, over the structures of a habit and shock.
    """
    from ecosim.resilience.several import holm

    names = list(atlas.spec.structures)
    by_column = {(table, habit, shock): cells for table, habit, shock, cells in columns(atlas)}
    rows = []
    for (table, habit, shock), nulls in by_column.items():
        if table != "rewired":
            continue
        own = by_column["own", habit, shock]
        gain, null = (
            np.stack([atlas.responses(cells[name]).outcomes[f"d_{measure}"].mean(axis=1) for name in names])
            for cells in (own, nulls)
        )
        pattern, degrees = gain - null, null - gain[0]
        corrected = holm(np.array([_p(each) for each in pattern]))
        for at, name in enumerate(names):
            told: dict[str, str | float] = {"habit": habit, "shock": shock, "structure": name}
            for what, values in (("pattern", pattern[at]), ("degrees", degrees[at])):
                low, high = _interval(values)
                told |= {what: values.mean(), f"{what}_low": low, f"{what}_high": high}
            rows.append(told | {"p": corrected[at]})
    return pd.DataFrame(rows)


def _p(values: Array) -> float:
    return 1.0 if np.ptp(values) == 0 else float(stats.ttest_1samp(values, 0.0).pvalue)


def _interval(values: Array) -> tuple[float, float]:
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half
