"""A loss of reputation: customers turn away from some firms, and some of them buy at rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.shift import losses, market, move

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Reputation(Spell):
    """A scandal, a recall, a bad review that everybody reads: customers turn away, and slowly come back.

    Equation: the firm loses the share s of its customers' wants, s being what is left of the severity; rivals of its
    market (its sector in its community) gain ``to_rivals`` of that, in proportion to their usual sales. Channel
    ``demand``; the core listens. Clients among firms stay: they know their supplier.
    """

    kind: Literal["reputation"] = "reputation"
    days: int = Field(default=7, ge=1, le=100_000)
    """Days at full strength."""
    ease: int = Field(default=60, ge=0, le=100_000)
    """Days over which it eases off afterwards."""
    to_rivals: float = Field(default=0.8, ge=0, le=1)
    """Share of those who turn away that buys at a rival; the others go without. An assumption: what is bought is
    mostly needed."""

    writes: ClassVar[tuple[str, ...]] = ("demand",)

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Move what customers want today."""
        everyone = np.ones(world.firms.rows, dtype=np.bool_)
        move(world, losses(world, rows, strength), everyone, market(world), self.to_rivals)
