"""Collaborative marketing: a campaign for some firms, which takes customers from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class CollaborativeMarketing(Measure):
    """A campaign that brings customers to some firms: a district, a trade, those who were hit.

    Equation: wants of their customers x (1 + ``pull``). Nobody spends more than before: what these firms gain,
    others of the community do not sell (customers keeps every community within its budget).

    Channel ``demand`` (the core). Needs customers, which says who loses.
    """

    kind: Literal["collaborative_marketing"] = "collaborative_marketing"
    need: Need = Need(struck=True)
    """In what state a firm is advertised; struck by a shock unless something else is said."""
    pull: float = parameter(0.1, unit="share", source="assumption", low=0, high=10)
    """How many more customers a campaign brings."""
    cost: float = parameter(0.01, unit="share of output a day", source="assumption", low=0, high=1)
    """Campaign; firms spend a few per cent of revenue on marketing."""

    needs: ClassVar[tuple[str, ...]] = ("customers",)
    writes: ClassVar[tuple[str, ...]] = ("demand",)

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Write today's channel."""
        world.sheet.multiply("demand", rows, 1.0 + share * self.pull)
