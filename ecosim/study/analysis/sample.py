"""The runs of a study as arrays: a row a point, with the mean of an outcome over its replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError, hint
from ecosim.study.job import OK
from ecosim.study.results import ABOUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.study.results import Study

    type Array = NDArray[np.float64]

USUAL = "loss.production_percent"  # what is looked at where nobody says
FEW = 12  # distinct numbers up to which each is a level of its own


@dataclass(frozen=True)
class Axis:
    """One factor at the points of a study."""

    name: str
    values: NDArray[Any]
    """What each point has, shape (points,): numbers, or text where the values are no numbers."""
    log: bool = False
    """Whether its range is covered evenly in the logarithm."""

    @property
    def number(self) -> bool:
        """Whether its values are numbers."""
        return self.values.dtype != object

    @property
    def levels(self) -> list[Any]:
        """Distinct values in their order."""
        return list(np.unique(self.values)) if self.number else list(dict.fromkeys(self.values))

    @property
    def discrete(self) -> bool:
        """Whether it has few values, each of which can be looked at alone."""
        return not self.number or len(self.levels) <= FEW

    @property
    def codes(self) -> Array:
        """Numbers that stand for the values, shape (points,): themselves, their logarithms, or places in ``levels``."""
        if not self.number:
            places = {value: at for at, value in enumerate(self.levels)}
            return np.array([places[value] for value in self.values], dtype=np.float64)
        return np.log(self.values.astype(np.float64)) if self.log else self.values.astype(np.float64)

    def unit(self) -> Array:
        """Columns from 0 to 1 for a fit, shape (points, columns): one of a number, one a value (but one) of others."""
        codes = self.codes
        if not self.number:
            return np.column_stack([codes == at for at in range(1, max(len(self.levels), 2))]).astype(np.float64)
        width = float(np.ptp(codes))
        return ((codes - codes.min()) / width if width else np.zeros(len(codes)))[:, None]

    def take(self, some: NDArray[np.bool_]) -> Axis:
        """Return the same factor at some of the points."""
        return Axis(self.name, self.values[some], self.log)


@dataclass(frozen=True)
class Sample:
    """An outcome of a study, at the points that have one."""

    outcome: str
    axes: tuple[Axis, ...]
    runs: Array
    """The outcome, shape (points, replicates); NaN where a run is missing, failed, or has no such outcome."""
    group: NDArray[np.int64]
    """Which points belong together in the design (a base point of Saltelli's scheme, a path of Morris'): (points,)."""
    planned: int
    """Runs that the study will have."""
    kept: int
    """Runs that are there."""
    failed: int
    """Those among them that did not succeed."""
    without: int
    """Those that succeeded, and have no such outcome."""

    @property
    def missing(self) -> int:
        """Runs still to be lived."""
        return max(self.planned - self.kept, 0)

    @property
    def mean(self) -> Array:
        """Mean over replicates, shape (points,)."""
        return np.asarray(np.nanmean(self.runs, axis=1))

    @property
    def noise(self) -> Array | None:
        """Variance of each mean from the replicates, pooled over points, shape (points,); None with one of each.

        Pooled, because a variance of a handful of replicates is itself mostly noise.
        """
        counts = (~np.isnan(self.runs)).sum(axis=1)
        freedom = int((counts - 1).sum())
        if freedom == 0:
            return None
        within = float(np.nansum((self.runs - self.mean[:, None]) ** 2)) / freedom
        return within / counts

    @property
    def noise_share(self) -> float | None:
        """Share of the variance of the means that is luck; None where each point has one replicate."""
        noise, between = self.noise, float(self.mean.var(ddof=1)) if len(self.runs) > 1 else 0.0
        return None if noise is None or between == 0 else min(float(noise.mean()) / between, 1.0)

    def unit(self) -> Array:
        """All factors as columns from 0 to 1, shape (points, columns)."""
        return np.column_stack([axis.unit() for axis in self.axes])

    def take(self, some: NDArray[np.bool_]) -> Sample:
        """Return some of the points."""
        axes = tuple(axis.take(some) for axis in self.axes)
        return Sample(
            self.outcome, axes, self.runs[some], self.group[some], self.planned, self.kept, self.failed, self.without
        )


def sampled(study: Study, outcome: str | None = None) -> Sample:
    """Take an outcome from a study (by default the loss of output, or else the first one that varies).

    Points without a single outcome are left out. Raises InputError where the study has no such outcome, or no runs.
    """
    table, design = study.table(), study.design
    names = list(study.manifest["factors"])
    good = table[table["status"] == OK]
    if good.empty:
        raise InputError(f"{study.folder}: no run succeeded so far; sweep on, or see failures()")
    chosen = _chosen(good, outcome, {*ABOUT, *names, "status", "error"}, study)
    values = np.full((len(design), study.manifest["replicates"]), np.nan)
    values[good["point"], good["replicate"]] = good[chosen].to_numpy(np.float64)
    there = ~np.isnan(values).all(axis=1)
    if there.sum() < 2:
        raise InputError(f"{study.folder}: fewer than two points have {chosen!r} so far; sweep on, or take another")
    whole = Sample(
        chosen,
        tuple(_axis(name, design[name], study.manifest["spec"]) for name in names),
        values,
        np.arange(len(design)) // block(study.manifest["spec"]["design"], len(names)),
        _planned(study),
        len(table),
        len(table) - len(good),
        int(good[chosen].isna().sum()),
    )
    return whole.take(there)


def block(design: dict[str, Any], factors: int) -> int:
    """Points that belong together in a design."""
    if design["kind"] == "sobol":
        return (2 if design["second_order"] else 1) * factors + 2
    return factors + 1 if design["kind"] == "morris" else 1


def _planned(study: Study) -> int:
    if study.manifest["spec"].get("stop") is not None and study.progress is not None:
        return study.progress.total
    return int(study.manifest["points"] * study.manifest["replicates"])


def _chosen(good: pd.DataFrame, outcome: str | None, others: set[str], study: Study) -> str:
    known = [str(name) for name in good.columns if name not in others]
    if outcome is not None:
        if outcome not in known:
            raise InputError(f"--outcome {outcome}: the study kept no such outcome; {hint(outcome, known)}")
        return outcome
    varying = [name for name in known if good[name].nunique() > 1]
    if not varying:
        raise InputError(f"{study.folder}: no outcome varies; there is nothing to explain")
    return USUAL if USUAL in varying else varying[0]


def _axis(name: str, column: pd.Series[Any], spec: dict[str, Any]) -> Axis:
    log = (spec.get("factors") or {}).get(name, {}).get("scale") == "log"
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and not column.isna().any():
        return Axis(name, column.to_numpy(np.float64), log and bool((column > 0).all()))
    text = column.map(lambda value: "nothing" if pd.isna(value) else str(value))
    return Axis(name, text.to_numpy(dtype=object))
