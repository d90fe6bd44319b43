"""A local-sourcing programme: who looks for a supplier looks next door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class LocalSourcing(Measure):
    """Firms that look for a supplier look in their own region first.

    Equation: share of candidates sought elsewhere x (1 - ``shift``). Trade comes nearer as relations end and others
    begin, so it takes time; a shock that hits the region then hits its suppliers as well, and whether nearer is
    safer is what the model is asked.

    Channel ``elsewhere`` (sourcing). Needs sourcing.
    """

    kind: Literal["local_sourcing"] = "local_sourcing"
    shift: float = parameter(0.8, unit="share", source="assumption", low=0, high=1)
    """Share of the candidates sought elsewhere who are sought at home instead."""
    cost: float = parameter(0.0005, unit="share of output a day", source="assumption", low=0, high=1)
    """Fairs, catalogues, advice."""

    needs: ClassVar[tuple[str, ...]] = ("sourcing",)
    writes: ClassVar[tuple[str, ...]] = ("elsewhere",)

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Write today's channel."""
        world.sheet.multiply("elsewhere", rows, 1.0 - share * self.shift)
