"""Protection of the firms that most others depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class SystemicProtection(Measure):
    """The firms that most others depend on are hardened: dykes, spare parts, standby power.

    Equation: what is missing today of their ``capacity`` x (1 - ``protection``), for those of ``who``: the ten with
    the most clients unless something else is said (``{top: 10, by: esri}`` takes those of whom the economy depends
    most, Diem et al. 2022, and costs more time to find out). What was never damaged needs no repair.

    Channels ``capacity`` (the core) and ``intact`` (recovery, where it is on).
    """

    kind: Literal["systemic_protection"] = "systemic_protection"
    who: Who = Who(top=10, by="clients")
    """Which firms; the ten with the most clients unless something else is said."""
    protection: float = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of damage that is kept off."""
    cost: float = parameter(0.005, unit="share of output a day", source="assumption", low=0, high=1)
    """Building, upkeep and interest."""

    writes: ClassVar[tuple[str, ...]] = ("capacity", "intact")

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Give back part of what is missing today."""
        for channel in self.writes:
            world.sheet.cushion(channel, rows, share * self.protection)
