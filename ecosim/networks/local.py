"""Firms buy nearby: the chance of a link falls with distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places, evenly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some

CELLS = 48  # across the map at most: 48^4 pairs of cells are weighed for each pool
PROPOSALS = 32


class Local(Network):
    """The neighbourhood economy: a bakery buys from the mill in its own valley rather than from one far away.

    P(j supplies i) is proportional to exp(-d_ij / reach), d_ij the distance in kilometres (spatial interaction:
    Wilson 1971; suppliers of Japanese firms are near by: Bernard, Moxnes & Saito 2019). Drawn exactly, by rejection,
    as long as ``reach`` is not far below 1/48 of the width of the map; below that the finest detail is lost.
    """

    kind: Literal["local"] = "local"
    """Name of the structure."""
    reach: float = Field(default=20.0, gt=0, le=20_000)
    """Distance over which the chance of a link falls to 37 % (km)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        grid = _Grid.over(firms.x, firms.y, self.reach)
        # Ordered by cell, so that the next firm in the pool, the fall-back, is a near one too.
        places = Places.of(firms, slots, order=grid.cell)
        every = np.arange(len(places.pool))

        def draw(some: Some) -> NDArray[np.int64]:
            slot = every[some]
            order = np.argsort(places.pool[slot], kind="stable")
            place = places.start[slot]
            for part in np.split(order, np.flatnonzero(np.diff(places.pool[slot[order]])) + 1):
                if len(part) and places.size[slot[part[0]]] > 0:
                    place[part] = self._nearby(firms, grid, places, slot[part], rng)
            return place

        return places.fill(rng, draw)

    def _nearby(
        self, firms: Firms, grid: _Grid, places: Places, slot: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """A place for each of these slots of one pool.

        A cell is drawn by its firms and the least distance it can have to the buyer's cell, a firm evenly from the
        cell; it is accepted with the ratio of the kernel at its true distance to the kernel at the least one.
        """
        start = int(places.start[slot[0]])
        pool = places.members[start : start + int(places.size[slot[0]])]
        occupied, first, count = np.unique(grid.cell[pool], return_index=True, return_counts=True)
        buyer = places.buyer[slot]
        present = np.bincount(grid.cell[buyer]) > 0
        row = (np.cumsum(present) - 1)[grid.cell[buyer]]
        gap = grid.gap(np.flatnonzero(present), occupied)
        # Measured from the nearest occupied cell, so that a lonely buyer's weights do not vanish.
        sums = np.cumsum(count * np.exp((gap.min(axis=1, keepdims=True) - gap) / self.reach), axis=1)
        steps = (sums / sums[:, -1:] + np.arange(len(sums))[:, None]).ravel()

        place = np.empty(len(slot), np.int64)
        open_ = np.arange(len(slot))
        for _ in range(PROPOSALS):
            at = row[open_]
            column = np.searchsorted(steps, at + rng.random(len(open_)), side="right") - at * len(occupied)
            column = np.minimum(column, len(occupied) - 1)
            pick = first[column] + evenly(rng, count[column])
            place[open_] = start + pick
            apart = np.hypot(firms.x[buyer[open_]] - firms.x[pool[pick]], firms.y[buyer[open_]] - firms.y[pool[pick]])
            accepted = rng.random(len(open_)) < np.exp((gap[at, column] - apart) / self.reach)
            open_ = open_[~accepted]
            if not len(open_):
                break
        return place


@dataclass(frozen=True)
class _Grid:
    """Square cells over the map, numbered row by row, every other row backwards: the next cell is a neighbour."""

    cell: NDArray[np.int64]
    columns: int
    side: float

    @classmethod
    def over(cls, x: NDArray[np.float64], y: NDArray[np.float64], reach: float) -> _Grid:
        """Cells half a reach wide, wider where the map is so large that there would be too many."""
        if not len(x):
            return cls(np.empty(0, np.int64), 1, reach)
        side = max(max(np.ptp(x), np.ptp(y)) / (CELLS - 0.5), reach / 2)
        column, row = ((x - x.min()) / side).astype(np.int64), ((y - y.min()) / side).astype(np.int64)
        columns = int(column.max()) + 1
        return cls(row * columns + np.where(row % 2 == 0, column, columns - 1 - column), columns, side)

    def gap(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Least distance (km) between points of two cells, shape (len(one), len(other))."""
        across, down = (
            np.maximum(np.abs(a[:, None] - b) - 1, 0) for a, b in zip(self._where(one), self._where(other), strict=True)
        )
        return np.asarray(self.side * np.hypot(across, down), np.float64)

    def _where(self, cell: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        row, column = np.divmod(cell, self.columns)
        return np.where(row % 2 == 0, column, self.columns - 1 - column), row
