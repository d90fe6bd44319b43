"""Firms stand in a circle and buy from those just before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Ring(Network):
    """A chain closed to a circle: each firm buys from the one before it, and with k suppliers from the k before it.

    Firm i buys from i-1, i-2, ..., i-k (mod pool). All firms are alike, none is big: the structure in which shocks
    to single firms average out best (Acemoglu, Carvalho, Ozdaglar & Tahbaz-Salehi 2012). Between two sectors a firm
    buys from those before the position that is its own position carried over.
    """

    kind: Literal["ring"] = "ring"
    """Name of the structure."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        turn, _ = places.turns()
        back = places.seat - 1 - turn
        wish = places.start + back % np.maximum(places.size, 1)

        def draw(some: Some) -> NDArray[np.int64]:
            return wish[some]

        return places.fill(rng, draw)
