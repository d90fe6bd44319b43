"""Redundancy of platforms and clouds: a second one that takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class PlatformRedundancy(Measure):
    """Members keep a second platform and a second cloud, which take over part of what is lost in an outage.

    Equation: what is missing today of ``platform`` and ``cloud`` x (1 - ``taken_over``). It costs every day and
    helps on the day of the outage.

    Channels ``platform`` and ``cloud`` (platforms). Needs platforms.
    """

    kind: Literal["platform_redundancy"] = "platform_redundancy"
    taken_over: float = parameter(0.6, unit="share", source="assumption", low=0, high=1)
    """Share of the lost service that the second one takes over."""
    cost: float = parameter(0.002, unit="share of output a day", source="assumption", low=0, high=1)
    """Second contract, of those that are on a platform or in a cloud."""

    needs: ClassVar[tuple[str, ...]] = ("platforms",)
    writes: ClassVar[tuple[str, ...]] = ("platform", "cloud")

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Those that are on a platform or in a cloud."""
        firms = world.firms.columns
        return rows[(firms["platform"][rows] >= 0) | (firms["cloud"][rows] >= 0)]

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Give back part of what is missing today."""
        for channel in self.writes:
            world.sheet.cushion(channel, rows, share * self.taken_over)
