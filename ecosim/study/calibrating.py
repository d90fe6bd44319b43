"""Calibration: waves of runs, each where the last has not ruled the factors out, until the targets say no more."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim import provenance
from ecosim.errors import InputError
from ecosim.folders import safe_name
from ecosim.study import figure
from ecosim.study.design import LatinHypercube
from ecosim.study.folder import MANIFEST
from ecosim.study.job import OK
from ecosim.study.matching import Match, next_points, posterior
from ecosim.study.reading import load, made
from ecosim.study.results import Study
from ecosim.study.spec import StudySpec
from ecosim.study.sweeping import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from ecosim.study.progress import Progress

    type Array = NDArray[np.float64]
    type Living = Callable[[pd.DataFrame, int], Mapping[str, Array]]

A_FACTOR = 10  # points of a wave for each factor, where nobody says (Loeppky, Sacks & Welch 2009)
LEAST_A_FACTOR = 3  # points with every outcome, for an emulator
WELL_KNOWN = 0.3  # emulator's standard deviation against that of the observation, below which a wave more is in vain
LEARNED, UNLEARNED = 0.5, 0.8  # width of the posterior against that of the prior
TOGETHER = 0.7  # correlation from which two factors are known only together
TRUSTED = 0.5  # predictivity of an emulator
PRIOR_SD = 1 / np.sqrt(12)
SUMMARY, DRAWS = "calibration.json", "posterior.csv"


@dataclass(frozen=True)
class Calibration:
    """What the targets say of the factors."""

    name: str
    factors: pd.DataFrame
    """A row a factor: ``mean``, ``median``, ``sd``, 95 % interval ``low`` to ``high``, the range before (``from``,
    ``to``), ``width`` (standard deviation against that of the range before) and whether it is ``identified``."""
    targets: pd.DataFrame
    """A row a target: what was observed, what the fitted worlds show, and how well the emulator foretells."""
    waves: pd.DataFrame
    """A row a wave: points lived, runs, and the share of the factors' space not ruled out after it."""
    correlation: pd.DataFrame
    """Correlation of the factors in the posterior."""
    draws: pd.DataFrame
    """Draws from the posterior, a column a factor."""
    words: tuple[str, ...]
    """What has to be said beside the numbers."""
    ruled_out: bool
    """Whether no place in the ranges can show the targets, so that there is nothing to fit."""

    def to_dict(self) -> dict[str, Any]:
        """Everything but the draws as plain values, for JSON."""
        return {
            "study": self.name,
            "ruled_out": self.ruled_out,
            "notes": list(self.words),
            "factors": self.factors.to_dict("records"),
            "targets": self.targets.to_dict("records"),
            "waves": self.waves.to_dict("records"),
            "correlation": self.correlation.to_dict(),
        }

    def write(self, folder: Path) -> None:
        """Write JSON, the draws and a figure into the folder of the waves."""
        first = folder / "wave-1" / MANIFEST
        made = provenance.part(json.loads(first.read_text(encoding="utf-8"))) if first.is_file() else {}
        held = self.to_dict() | {provenance.KEY: made}
        text = json.dumps(held, indent=2, ensure_ascii=False, allow_nan=False)
        half = folder / f".{SUMMARY}"
        half.write_text(text + "\n", encoding="utf-8")
        half.replace(folder / SUMMARY)
        for stale in (DRAWS, *figure.FILES):
            (folder / stale).unlink(missing_ok=True)
        if not self.ruled_out:
            self.draws.to_csv(folder / DRAWS, index=False)
            figure.draw(self, folder)


