"""Accounts and payments: every payment has two sides, and only this file changes what anybody holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ecosim.state import Table

Array = np.ndarray[Any, np.dtype[Any]]

#: Columns of the transactions matrix; firms are told apart by their role (0 SMB, 1 Supplier).
SECTORS = ("SMBs", "Suppliers", "households", "bank", "government", "outside")
#: Holders of a single account each.
INSTITUTIONS = SECTORS[3:]


@dataclass
class Money:
    """The accounts of an economy: ``firms.cash`` (n,), ``people.savings`` (m,), one account for each institution.

    Deposits are what the bank owes, so all accounts add up to zero, the bank's being minus the sum of the others.
    ``flows`` adds up what each item brought (+) or cost (-) each of the `SECTORS` since the first day: each sums to
    zero, so they are the rows of a transactions matrix (Godley & Lavoie 2007). Amounts are currency units.
    """

    firms: Table
    people: Table
    role: Array
    customer: Array
    kept: Array  # (m,) share of the income made beside a community that stays in it; the rest is commuters'
    shared: Array  # (m,) how what does not stay is divided, adds up to 1
    accounts: Array = field(default_factory=lambda: np.zeros(len(INSTITUTIONS)))
    flows: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def opened(
        cls, firms: Table, people: Table, role: Array, customer: Array, value_added: Array, cash: Array, savings: Array
    ) -> Money:
        """Open all accounts with ``cash`` (n,) and ``savings`` (m,).

        Income is made where firms are and spent where people live. At rest each community earns exactly what it spends:
        where firms pay more than their community spends, the rest goes to communities that spend more than is paid
        beside them, so people commute.
        """
        firms.add("cash", cash)
        people.add("savings", savings)
        made = np.bincount(customer, value_added, minlength=people.rows)
        budget = people.columns["budget"]
        kept = np.divide(budget, made, out=np.zeros_like(made), where=made > 0).clip(max=1.0)
        short = np.maximum(budget - kept * made, 0.0)
        total = short.sum()
        shared = short / total if total > 0 else budget / max(float(budget.sum()), 1e-300)
        money = cls(firms, people, role, customer, kept, shared)
        money.accounts[INSTITUTIONS.index("bank")] = -float(cash.sum()) - float(savings.sum())
        return money

    def pay(self, item: str, payer: str, payee: str, amounts: Array | float, received: Array | None = None) -> None:
        """Move money from ``payer`` to ``payee``: "firms", "households" or one of the `INSTITUTIONS`.

        ``amounts`` has one entry a firm (n,) where firms are on either side, else one a community (m,) where
        households are, else it is a number. Between firms, ``amounts`` is what each pays and ``received`` what each
        gets; both add up to the same.
        """
        entry = self.flows.setdefault(item, np.zeros(len(SECTORS)))
        self._change(entry, payer, payee, amounts, -1.0)
        self._change(entry, payee, payer, amounts if received is None else received, 1.0)

    def _change(self, entry: Array, who: str, other: str, amounts: Array | float, sign: float) -> None:
        if who == "firms":
            self.firms.columns["cash"] += sign * np.asarray(amounts)
            entry[:2] += sign * np.bincount(self.role, np.asarray(amounts), minlength=2)
            return
        if who == "households":
            by_firm = other == "firms"
            each = self._people(np.asarray(amounts), sign) if by_firm else np.asarray(amounts)
            self.people.columns["savings"] += sign * each
            entry[2] += sign * float(each.sum())
            return
        total = sign * float(np.sum(amounts))
        at = INSTITUTIONS.index(who)
        self.accounts[at] += total
        entry[3 + at] += total

    def _people(self, by_firm: Array, sign: float) -> Array:
        """What communities pay to, or earn from, firms: they buy next door, and some commute to work."""
        near: Array = np.bincount(self.customer, by_firm, minlength=self.people.rows)
        if sign < 0:
            return near
        staying = self.kept * near
        return staying + self.shared * (float(near.sum()) - float(staying.sum()))

    def total(self) -> float:
        """Sum of all accounts, 0 but for rounding."""
        return float(self.firms.columns["cash"].sum() + self.people.columns["savings"].sum() + self.accounts.sum())
