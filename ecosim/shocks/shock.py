"""What every shock does: each morning it writes multipliers on today's sheet, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World


class Shock(Part, ABC):
    """Something that befalls firms."""

    kind: str
    name: str = ""
    """What people call it; the kind by default. Two shocks of a scenario need two names: draws are addressed by it."""

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
