"""Packages lived in futures: every stage is a study of its own in the folder, so nothing lived is ever lost."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.study.groups import GROUPINGS, parts
from ecosim.study.job import OK
from ecosim.study.policy.packages import policies
from ecosim.study.spec import TRIED, StudySpec
from ecosim.study.sweeping import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ecosim.study.policy.futures import Future
    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.spec import PolicySpec
    from ecosim.study.progress import Progress
    from ecosim.study.results import Study

    type Array = NDArray[np.float64]

RUNS = "runs"
KEPT = (
    "loss.production",
    "loss.production_percent",
    "loss.final_consumption",
    "loss.final_consumption_percent",
    "failed.percent",
    "closures.run",
    "economy.output_a_day",
    "policies.sum.spent",
    "policies.sum.returned",
    "series.staff.mean",
    "series.twin_staff.mean",
    *(f"by.{grouping}.*.lost_percent" for grouping in GROUPINGS),
)
#: Figures of a world, and their units. Of all but cost, less is better.
FIGURES = {
    "consumption": "final consumption lost, per cent of the twin's",
    "production": "production lost, per cent of the twin's",
    "consumption_days": "final consumption lost, days of the whole economy's usual output",
    "production_days": "production lost, days of the whole economy's usual output",
    "failures": "firms that fell below half of their usual output, per cent",
    "closures": "times that a firm went out of business",
    "jobs": "staff missing in the mean of days, per cent of the twin's (only with workforce)",
    "cost": "spent less returned, days of the whole economy's usual output",
}


@dataclass
class Lived:
    """What packages came to in some futures: memory of all stages, and the way to more.

    ``values`` holds, for each package lived so far, its figures by name, (futures,) each: means over replicates, NaN
    where a run failed.
    """

    spec: PolicySpec
    futures: list[Future]
    folder: Path
    workers: int | None = None
    progress: Callable[[str, Progress], None] | None = None
    values: dict[tuple[int, ...], dict[str, Array]] = field(default_factory=dict)

    def live(self, stage: str, packages: Sequence[Package]) -> None:
        """Have those of some packages lived that were not yet, as a study named after the stage."""
        new = [each for each in packages if each.levels not in self.values]
        if not new:
            return
        lived = self.study(stage, points(self.spec, new, self.futures, stage)).table()
        if not (lived["status"] == OK).any():
            raise InputError(f"{self.folder / RUNS / stage}: every run failed; the first: {lived['error'].iloc[0]}")
        self.values |= gathered(lived, new, len(self.futures))

    def study(self, stage: str, spec: StudySpec) -> Study:
        """The runs of a stage, lived where they are not there."""
        told = self.progress
        return sweep(
            spec,
            out=self.folder / RUNS / stage,
            workers=self.workers,
            yes=True,  # the whole search was asked about before it began
            progress=None if told is None else lambda now: told(stage, now),
        )

    def figure(self, name: str, packages: Sequence[Package]) -> Array:
        """A figure of some packages, (packages, futures)."""
        missing = np.full(len(self.futures), np.nan)
        rows = [self.values[each.levels].get(name, missing) for each in packages]
        return np.array(rows).reshape(len(rows), len(self.futures))

    def groups(self) -> list[str]:
        """Names of the figures of groups of firms."""
        return sorted({name for values in self.values.values() for name in values if parts(name)})

    @property
    def types(self) -> NDArray[np.str_]:
        """Kind of trouble of each future, (futures,)."""
        return np.array([future.type for future in self.futures])

    def whole(self) -> NDArray[np.bool_]:
        """Futures in which no run of any package failed, (futures,): only those can be compared."""
        lost = [values["consumption"] for values in self.values.values()]
        return np.asarray(~np.isnan(np.array(lost)).any(axis=0))


def points(spec: PolicySpec, packages: Sequence[Package], futures: Sequence[Future], stage: str) -> StudySpec:
    """The study that lives every package in every future: a point for each, package by package."""
    done: dict[str, tuple[str, Any]] = {}  # name and value, by the value written down
    struck: dict[str, tuple[str, Any]] = {}
    rows = []
    for each in packages:
        for future in futures:
            what = policies(spec, each, future.labels)
            rows.append(
                {
                    "policies": _named(done, each.name, what),
                    "shocks": _named(struck, future.type, future.shocks),
                    "seed": future.seed,
                    **future.changes,
                }
            )
    staff = _has_staff(spec)
    given = {
        "name": f"{spec.name}: {stage}"[:200],
        "scenario": spec.base,
        "factors": {"policies": {"values": dict(done.values())}, "shocks": {"values": dict(struck.values())}},
        "design": {"kind": "table", "frame": pd.DataFrame(rows)},
        "replicates": spec.replicates,
        "outcomes": [name for name in KEPT if "staff" not in name or staff],
        "series": "none",
        "limits": spec.limits,
    }
    return StudySpec.model_validate(given, context={TRIED: True})


def _has_staff(spec: PolicySpec) -> bool:
    return any(getattr(one, "kind", "") == "workforce" for one in spec.base.mechanisms)


def _named(values: dict[str, tuple[str, Any]], name: str, value: Any) -> str:
    """Name of a value in a list of values: the one asked for, or a numbered one where that is of another value."""
    shown = json.dumps(value, sort_keys=True, default=str)
    if shown not in values:
        taken = {label for label, _ in values.values()}
        values[shown] = (name if name not in taken else f"{name} ({len(values)})", value)
    return values[shown][0]


def gathered(lived: pd.DataFrame, packages: Sequence[Package], futures: int) -> dict[tuple[int, ...], dict[str, Array]]:
    """Figures of each package from the table of a stage, whose points are package by package, future by future."""
    failed = (lived["status"] != OK).to_numpy()
    output = lived["economy.output_a_day"]
    figures: dict[str, Any] = {
        "consumption": lived["loss.final_consumption_percent"],
        "production": lived["loss.production_percent"],
        "consumption_days": lived["loss.final_consumption"] / output,
        "production_days": lived["loss.production"] / output,
        "failures": lived["failed.percent"],
        "closures": lived["closures.run"],
        "cost": (lived["policies.sum.spent"] - lived["policies.sum.returned"]) / output,
    }
    if "series.staff.mean" in lived:
        figures["jobs"] = 100.0 * (1.0 - lived["series.staff.mean"] / lived["series.twin_staff.mean"])
    figures |= {name: lived[name] for name in map(str, lived.columns) if parts(name)}
    frame = pd.DataFrame(figures).astype(np.float64)
    frame.loc[failed] = np.nan
    # Runs stand in the order of packages, futures and replicates.
    means = {str(name): frame[name].to_numpy().reshape(len(packages), futures, -1).mean(axis=2) for name in frame}
    return {each.levels: {name: rows[at] for name, rows in means.items()} for at, each in enumerate(packages)}
