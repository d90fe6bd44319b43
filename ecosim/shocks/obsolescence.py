"""Technological obsolescence: what firms work with, or what they sell, is overtaken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Hit
from ecosim.shocks.listening import require, since
from ecosim.shocks.shift import losses, market, move

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Obsolescence(Hit):
    """A new technology makes an old one worth less, for good.

    Equation, with s = severity x min(1, (t + 1) / spread_days) on day t since it began: where ``of`` is process, what
    a firm's automation is worth is multiplied by 1 - s (channel ``obsolescence``; ``automation`` listens, and without
    it the shock is refused); where it is product, the firm loses the share s of its customers' wants to firms of
    its market that were not hit, and where there are none, its customers stay (channel ``demand``; the core).
    """

    kind: Literal["obsolescence"] = "obsolescence"
    of: Literal["process", "product"] = "process"
    """What is overtaken: the way in which firms work, or what they sell."""
    spread_days: int = Field(default=180, ge=1, le=100_000)
    """Days until the new technology is everywhere."""

    writes: ClassVar[tuple[str, ...]] = ("obsolescence", "demand")

    @property
    def course(self) -> None:
        """It stays."""
        return

    def check(self, world: World, where: str) -> None:
        """Somebody must have technology."""
        if self.of == "process":
            require(world, "obsolescence", f"{where}.kind", "obsolete technology")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Devalue it today."""
        spread = strength * np.minimum((since(world, self.label) + 1.0) / self.spread_days, 1.0)
        if self.of == "process":
            world.sheet.multiply("obsolescence", rows, 1.0 - spread)
        else:
            others = np.ones(world.firms.rows, dtype=np.bool_)
            others[world.memory[self.label]["rows"]] = False
            move(world, losses(world, rows, spread), others, market(world))
