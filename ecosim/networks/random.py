"""Any firm buys from any: suppliers drawn evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Random(Network):
    """Every firm picks its suppliers blindly: no clusters, no hubs, no distance; the yardstick for the others.

    P(j supplies i) = 1 / pool. Every firm has its given number of suppliers; numbers of customers are binomial
    (Erdős & Rényi 1959, with in-degrees fixed).
    """

    kind: Literal["random"] = "random"
    """Name of the structure."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)

        def draw(some: Some) -> NDArray[np.int64]:
            return places.anywhere(rng, some)

        return places.fill(rng, draw)
