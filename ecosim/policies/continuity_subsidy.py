"""A subsidy for continuity plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class ContinuitySubsidy(Policy):
    """Firms that have no good continuity plan are paid to make one.

    Equation: quality of the plan rises to ``quality``, once for each firm, for ``cost`` days of output in
    proportion to what is added. The plan stays when the policy ends, and its upkeep is the firm's own affair
    (continuity). What belongs into a plan is ISO 22301:2019.

    Column ``plan_quality`` (continuity), as when firms invest in it. Needs continuity.
    """

    kind: Literal["continuity_subsidy"] = "continuity_subsidy"
    quality: float = parameter(0.6, unit="share", source="assumption", low=0, high=1)
    """Quality of a subsidised plan: share of a loss that it replaces when it works."""
    cost: float = parameter(1.0, unit="days of output", source="assumption", low=0, high=100)
    """Cost of a plan of quality 1: staff time and advice."""

    needs: ClassVar[tuple[str, ...]] = ("continuity",)

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Those whose plan is not as good."""
        return rows[world.firms.plan_quality[rows] < self.quality]

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Cost of what is added."""
        added = self.quality - world.firms.plan_quality[rows]
        return np.asarray(self.cost * added * world.firms.output[rows])

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Improve plans."""
        plan = world.firms.plan_quality
        plan[rows] = plan[rows] + share * (self.quality - plan[rows]) if share < 1.0 else self.quality
