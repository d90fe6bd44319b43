"""Goods flow one way: no firm ever supplies its own suppliers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.networks.wiring import Network, Places, evenly, one_regime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Acyclic(Network):
    """Goods flow in one direction, from raw material to shop counter, and never come back.

    Firms stand in one order, the smallest first and equals in order of row (a large firm without suppliers could not
    be made up for by the rest of its sector), and buy evenly from those before them (cascade model of Cohen & Newman
    1985, with the number of suppliers kept). The first firms have fewer suppliers than slots, the very first none.
    Firms of different sectors are ordered by their rank in their own sector, as a share of it, ties by sector: firm
    q of m_b may buy from firm p of m_a if p / m_a < q / m_b.
    """

    kind: Literal["acyclic"] = "acyclic"
    """Name of the structure."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        one_regime(slots, self.kind)
        places = Places.of(firms, slots, order=firms.size)
        scaled = places.own * places.size
        ahead = scaled // places.home
        tie_won = (scaled % places.home > 0) | (~places.anyone & (slots.product < firms.sector[places.buyer]))
        ahead = np.minimum(ahead + tie_won, places.size)

        def draw(some: Some) -> NDArray[np.int64]:
            return places.start[some] + evenly(rng, ahead[some])

        return places.fill(rng, draw, (places.start, places.start + ahead))
