"""Skills: staff are trained to stand in for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class SkillsDevelopment(Measure):
    """Staff are trained to stand in for those who cannot come.

    Equation: a firm's level s rises by (1 - s) / ``training_days`` for each day of training paid for; what is
    missing of today's ``labour`` x (1 - ``gain`` s). It lasts: what people have learnt they keep when the policy is
    over, and lose only when the firm closes.

    Channel ``labour`` (workforce). Needs workforce.
    """

    kind: Literal["skills_development"] = "skills_development"
    gain: float = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Share of absent people's work that trained colleagues take over, beside what they could do before."""
    training_days: float = parameter(60.0, unit="days", source="assumption", low=1, high=3650)
    """Days of training after which 63 % is learnt."""
    cost: float = parameter(0.002, unit="share of output a day", source="assumption", low=0, high=1)
    """Trainers and hours."""

    needs: ClassVar[tuple[str, ...]] = ("workforce",)
    writes: ClassVar[tuple[str, ...]] = ("labour",)

    def keeps(self, world: World) -> dict[str, Array]:
        """How much each firm's people have learnt, 0 to 1."""
        return {"learnt": np.zeros(world.firms.rows)}

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Train for a day."""
        kept["learnt"][rows] += share * (1.0 - kept["learnt"][rows]) / self.training_days

    def last(self, world: World, kept: dict[str, Array]) -> None:
        """Let those who are trained stand in."""
        kept["learnt"] *= world.firms.alive
        rows = np.flatnonzero(kept["learnt"])
        if len(rows):
            world.sheet.cushion("labour", rows, self.gain * kept["learnt"][rows])
