"""Clusters that trade mostly within themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places, evenly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Modular(Network):
    """Industrial districts: firms buy inside their own cluster, and a given share of links leads out of it.

    Firms are cut by position into ``modules`` clusters of equal size; a supplier is drawn evenly from the rest of the
    pool with probability ``mixing``, otherwise evenly from the buyer's cluster (mixing parameter of Lancichinetti,
    Fortunato & Radicchi 2008). A cluster too small to fill all slots is helped out by the others.
    """

    kind: Literal["modular"] = "modular"
    """Name of the structure."""
    modules: int = Field(default=10, ge=1, le=100_000)
    """Number of clusters (clusters)."""
    mixing: float = Field(default=0.1, ge=0, le=1)
    """Share of links that lead out of the buyer's cluster (share of links, 0-1)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        module = places.own * self.modules // places.home
        low = -(-module * places.size // self.modules)
        width = -(-(module + 1) * places.size // self.modules) - low
        # Where the cluster has no firm in the pool, the one at the buyer's own position stands in for it.
        low, width = np.where(width > 0, low, places.seat), np.maximum(width, 1)
        out = (rng.random(len(low)) < self.mixing) & (width < places.size)

        def draw(some: Some) -> NDArray[np.int64]:
            inside, outside = width[some], places.size[some] - width[some]
            step = evenly(rng, np.where(out[some], outside, inside))
            return places.start[some] + np.where(
                out[some], (low[some] + inside + step) % np.maximum(places.size[some], 1), low[some] + step
            )

        first = places.start + np.where(out, 0, low)
        window = first, np.minimum(first + np.where(out, places.size, width), places.start + places.size)
        return places.fill(rng, draw, window, overflow=True)
