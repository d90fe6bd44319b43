"""Boxes in the space of factors where an outcome of interest is frequent: by patient peeling, and by a small tree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ecosim.study.analysis.sample import Axis

    type Array = NDArray[np.float64]
    type Mask = NDArray[np.bool_]

PEEL = 0.05  # share of the points in a box that one peel takes (Friedman & Fisher 1999)
LEAST_SHARE, LEAST_POINTS = 0.05, 5  # of all points, that a box must hold
NEEDED = 0.05  # quasi-p above which a restriction is dropped (Bryant & Lempert 2010)
DEPTH = 3  # questions of a tree one after the other


@dataclass(frozen=True)
class Limit:
    """What a box allows of one factor: numbers from ``low`` to ``high``, or some ``values`` of text."""

    low: float = -np.inf
    high: float = np.inf
    values: tuple[str, ...] | None = None

    def holds(self, axis: Axis) -> Mask:
        """Which points are allowed, shape (points,)."""
        if self.values is not None:
            return np.isin(axis.values.astype(str), self.values)
        inside: Mask = (axis.values >= self.low) & (axis.values <= self.high)
        return inside

    def __str__(self) -> str:
        """Say it in words."""
        if self.values is not None:
            return f"one of {', '.join(self.values)}"
        if np.isinf(self.low):
            return f"at most {self.high:.4g}"
        return f"at least {self.low:.4g}" if np.isinf(self.high) else f"{self.low:.4g} to {self.high:.4g}"


@dataclass(frozen=True)
class Box:
    """Limits by the name of the factor; a factor that is not among them is free."""

    limits: dict[str, Limit] = field(default_factory=dict)

    def holds(self, axes: tuple[Axis, ...]) -> Mask:
        """Which points lie in it, shape (points,)."""
        inside = np.ones(len(axes[0].values), dtype=bool)
        for axis in axes:
            if axis.name in self.limits:
                inside &= self.limits[axis.name].holds(axis)
        return inside

    def with_(self, name: str, limit: Limit) -> Box:
        """Return it with another limit of a factor."""
        return Box({**self.limits, name: limit})

    def without(self, name: str) -> Box:
        """Return it with a factor free."""
        return Box({other: limit for other, limit in self.limits.items() if other != name})

    def __str__(self) -> str:
        """Say it in words."""
        return " and ".join(f"{name} {limit}" for name, limit in self.limits.items()) or "everywhere"


def fewest(points: int) -> int:
    """Points that a box must hold."""
    return max(LEAST_POINTS, int(np.ceil(LEAST_SHARE * points)))


def peeled(axes: tuple[Axis, ...], of_interest: Mask) -> list[Box]:
    """Boxes from the whole space inward, each less a thin slice of the last (PRIM, Friedman & Fisher 1999).

    Each peel is the one that raises the share of interest most for each point it gives up, so that a factor with a few
    values, whose slices are thick, is not preferred.
    """
    boxes = [Box()]
    least = fewest(len(of_interest))
    while True:
        inside = boxes[-1].holds(axes)
        count, density = int(inside.sum()), float(of_interest[inside].mean())
        best, gained = None, 0.0
        for axis in axes:
            for limit in _peels(axis, boxes[-1].limits.get(axis.name, Limit()), inside):
                kept = inside & limit.holds(axis)
                left = int(kept.sum())
                if left < least or left == count:
                    continue
                gain = (float(of_interest[kept].mean()) - density) / (count - left)
                if gain > gained:
                    best, gained = boxes[-1].with_(axis.name, limit), gain
        if best is None:
            return boxes
        boxes.append(best)


def _peels(axis: Axis, limit: Limit, inside: Mask) -> Iterator[Limit]:
    if not axis.number:
        present = list(dict.fromkeys(axis.values[inside].tolist()))
        for value in present if len(present) > 1 else ():
            yield Limit(values=tuple(other for other in present if other != value))
        return
    values = np.sort(axis.values[inside])
    out = max(1, int(PEEL * len(values)))
    above, below = values[values > values[out - 1]], values[values < values[-out]]
    if len(above):
        yield replace(limit, low=_between(values, above[0], -1))
    if len(below):
        yield replace(limit, high=_between(values, below[-1], 1))


def _between(values: Array, edge: float, side: int) -> float:
    """Halfway from the outermost value kept to the next one given up: the border is somewhere there."""
    other = values[values < edge][-1] if side < 0 else values[values > edge][0]
    return float((edge + other) / 2)


def chosen(boxes: list[Box], axes: tuple[Axis, ...], of_interest: Mask) -> Box:
    """Box of a peeling that balances coverage and density best, pasted and with no restriction it does not need.

    Balance is the harmonic mean of the two: of all that is of interest, the share in the box; of the box, the share
    that is of interest.
    """
    best = max(boxes, key=lambda box: balance(box, axes, of_interest))
    return needed(pasted(best, axes, of_interest), axes, of_interest)


def balance(box: Box, axes: tuple[Axis, ...], of_interest: Mask) -> float:
    """Harmonic mean of coverage and density."""
    inside = box.holds(axes)
    return 2 * float((inside & of_interest).sum()) / float(inside.sum() + of_interest.sum())


def pasted(box: Box, axes: tuple[Axis, ...], of_interest: Mask) -> Box:
    """Widen a box again as long as the share of interest in it does not fall (Friedman & Fisher 1999)."""
    while True:
        inside = box.holds(axes)
        density = float(of_interest[inside].mean())
        wider = [
            box.with_(axis.name, limit)
            for axis in axes
            if axis.name in box.limits
            for limit in _pastes(axis, box.limits[axis.name], box.without(axis.name).holds(axes), int(inside.sum()))
        ]
        shares = [(float(of_interest[other.holds(axes)].mean()), other) for other in wider]
        if not shares or max(share for share, _ in shares) < density:
            return box
        box = max(shares, key=lambda pair: pair[0])[1]


def _pastes(axis: Axis, limit: Limit, free: Mask, count: int) -> Iterator[Limit]:
    """Wider limits that take in a few of the points allowed by all the others."""
    if limit.values is not None:
        for value in dict.fromkeys(axis.values[free].tolist()):
            if value not in limit.values:
                yield Limit(values=(*limit.values, value))
        return
    out = max(1, int(PEEL * count))
    values = np.sort(axis.values[free])
    under, over = values[values < limit.low], values[values > limit.high]
    if len(under):
        beyond = under[under < under[-min(out, len(under))]]
        low = -np.inf if not len(beyond) else float((beyond[-1] + under[len(beyond)]) / 2)
        yield replace(limit, low=low)
    if len(over):
        beyond = over[over > over[min(out, len(over)) - 1]]
        high = np.inf if not len(beyond) else float((beyond[0] + over[len(over) - len(beyond) - 1]) / 2)
        yield replace(limit, high=high)


def needed(box: Box, axes: tuple[Axis, ...], of_interest: Mask) -> Box:
    """Drop, one by one, the restrictions without which as dense a box would be no surprise (Bryant & Lempert 2010)."""
    while box.limits:
        ps = {name: surprise(box, name, axes, of_interest) for name in box.limits}
        worst = max(ps, key=lambda name: ps[name])
        if ps[worst] <= NEEDED:
            return box
        box = box.without(worst)
    return box


def surprise(box: Box, name: str, axes: tuple[Axis, ...], of_interest: Mask) -> float:
    """Quasi-p of a restriction: how often a draw from the box without it is at least as dense."""
    inside, wider = box.holds(axes), box.without(name).holds(axes)
    hits = int((inside & of_interest).sum())
    rate = float(of_interest[wider].mean())
    return float(binomtest(hits, int(inside.sum()), rate, alternative="greater").pvalue)


def leaves(axes: tuple[Axis, ...], of_interest: Mask) -> list[Box]:
    """Leaves of a small classification tree (Breiman et al. 1984) in which most is of interest, the largest first."""
    found: list[Box] = []
    _grow(Box(), axes, of_interest, DEPTH, fewest(len(of_interest)), found)
    return sorted(found, key=lambda box: -int((box.holds(axes) & of_interest).sum()))


def _grow(box: Box, axes: tuple[Axis, ...], of_interest: Mask, depth: int, least: int, found: list[Box]) -> None:
    inside = box.holds(axes)
    split = _split(box, axes, of_interest, inside, least) if depth else None
    if split is not None:
        for half in split:
            _grow(half, axes, of_interest, depth - 1, least, found)
    elif of_interest[inside].mean() > max(0.5, of_interest.mean()):
        found.append(box)


def _split(box: Box, axes: tuple[Axis, ...], of_interest: Mask, inside: Mask, least: int) -> tuple[Box, Box] | None:
    """The question that leaves the least impurity (Gini) in the two halves of a box; None where none helps."""
    best: tuple[float, Box, Box] | None = None
    for axis in axes:
        values, here = axis.values[inside], of_interest[inside]
        if axis.number:
            order = np.argsort(values, kind="stable")
            ordered, hits = values[order].astype(np.float64), np.cumsum(here[order])
            cuts = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1
            left, right = hits[cuts - 1] if len(cuts) else np.empty(0), len(here)
            counts = cuts
        else:
            cuts = np.unique(values.astype(str))
            counts = np.array([(values == cut).sum() for cut in cuts])
            left, right = np.array([here[values == cut].sum() for cut in cuts]), len(here)
        if not len(cuts):
            continue
        rest, total = right - counts, int(here.sum())
        allowed = (counts >= least) & (rest >= least)
        if not allowed.any():
            continue
        impurity = np.full(len(cuts), np.inf)
        l_, n = left[allowed], counts[allowed]
        impurity[allowed] = l_ * (n - l_) / n + (total - l_) * (len(here) - n - total + l_) / (len(here) - n)
        at = int(np.argmin(impurity))
        if best is None or impurity[at] < best[0]:
            limit = box.limits.get(axis.name, Limit())
            if axis.number:
                cut = float((ordered[cuts[at] - 1] + ordered[cuts[at]]) / 2)
                halves = replace(limit, high=cut), replace(limit, low=cut)
            else:
                others = tuple(value for value in dict.fromkeys(values.tolist()) if value != cuts[at])
                halves = Limit(values=(str(cuts[at]),)), Limit(values=others)
            best = (float(impurity[at]), box.with_(axis.name, halves[0]), box.with_(axis.name, halves[1]))
    here_total, count = int(of_interest[inside].sum()), int(inside.sum())
    if best is None or best[0] >= here_total * (count - here_total) / count - 1e-9:
        return None
    return best[1], best[2]


def plain(box: Box) -> dict[str, Any]:
    """Limits as JSON has them: [low, high] with null where open, or a list of values."""
    return {
        name: list(limit.values)
        if limit.values is not None
        else [None if np.isinf(end) else end for end in (limit.low, limit.high)]
        for name, limit in box.limits.items()
    }
