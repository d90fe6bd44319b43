"""An outage: firms lose capacity on a day and get it back by one of six laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from ecosim.errors import InputError
from ecosim.part import Part, whole
from ecosim.shocks.shock import Shock
from ecosim.who import Who

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.rng import Stream
    from ecosim.state import World

    type Array = NDArray[np.float64]

LAWS = ("proportional", "uniform", "at_once", "renewal", "exponential", "damped")


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
        self,
        damage: Array,
        first: Array,
        since: int,
        world: World,
        rows: NDArray[np.int64],
        speed: Array | float = 1.0,
        clock: Array | float | None = None,
    ) -> Array:
        """Damage (rows,) after the evening of day ``since`` of the outage (0 is its first day), in [0, 1].

        ``speed`` is each firm's own, 1 being the law's; ``clock`` is the day of the outage by each firm's own time.
        """
        if since < self.start:
            return damage
        law = self.number
        if law == 0:
            damage = damage - first / self.days * speed
        elif law == 1:
            damage = damage - 1.0 / self.days * speed
        elif law == 2:
            damage = damage - first * speed
        elif law == 3:
            damage = damage * (1.0 - 1.0 / self.days * speed)
        elif law == 4:
            passed = since if clock is None else clock
            damage = np.where(damage > 0, first * np.exp(-passed / self.days), 0.0)
        else:
            from ecosim.kernels.recovery import helped

            links = world.links
            everyone, speeds = np.zeros(len(world.plan.firms)), np.ones(len(world.plan.firms))
            everyone[rows], speeds[rows] = damage, speed
            helped(rows, everyone, speeds, links.ptr, links.supplier, links.out_ptr, links.client_of_out, self.days)
            damage = everyone[rows]
        return np.maximum(damage, 0.0)


class Outage(Shock):
    """Firms lose a share of their capacity: a flood, a fire, a strike, a machine that breaks."""

    kind: Literal["outage"] = "outage"
    who: Who = Who()
    """Which firms."""
    when: int = Field(default=0, ge=0)
    """Day on which it strikes; the first day is 0."""
    severity: float | dict[str, float] = Field(default=1.0)
    """Share of capacity lost, 0 to 1; or a share for each firm by name, which then says who as well."""
    recovery: Recovery | None = Recovery()
    """How capacity comes back; null for never."""

    @field_validator("severity")
    @classmethod
    def _shares(cls, value: float | dict[str, float]) -> float | dict[str, float]:
        for share in value.values() if isinstance(value, dict) else (value,):
            if not 0 <= share <= 1:
                raise ValueError(f"{share!r} is not a share of capacity; give a number from 0 to 1")
        return value

    @model_validator(mode="after")
    def _one_who(self) -> Self:
        if isinstance(self.severity, dict) and self.who.model_fields_set:
            raise ValueError("severity names the firms, so who cannot choose others; drop one of the two")
        if isinstance(self.severity, dict) and not self.severity:
            raise ValueError("severity names no firm; give a share for at least one")
        return self

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose who will be hit and how hard, once, before the first day."""
        if isinstance(self.severity, dict):
            who = Who(firms=tuple(self.severity))
            try:
                rows = who.pick(world, rng, f"{where}.severity")
            except InputError as error:
                raise InputError(str(error).replace(".severity.firms", ".severity", 1)) from None
            first = np.array([self.severity[world.firm_name(row)] for row in rows.tolist()])
        else:
            rows = self.who.pick(world, rng, f"{where}.who")
            first = np.full(len(rows), self.severity)
        world.memory[self.label] = {"rows": rows, "first": first, "damage": np.zeros(len(rows))}
        if "repair" in world.firms:
            world.memory[self.label]["clock"] = np.zeros(len(rows))

    def apply(self, world: World, rng: Stream) -> None:
        """Take the damage off today's capacity."""
        since = world.day - self.when
        if since < 0:
            return
        state = world.memory[self.label]
        rows = state["rows"]
        if since == 0:
            state["damage"] = state["first"].copy()
            hit = state["first"] > 0
            world.happened(f"{self.label} hits", rows[hit], state["first"][hit], damage=True)
        elif self.recovery is not None and state["damage"].any():
            before = state["damage"]
            speed = world.firms.repair[rows] if "clock" in state else 1.0
            state["damage"] = self.recovery.evening(
                before, state["first"], since - 1, world, rows, speed, state.get("clock")
            )
            if "clock" in state:
                state["clock"] = state["clock"] + speed
            over = (before > 0) & (state["damage"] == 0)
            if over.any():
                world.happened(f"{self.label} is over", rows[over], 0.0)
        if state["damage"].any():
            world.sheet.multiply("capacity", rows, 1.0 - state["damage"])
            if "intact" in world.sheet.channels:  # what is damaged has to be repaired, and paid for (recovery)
                world.sheet.multiply("intact", rows, 1.0 - state["damage"])
