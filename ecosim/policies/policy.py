"""What every policy does: whom it helps, when, for how long, at whose cost; and an account of every unit spent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from ecosim.errors import InputError
from ecosim.part import Part
from ecosim.policies.need import Need
from ecosim.policies.trigger import MEMORY, NEVER, Trigger
from ecosim.spread import within
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

#: Fields that all policies share; the others are a kind's own parameters.
SHARED = ("kind", "name", "who", "need", "trigger", "lead_days", "days", "repeat", "budget", "payer")


class Policy(Part, ABC):
    """Help for chosen firms, from a trigger on, for some days, within a budget.

    Each morning, after the shocks and before the mechanisms, a policy that is under way looks who is in need, reckons
    today's bill, cuts it to what is left of the budget (everybody then gets the same share of what it would have got),
    pays, and acts by that share: it writes today's sheet, pays money, or adds to what mechanisms let firms invest in.
    Nothing else is touched, and a policy that never begins, or has a budget of 0, changes no bit.
    """

    kind: str
    name: str = ""
    """What people call it; the kind by default. Two policies, or a policy and a shock, need two names."""
    who: Who = Who()
    """Which firms may get it, chosen once, before the first day."""
    need: Need = Need()
    """In what state a firm gets it today."""
    trigger: Trigger = Trigger()
    """When it begins; on the first day unless something else is said."""
    lead_days: int = Field(default=0, ge=0, le=10_000)
    """Days from the trigger until anybody gets anything: forms, staff, tenders."""
    days: int | None = Field(default=None, ge=1, le=100_000)
    """Days that it lasts; null for ever."""
    repeat: bool = False
    """Whether it may begin again after it is over, when the trigger says so."""
    budget: float | None = Field(default=None, ge=0, le=1e6)
    """Most that is spent, days of the whole economy's usual output; null for no limit."""
    payer: Literal["government", "outside"] = "government"
    """Who pays: the government, or somebody beyond the economy (a donor, a union of states)."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Mechanisms without which it means nothing."""
    writes: ClassVar[tuple[str, ...]] = ()
    """Channels of the sheet that it writes to; at least one must be open."""
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "households"
    """Who gets the money: the firms helped, people who do the work, or the bank."""
    pays_later: ClassVar[bool] = False
    """Whether today's bill is a promise only, which falls `due` another day."""

    @field_validator("*")
    @classmethod
    def _in_range(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a number outside the range that a parameter declares."""
        return within(cls, info.field_name or "", value)

    @property
    def label(self) -> str:
        """The name, or else the kind."""
        return self.name or self.kind

    @property
    def place(self) -> str:
        """Where its account is in the world's memory."""
        return MEMORY + self.label

    # --- what a kind says -------------------------------------------------------------------------------------------

    def keeps(self, world: World) -> dict[str, Array]:
        """What a kind remembers beside the account, by name."""
        return {}

    def due(self, world: World, kept: dict[str, Array]) -> Array | None:
        """Bills (n,) for what was promised yesterday; asked every morning, whether it is under way or not."""
        return None

    def in_need(self, world: World, rows: Array) -> Array:
        """Those of some firms that are in need today."""
        return self.need.met(world, rows)

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """Those of the firms in need that get something today."""
        return rows

    @abstractmethod
    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """What helping some firms in full costs today, (k,), currency units."""

    @abstractmethod
    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Help some firms today, by a share of what was meant; money that goes to them is paid by the frame."""

    def last(self, world: World, kept: dict[str, Array]) -> None:
        """What lasts of earlier help; written every morning, whether it is under way or not."""

    # --- the frame --------------------------------------------------------------------------------------------------

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Check against the economy and choose who may get it, once, before the first day."""
        missing = [kind for kind in self.needs if kind not in world.mechanisms]
        if missing:
            raise InputError(
                f"{where}.kind: {self.kind} means nothing without {' and '.join(missing)}; add {{kind: {missing[0]}}} "
                f"to mechanisms, or drop {self.kind}"
            )
        if self.writes and not any(channel in world.sheet.channels for channel in self.writes):
            raise InputError(f"{where}.kind: nobody would notice {self.kind}; {world.sheet.instead(self.writes[0])}")
        self.need.check(world, f"{where}.need")
        self.trigger.check(world, f"{where}.trigger")
        n = world.firms.rows
        world.memory[self.place] = {
            "rows": self.who.pick(world, rng, f"{where}.who"),
            "state": np.array([NEVER, 0]),  # day of the trigger; days under way so far
            "watched": np.zeros(4),
            "amount": np.zeros(n),
            "returned": np.zeros(n),
            "first": np.full(n, NEVER),
            "last": np.full(n, NEVER),
            **self.keeps(world),
        }

    def apply(self, world: World, rng: Stream) -> None:
        """Do today what is to be done."""
        kept = world.memory[self.place]
        if self.budget == 0.0:
            return
        due = self.due(world, kept)
        if due is not None:
            due = due * min(1.0, self.left(world) / max(float(due.sum()), 1e-300))
            self._pay(world, kept, np.flatnonzero(due), due[due > 0.0])
        if self._under_way(world, kept) and self.left(world) > 0.0:
            self._help(world, kept)
        self.last(world, kept)

    def left(self, world: World) -> float:
        """What is left of the budget, currency units."""
        if self.budget is None:
            return np.inf
        kept = world.memory[self.place]
        spent = float(kept["amount"].sum()) - float(kept["returned"].sum())
        return max(self.budget * world.output_at_rest - spent, 0.0)

    def _under_way(self, world: World, kept: dict[str, Array]) -> bool:
        state = kept["state"]
        over = state[0] != NEVER and self.days is not None and world.day >= state[0] + self.lead_days + self.days
        if over and self.repeat:
            state[0] = NEVER
        elif over:
            return False
        if self.trigger.warning is not None or state[0] == NEVER:
            says = self.trigger.says(world, kept["rows"], kept["watched"])
            if says and state[0] == NEVER:
                state[0] = world.day
        return bool(state[0] != NEVER and world.day >= state[0] + self.lead_days)

    def _help(self, world: World, kept: dict[str, Array]) -> None:
        rows = self.choose(world, kept, self.in_need(world, kept["rows"]))
        if not len(rows):
            return
        bill, left = self.bill(world, kept, rows), self.left(world)
        total = float(bill.sum())
        share = 1.0 if total <= left else left / total
        self.act(world, kept, rows, share)
        kept["state"][1] += 1
        self._pay(world, kept, rows, 0.0 * bill if self.pays_later else share * bill)

    def _pay(self, world: World, kept: dict[str, Array], rows: Array, amounts: Array) -> None:
        """Pay what some firms, (k,), cost today, and write it down."""
        if not len(rows):
            return
        kept["amount"][rows] += amounts
        kept["last"][rows] = world.day
        kept["first"][rows] = np.where(kept["first"][rows] == NEVER, world.day, kept["first"][rows])
        if world.money is None or not amounts.any():
            return
        item = f"policy: {self.label}"
        if self.goes_to == "firms":
            each = np.zeros(world.firms.rows)
            each[rows] = amounts
            world.money.pay(item, self.payer, "firms", each)
        elif self.goes_to == "households":
            near = np.bincount(world.plan.customer[rows], amounts, minlength=world.customers.rows)
            world.money.pay(item, self.payer, "households", near)
        else:
            world.money.pay(item, self.payer, "bank", float(amounts.sum()))


class Measure(Policy):
    """A policy that costs so much of the helped firms' usual output a day."""

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """The share ``cost`` of usual output."""
        cost: float = self.cost  # type: ignore[attr-defined]  # each kind has its own, with its source
        return np.asarray(cost * world.firms.output[rows])
