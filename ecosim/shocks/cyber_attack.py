"""A cyber attack: computer systems of some firms stand still for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class CyberAttack(Spell):
    """Ransomware, a worm, a stolen password: systems stand still until they are cleaned up.

    Equation: the share 1 - s of computer systems works, s being what is left of the severity. Channel ``cyber``;
    ``automation`` listens: the more automated and the worse protected a firm is, the more it loses. Without it every
    firm depends on its systems in full, and the shock takes the share s of capacity (channel ``capacity``, the core).
    """

    kind: Literal["cyber_attack"] = "cyber_attack"
    days: int = Field(default=7, ge=1, le=100_000)
    """Days at full strength."""
    ease: int = Field(default=14, ge=0, le=100_000)
    """Days over which it eases off afterwards."""

    writes: ClassVar[tuple[str, ...]] = ("cyber", "capacity")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Stop systems today."""
        channel = "cyber" if "cyber" in world.sheet.channels else "capacity"
        world.sheet.multiply(channel, rows, 1.0 - strength)
