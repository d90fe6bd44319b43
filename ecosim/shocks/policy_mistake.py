"""A policy mistake: a measure that harms, and is kept until it is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecosim.shocks.hit import Spell
from ecosim.shocks.listening import require

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

#: What each mistake scales down.
CHANNELS = {
    "closure": ("capacity",),
    "austerity": ("demand", "benefits"),
    "tight_money": ("credit",),
    "red_tape": ("permits", "entry"),
}


class PolicyMistake(Spell):
    """Authorities do harm: they close what need not be closed, save in a slump, choke credit, or hold up permits.

    Equation: the channels of the measure are multiplied by 1 - s, s being what is left of the severity, until it is
    taken back after ``days``:

    closure: ``capacity`` (the core);
    austerity: ``demand`` (the core: public orders), and ``benefits`` where ``income`` listens;
    tight_money: ``credit`` (``finance`` listens; refused without it);
    red_tape: ``permits`` (``recovery`` listens) and ``entry`` (``turnover``), at least one of them.
    """

    kind: Literal["policy_mistake"] = "policy_mistake"
    measure: Literal["closure", "austerity", "tight_money", "red_tape"] = "closure"
    """What is done wrong."""
    days: int = Field(default=60, ge=1, le=100_000)
    """Days until it is noticed and taken back."""

    writes: ClassVar[tuple[str, ...]] = ("capacity", "demand", "benefits", "credit", "permits", "entry")

    def may_write(self) -> tuple[str, ...]:
        """Those of the measure."""
        return CHANNELS[self.measure]

    def check(self, world: World, where: str) -> None:
        """At least one of the measure's channels must be open."""
        if not self._open(world):
            require(world, self.may_write()[0], f"{where}.measure", f"a mistake of {self.measure}")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Do harm today."""
        for channel in self._open(world):
            world.sheet.multiply(channel, rows, 1.0 - strength)

    def _open(self, world: World) -> list[str]:
        return [channel for channel in self.may_write() if channel in world.sheet.channels]
