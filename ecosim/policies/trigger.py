"""When a policy begins: a day, a shock, an indicator, or an early warning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ecosim.errors import InputError, hint
from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

INDICATORS = ("after", "output_below", "closed_above", "stock_below", "warning")
MEMORY = "policy: "  # how the place of a policy in the world's memory begins
NEVER = -1


class Trigger(Part):
    """A policy begins from ``day`` on, as soon as any of the indicators given says so; at once where none is given.

    Indicators are those of the firms that the policy is for, as of last evening.
    """

    day: int = Field(default=0, ge=0, le=100_000)
    """First day on which it can begin."""
    after: str | None = None
    """Name of a shock, or of a policy listed before: it begins when that one strikes or begins."""
    output_below: float | None = Field(default=None, gt=0, le=1)
    """Output below this share of the usual."""
    closed_above: float | None = Field(default=None, ge=0, lt=1)
    """More than this share of firms out of business."""
    stock_below: float | None = Field(default=None, gt=0, le=1)
    """Stocks of inputs below this share of what firms aim at."""
    warning: float | None = Field(default=None, gt=0, lt=1)
    """Early warning above this level, 0 to 1: output swings, and remembers the day before (Scheffer et al. 2009). It is
    min(1, standard deviation / swing) x lag-1 autocorrelation, over about ``watch_days`` days."""
    swing: float = Field(default=0.01, gt=0, le=10)
    """Standard deviation of output, share of the usual, at which the early warning is full."""
    watch_days: float = Field(default=28.0, ge=2, le=3650)
    """Days over which the early warning is looked for."""

    def check(self, world: World, where: str) -> None:
        """Raise InputError for a name that is neither a shock nor a policy listed before."""
        if self.after is None:
            return
        known = [
            name.removeprefix(MEMORY) for name, kept in world.memory.items() if "origin" in kept or "state" in kept
        ]
        if self.after not in known:
            listed = f"; {hint(self.after, known)}" if known else ""
            raise InputError(
                f"{where}.after: no shock, and no policy listed before, is named {self.after!r}{listed}; "
                "name one, or give a day"
            )

    def says(self, world: World, rows: Array, watched: Array) -> bool:
        """Whether to begin today; ``watched`` (4,) is what the early warning remembers, in place."""
        alarm = 0.0 if self.warning is None else self._watch(world, rows, watched)
        if world.day < self.day:
            return False
        if not any(getattr(self, name) is not None for name in INDICATORS):
            return True
        return (
            (self.warning is not None and alarm > self.warning)
            or (self.after is not None and _has_begun(world, self.after))
            or (self.output_below is not None and _output(world, rows) < self.output_below)
            or (self.closed_above is not None and _closed(world, rows) > self.closed_above)
            or (self.stock_below is not None and _stock(world, rows) < self.stock_below)
        )

    def _watch(self, world: World, rows: Array, watched: Array) -> float:
        """Today's early warning; moments fade exponentially, as in the mechanism continuity."""
        mean, last, variance, covariance = watched.tolist()
        fading = 2.0 / (self.watch_days + 1.0)
        off = _output(world, rows) - 1.0 - mean
        mean += fading * off
        variance = (1.0 - fading) * (variance + fading * off * off)
        covariance = (1.0 - fading) * (covariance + fading * off * last)
        watched[:] = mean, off, variance, covariance
        if variance <= 1e-24:
            return 0.0
        return float(min(1.0, variance**0.5 / self.swing) * min(max(covariance / variance, 0.0), 1.0))


def _has_begun(world: World, name: str) -> bool:
    """Whether a shock has struck somebody, or a policy has begun."""
    policy = world.memory.get(f"{MEMORY}{name}")
    if policy is not None:
        return bool(policy["state"][0] != NEVER)
    kept = world.memory[name]
    return bool(((kept["day"] <= world.day) & (kept["first"] > 0.0)).any())


def _output(world: World, rows: Array) -> float:
    firms = world.firms.columns
    usual = float(firms["output"][rows].sum())
    return float(firms["production"][rows].sum()) / usual if usual > 0.0 else 1.0


def _closed(world: World, rows: Array) -> float:
    alive = world.firms.columns.get("alive")
    return 0.0 if alive is None else float((alive[rows] <= 0.0).mean())


def _stock(world: World, rows: Array) -> float:
    links, firms = world.links, world.firms
    theirs = np.zeros(firms.rows)
    theirs[rows] = 1.0
    weight = theirs[links.buyer]
    aim = float((weight * links.flow * firms.inventory_days[links.buyer]).sum())
    return float((weight * links.stock).sum()) / aim if aim > 0.0 else 1.0
