"""A few hubs supply everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Star(Network):
    """Every firm depends on the same hubs: one wholesaler, one platform, one port; with k suppliers there are k hubs.

    Firm i buys from the firms 0, ..., k-1 of the pool. A hub, which cannot supply itself, buys from the other hubs
    and fills the slot left over from a firm that is none: hub h from firm k+h. The structure in which a shock to one
    firm never averages out (Acemoglu, Carvalho, Ozdaglar & Tahbaz-Salehi 2012).
    """

    kind: Literal["star"] = "star"
    """Name of the structure."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        hub, hubs = places.turns()
        itself = places.inside & (hub == places.own)
        hub = np.where(itself, hubs + places.own, hub)
        wish = places.start + hub % np.maximum(places.size, 1)

        def draw(some: Some) -> NDArray[np.int64]:
            return wish[some]

        return places.fill(rng, draw)
