"""History matching: rule out the factors whose worlds cannot show what was observed (Vernon, Goldstein & Bower 2010).

Everything is on the unit cube, a column a factor. Luck comes in twice: the mean of a point is known only so far, and
the one world that was observed had a luck of its own (Andrianakis et al. 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim.study.emulator import MOST_POINTS, Emulator, fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecosim.study.spec import Target

    type Array = NDArray[np.float64]

CUTOFF = 3.0  # implausibility above which a point is ruled out: the three-sigma rule (Pukelsheim 1994)
CANDIDATES = 13  # power of two
WALKERS, STEPS, BURN = 60, 600, 200
STRETCH = 2.0  # of a move of the ensemble (Goodman & Weare 2010)


@dataclass(frozen=True)
class Luck:
    """Variance among the replicates of a point, in the outcome's unit squared."""

    own: float
    """Of a run around its point and its replicate."""
    shared: float
    """Of a replicate, the same at all points, since all have its luck; more points do not average it out."""
    replicates: int

    @classmethod
    def of(cls, runs: Array) -> Luck:
        """Estimate from runs, shape (points, replicates), without gaps: a two-way analysis of variance."""
        points, replicates = runs.shape
        around = runs - runs.mean(axis=1, keepdims=True)
        common = around.mean(axis=0)
        own = float(((around - common) ** 2).sum()) / max((points - 1) * (replicates - 1), 1)
        shared = max(float((common**2).sum()) / (replicates - 1) - own / points, 0.0)
        return cls(own, shared, replicates)


@dataclass(frozen=True)
class Match:
    """One target, and the emulator of its outcome."""

    target: Target
    emulator: Emulator
    luck: Luck

    @classmethod
    def of(cls, target: Target, unit: Array, runs: Array) -> Match:
        """Fit to runs, shape (points, replicates), at the points ``unit``, shape (points, factors)."""
        luck = Luck.of(runs)
        some = slice(-MOST_POINTS, None)  # the last waves are nearest to what was observed
        noise = np.full(len(runs), luck.own / luck.replicates)[some]
        return cls(target, fit(unit[some], runs.mean(axis=1)[some], noise), luck)

    @property
    def observed(self) -> float:
        """Variance of what was observed around the mean of its world."""
        of_one = self.luck.own + self.luck.shared if self.target.one_world else 0.0
        return self.target.sd**2 + of_one

    def at(self, places: Array) -> tuple[Array, Array]:
        """Mean outcome at ``places``, and the variance of the observation around it: two of (places,)."""
        mean, variance = self.emulator.at(places)
        return mean, variance + self.luck.shared / self.luck.replicates + self.observed


def implausibility(matches: list[Match], places: Array) -> Array:
    """Largest distance of a target from what ``places`` show, in standard deviations, shape (places,)."""
    worst = np.zeros(len(places))
    for match in matches:
        mean, variance = match.at(places)
        worst = np.maximum(worst, np.abs(match.target.value - mean) / np.sqrt(variance))
    return worst


def likelihood(matches: list[Match], places: Array) -> Array:
    """Log likelihood of all targets, taken as independent and normal, shape (places,)."""
    total = np.zeros(len(places))
    for match in matches:
        mean, variance = match.at(places)
        total -= (match.target.value - mean) ** 2 / (2 * variance) + np.log(variance) / 2
    return total


def candidates(columns: int, seed: int) -> Array:
    """Evenly spread places in the unit cube, shape (8192, columns)."""
    from scipy.stats import qmc

    rng = np.random.Generator(np.random.Philox(seed))
    return np.asarray(qmc.Sobol(d=columns, rng=rng).random_base2(CANDIDATES))


def next_points(matches: list[Match], count: int, there: Array, seed: int) -> tuple[Array, float]:
    """Points for the next wave, spread over what is not ruled out yet; and the share of the cube that is that.

    Fewer, or none, where hardly anything is left.
    """
    spread = candidates(there.shape[1], seed)
    far = implausibility(matches, spread)
    share = float((far < CUTOFF).mean())
    left = spread[far < CUTOFF]
    if len(left) < 4 * count:

        def near(places: Array) -> Array:
            return -2 * np.maximum(implausibility(matches, places) ** 2 - CUTOFF**2, 0.0)

        walked = walk(near, spread[np.argsort(far)[:WALKERS]], seed)
        left = np.concatenate((left, walked[implausibility(matches, walked) < CUTOFF]))
    return _apart(left, there, count), share


def _apart(left: Array, there: Array, count: int) -> Array:
    """Pick, one by one, the place farthest from all picked and lived so far."""
    if not len(left):
        return left
    nearest = np.min([((left - one) ** 2).sum(axis=1) for one in there], axis=0)
    picked: list[int] = []
    for _ in range(min(count, len(left))):
        picked.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, ((left - left[picked[-1]]) ** 2).sum(axis=1))
    return left[picked]


def posterior(matches: list[Match], columns: int, seed: int) -> Array:
    """Draws from the unit cube by the likelihood of the targets, all of it as likely before, shape (draws, columns)."""
    spread = candidates(columns, seed)
    level = likelihood(matches, spread)
    start = spread[np.argsort(level)[::-1][:WALKERS]]
    return walk(lambda places: likelihood(matches, places), start, seed)


def walk(density: Callable[[Array], Array], start: Array, seed: int) -> Array:
    """Draws by a log ``density`` in the unit cube, by walkers that stretch toward each other (Goodman & Weare 2010).

    ``start`` has shape (walkers, columns); what is returned has shape (draws, columns).
    """
    rng = np.random.Generator(np.random.Philox(seed + 1))
    walkers = np.clip(start + 1e-3 * rng.standard_normal(start.shape), 1e-6, 1 - 1e-6)
    level = density(walkers)
    half = len(walkers) // 2
    halves = np.arange(half), np.arange(half, len(walkers))
    kept = []
    for step in range(STEPS):
        for own, others in (halves, halves[::-1]):
            with_ = walkers[rng.choice(others, size=len(own))]
            z = ((STRETCH - 1) * rng.random(len(own)) + 1) ** 2 / STRETCH
            new = with_ + z[:, None] * (walkers[own] - with_)
            inside = ((new >= 0) & (new <= 1)).all(axis=1)
            there = np.full(len(own), -np.inf)
            if inside.any():
                there[inside] = density(new[inside])
            accepted = np.log(rng.random(len(own))) < (walkers.shape[1] - 1) * np.log(z) + there - level[own]
            walkers[own[accepted]], level[own[accepted]] = new[accepted], there[accepted]
        if step >= BURN and step % 4 == 0:
            kept.append(walkers.copy())
    return np.concatenate(kept)
