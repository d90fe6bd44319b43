"""A wage subsidy: short-time work, the state pays people whom firms have no work for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class WageSubsidy(Policy):
    """Short-time work: the state pays part of the wages of people for whom there is no work.

    Equation: subsidy = ``rate`` x wages paid yesterday x (1 - production / output), to firms below ``need.below``
    of usual output. It follows the wages that were really paid, so it keeps no job by itself: it saves the firm's
    cash. That short-time work saves jobs in firms that lack cash was measured by Giupponi & Landais (2023).

    Acts through money alone. Needs finance.
    """

    kind: Literal["wage_subsidy"] = "wage_subsidy"
    need: Need = Need(below=0.9)
    """In what state a firm gets it; below 90 % of usual output unless something else is said."""
    rate: float = parameter(
        0.6, unit="share of wages for lost hours", source="German Social Code III, section 105: 60 %", low=0, high=1
    )
    """Share of the wages for lost hours that is paid."""

    needs: ClassVar[tuple[str, ...]] = ("finance",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Part of yesterday's wages."""
        firms = world.firms.columns
        made = np.divide(firms["production"][rows], firms["output"][rows])
        return np.asarray(self.rate * firms["wages"][rows] * np.maximum(1.0 - made, 0.0))

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Nothing but the payment."""
