"""A payment moratorium: suppliers have to wait for their money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class PaymentMoratorium(Measure):
    """Firms in need may put off what they owe to suppliers.

    Equation: invoices that fall due today x (1 - ``share``). It costs the state nothing but administration
    (``cost``); suppliers pay for it by waiting, and lose what is never paid: whether it helps more firms than it
    harms is what the model is asked. Nothing is forgiven: invoices fall due again when it is over.

    Channel ``invoices`` (finance). Needs finance.
    """

    kind: Literal["payment_moratorium"] = "payment_moratorium"
    need: Need = Need(struck=True)
    """In what state a firm may; struck by a shock unless something else is said."""
    days: int | None = 60
    """Days that it lasts; null for ever."""
    share: float = parameter(1.0, unit="share", source="assumption", low=0, high=1)
    """Share of what falls due that may wait."""
    cost: float = parameter(0.0, unit="share of output a day", source="assumption", low=0, high=1)
    """Administration."""

    needs: ClassVar[tuple[str, ...]] = ("finance",)
    writes: ClassVar[tuple[str, ...]] = ("invoices",)

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Let less fall due today."""
        world.sheet.multiply("invoices", rows, 1.0 - share * self.share)
