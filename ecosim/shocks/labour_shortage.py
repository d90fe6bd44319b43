"""A labour shortage: part of the staff cannot come to work for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import labour

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class LabourShortage(Spell):
    """Staff are missing: illness, a strike, people who moved away.

    Equation: the share 1 - s of the staff comes to work, s being what is left of the severity. Channel ``labour``;
    ``workforce`` listens, where cross-trained staff, overtime and automation make up for a part. Without it nobody can
    stand in for anybody, and the shock takes the share s of capacity (channel ``capacity``, the core).
    """

    kind: Literal["labour_shortage"] = "labour_shortage"

    writes: ClassVar[tuple[str, ...]] = ("labour", "capacity")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Keep people at home today."""
        world.sheet.multiply(labour(world), rows, 1.0 - strength)