def calibrate(
    study: str | PathLike[str] | StudySpec | Mapping[str, Any],
    *,
    out: str | PathLike[str] | None = None,
    workers: int | None = None,
    cluster: Any = None,
    yes: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Calibration:
    """Fit the factors of a study to its ``targets``, and return what is known of them then.

    Each wave is a sweep in ``out``/wave-1, wave-2, ...; the same call goes on where an earlier one was interrupted.
    Arguments are those of `ecosim.sweep`. Raises InputError where the study has no targets, a factor that is no range,
    or a single replicate, from which luck cannot be told.
    """
    spec = (
        study if isinstance(study, StudySpec) else load(study) if isinstance(study, str | os.PathLike) else made(study)
    )
    check(spec)
    place = Path(out) if out is not None else Path("studies") / f"{safe_name(spec.name)}-calibrated"

    def lived(points: pd.DataFrame, wave: int) -> Mapping[str, Array]:
        one = sweep(
            _wave(spec, points, wave), out=place / f"wave-{wave}", workers=workers, cluster=cluster, yes=yes,
            progress=progress,
        )  # fmt: skip
        return _runs(one, list(spec.targets))

    found = fitted(spec, lived, lambda wave: _begun(place / f"wave-{wave}"))
    found.write(place)
    return found


def check(spec: StudySpec) -> None:
    """Refuse what cannot be calibrated."""
    if not spec.targets:
        raise InputError("targets: missing; give at least one, such as loss.production_percent: {value: 4, sd: 0.5}")
    for path, factor in spec.varied.items():
        if factor.values is not None:
            raise InputError(f"factors.{path}: a list of values cannot be fitted; give a range with low and high")
    if spec.replicates < 2:
        raise InputError("replicates: 1; luck cannot be told from a single run of a point; give 3 or more")


def fitted(spec: StudySpec, lived: Living, begun: Callable[[int], pd.DataFrame | None]) -> Calibration:
    """Do the waves. ``lived`` takes points (values, a column a factor) and the number of the wave, and gives runs.

    Runs are by target, shape (points, replicates), NaN where there is none. ``begun`` gives the points of a wave that
    an earlier call had begun.
    """
    design = spec.design if isinstance(spec.design, LatinHypercube) else None
    columns = len(spec.varied)
    count = design.points if design else A_FACTOR * columns
    seed = design.seed if design else 1
    unit, new = np.empty((0, columns)), _first(columns, count, seed)
    runs = {name: np.empty((0, spec.replicates)) for name in spec.targets}
    history, matches, words = [], [], []
    for wave in range(1, spec.waves + 1):
        points = begun(wave)
        points = values_at(spec, new) if points is None else points
        for name, lived_now in lived(points, wave).items():
            runs[name] = np.concatenate((runs[name], lived_now))
        unit = np.concatenate((unit, units_of(spec, points)))
        whole = ~np.isnan(np.hstack(list(runs.values()))).any(axis=1)
        least = LEAST_A_FACTOR * (columns + 1)
        if whole.sum() < least:
            raise InputError(
                f"{int(whole.sum())} of {len(unit)} points have every target in every run; {least} are the least. "
                "Take targets that every run has, or look at failures()"
            )
        matches = [Match.of(target, unit[whole], runs[name][whole]) for name, target in spec.targets.items()]
        new, share = next_points(matches, count, unit, seed + wave)
        history.append({"wave": wave, "points": len(points), "runs": len(points) * spec.replicates, "left": share})
        if not len(new):
            return _nothing(spec, matches, history, unit[whole])
        if _known(matches, new):
            break
    else:
        words.append("the waves ended before the emulators were sure of the targets; more waves would narrow the fit")
    if not whole.all():
        words.append(f"{int((~whole).sum())} points lack a run or a target and are left out")
    return _told(spec, matches, posterior(matches, columns, seed), history, words)


def _first(columns: int, count: int, seed: int) -> Array:
    from scipy.stats import qmc

    rng = np.random.Generator(np.random.Philox(seed))
    return np.asarray(qmc.LatinHypercube(d=columns, rng=rng).random(count))


def values_at(spec: StudySpec, unit: Array) -> pd.DataFrame:
    """Values of the factors at places in the unit cube, a column a factor."""
    found = {}
    for at, ((path, factor), whole) in enumerate(zip(spec.varied.items(), spec.whole, strict=True)):
        values = factor.spread(unit[:, at], whole=whole)
        found[path] = values.astype(np.int64) if whole else values
    return pd.DataFrame(found)


def units_of(spec: StudySpec, points: pd.DataFrame) -> Array:
    """Places in the unit cube of values of the factors."""
    columns = []
    for (path, factor), whole in zip(spec.varied.items(), spec.whole, strict=True):
        values, low, high = points[path].to_numpy(np.float64), float(factor.low or 0), float(factor.high or 0)
        if whole:
            columns.append((values - low + 0.5) / (high - low + 1))
        elif factor.scale == "log":
            columns.append(np.log(values / low) / np.log(high / low))
        else:
            columns.append((values - low) / (high - low))
    return np.column_stack(columns)


def _known(matches: list[Match], places: Array) -> bool:
    """Whether the emulators are so sure that another wave would rule out little."""
    return all(
        float(np.sqrt(match.emulator.at(places)[1].mean())) < WELL_KNOWN * np.sqrt(match.observed) for match in matches
    )


def _wave(spec: StudySpec, points: pd.DataFrame, wave: int) -> StudySpec:
    return made({
        "name": f"{spec.name}, wave {wave}", "scenario": spec.base, "design": points, "replicates": spec.replicates,
        "outcomes": list(spec.targets), "series": "none", "limits": spec.limits,
    })  # fmt: skip


def _begun(place: Path) -> pd.DataFrame | None:
    return Study.load(place).design if (place / MANIFEST).is_file() else None


def _runs(study: Study, names: list[str]) -> dict[str, Array]:
    table = study.table()
    good = table[table["status"] == OK]
    found = {}
    for name in names:
        found[name] = np.full((study.manifest["points"], study.manifest["replicates"]), np.nan)
        if name in good:
            found[name][good["point"], good["replicate"]] = good[name]
    return found


def _nothing(spec: StudySpec, matches: list[Match], history: list[dict[str, Any]], unit: Array) -> Calibration:
    words = (
        "no place in the ranges can show all targets: widen the ranges, or look for what the scenario lacks; the "
        "targets table says how far off each is at the nearest",
    )
    empty = pd.DataFrame(columns=list(spec.varied))
    best = unit[[int(np.argmin(sum(_distance(match, unit) ** 2 for match in matches)))]]
    return Calibration(
        spec.name,
        pd.DataFrame(),
        _targets(spec, matches, best),
        pd.DataFrame(history),
        empty.corr(),
        empty,
        words,
        True,
    )


def _distance(match: Match, places: Array) -> Array:
    mean, variance = match.at(places)
    return np.asarray((match.target.value - mean) / np.sqrt(variance))


def _targets(spec: StudySpec, matches: list[Match], draws: Array) -> pd.DataFrame:
    rows = []
    for name, match in zip(spec.targets, matches, strict=True):
        mean, _ = match.emulator.at(draws)
        rows.append({
            "target": name, "observed": match.target.value, "sd": float(np.sqrt(match.observed)),
            "fitted": float(mean.mean()), "fitted_low": float(np.quantile(mean, 0.025)),
            "fitted_high": float(np.quantile(mean, 0.975)),
            "off": float((mean.mean() - match.target.value) / np.sqrt(match.observed)),
            "predictivity": match.emulator.predictivity,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _told(
    spec: StudySpec, matches: list[Match], unit: Array, history: list[dict[str, Any]], words: list[str]
) -> Calibration:
    draws = values_at(spec, unit)
    rows = []
    for at, (path, factor) in enumerate(spec.varied.items()):
        values, width = draws[path], float(unit[:, at].std() / PRIOR_SD)
        rows.append({
            "factor": path, "mean": float(values.mean()), "median": float(values.median()), "sd": float(values.std()),
            "low": float(values.quantile(0.025)), "high": float(values.quantile(0.975)),
            "from": float(factor.low or 0), "to": float(factor.high or 0), "width": width,
            "identified": width < LEARNED,
        })  # fmt: skip
        place = float(unit[:, at].mean())
        if width < LEARNED and min(place, 1 - place) < 1.5 * float(unit[:, at].std()):
            words.append(f"{path}: the fit presses against the end of its range; widen it if the world allows")
        if width > UNLEARNED:
            words.append(f"{path}: the targets say next to nothing of it ({width:.0%} of the width before)")
    correlation = pd.DataFrame(np.atleast_2d(np.corrcoef(unit.T)), index=list(spec.varied), columns=list(spec.varied))
    for one, other in combinations(spec.varied, 2):
        r = float(correlation[one][other])
        if abs(r) > TOGETHER:
            words.append(
                f"{one} and {other} are known only together (correlation {r:.2f}): one can make up for the other"
            )
    for name, match in zip(spec.targets, matches, strict=True):
        if match.emulator.predictivity < TRUSTED:
            words.append(
                f"{name}: the emulator foretells {max(match.emulator.predictivity, 0):.0%} of the variance at points "
                "left out; where that is luck, take more replicates, else more points"
            )
    targets = _targets(spec, matches, unit)
    return Calibration(
        spec.name, pd.DataFrame(rows), targets, pd.DataFrame(history), correlation, draws, tuple(words), False
    )
