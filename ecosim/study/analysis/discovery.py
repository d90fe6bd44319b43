"""Scenario discovery: in which corner of the factors an outcome of interest lies, and whether that holds elsewhere.

Boxes are found in two thirds of the points and judged on the others, which nothing else has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import binomtest, fisher_exact

from ecosim.errors import InputError
from ecosim.resilience.several import holm
from ecosim.study.analysis import boxes as found_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.study.analysis.boxes import Box
    from ecosim.study.analysis.sample import Sample

    type Mask = NDArray[np.bool_]

HELD_OUT = 1 / 3  # of the points, which the boxes do not see
MOST_BOXES = 3  # by each method
LEAST_POINTS = 30
ALPHA = 0.05
WORST = 0.75  # quantile above which an outcome is of interest where nobody says


@dataclass(frozen=True)
class Interest:
    """Outcomes that are looked for: those above, or those below, a number."""

    side: Literal["above", "below"]
    threshold: float

    def of(self, outcome: NDArray[np.float64]) -> Mask:
        """Which outcomes are of interest, same shape."""
        return outcome > self.threshold if self.side == "above" else outcome < self.threshold

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.side} {self.threshold:.4g}"


@dataclass(frozen=True)
class Discovery:
    """Boxes, how they fare on points that they were not made from, and the way that peeling took."""

    interest: Interest
    boxes: tuple[tuple[str, Box], ...]
    """Method (PRIM or CART) and box."""
    table: pd.DataFrame
    """A row a box: see `discover`."""
    way: pd.DataFrame
    """Coverage, density and mass of each box of the first peeling, on the points it was made from."""
    base_rate: float
    """Share of the held-out points that is of interest anyway."""


def interest_of(sample: Sample, above: float | None, below: float | None) -> Interest:
    """What is looked for: the worst quarter, taken to be the largest, unless something is said."""
    if above is not None and below is not None:
        raise InputError("--above and --below: give one of the two")
    if below is not None:
        return Interest("below", below)
    return Interest("above", float(np.quantile(sample.mean, WORST)) if above is None else above)


def discover(sample: Sample, interest: Interest, seed: int = 1) -> tuple[Discovery | None, list[str]]:
    """Boxes by peeling and by a tree, and what is to be said of them; none where there is too little to find.

    A row of the table has the ``method``, the ``box`` in words; of the points it was made from and of those held out
    the ``coverage`` (share of all of interest that is inside) and ``density`` (share of those inside that is of
    interest); of those held out also the 95 % interval of the density (Wilson 1927), their number inside, and ``p`` of
    Fisher's exact test that the box is no denser than what is outside, corrected by Holm for the number of boxes.
    """
    target = interest.of(sample.mean)
    if len(target) < LEAST_POINTS:
        return None, [f"{len(target)} points are too few to look for boxes; {LEAST_POINTS} are the least"]
    learn = _learning(sample, seed)
    if min(target[learn].sum(), (~target)[learn].sum()) < found_by.LEAST_POINTS or not target[~learn].any():
        return None, [f"too few points are {interest}, or too many, for boxes to be found"]
    seen, unseen = sample.take(learn), sample.take(~learn)
    boxes, way = _boxes(seen, target[learn])
    if not boxes:
        return None, [f"no box was found in which outcomes {interest} are frequent"]
    rows = [_judged(box, seen, target[learn], unseen, target[~learn]) for _, box in boxes]
    table = pd.DataFrame(rows)
    table.insert(0, "method", [method for method, _ in boxes])
    table["p"] = holm(table["p"].to_numpy())
    table["confirmed"] = table["p"] < ALPHA
    words = []
    if not table["confirmed"].all():
        words.append(
            "a box that is not confirmed is no denser on held-out points than chance allows: rely on none such"
        )
    return Discovery(interest, tuple(boxes), table, way, float(target[~learn].mean())), words


def _learning(sample: Sample, seed: int) -> Mask:
    """Points that boxes are made from; those that belong together in the design stay together."""
    rng = np.random.Generator(np.random.Philox(seed))
    groups = rng.permutation(np.unique(sample.group))
    held_out = groups[: max(1, round(HELD_OUT * len(groups)))]
    return ~np.isin(sample.group, held_out)


def _boxes(seen: Sample, target: Mask) -> tuple[list[tuple[str, Box]], pd.DataFrame]:
    found: list[tuple[str, Box]] = []
    way = pd.DataFrame()
    rest = np.ones(len(target), dtype=bool)
    for _ in range(MOST_BOXES):
        if min(target[rest].sum(), rest.sum() - target[rest].sum()) < found_by.LEAST_POINTS:
            break
        axes = tuple(axis.take(rest) for axis in seen.axes)
        steps = found_by.peeled(axes, target[rest])
        if way.empty:
            way = _way(steps, seen, target)
        box = found_by.chosen(steps, axes, target[rest])
        if not box.limits or target[box.holds(seen.axes)].mean() <= target.mean():
            break
        found.append(("PRIM", box))
        rest &= ~box.holds(seen.axes)
    return found + [("CART", box) for box in found_by.leaves(seen.axes, target)[:MOST_BOXES] if box.limits], way


def _way(steps: list[Box], seen: Sample, target: Mask) -> pd.DataFrame:
    rows = []
    for box in steps:
        inside = box.holds(seen.axes)
        rows.append([*_coverage_density(inside, target), inside.mean(), len(box.limits), str(box)])
    return pd.DataFrame(rows, columns=["coverage", "density", "mass", "restricted", "box"])


def _coverage_density(inside: Mask, target: Mask) -> tuple[float, float]:
    hits = float((inside & target).sum())
    return hits / max(float(target.sum()), 1.0), hits / inside.sum() if inside.any() else np.nan


def _judged(box: Box, seen: Sample, target: Mask, unseen: Sample, held_out: Mask) -> dict[str, Any]:
    inside = box.holds(unseen.axes)
    hits, count = int((inside & held_out).sum()), int(inside.sum())
    outside = int((~inside & held_out).sum()), int((~inside & ~held_out).sum())
    interval = binomtest(hits, count).proportion_ci(method="wilson") if count else None
    test = fisher_exact([[hits, count - hits], list(outside)], alternative="greater")
    coverage, density = _coverage_density(box.holds(seen.axes), target)
    held_coverage, held_density = _coverage_density(inside, held_out)
    return {
        "box": str(box),
        "coverage": coverage,
        "density": density,
        "held_out_coverage": held_coverage,
        "held_out_density": held_density,
        "low": interval.low if interval else np.nan,
        "high": interval.high if interval else np.nan,
        "held_out_points": count,
        "p": float(test.pvalue),
    }
