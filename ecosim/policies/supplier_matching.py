"""A supplier-matching platform: who looks for a supplier sees more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class SupplierMatching(Measure):
    """A platform on which firms that look for a supplier see more candidates.

    Equation: candidates seen in a search x (1 + ``reach``). Cheaper search widens the choice of suppliers (Bernard,
    Moxnes & Saito 2019, when a fast train made visits cheaper). It costs as long as it is open, and helps only
    those who search.

    Channel ``search`` (sourcing). Needs sourcing.
    """

    kind: Literal["supplier_matching"] = "supplier_matching"
    reach: float = parameter(2.0, unit="1", source="assumption", low=0, high=20)
    """How many more candidates a firm sees, share of the usual."""
    cost: float = parameter(0.0002, unit="share of output a day", source="assumption", low=0, high=1)
    """Running the platform."""

    needs: ClassVar[tuple[str, ...]] = ("sourcing",)
    writes: ClassVar[tuple[str, ...]] = ("search",)

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Write today's channel."""
        world.sheet.multiply("search", rows, 1.0 + share * self.reach)
