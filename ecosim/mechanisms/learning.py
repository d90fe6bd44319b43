"""Firms that live through trouble come out of it better prepared, and forget again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World


class Learning(Mechanism):
    """Learning from failure: trouble that a firm survives makes it readier, and calm days make it forget.

    Readiness r, from 0 to 1, is a dynamic capability in the sense of Teece, Pisano & Shuen (1997). Each evening ::

        stress = max(damage, 1 - production / output), 0 up to noise
        r <- r + rate x stress x (1 - r) - f (r - routine)+        f = 1 - (1 - forgetting)^(1/365)

    so a shock teaches in proportion to how hard and how long it hits, each lesson adds less than the one before it, and
    what routine alone keeps alive (``routine``) is never lost. Organisations learn from their failures (Baum & Dahlin
    2007), more from large ones than from small ones (Madsen & Desai 2010), and forget (Argote 2013). A firm that goes
    out of business takes its lessons with it: the next one on its row starts from routine.

    Readiness takes the share ``protection x r`` off what today's damage does to the firm (``relief``), and the
    mechanism recovery lets a ready firm repair faster (its ``readiness_effect``).

    Which idea is which parameter: learning from failure ``rate``; antifragility by stress that does not kill,
    ``rate`` against ``forgetting``; dynamic capability ``protection``; continuous improvement ``routine``.
    """

    kind: Literal["learning"] = "learning"
    rate: Level = parameter(0.02, unit="1/day", source="assumption", low=0, high=1)
    """What a day of total loss teaches, as a share of what is left to learn. That failure teaches is measured (Madsen &
    Desai 2010), though not in this unit: at 0.02, a month at half of capacity teaches a quarter of all there is."""
    forgetting: Level = parameter(
        0.39, unit="share a year", source="Benkard (2000), aircraft production", low=0, high=1
    )
    """Share of what was learnt that is gone after a year. Failures may be remembered longer (Madsen & Desai 2010)."""
    routine: Level = parameter(0.0, unit="share", source="assumption", low=0, high=1)
    """Readiness that daily practice keeps up by itself, and with which a firm starts."""
    protection: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Share of damage that a firm spares itself once it has learnt all there is to learn; walls fall on the
    experienced, too, so well below 1."""
    noise: Level = parameter(0.1, unit="share of output", source="assumption", low=0, high=1)
    """Trouble up to this size goes unnoticed: it is within the usual ups and downs of
    sales, which teach nothing about getting through a crisis."""

    columns: ClassVar[dict[str, str]] = {"readiness": "what the firm has learnt about getting through trouble, 0 to 1"}

    def prepare(self, world: World, rng: Stream) -> None:
        """Start every firm from its routine."""
        kept = {name: self.per_firm(world, name) for name in ("rate", "routine", "protection", "noise")}
        kept["forgotten"] = 1.0 - (1.0 - self.per_firm(world, "forgetting")) ** (1.0 / YEAR)
        world.memory[self.kind] = kept
        world.firms.ensure("alive", 1.0)
        world.firms.ensure("readiness", 0.0)[:] = kept["routine"]

    def morning(self, world: World, rng: Stream) -> None:
        """Spare the firm some of today's damage."""
        if world.sheet.read("capacity") is not None:
            world.sheet.scale("relief", 1.0 - world.memory[self.kind]["protection"] * world.firms.readiness)

    def evening(self, world: World, rng: Stream) -> None:
        """Learn from today, or forget."""
        from ecosim.kernels.learning import learn

        kept, firms = world.memory[self.kind], world.firms
        learn(
            firms.production, firms.output, world.sheet.multipliers["capacity"], firms.alive,
            kept["rate"], kept["routine"], kept["noise"], kept["forgotten"], firms.readiness,
        )  # fmt: skip
