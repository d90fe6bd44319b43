"""How a hit passes: by the six laws of the reference program of Inoue & Todo (2019), or in equal steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field, field_validator

from ecosim.part import Part, whole

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

LAWS = ("proportional", "uniform", "at_once", "renewal", "exponential", "damped")


class Course(Protocol):
    """How a hit passes."""

    def evening(
        self, damage: Array, first: Array, since: Array, world: World, rows: Array, speed: Array | float, clock: Array
    ) -> Array:
        """What is left in the morning of the severities ``damage``, which were ``first`` at first; see `Recovery`."""

    def firm_days(self) -> tuple[Array, Array]:
        """Severities from 0 to 1 and the firm-days that each costs in all, (k,) both; linear in between.

        Firm-days are days of a firm's whole capacity, whatever becomes of the run. Raises ValueError where they do not
        follow from the severity.
        """


class Recovery(Part):
    """How lost capacity comes back, by the laws of the reference program of Inoue & Todo (2019).

    With d the damage and d0 what it was at first, each evening: 0 proportional, d -= d0/days; 1 uniform, d -= 1/days;
    2 at once; 3 renewal, d *= 1 - 1/days; 4 exponential, d = d0 exp(-t/days), where t counts from the outage, not from
    ``start``, so that a late start catches up in its first evening; 5 damped, d *= 1 - (1 - m)/days, where m
    is the mean damage of clients and suppliers: help comes from neighbours who still stand.

    Where firms repair at speeds of their own (column ``repair``, 1 the law's), what a law gives back in an evening is
    multiplied by the speed, and time passes at that speed under the law that is a function of it (4).
    """

    law: Literal[0, 1, 2, 3, 4, 5, "proportional", "uniform", "at_once", "renewal", "exponential", "damped"] = 0
    """Number of the law, or its name."""
    days: float = Field(default=30.0, gt=0, le=100_000)
    """Days to recover (laws 0 and 1), or the time constant (3, 4 and 5)."""
    start: int = Field(default=0, ge=0)
    """Days after the outage before recovery starts."""

    @field_validator("law", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        return whole(value)

    @property
    def number(self) -> int:
        """Number of the law in the reference program."""
        return LAWS.index(self.law) if isinstance(self.law, str) else self.law

    def evening(
        self, damage: Array, first: Array, since: Array, world: World, rows: Array, speed: Array | float, clock: Array
    ) -> Array:
        """Damage in [0, 1] of some firms after an evening, shape (k,), one entry a firm and outage.

        ``since`` is the day of each entry's outage (0 is its first day) and ``clock`` the same by each firm's own time;
        ``speed`` is each firm's own, 1 being the law's.
        """
        law = self.number
        if law == 0:
            after = damage - first / self.days * speed
        elif law == 1:
            after = damage - 1.0 / self.days * speed
        elif law == 2:
            after = damage - first * speed
        elif law == 3:
            after = damage * (1.0 - 1.0 / self.days * speed)
        elif law == 4:
            after = np.where(damage > 0, first * np.exp(-clock / self.days), 0.0)
        else:
            after = self._helped(damage, since, world, rows, speed)
        return np.where(since < self.start, damage, np.maximum(after, 0.0))

    def firm_days(self) -> tuple[Array, Array]:
        """What severities cost in all under the law alone; see `Course`. Law 5 has no answer: it is the neighbours'."""
        law, days, whole_days = self.number, self.days, self.start
        if law == 5:
            raise ValueError("under law 5 (damped) what is lost depends on the neighbours; choose another law")
        if law == 1:
            severity = np.minimum(np.arange(np.ceil(days) + 1.0) / days, 1.0)
            evenings = np.floor(severity * days * (1.0 + 1e-12))
            return severity, (whole_days + evenings + 1.0) * severity - evenings * (evenings + 1.0) / (2.0 * days)
        evenings = np.floor(days)
        full = {
            0: evenings + 1.0 - evenings * (evenings + 1.0) / (2.0 * days),
            2: 1.0,
            3: max(days, 1.0),
            4: 1.0 + np.exp(-whole_days / days) / -np.expm1(-1.0 / days),
        }[law]
        return np.array([0.0, 1.0]), np.array([0.0, whole_days + full])

    def _helped(self, damage: Array, since: Array, world: World, rows: Array, speed: Array | float) -> Array:
        """Law 5: neighbours are as damaged as the worst of what befell them by this shock."""
        from ecosim.kernels.recovery import helped

        links, after = world.links, damage.copy()
        speeds = np.broadcast_to(speed, damage.shape)
        worst = np.zeros(len(world.plan.firms))
        np.maximum.at(worst, rows, damage)
        for day in np.unique(since[since >= self.start]):
            at = np.flatnonzero(since == day)
            everyone, own = worst.copy(), np.ones(len(worst))
            everyone[rows[at]], own[rows[at]] = damage[at], speeds[at]
            helped(rows[at], everyone, own, links.ptr, links.supplier, links.out_ptr, links.client_of_out, self.days)
            after[at] = everyone[rows[at]]
        return after


class Easing(NamedTuple):
    """Full strength for ``days`` days, which then eases off in ``ease`` equal daily steps."""

    days: int
    ease: int

    def evening(
        self, damage: Array, first: Array, since: Array, world: World, rows: Array, speed: Array | float, clock: Array
    ) -> Array:
        """What is left in the morning; see `Recovery.evening`."""
        left = (self.days + self.ease - (clock + speed)) / (self.ease + 1)
        return first * np.clip(left, 0.0, 1.0)

    def firm_days(self) -> tuple[Array, Array]:
        """What severities cost in all; see `Course`."""
        return np.array([0.0, 1.0]), np.array([0.0, self.days + self.ease / 2.0])
