"""A study's answers, together: computed from the runs that are there, written as tables, figures and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import provenance
from ecosim.folders import NewFolder
from ecosim.study.analysis import boxes, figures
from ecosim.study.analysis.discovery import Discovery, discover, interest_of
from ecosim.study.analysis.effects import TRUSTED, Surface, main_effects, surface
from ecosim.study.analysis.indices import indices
from ecosim.study.analysis.sample import sampled
from ecosim.study.spreadsheet import csv

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ecosim.study.analysis.sample import Sample
    from ecosim.study.results import Study

TABLES = ("indices.csv", "effects.csv")
SUMMARY = "analysis.json"
OPTIONAL = ("boxes.csv", "peeling.csv", *figures.FILES)
RANKED_BY = ("ST", "mu_star", "PAWN")  # the first that there is


@dataclass(frozen=True)
class Analysis:
    """What a study says of one outcome."""

    name: str
    design: str
    sample: Sample
    indices: pd.DataFrame
    """How much each factor matters; see `ecosim.study.analysis.indices.indices`."""
    effects: pd.DataFrame
    """How the outcome follows each; see `ecosim.study.analysis.effects.main_effects`."""
    surface: Surface | None
    """The two ranges that matter most, together."""
    discovery: Discovery | None
    """Where outcomes of interest lie."""
    words: tuple[str, ...]
    """What has to be said beside the numbers: what is missing, too few, or not to be relied on."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """Where the study comes from (`ecosim.provenance`)."""

    @property
    def provisional(self) -> bool:
        """Whether runs are missing, so that every number can still change."""
        return self.sample.missing > 0

    @property
    def ranking(self) -> list[str]:
        """Factors, the one that matters most first, by total index, Morris' mu*, PAWN, or the range of main effects."""
        return ranking(self.indices, self.effects)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON; None where a number is not known."""
        found = self.discovery
        return {
            "study": self.name,
            provenance.KEY: dict(self.made),
            "outcome": self.sample.outcome,
            "design": self.design,
            "points": len(self.sample.runs),
            "runs": {
                "planned": self.sample.planned,
                "kept": self.sample.kept,
                "missing": self.sample.missing,
                "failed": self.sample.failed,
                "without_the_outcome": self.sample.without,
            },
            "provisional": self.provisional,
            "noise_share": self.sample.noise_share,
            "ranking": self.ranking,
            "notes": list(self.words),
            "indices": _rows(self.indices),
            "effects": _rows(self.effects),
            "surface": None
            if self.surface is None
            else {"factors": list(self.surface.names), "predictivity": self.surface.predictivity},
            "interest": None if found is None else {"side": found.interest.side, "threshold": found.interest.threshold},
            "base_rate": None if found is None else found.base_rate,
            "boxes": []
            if found is None
            else [
                row | {"limits": boxes.plain(box)}
                for row, (_, box) in zip(_rows(found.table), found.boxes, strict=True)
            ],
        }

    def write(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write tables (CSV), figures (PNG and SVG) and ``analysis.json`` to a new folder, all or nothing.

        Only with ``force`` may it take the place of an earlier analysis.
        """
        with NewFolder(folder, (*TABLES, SUMMARY), optional=OPTIONAL, force=force) as new, new.told():
            (new.half / TABLES[0]).write_text(csv(self.indices), encoding="utf-8")
            (new.half / TABLES[1]).write_text(csv(self.effects), encoding="utf-8")
            if self.discovery is not None:
                (new.half / "boxes.csv").write_text(csv(self.discovery.table), encoding="utf-8")
                (new.half / "peeling.csv").write_text(csv(self.discovery.way), encoding="utf-8")
            text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
            (new.half / SUMMARY).write_text(text + "\n", encoding="utf-8")
            figures.draw(self, new.half)
            new.publish()
        return Path(folder)


def analyse(
    study: Study, outcome: str | None = None, *, above: float | None = None, below: float | None = None, seed: int = 1
) -> Analysis:
    """Ask a study, finished or not, about one ``outcome`` (the loss of output, or else the first that varies).

    Boxes are sought for outcomes ``above`` or ``below`` a number, by default for the largest quarter. ``seed`` is of
    resampling and of the choice of held-out points. Raises InputError where there is nothing to analyse, or SALib is
    needed and missing.
    """
    sample = sampled(study, outcome)
    design = study.manifest["spec"]["design"]
    interest = interest_of(sample, above, below)
    found, words = indices(sample, design, seed)
    effects = main_effects(sample, design["kind"])
    over = surface(sample, ranking(found, effects))
    discovery, more = discover(sample, interest, seed)
    words = [*_state(sample), *words, *more]
    if over is not None and over.predictivity < TRUSTED:
        words.append(
            f"the response surface foretells {max(over.predictivity, 0):.0%} of the variance at points left out: "
            "do not rely on it"
        )
    made = provenance.part(study.manifest)
    return Analysis(study.manifest["name"], design["kind"], sample, found, effects, over, discovery, tuple(words), made)


def ranking(found: pd.DataFrame, effects: pd.DataFrame) -> list[str]:
    """Factors, the one that matters most first."""
    for index in RANKED_BY:
        here = found[found["index"] == index]
        if len(here):
            return [str(name) for name in here.sort_values("value", ascending=False, kind="stable")["factor"]]
    ranges = effects.groupby("factor", sort=False)["mean"].agg(lambda means: means.max() - means.min())
    return [str(name) for name in ranges.sort_values(ascending=False, kind="stable").index]


def _state(sample: Sample) -> list[str]:
    words = []
    if sample.missing:
        words.append(
            f"{sample.missing:,} of {sample.planned:,} runs are missing: all numbers are provisional, and those that "
            "are there may be no fair sample of the design"
        )
    if sample.failed:
        words.append(f"{sample.failed:,} runs failed and are left out; Study.load(...).failures() says why")
    if sample.without:
        words.append(f"{sample.without:,} runs have no {sample.outcome}; means are of those that have one")
    share = sample.noise_share
    if share is None:
        words.append("one replicate a point: luck cannot be told from what the factors do")
    elif share > 0.1:
        words.append(f"{share:.0%} of the variance between points is luck; take more replicates")
    return words


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _value(value) for key, value in row.items()} for row in table.to_dict("records")]


def _value(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain
