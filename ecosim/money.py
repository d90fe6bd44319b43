"""Accounts and payments: every payment has two sides, and only this file changes what anybody holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from ecosim.state import Table

Array = np.ndarray[Any, np.dtype[Any]]

#: Columns of the transactions matrix; firms are told apart by their role (0 SMB, 1 Supplier).
SECTORS = ("SMBs", "Suppliers", "households", "bank", "government", "outside")
#: Holders of a single account each.
INSTITUTIONS = SECTORS[3:]
#: Who may pay and be paid.
SIDES = ("firms", "households", *INSTITUTIONS)
NOUN = {"firms": "firms", "households": "communities"}
AMOUNTS = "amounts are finite and at least 0; to pay the other way, swap payer and payee"
ROUNDING = 1e-9  # relative, between what is paid and what is received


@dataclass(frozen=True)
class Commuting:
    """How income that is made beside a community reaches the communities where it is spent.

    At rest each community earns exactly what it spends: where firms pay more than their community spends, the rest goes
    to communities that spend more than is paid beside them, so people commute.
    """

    kept: Array  # (m,) share of the income made beside a community that stays in it; the rest is commuters'
    shared: Array  # (m,) how what does not stay is divided, adds up to 1

    @classmethod
    def at_rest(cls, made: Array, spent: Array) -> Commuting:
        """Follow from what is ``made`` beside each community and what it spends, both (m,) and equal in total."""
        kept = np.divide(spent, made, out=np.zeros_like(made), where=made > 0).clip(max=1.0)
        short = np.maximum(spent - kept * made, 0.0)
        total = float(short.sum())
        return cls(kept, short / total if total > 0 else spent / max(float(spent.sum()), 1e-300))

    def earned(self, near: Array) -> Array:
        """What each community earns of the income made beside each, both (m,)."""
        staying = self.kept * near
        return staying + self.shared * (float(near.sum()) - float(staying.sum()))


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
    commuting: Commuting
    accounts: Array = field(default_factory=lambda: np.zeros(len(INSTITUTIONS)))
    flows: dict[str, Array] = field(default_factory=dict)
    _sheet: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    @classmethod
    def opened(
        cls,
        firms: Table,
        people: Table,
        role: Array,
        customer: Array,
        made: Array,
        put_in: Array,
        cash: Array,
        savings: Array,
    ) -> Money:
        """Open all accounts with ``cash`` (n,) and ``savings`` (m,).

        ``made`` (n,) is what each firm pays to people a day at rest, ``put_in`` (n,) what its owners pay into it.
        """
        firms.add("cash", cash)
        people.add("savings", savings)
        near = np.bincount(customer, made, minlength=people.rows)
        spent = people.columns["budget"] + np.bincount(customer, put_in, minlength=people.rows)
        # Rows of another type would be converted again at every payment.
        money = cls(firms, people, role.astype(np.intp), customer.astype(np.intp), Commuting.at_rest(near, spent))
        money.accounts[INSTITUTIONS.index("bank")] = -float(cash.sum()) - float(savings.sum())
        return money

    def pay(self, item: str, payer: str, payee: str, amounts: Array | float, received: Array | None = None) -> None:
        """Move money from ``payer`` to ``payee``: "firms", "households" or one of the `INSTITUTIONS`.

        ``amounts`` has one entry a firm (n,) where firms are on either side, else one a community (m,) where
        households are, else it is a number. Between firms, ``amounts`` is what each pays and ``received`` what each
        gets; both add up to the same. Households pay firms next door, and earn where they live, as some commute.
        All amounts are finite and at least 0: to pay the other way, swap the sides (see `pay_either_way`).
        """
        given = self._amounts(item, payer, payee, amounts)
        got = given if received is None else self._amounts(item, payer, payee, received)
        if received is not None and payer != payee:
            raise InputError(f"payment {item!r}: leave out what is received, as {payee} gets what {payer} pay")
        if "firms" not in (payer, payee):
            for each in (given, got):
                if not ((each >= 0.0).all() and np.isfinite(each).all()):
                    raise InputError(f"payment {item!r}: {each!r}; {AMOUNTS}")
            self._balance(item, float(given.sum()), float(got.sum()))
            entry = self.flows.setdefault(item, np.zeros(len(SECTORS)))
            for who, each, sign in ((payer, given, -1.0), (payee, got, 1.0)):
                self._change(entry, who, each, float(each.sum()), sign)
            return
        near, by_role = self._by_group(item, given)
        roles_paid = by_role if received is None else self._by_group(item, got)[1]
        self._balance(item, float(by_role.sum()), float(roles_paid.sum()))
        entry = self.flows.setdefault(item, np.zeros(len(SECTORS)))
        cash = self.firms.columns["cash"]
        for who, each, sign in ((payer, given, -1.0), (payee, got, 1.0)):
            if who == "firms":
                np.subtract(cash, each, out=cash) if sign < 0 else np.add(cash, each, out=cash)
                entry[:2] += sign * (by_role if sign < 0 else roles_paid)
            else:
                people = near if sign < 0 else self.commuting.earned(near)
                self._change(entry, who, people, float(by_role.sum()), sign)

    def pay_either_way(self, item: str, one: str, other: str, amounts: Array) -> None:
        """Move what is above 0 from ``one`` side to the ``other``, and what is below 0 the other way."""
        self.pay(item, one, other, np.maximum(amounts, 0.0))
        back = np.maximum(-amounts, 0.0)
        if back.any():
            self.pay(item, other, one, back)

    def _amounts(self, item: str, payer: str, payee: str, amounts: Array | float) -> Array:
        """Amounts as an array of the shape that the two sides ask for."""
        for side in (payer, payee):
            if side not in SIDES:
                raise InputError(f"payment {item!r}: {side!r} has no account; there are {', '.join(SIDES)}")
        values = np.asarray(amounts, dtype=np.float64)
        rows = {"firms": self.firms.rows, "households": self.people.rows}
        by = next((side for side in rows if side in (payer, payee)), None)
        if values.shape != (() if by is None else (rows[by],)):
            wanted = "one number" if by is None else f"one amount for each of the {rows[by]} {NOUN[by]}"
            raise InputError(f"payment {item!r}: amounts of shape {values.shape}; give {wanted}")
        return values

    def _balance(self, item: str, paid: float, received: float) -> None:
        if not abs(paid - received) <= ROUNDING * max(paid, received):
            raise InputError(f"payment {item!r}: {paid:g} is paid and {received:g} received; both must be the same")

    def blank(self, rows: int) -> Array:
        """Return an array (rows, n) to work on within a settlement; what it holds is anybody's tomorrow.

        Fresh arrays would have to be given memory by the system every day, which takes longer than the arithmetic.
        """
        if len(self._sheet) < rows:
            self._sheet = np.zeros((rows, self.firms.rows))
        return self._sheet[:rows]

    def _change(self, entry: Array, who: str, people: Array, total: float, sign: float) -> None:
        """Change the account of households, each community's its part, or of an institution."""
        if who == "households":
            self.people.columns["savings"] += sign * people
            entry[2] += sign * float(people.sum())
            return
        at = INSTITUTIONS.index(who)
        self.accounts[at] += sign * total
        entry[3 + at] += sign * total

    def _by_group(self, item: str, by_firm: Array) -> tuple[Array, Array]:
        """Sums of amounts of firms by the community beside them (m,), and by role (2,)."""
        from ecosim.kernels.finance import tally

        near, by_role = np.zeros(self.people.rows), np.zeros(2)
        lowest = tally(by_firm, self.customer, self.role, near, by_role)
        if lowest < 0.0 or not np.isfinite(by_role).all():  # a sum is no finite number where an amount is none
            wrong = int(np.argmax(~((by_firm >= 0.0) & (by_firm < np.inf))))
            raise InputError(f"payment {item!r}: {by_firm[wrong]:g} in row {wrong}; {AMOUNTS}")
        return near, by_role

    def total(self) -> float:
        """Sum of all accounts, 0 but for rounding."""
        return float(self.firms.columns["cash"].sum() + self.people.columns["savings"].sum() + self.accounts.sum())
