"""What most shocks have in common: whom they hit, when, how hard, and how it passes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from ecosim.errors import InputError
from ecosim.shocks.recovery import Recovery
from ecosim.shocks.shock import Shock
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Hit(Shock):
    """A shock that strikes chosen firms on chosen days, each with a severity, and passes.

    Who is hit, when and how hard is drawn before the first day, addressed by the shock's name and the firm's row, so
    that the same shock hits the same firms as hard on any network. What befell a firm is kept as an entry (firm, day,
    first severity, what is left of it); entries that overlap compose by multiplication and never compound.
    """

    who: Who = Who()
    """Which firms."""
    when: int = Field(default=0, ge=0)
    """Day on which it strikes; the first day is 0."""
    severity: float | dict[str, float] = Field(default=1.0)
    """Share that is lost, 0 to 1; or a share for each firm by name, which then says who as well."""

    damages: ClassVar[bool] = False
    """Whether what it takes is damage to means, which has to be repaired."""

    @property
    @abstractmethod
    def course(self) -> Recovery | None:
        """How it passes; None for never."""

    @abstractmethod
    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Write today's multipliers for firms that are hit, with what is left of the severity, both (k,).

        A firm that was hit twice is there twice.
        """

    def check(self, world: World, where: str) -> None:
        """Raise InputError where the economy lacks what the shock acts on; called once, before the first day."""

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
        """Choose who will be hit, when and how hard, once, before the first day."""
        self.check(world, where)
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
        nothing = np.zeros(len(rows))
        world.memory[self.label] = {
            "rows": rows,
            "day": np.full(len(rows), self.when),
            "first": first,
            "left": nothing,
            "clock": nothing.copy(),
        }

    def apply(self, world: World, rng: Stream) -> None:
        """Let what is left of earlier strikes pass, strike anew, and write today's effect."""
        entries = world.memory[self.label]
        self._pass(world, entries)
        new = np.flatnonzero((entries["day"] == world.day) & (entries["first"] > 0))
        if len(new):
            entries["left"][new] = entries["first"][new]
            world.happened(f"{self.label} hits", entries["rows"][new], entries["first"][new], damage=self.damages)
        on = np.flatnonzero(entries["left"] > 0)
        if len(on):
            self.effect(world, entries["rows"][on], entries["left"][on])

    def _pass(self, world: World, entries: dict[str, Array]) -> None:
        """What is left after last evening."""
        on = np.flatnonzero(entries["left"] > 0)
        if self.course is None or not len(on):
            return
        rows, first, left = entries["rows"][on], entries["first"][on], entries["left"][on]
        since = world.day - 1 - entries["day"][on]
        own = self.damages and "repair" in world.firms
        speed = world.firms.repair[rows] if own else 1.0
        clock = entries["clock"][on] if own else since
        after = self.course.evening(left, first, since, world, rows, speed, clock)
        entries["left"][on] = after
        entries["clock"][on] += speed
        over = after == 0
        if over.any():
            world.happened(f"{self.label} is over", rows[over], 0.0)


class Spell(Hit):
    """A hit at full strength for ``days`` days, which then eases off in ``ease`` equal daily steps."""

    days: int = Field(default=30, ge=1, le=100_000)
    """Days at full strength."""
    ease: int = Field(default=0, ge=0, le=100_000)
    """Days over which it eases off afterwards."""

    @property
    def course(self) -> Recovery:
        """Full strength, then equal steps."""
        return Recovery(law="proportional", days=self.ease + 1, start=self.days - 1)
