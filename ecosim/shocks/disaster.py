"""A natural disaster: damage that falls with the distance from a centre, to means, stocks and roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.errors import InputError, hint
from ecosim.shocks.hit import Hit
from ecosim.shocks.listening import narrow, since
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

LEAST = 0.01  # share of the damage in the centre below which there is none


class Disaster(Hit):
    """An earthquake, a flood, a storm: a footprint on the map, worst in its centre.

    Equation: a firm r km from the centre is damaged by d = severity x exp(-(r / radius)^2), nothing where that is less
    than 1 % of the severity. It loses the share d of its capacity, which is repaired by the law of recovery, at the
    firm's own speed and cost where ``recovery`` is on; on the first day the share stock_loss x d of its stocks; and
    while it is damaged, of what is on its way to it the share 1 / (1 + extra_days x d) arrives each day. Channels
    ``capacity``, ``stocks`` and ``delivery`` (the core), and ``intact`` (``recovery``).
    """

    kind: Literal["disaster"] = "disaster"
    centre: str | tuple[float, float] | None = None
    """The worst place: x and y in km from the south-west corner, or the region in whose middle it is; by default the
    middle of the firms that ``who`` names."""
    radius: float = Field(default=10.0, gt=0, le=100_000)
    """Distance from the centre at which damage has fallen to 37 %, km."""
    stock_loss: float = Field(default=1.0, ge=0, le=1)
    """Share of stocks destroyed, as a share of the firm's damage."""
    extra_days: float = Field(default=3.0, ge=0, le=10_000)
    """Mean days that goods take longer to a firm that is damaged in full."""
    recovery: Recovery | None = Recovery()
    """How capacity comes back; null for never."""

    damages: ClassVar[bool] = True
    writes: ClassVar[tuple[str, ...]] = ("capacity", "intact", "stocks", "delivery")

    @property
    def course(self) -> Recovery | None:
        """The law of recovery."""
        return self.recovery

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose firms, and how hard the disaster hits each where it is."""
        super().prepare(world, rng, where)
        firms, (x, y) = world.plan.firms, self._middle(world, f"{where}.centre")
        reached = np.exp(-(((firms.x - x) ** 2 + (firms.y - y) ** 2) / self.radius**2))
        reached[reached < LEAST] = 0.0
        narrow(
            world, self.label, reached, f"{where}.centre", "no firm is near enough; move it, or give a larger radius"
        )

    def _middle(self, world: World, where: str) -> tuple[float, float]:
        firms = world.plan.firms
        if isinstance(self.centre, tuple):
            return self.centre
        chosen = np.unique(world.memory[self.label]["rows"])
        if not len(chosen):  # by chance it never strikes
            chosen = np.arange(len(firms))
        if self.centre is not None:
            if self.centre not in firms.region_names:
                known = hint(self.centre, firms.region_names)
                raise InputError(f"{where}: no region is named {self.centre!r}; {known}")
            chosen = np.flatnonzero(firms.region == firms.region_names.index(self.centre))
        return float(firms.x[chosen].mean()), float(firms.y[chosen].mean())

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Take what is damaged off today's capacity, destroy stocks on the first day, and hold goods back."""
        sheet, new = world.sheet, since(world, self.label) == 0
        sheet.multiply("capacity", rows, 1.0 - strength)
        if "intact" in sheet.channels:
            sheet.multiply("intact", rows, 1.0 - strength)
        if new.any() and self.stock_loss > 0.0:
            sheet.multiply("stocks", rows[new], 1.0 - self.stock_loss * strength[new])
        if self.extra_days > 0.0:
            sheet.multiply("delivery", rows, 1.0 / (1.0 + self.extra_days * strength))
