"""Shocks that theories are written for: independent draws for every firm and day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.shocks.shock import Shock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.rng import Stream
    from ecosim.state import World


class Noise(Shock):
    """Demand of every firm, day by day, is its usual one times 1 + sd x a standard normal, and never negative."""

    kind: Literal["ecosim.validation.jolts:Noise"] = "ecosim.validation.jolts:Noise"
    sd: float = 0.05
    """Standard deviation, share."""

    def apply(self, world: World, rng: Stream) -> None:
        """Draw today's demand."""
        rows = np.arange(world.firms.rows)
        world.sheet.multiply("demand", rows, np.maximum(1.0 + self.sd * rng.normal(world.day, rows), 0.0))


class Jolts(Shock):
    """Capacity of every firm, day by day, is its usual one times 1 - depth x a uniform draw from 0 to 1."""

    kind: Literal["ecosim.validation.jolts:Jolts"] = "ecosim.validation.jolts:Jolts"
    depth: float = 0.1
    """Largest loss, share of capacity."""
    together: float = 0.0
    """Correlation of the draws of two firms, 0 to 1."""

    def apply(self, world: World, rng: Stream) -> None:
        """Draw today's losses: each firm has the common one with probability sqrt(together), else one of its own."""
        world.sheet.multiply("capacity", np.arange(world.firms.rows), 1.0 - self.losses(world, rng))

    def losses(self, world: World, rng: Stream) -> NDArray[np.float64]:
        """Losses of today, share of capacity, shape (n,)."""
        rows = np.arange(world.firms.rows)
        own, common = rng.uniform(world.day, rows), rng.uniform(world.day, 0, draw=1)
        shares = rng.uniform(world.day, rows, draw=2) < np.sqrt(self.together)
        lost: NDArray[np.float64] = self.depth * np.where(shares, common, own)
        return lost


class Claims(Shock):
    """Rent of every firm is due only on the day of an accident, of exponential size."""

    kind: Literal["ecosim.validation.jolts:Claims"] = "ecosim.validation.jolts:Claims"
    chance: float = 0.5
    """Probability of an accident on a day."""
    mean: float = 1.0
    """Mean size of an accident, share of the usual rent."""

    def apply(self, world: World, rng: Stream) -> None:
        """Draw today's accidents."""
        rows = np.arange(world.firms.rows)
        world.sheet.multiply("rent", rows, self.sizes(rng, world.day, rows))

    def sizes(self, rng: Stream, day: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What accidents of a day cost each firm, share of the usual rent, shape of ``rows``; mostly 0."""
        size = -self.mean * np.log1p(-rng.uniform(day, rows))
        return np.where(rng.uniform(day, rows, draw=1) < self.chance, size, 0.0)
