"""A cap on what platforms may charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class FeeCap(Measure):
    """Platforms may charge no more than so much.

    Equation: fee = min(fee, ``cap``) for members in need. It costs the state nothing but control (``cost``): what
    firms keep, the platforms' owners, beyond the economy, do not get. San Francisco and New York capped the
    commissions of delivery services at 15 % in 2020, when they were about twice that; platforms here take 15 % as a
    rule, so that the same cut is a cap of 7.5 %.

    Channel ``platform_fee`` (platforms). Needs platforms and finance.
    """

    kind: Literal["fee_cap"] = "fee_cap"
    cap: float = parameter(0.075, unit="share of sales", source="assumption", low=0, high=1)
    """Largest fee."""
    cost: float = parameter(0.0, unit="share of output a day", source="assumption", low=0, high=1)
    """Control."""

    needs: ClassVar[tuple[str, ...]] = ("platforms", "finance")
    writes: ClassVar[tuple[str, ...]] = ("platform_fee",)

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Members that pay more."""
        firms = world.firms.columns
        return rows[(firms["platform"][rows] >= 0) & (firms["platform_fee"][rows] > self.cap)]

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Write today's channel; a dearer day than usual is capped at the same fee."""
        fee = world.firms.platform_fee[rows] * world.sheet.multipliers["platform_fee"][rows]
        capped = np.minimum(self.cap / np.maximum(fee, 1e-300), 1.0)
        world.sheet.multiply("platform_fee", rows, 1.0 - share * (1.0 - capped))
