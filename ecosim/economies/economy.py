"""What every economy states: the rules of the core day, and which firms there are with what needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from ecosim.part import Part, whole
from ecosim.spread import Level, parameter, within
from ecosim.who import Who

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.rng import Streams


@dataclass(frozen=True)
class Needs:
    """The firms of an economy and what they need, before a network says who supplies it.

    ``target`` (sectors, sectors) holds the table's flows a day from row to column, or None without a table.
    ``inputs`` is the number of distinct products among a firm's suppliers where slots name no product.
    """

    firms: Firms
    slots: Slots
    target: NDArray[np.float64] | None
    inputs: int
    customer: NDArray[np.int32]
    customer_names: tuple[str, ...]
    importance: NDArray[np.int8] | None = None  # of each slot, where the economy states it
    role: NDArray[np.int8] | None = None  # of each firm, where the economy states it


class OwnAgents(Part):
    """Firms that follow a class of yours, a subclass of ecosim.SMB or ecosim.Supplier."""

    type: str
    """The class, as package.module:Name."""
    who: Who = Who()
    """Which firms follow it; everyone by default."""

    @field_validator("type")
    @classmethod
    def _allowed(cls, value: str, info: ValidationInfo) -> str:
        if not (info.context or {}).get("allow_code", True):
            raise ValueError(f"{value!r} would run code of a file that is not trusted; remove economy.agents")
        module, _, name = value.partition(":")
        if not (all(part.isidentifier() for part in module.split(".")) and name.isidentifier()):
            raise ValueError(f"{value!r} does not name a class; write package.module:Name")
        return value


class Economy(Part, ABC):
    """The rules of the core day (Inoue & Todo 2019), common to every economy."""

    kind: str
    inventory_days: Level = parameter(15.0, unit="days of use", source="Inoue & Todo (2019)", low=1, high=365)
    """Stock of inputs that a firm aims at, in days of use; a day of use is the least, or production stops."""
    smoothing_days: float = Field(default=6.0, ge=1, le=365)
    """Days over which a firm closes a gap in its stock."""
    headroom: float = Field(default=0.0, ge=0, le=10)
    """Capacity beyond usual output, as a share of it; none in the published model."""
    rationing: Literal[0, 1, 2, 3] = 2
    """Who is served when goods are short: 0 all in proportion, 1 clients before customers, 2 the lowest order ratios
    first with customers as one of the clients, 3 clients before customers and among clients as 2."""
    importance: dict[str, Literal["essential", "important", "other"]] = Field(default_factory=dict)
    """How much production needs the goods of a supplying sector (Pichler et al. 2022); essential unless named here."""
    agents: tuple[OwnAgents, ...] = ()
    """Firms that follow a class of your own."""

    @field_validator("inventory_days")
    @classmethod
    def _in_range(cls, value: Level) -> Any:
        return within(cls, "inventory_days", value)

    @field_validator("rationing", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        return whole(value)

    @abstractmethod
    def needs(self, suppliers: int, streams: Streams) -> Needs:
        """Return firms and slots, with ``suppliers`` slots a firm."""
