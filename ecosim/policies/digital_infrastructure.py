"""Digital infrastructure: people can order and work from afar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class DigitalInfrastructure(Measure):
    """Networks and skills by which customers can order, and staff can work, from afar.

    Equation: what is missing of today's ``demand`` and ``labour`` x (1 - ``bridged``). It helps where people stay
    away (a pandemic, a strike of transport), and nothing against water in the workshop. That firms whose people can
    work from home lost less in 2020 was measured by Bai, Brynjolfsson, Jin, Steffen & Wan (2021).

    Channels ``demand`` (the core) and ``labour`` (workforce, where it is on).
    """

    kind: Literal["digital_infrastructure"] = "digital_infrastructure"
    bridged: float = parameter(0.25, unit="share", source="assumption", low=0, high=1)
    """Share of missing customers and staff who can be reached all the same; differs widely between trades."""
    cost: float = parameter(0.001, unit="share of output a day", source="assumption", low=0, high=1)
    """Lines, machines, training."""

    writes: ClassVar[tuple[str, ...]] = ("demand", "labour")

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Give back part of what is missing today."""
        for channel in self.writes:
            world.sheet.cushion(channel, rows, share * self.bridged)
