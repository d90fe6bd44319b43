"""Tiers: each buys from the tier above, the top tier from nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places, evenly, one_regime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Hierarchy(Network):
    """Importers supply wholesalers, wholesalers supply distributors, distributors supply shops.

    Firms stand in ``tiers``, the top one first, each ``widening`` times as large as the one above it; a firm buys
    evenly from the tier above its own, and the top tier has no suppliers (tiered supply networks: Lambert & Cooper
    2000; Choi & Hong 2002). With ``widening`` below 1 it is an assembler's pyramid: many makers of parts at the
    source, few finishers at the end. A tier with fewer firms than the next one has slots leaves some of them empty.
    Firms stand in order of size, the smallest at the top, equals in order of row: a large firm without suppliers
    could not be made up for by the rest of its sector. Where a sector is so small that the tier above has no firm in
    it, the nearest tier above that has one supplies.
    """

    kind: Literal["hierarchy"] = "hierarchy"
    """Name of the structure."""
    tiers: int = Field(default=4, ge=2, le=50)
    """Number of tiers, the top one included (tiers)."""
    widening: float = Field(default=2.0, ge=0.1, le=10)
    """Firms in a tier for each firm in the tier above (firms per firm)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        one_regime(slots, self.kind)
        places = Places.of(firms, slots, order=firms.size)
        above = self.tier_of(places.own, places.home) - 1
        high = self._top_of(above + 1, places.size)
        low = self._top_of(np.maximum(above, 0), places.size)
        while (hollow := (low == high) & (low > 0)).any():
            above = np.where(hollow, above - 1, above)
            low = np.where(hollow, self._top_of(above, places.size), low)

        def draw(some: Some) -> NDArray[np.int64]:
            return places.start[some] + low[some] + evenly(rng, high[some] - low[some])

        return places.fill(rng, draw, (places.start + low, places.start + high))

    def tier_of(self, position: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tier of the firm at a position of a pool of so many firms, 0 at the top."""
        tier = np.searchsorted(self._shares(), (position + 1e-6) / np.maximum(pool, 1), side="right") - 1
        return np.asarray(tier, np.int64)

    def _top_of(self, tier: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position at which a tier begins. Rounded up: the top tier is the last to have no firm in a small pool."""
        return np.ceil(pool * self._shares()[tier] - 1e-6).astype(np.int64)

    def _shares(self) -> NDArray[np.float64]:
        """Share of the firms above each tier, shape (tiers,)."""
        width = self.widening ** np.arange(self.tiers, dtype=np.float64)
        return (np.cumsum(width) - width) / width.sum()
