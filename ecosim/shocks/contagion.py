"""Contagion: what has struck one firm passes to others that it is in touch with, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ecosim.errors import InputError
from ecosim.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

NEVER = np.iinfo(np.int64).max


class Contagion(Part):
    """A firm that was struck passes it on for ``days`` days, with a chance for each day and each firm it touches.

    With m firms that pass it on among those that a firm is in touch with, it is struck the next day with chance
    1 - (1 - chance)^m; each strike of the shock is a wave of its own, in which a firm is struck once (the SIR model in
    discrete time: Reed & Frost, see Abbey 1952). Who is in touch is read from the economy at rest.
    """

    along: Literal["clients", "suppliers", "neighbours", "partners", "region", "sector", "customer"] = "clients"
    """To whom it passes: to the clients of a firm, to its suppliers, to both (neighbours), to its partners (with
    collaboration), or to all firms of its region, its sector or its community of customers."""
    chance: float = Field(default=0.05, gt=0, le=1)
    """Chance that it passes to a firm, for each day and each firm that passes it on."""
    days: int = Field(default=7, ge=1, le=100_000)
    """Days for which a firm passes it on, from the day on which it is struck."""
    reach_days: int | None = Field(default=None, ge=1)
    """Most days after the first strike of a wave on which it may still strike; null for no limit."""

    def spread(
        self, world: World, rows: Array, days: Array, stream: Stream, wave: int, where: str
    ) -> tuple[Array, Array]:
        """Rows and days, (k,) each, of the firms that it passes to from those struck on some days."""
        if not len(rows):
            return rows, days
        touched = self._touched(world, where)
        struck = np.full(world.firms.rows, NEVER)
        np.minimum.at(struck, rows, days)
        seeds = struck < NEVER
        today, end = int(days.min()), world.horizon - 1
        if self.reach_days is not None:
            end = min(end, today + self.reach_days)
        while today < end:
            passing = (struck <= today) & (today - self.days < struck)
            if not passing.any():
                later = struck[(struck > today) & seeds]
                if not (later < NEVER).any():
                    break
                today = int(later.min())
                continue
            sources = touched(passing)
            open_ = np.flatnonzero((sources > 0) & (struck == NEVER))
            with np.errstate(divide="ignore"):
                chance = -np.expm1(sources[open_] * np.log1p(-self.chance))
            struck[open_[stream.uniform(today, open_, draw=wave) < chance]] = today + 1
            today += 1
        reached = np.flatnonzero((struck < NEVER) & ~seeds)
        return reached, struck[reached]

    def _touched(self, world: World, where: str) -> Callable[[Array], Array]:
        """A function from who passes it on, (n,), to how many of them each firm is in touch with, (n,)."""
        plan = world.plan
        n = len(plan.firms)
        group = {"region": plan.firms.region, "sector": plan.firms.sector, "customer": plan.customer}.get(self.along)
        if group is not None:
            return lambda passing: np.bincount(group[passing], minlength=int(group.max()) + 1)[group]
        source, target = self._links(world, where)
        pair = np.unique(source.astype(np.int64) * n + target)
        source, target = pair // n, pair % n
        return lambda passing: np.bincount(target[passing[source]], minlength=n)

    def _links(self, world: World, where: str) -> tuple[Array, Array]:
        """Pairs of firms, from the first of which it passes to the second."""
        plan = world.plan
        if self.along == "partners":
            kept = world.memory.get("collaboration")
            if kept is None:
                raise InputError(
                    f"{where}.along: firms have no partners here; add {{kind: collaboration}} to mechanisms"
                )
            ptr = kept["ptr"]
            return np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)), kept["partner"]
        used = plan.flow > 0
        supplier, buyer = plan.supplier[used], plan.buyer[used]
        ends = {"clients": [(supplier, buyer)], "suppliers": [(buyer, supplier)]}
        both = ends.get(self.along, ends["clients"] + ends["suppliers"])
        return np.concatenate([pair[0] for pair in both]), np.concatenate([pair[1] for pair in both])
