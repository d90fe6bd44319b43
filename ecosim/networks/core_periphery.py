"""A core that supplies everybody, and a periphery that supplies hardly anyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places, evenly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class CorePeriphery(Network):
    """A few established firms trade with each other and supply the many small ones around them.

    The first ``core`` share of each pool is its core. A periphery firm buys from the core only; a core firm buys from
    the core, and with probability ``outward`` per link from the periphery (the ideal pattern of Borgatti & Everett
    2000: core with core and core with periphery, never periphery with periphery). A core too small to fill all slots
    is helped out by the periphery.
    """

    kind: Literal["core_periphery"] = "core_periphery"
    """Name of the structure."""
    core: float = Field(default=0.1, gt=0, lt=1)
    """Firms in the core (share of firms, 0-1; at least one firm)."""
    outward: float = Field(default=0.1, ge=0, le=1)
    """Links of a core firm that lead to the periphery (share of links, 0-1)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        core = self._core_of(places.size)
        central = places.own < self._core_of(places.home)
        out = central & (rng.random(len(core)) < self.outward) & (core < places.size)
        low = places.start + np.where(out, core, 0)
        width = np.where(out, places.size - core, core)

        def draw(some: Some) -> NDArray[np.int64]:
            return low[some] + evenly(rng, width[some])

        return places.fill(rng, draw, (low, low + width), overflow=True)

    def _core_of(self, pool: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of core firms in a pool of so many firms."""
        return np.minimum(pool, np.maximum(1, np.round(self.core * pool).astype(np.int64)))
