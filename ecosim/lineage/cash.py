"""What took firms' money: debtors that never paid, and shocks that make life dearer or credit scarce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.lineage.tables import joined, named
from ecosim.lineage.witness import today

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.lineage.witness import Witness
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

UNPAID = "loses unpaid invoices"  # how finance says so in the diary
YEAR = 365.0
#: Channels by which a shock takes a firm's money.
MONEY = ("credit", "rent", "wages", "interest", "invoices", "input_cost", "price")
DEBT = np.dtype(
    [("day", "<i4"), ("creditor", "<i4"), ("debtor", "<i4"), ("amount", "<f8"), ("shock", "<i4"), ("how", "u1")]
)


class Cash:
    """Notes each day what money firms lost, to whom; ``memory`` is what is saved with the run."""

    def __init__(self, world: World, memory: dict[str, Array], seen: Witness, channels: list[str]) -> None:
        """Begin, or go on, at the evening of the world's day."""
        self.world, self.memory, self.seen, self.channels = world, memory, seen, channels
        self.debts: list[Array] = []
        if "debts" in memory:
            self.debts.append(memory.pop("debts").view(DEBT).reshape(-1))
        self.owed = self._owed()

    def note(self, calm: World) -> None:
        """Note the day that the world and its undisturbed twin have just lived."""
        if "finance" in self.world.mechanisms:
            self._note_debts(calm)
            self._note_drains()

    def keep(self) -> None:
        """Put all that was noted into the memory."""
        self.memory["debts"] = joined(self.debts, DEBT).view(np.uint8)

    def _owed(self) -> tuple[Array, Array, Array]:
        """Unpaid invoices: creditors, debtors and amounts, those of former suppliers, too."""
        world = self.world
        if "finance" not in world.mechanisms:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        books, links = world.memory["finance"], world.links
        return (
            np.concatenate((books["creditor"], books["old_supplier"])),
            np.concatenate((links.buyer, books["old_buyer"])),
            np.concatenate((links.columns["owed"], books["old_owed"])),
        )

    def _note_debts(self, calm: World) -> None:
        """Keep who lost how much on whom: the diary says how much, last night's invoices say on whom.

        Whoever is closed in the undisturbed twin as well costs its suppliers the same there.
        """
        world = self.world
        lost = [event for event in today(world) if event["event"] == UNPAID]
        creditor, debtor, owed = self.owed
        if lost:
            # A firm that closed, today or before, and owed something has nothing to pay it with when it is struck out.
            gone = (world.firms.alive[debtor] == 0.0) & (owed > 0.0)
            creditor, debtor, owed = creditor[gone], debtor[gone], owed[gone]
            written_off = np.zeros(world.firms.rows)
            for event in lost:
                written_off[event["rows"]] += event["amount"]
            known = np.bincount(creditor, owed, minlength=world.firms.rows)
            at = np.flatnonzero((written_off[creditor] > 0.0) & (calm.firms.alive[debtor] > 0.0))
            found = np.zeros(len(at), dtype=DEBT)
            found["day"], found["creditor"], found["debtor"] = world.day, creditor[at], debtor[at]
            found["amount"] = owed[at] / known[creditor[at]] * written_off[creditor[at]]
            found["shock"] = -1
            self.debts.append(found)
        self.owed = self._owed()

    def _note_drains(self) -> None:
        """Keep what money shocks have taken from each firm: of a credit line the most, of payments the sum."""
        world, memory = self.world, self.memory
        firms, sheet = world.firms, world.sheet
        for channel in MONEY:
            if channel not in self.seen.struck:
                continue
            factor, who = sheet.multipliers[channel], self.seen.struck[channel][1]
            taken = np.where(who >= 0, np.maximum(_cost(world, channel, factor), 0.0), 0.0)
            if f"drain_{channel}" not in memory:
                memory[f"drain_{channel}"] = np.zeros(firms.rows)
                memory[f"drain_by_{channel}"] = np.full(firms.rows, -1, dtype=np.int32)
                memory[f"drain_day_{channel}"] = np.full(firms.rows, -1, dtype=np.int32)
            amount, by, day = (memory[f"{name}_{channel}"] for name in ("drain", "drain_by", "drain_day"))
            new = (taken > 0.0) & (day < 0)
            day[new], by[new] = world.day, who[new]
            amount[:] = np.maximum(amount, taken) if channel == "credit" else amount + taken

    def _drains(self) -> list[Array]:
        """What money shocks took of each firm, in the form of debts that nobody owes."""
        memory, parts = self.memory, []
        for channel in MONEY:
            amount = memory.get(f"drain_{channel}", np.empty(0))
            at = np.flatnonzero(amount > 0.0)
            part = np.zeros(len(at), dtype=DEBT)
            part["creditor"], part["debtor"], part["amount"] = at, -1, amount[at]
            if len(at):
                part["day"], part["shock"] = memory[f"drain_day_{channel}"][at], memory[f"drain_by_{channel}"][at]
                part["how"] = self.channels.index(channel)
            parts.append(part)
        return parts

    def table(self, names: pd.Index[str], shocks: list[str]) -> pd.DataFrame:
        """A row a debt that was never paid, or for what a shock took of a firm's money by one channel."""
        debts = joined([*self.debts, *self._drains()], DEBT)
        shocked = debts["shock"] >= 0
        return pd.DataFrame(
            {
                "day": debts["day"],
                "creditor": named(debts["creditor"], names),
                "debtor": named(debts["debtor"], names),
                "amount": debts["amount"],
                "shock": named(debts["shock"], shocks),
                "through": named(np.where(shocked, debts["how"].astype(np.int64), -1), self.channels),
            }
        )


def _cost(world: World, channel: str, factor: Array) -> Array:
    """What a multiplier of a money channel costs each firm today, currency units; of a credit line, what is cut off."""
    firms, rise = world.firms, factor - 1.0
    costs: dict[str, Callable[[], Any]] = {
        "credit": lambda: -rise * firms.credit_line,
        "rent": lambda: rise * firms.rent_bill * firms.alive,
        "wages": lambda: rise / np.maximum(factor, 1e-300) * firms.wages,
        "interest": lambda: rise * firms.debt * world.mechanisms["finance"].interest_rate / YEAR,
        "invoices": lambda: rise * firms.payables / firms.payment_days,
        "input_cost": lambda: rise * firms.production,
        "price": lambda: -rise / np.maximum(factor, 1e-300) * firms.revenue,
    }
    return np.asarray(costs[channel]())
