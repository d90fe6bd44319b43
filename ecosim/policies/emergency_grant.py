"""An emergency grant: cash for firms that were hit, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class EmergencyGrant(Policy):
    """Cash for firms that were hit, once each, as soon as they are in need.

    Equation: grant = ``costs`` x (usual output - usual profit), to each firm once; ``need`` says who (struck by a
    shock, unless something else is said). A firm that has more cash than it aims at gives it to its owners, as
    always: that part of a grant is deadweight. That grants to small firms after a disaster speed up their recovery
    was measured by de Mel, McKenzie & Woodruff (2012), most in retail trade.

    Acts through money alone (``firms.cash``, by a payment). Needs finance.
    """

    kind: Literal["emergency_grant"] = "emergency_grant"
    need: Need = Need(struck=True)
    """In what state a firm gets it; struck by a shock unless something else is said."""
    costs: float = parameter(14.0, unit="days of usual costs", source="assumption", low=0, high=1000)
    """Size of a grant; half of the cash of a median small business, 27 days (JPMorgan Chase Institute 2016)."""

    needs: ClassVar[tuple[str, ...]] = ("finance",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Those that have not had one."""
        return np.asarray(rows[kept["amount"][rows] == 0.0])

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """The grants."""
        firms = world.firms.columns
        return np.asarray(self.costs * (firms["output"][rows] - firms["usual_profit"][rows]))

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Note in the diary who gets it; the frame pays."""
        world.happened(f"gets {self.label}", rows, share * self.bill(world, kept, rows))
