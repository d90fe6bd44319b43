"""Links guessed from sizes: big firms supply many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Reconstructed(Network):
    """The best guess at an unseen network when only sizes are known: a supplier is chosen in proportion to its size.

    P(j supplies i) = s_j^exponent / sum of s^exponent over the pool, s the size of the firm: the fitness or gravity
    model of Caldarelli, Capocci, De Los Rios & Muñoz 2002, used to reconstruct networks from partial data (Squartini,
    Caldarelli, Cimini, Gabrielli & Garlaschelli 2018). Over an input-output table and heavy-tailed sizes it gives
    the sectors' flows and heavy-tailed numbers of customers.
    """

    kind: Literal["reconstructed"] = "reconstructed"
    """Name of the structure."""
    exponent: float = Field(default=1.0, ge=0, le=3)
    """Elasticity of the number of customers with respect to size (no unit); 0 makes it random."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        weight = (firms.size / firms.size.max(initial=1.0)) ** self.exponent
        sums = np.concatenate([[0.0], np.cumsum(weight[places.members])])
        end = places.start + places.size
        low, span = sums[places.start], sums[end] - sums[places.start]

        def draw(some: Some) -> NDArray[np.int64]:
            target = low[some] + rng.random(len(low[some])) * span[some]
            place = np.searchsorted(sums, target, side="right") - 1
            return np.asarray(np.minimum(np.maximum(place, places.start[some]), end[some] - 1), np.int64)

        return places.fill(rng, draw)
