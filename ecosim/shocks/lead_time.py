"""Longer lead times: what firms have ordered takes longer to arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class LeadTime(Spell):
    """Goods are longer on the road to some firms: a blocked port, a strike of hauliers, checks at a border.

    Equation: of what is on its way to a firm, the share 1 / (1 + extra_days x s) arrives each day, so that goods take
    1 + extra_days x s days in the mean, s being what is left of the severity. None is lost. Two delays at once
    multiply, as goods wait for the one and then for the other. Channel ``delivery``; the core listens.
    """

    kind: Literal["lead_time"] = "lead_time"
    extra_days: float = Field(default=7.0, ge=0, le=10_000)
    """Mean days that goods take longer at severity 1."""

    writes: ClassVar[tuple[str, ...]] = ("delivery",)

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Hold goods back today."""
        world.sheet.multiply("delivery", rows, 1.0 / (1.0 + self.extra_days * strength))
