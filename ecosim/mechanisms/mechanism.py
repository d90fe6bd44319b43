"""What every mechanism does, and when: phases of the day between the steps of the published core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import ValidationInfo, field_validator

from ecosim.part import Part
from ecosim.spread import bounds, per_firm, within

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

YEAR = 365.0  # days

#: Mechanisms in the order in which they act within a phase; a mechanism of your own acts after these.
SEQUENCE = (
    "recovery", "continuity", "learning", "workforce", "automation", "platforms", "experiments", "customers", "income",
    "autonomy", "pricing", "finance", "collaboration", "sourcing", "judgement", "opportunity", "turnover",
)  # fmt: skip

#: Phases of the day in their order; the core's own steps stand in between.
PHASES = ("morning", "expect", "order", "trade", "settle", "evening")


class Mechanism(Part):
    """Something that firms or people do beyond the published core.

    Each day: shocks and policies write today's sheet; **morning** (what is left of firms' means and people's wants);
    the core's expectation, then **expect** (change ``firms.expected``); stocks are used and orders made, then **order**
    (change ``links.ordered`` and ``links.delivered`` alike); production and rationing, then **trade** (goods change
    hands once more); **settle** (money changes hands); **evening** (decisions for tomorrow, exits and entries).
    A phase is a method ``name(world, rng)`` that is defined where it is needed.

    A mechanism keeps its state in columns (`Table.add`, `Links.add`), shared ones with `Table.ensure`, or in
    ``world.memory[kind]``: all of it is saved. It reads arrays from the world each time and never keeps one.
    Morning effects on capacity go through the sheet: ``world.sheet.scale("capability", ...)`` for what a firm can
    make with its means, ``scale("relief", ...)`` for the share of today's damage that still hurts.
    """

    kind: str

    needs: ClassVar[tuple[str, ...]] = ()
    """Kinds without which this one means nothing."""
    priced: ClassVar[tuple[str, ...]] = ()
    """Parameters that mean nothing where finance is off, because nobody has money."""
    columns: ClassVar[dict[str, str]] = {}
    """Columns of firms that it adds, with meaning and unit."""
    people_columns: ClassVar[dict[str, str]] = {}
    """Columns of customers that it adds."""
    link_columns: ClassVar[dict[str, str]] = {}
    """Columns of supply links that it adds."""
    channels: ClassVar[dict[str, str]] = {}
    """Channels of the sheet that it listens to, with what they scale: shocks and policies may write them."""

    def check(self, on: frozenset[str]) -> str | None:
        """Say what contradicts the other mechanisms that are ``on``, as "field: what is wrong and the mend"."""
        given = next((name for name in self.priced if self.changed(name)), None)
        if given is not None and "finance" not in on:
            return f"{given}: nothing is paid where finance is off; add {{kind: finance}} or drop it"
        return None

    def lay_out(self, world: World, rng: Stream) -> None:
        """Add spare supply links (`Links.add_spare`); called once, before anybody prepares."""

    def prepare(self, world: World, rng: Stream) -> None:
        """Add columns, at the values at which the economy rests; called once, in the order of `SEQUENCE`."""

    def per_firm(self, world: World, name: str) -> Array:
        """Values of one of its parameters, shape (n,): a number for all, or drawn firm by firm from a `Spread`.

        Draws are addressed by mechanism, parameter and firm, so another parameter never changes them.
        """
        return per_firm(self, name, world.streams[f"mechanism: {self.kind}: {name}"], world.plan.firms)

    @field_validator("*")
    @classmethod
    def _in_range(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a number, or a distribution with one, outside the range that the parameter declares."""
        return within(cls, info.field_name or "", value)

    def changed(self, name: str) -> bool:
        """Whether a parameter differs from its default; a scenario that was written down states the defaults, too."""
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    @classmethod
    def bounds(cls, name: str) -> tuple[float, float]:
        """Range of a parameter."""
        return bounds(cls, name)
