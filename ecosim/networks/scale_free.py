"""Those who have customers get more: a few hubs, many firms with hardly a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class ScaleFree(Network):
    """Word of mouth: buyers go to suppliers that already have many connections, so some become hubs.

    Firms open for business one by one while buyers, in random order, look for suppliers; P(j is chosen) is
    proportional to k_j^exponent, k_j its connections (suppliers and customers so far). With exponent 1 numbers of
    customers have a power-law tail (Barabási & Albert 1999); above it a few firms take ever more (Krapivsky, Redner
    & Leyvraz 2000). New links of 711,248 Hungarian firms follow k^1.08 (Reisch, Borsos & Thurner 2025). Firms open in
    the order of their rows; buyers come in any order, so trade runs in circles too, not only from old to young.
    """

    kind: Literal["scale_free"] = "scale_free"
    """Name of the structure."""
    exponent: float = Field(default=1.08, ge=0, le=2)
    """Power of preferential attachment (no unit); 0 is no preference."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        from ecosim.kernels.wiring import attach

        places = Places.of(firms, slots)
        links = len(places.buyer)
        demand = np.bincount(places.pool)
        first, size = np.zeros_like(demand), np.zeros_like(demand)
        first[places.pool], size[places.pool] = places.start, places.size
        order = rng.permutation(links)
        chosen = attach(
            order, rng.random(links), slots.ptr, places.buyer, places.pool,
            first, size, demand, places.members, self.exponent,
        )  # fmt: skip
        # The kernel leaves a slot empty where rounding or a used-up pool left it no firm.
        chosen = np.where(chosen < 0, places.anywhere(rng, slice(None)), chosen)

        def draw(some: Some) -> NDArray[np.int64]:
            return chosen[some]

        return places.fill(rng, draw)
