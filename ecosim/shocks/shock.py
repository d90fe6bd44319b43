"""What every shock does: each morning it writes multipliers on today's sheet, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World


class Shock(Part, ABC):
    """Something that befalls firms."""

    kind: str
    name: str = ""
    """What people call it; the kind by default. Two shocks of a scenario need two names: draws are addressed by it."""

    tag: Literal["", "stress", "grey_swan", "black_swan"] = ""
    """What it is called in reports. black_swan is checked: see docs/shocks.md for its four conditions."""
    training: str | None = None
    """File that says what policies were tuned on before this shock was opened; black_swan needs it."""

    writes: ClassVar[tuple[str, ...]] = ()
    """Channels of the sheet that a shock of this kind may write to: what is measured in a run follows from it."""

    def may_write(self) -> tuple[str, ...]:
        """Channels that it may write to with the values it has."""
        return self.writes

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if name and (not name.strip() or ": " in name or not name.isprintable()):
            raise ValueError(f"{name!r} is no name; give one line of text without ': '")
        return name

    @model_validator(mode="after")
    def _trained_for_something(self) -> Self:
        if self.training is not None and self.tag != "black_swan":
            raise ValueError("training is read for tag: black_swan alone; drop it, or add the tag")
        return self

    @property
    def label(self) -> str:
        """The name, or else the kind."""
        return self.name or self.kind

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Check against the economy before the first day; ``where`` is the shock's path in the scenario."""

    @abstractmethod
    def apply(self, world: World, rng: Stream) -> None:
        """Write today's effect to ``world.sheet``; called every morning.

        What must last from day to day goes into ``world.memory[self.label]`` (arrays, saved with the world).
        """
