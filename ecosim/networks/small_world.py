"""Neighbours on a circle, and some shortcuts across it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class SmallWorld(Network):
    """Local trade with a few far contacts: firms buy from their neighbours, and now and then from across the country.

    Firms stand on a circle and buy from the nearest on either side (before, after, second before, second after, ...);
    each supplier is exchanged with probability ``rewiring`` for one drawn evenly from the pool (Watts & Strogatz
    1998, with directed links and the number of suppliers kept). A few shortcuts make all firms near one another while
    the neighbourhoods stay tightly knit.
    """

    kind: Literal["small_world"] = "small_world"
    """Name of the structure."""
    rewiring: float = Field(default=0.1, ge=0, le=1)
    """Probability that a supplier is a shortcut (share of links, 0-1)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        # Steps from the own position: -1, 1, -2, 2, ...; in another pool the position itself is free: 0, -1, 1, ...
        turn, _ = places.turns()
        step = turn + places.inside
        step = np.where(step % 2 == 1, -1, 1) * ((step + 1) // 2)
        lattice = places.start + (places.seat + step) % np.maximum(places.size, 1)
        shortcut = rng.random(len(lattice)) < self.rewiring

        def draw(some: Some) -> NDArray[np.int64]:
            return np.where(shortcut[some], places.anywhere(rng, some), lattice[some])

        return places.fill(rng, draw, yields=shortcut)
