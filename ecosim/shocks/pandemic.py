"""A pandemic: phases of lockdown, each with staff who cannot work and customers who stay away, sector by sector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from ecosim.part import Part
from ecosim.shocks.hit import Hit
from ecosim.shocks.listening import by_sector, labour, sector_row, since
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Phase(Part):
    """Some weeks of a pandemic under one set of rules."""

    days: int = Field(default=30, ge=1, le=100_000)
    """Length of the phase, in days."""
    labour: float | dict[str, float] = 0.0
    """Share of the staff that cannot work, for all or by sector: ill, caring for others, or sent home to a job that
    cannot be done there. Sectors that are not named lose nobody."""
    demand: float | dict[str, float] = 0.0
    """Share of their wants that customers give up, for all or by sector."""

    @field_validator("labour", "demand")
    @classmethod
    def _shares(cls, value: float | dict[str, float]) -> float | dict[str, float]:
        for share in value.values() if isinstance(value, dict) else (value,):
            if not 0 <= share <= 1:
                raise ValueError(f"{share!r} is not a share; give a number from 0 to 1")
        return value


class Pandemic(Hit):
    """An epidemic and what is done about it: phases of lockdown with labour and demand together.

    Equation: in a phase, the share 1 - s x labour of a firm's staff works and its customers want 1 - s x demand of the
    usual, with s the severity and both shares by sector. That a pandemic strikes supply and demand at once, and each
    sector differently, is del Rio-Chanona et al. (2020). Channels ``labour`` (``workforce`` listens; without it the
    same share of ``capacity`` is lost) and ``demand`` (the core).
    """

    kind: Literal["pandemic"] = "pandemic"
    phases: tuple[Phase, ...] = Field(default=(Phase(labour=0.2, demand=0.1),), min_length=1)
    """What happens one after the other from the first day on."""

    writes: ClassVar[tuple[str, ...]] = ("labour", "capacity", "demand")

    @property
    def course(self) -> Recovery:
        """Over when the last phase is."""
        return Recovery(law="at_once", start=sum(phase.days for phase in self.phases) - 1)

    def check(self, world: World, where: str) -> None:
        """Every sector that is named must exist."""
        for at, phase in enumerate(self.phases):
            for field in ("labour", "demand"):
                shares = getattr(phase, field)
                for name in shares if isinstance(shares, dict) else ():
                    sector_row(world, name, f"{where}.phases.{at}.{field}")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Keep people at home today."""
        days, begins = since(world, self.label), 0
        for phase in self.phases:
            on = (days >= begins) & (days < begins + phase.days)
            begins += phase.days
            for channel, shares in ((labour(world), phase.labour), ("demand", phase.demand)):
                if on.any() and shares:
                    lost = strength[on] * by_sector(world, shares)[rows[on]]
                    world.sheet.multiply(channel, rows[on], 1.0 - lost)
