"""A subsidy for second suppliers that are agreed beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class DiversificationSubsidy(Measure):
    """Firms are paid to keep second suppliers at hand, who can deliver soon after the first one fails.

    Equation: days until a new supplier delivers / (1 + ``speed_up``), and candidates seen in a search x (1 +
    ``reach``). The subsidy is a retainer, a share of purchases a day. What it leaves as it is: the number of links.
    That firms keep too few suppliers, because others profit as well from those they keep, is Elliott, Golub & Leduc
    (2022).

    Channels ``onboarding`` and ``search`` (sourcing). Needs sourcing.
    """

    kind: Literal["diversification_subsidy"] = "diversification_subsidy"
    speed_up: float = parameter(2.0, unit="1", source="assumption", low=0, high=100)
    """How much sooner a second supplier delivers: 2 makes it three times as fast."""
    reach: float = parameter(0.5, unit="1", source="assumption", low=0, high=20)
    """How many more candidates a firm has at hand, share of the usual."""
    cost: float = parameter(0.002, unit="share of output a day", source="assumption", low=0, high=1)
    """Retainers, audits, samples."""

    needs: ClassVar[tuple[str, ...]] = ("sourcing",)
    writes: ClassVar[tuple[str, ...]] = ("onboarding", "search")
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Write today's channels."""
        world.sheet.multiply("onboarding", rows, 1.0 + share * self.speed_up)
        world.sheet.multiply("search", rows, 1.0 + share * self.reach)
