"""A demand collapse: customers of some firms want less for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Spell

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class DemandCollapse(Spell):
    """Customers want less of some firms: a recession, tourists who stay away, a boycott.

    Equation, with s what is left of the severity: wants x (1 - s). What is not wanted is not bought elsewhere.
    Channel ``demand``; the core listens. With ``customers`` a firm feels 1/segments of it and shares the rest.
    """

    kind: Literal["demand_collapse"] = "demand_collapse"

    writes: ClassVar[tuple[str, ...]] = ("demand",)

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Take it off what customers want today."""
        world.sheet.multiply("demand", rows, 1.0 - strength)
