"""The cascade: every loss followed back from firm to firm to the shock that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.kernels import lineage as kernel
from ecosim.lineage.causes import (
    CAUSES,
    CLIENT,
    CLIENT_LEFT,
    CLOSED,
    ELSEWHERE,
    INCOME,
    MEANS,
    NO_CASH,
    ORDERED_LITTLE,
    STRUCK,
    SUPPLIER,
)

if TYPE_CHECKING:
    import networkx as nx

    from ecosim.result import Result

Array = np.ndarray[Any, np.dtype[Any]]

YEAR = 365  # days within which earlier trouble can be what a lack of cash comes from
LATELY = 30  # days for which lost wages show in what people buy
UNKNOWN = "not followed further"
#: What a trail ends at that leads to no shock, by the cause of its last entry.
ENDS = {
    INCOME: "customers earn less",
    ELSEWHERE: "customers went elsewhere",
    SUPPLIER: "more was ordered than could be made",
    CLIENT_LEFT: "contracts fell out otherwise",
}
#: Causes by which a firm is held back in what it can make, and so lets its clients down.
HELD_BACK = (STRUCK, MEANS, SUPPLIER, ORDERED_LITTLE, NO_CASH, CLOSED)


@dataclass(frozen=True, eq=False)
class Cascade:
    """Entries of a run's lineage, each with the entry that it came from.

    ``entries`` has the columns of ``Result.lineage`` (a row is a stretch of days in which one cause bound one firm,
    ``loss`` in currency units of output lost against the twin) and: ``parent``, the row that it came from, -1 for none;
    ``generation``, how many firms away from where the harm began (0: a firm that was itself struck; what came by way of
    people's wages is at least 1); ``root``, the shock, or what else the trail ends at; ``root_firm``, the
    firm that was struck, empty where the trail ends at no single one; ``path``, the causes from the root on.
    """

    entries: pd.DataFrame
    debts: pd.DataFrame
    names: tuple[str, ...]

    @classmethod
    def of(cls, result: Result) -> Cascade:
        """Follow the harm of a run; raises InputError where its causes were not kept."""
        if result.lineage is None or result.debts is None:
            raise InputError(
                f"{result.scenario.name}: the causes of harm were not kept; run it again with --lineage full "
                "(in Python: lineage='full')"
            )
        return cls(followed(result.lineage, result.debts, result.firms), result.debts, tuple(result.firms["firm"]))

    # --- sums ---------------------------------------------------------------------------------------------------

    @property
    def loss(self) -> float:
        """Output lost by all firms that lost any, currency units."""
        return float(self.entries["loss"].sum())

    def by_generation(self) -> pd.DataFrame:
        """Loss, share and number of firms by generation: 0 is direct, 1 and more is indirect."""
        return self._shares("generation")

    def by_cause(self) -> pd.DataFrame:
        """Loss, share and number of firms by what bound the firm itself."""
        return self._shares("cause")

    def by_root(self) -> pd.DataFrame:
        """Loss, share and number of firms by the shock, or whatever else the trail ends at."""
        return self._shares("root")

    def by_path(self) -> pd.DataFrame:
        """Loss, share and number of firms by the way that the harm took, from its root on."""
        return self._shares("path")

    def _shares(self, column: str) -> pd.DataFrame:
        groups = self.entries.groupby(column, observed=True)
        table = groups.agg(loss=("loss", "sum"), firms=("firm", "nunique"), entries=("firm", "size"))
        table.insert(1, "share", table["loss"] / self.loss if self.loss > 0 else 0.0)
        return table if column == "generation" else table.sort_values("loss", ascending=False)

    def conduits(self) -> pd.DataFrame:
        """How much harm of others came through each firm, largest first: columns firm, passed_on, own."""
        firm = self.entries["firm"].cat.codes.to_numpy(dtype=np.int64)
        loss, n = self.entries["loss"].to_numpy(), len(self.names)
        through = np.zeros(n)
        kernel.harm_through(self.entries["parent"].to_numpy(), firm, loss, through)
        own = np.bincount(firm, loss, minlength=n)
        table = pd.DataFrame({"firm": self.names, "passed_on": through, "own": own})
        return table[through > 0].sort_values("passed_on", ascending=False, kind="stable", ignore_index=True)

    # --- one firm -----------------------------------------------------------------------------------------------

    def worst(self) -> str:
        """Firm that lost most."""
        if not len(self.entries):
            raise InputError("no firm lost anything, so there is no worst one")
        return str(self.entries.groupby("firm", observed=True)["loss"].sum().idxmax())

    def of_firm(self, firm: str) -> pd.DataFrame:
        """Entries of one firm by day."""
        return self.entries[(self.entries["firm"] == firm).to_numpy()].sort_values("first_day", kind="stable")

    def trail(self, entry: int) -> list[int]:
        """Rows from an entry back to where its harm began."""
        parent, found = self._parent, [entry]
        while parent[found[-1]] >= 0:
            found.append(int(parent[found[-1]]))
        return found

    @cached_property
    def _parent(self) -> Array:
        return self.entries["parent"].to_numpy()

    # --- for other programs -------------------------------------------------------------------------------------

    def graph(self) -> nx.DiGraph[Any]:
        """Who harmed whom as a NetworkX graph: nodes are firms, edges carry the loss that came that way first hand.

        A firm has ``loss``, ``first_day``, ``generation`` (its least) and ``struck``; an edge ``loss``, ``first_day``
        and ``cause``, the one by which most came.
        """
        import networkx as nx

        graph: nx.DiGraph[Any] = nx.DiGraph()
        entries = self.entries
        firms = entries.groupby("firm", observed=True).agg(
            loss=("loss", "sum"), first_day=("first_day", "min"), generation=("generation", "min")
        )
        for firm, loss, first_day, generation in zip(firms.index, *(firms[name] for name in firms), strict=True):
            graph.add_node(str(firm), loss=loss, first_day=first_day, generation=generation, struck=generation == 0)
        linked = self.handed_on()
        for (giver, taker), part in linked.groupby(["giver", "firm"], observed=True):
            most = part.groupby("cause", observed=True)["loss"].sum().idxmax()
            graph.add_edge(
                str(giver), str(taker), loss=float(part["loss"].sum()), first_day=int(part["first_day"].min()),
                cause=str(most),
            )  # fmt: skip
        return graph

    def handed_on(self) -> pd.DataFrame:
        """Entries whose harm came from another firm, with that firm as ``giver``."""
        entries, parent = self.entries, self._parent
        codes = entries["firm"].cat.codes.to_numpy(dtype=np.int64)
        giver = np.where(parent >= 0, codes[parent], -1)
        at = np.flatnonzero((giver >= 0) & (giver != codes))
        found = entries.iloc[at].copy()
        found["giver"] = pd.Categorical.from_codes(giver[at], categories=entries["firm"].cat.categories)
        return found


def followed(lineage: pd.DataFrame, debts: pd.DataFrame, firms: pd.DataFrame) -> pd.DataFrame:
    """Entries sorted by firm and day, with parent, generation, root, root_firm and path (see `Cascade`).

    ``firms`` has a row a firm with its ``customer``, the community whose people work there, too.
    """
    entries = lineage.sort_values(["firm", "first_day"], kind="stable", ignore_index=True)
    entries["firm"] = entries["firm"].cat.set_categories(firms["firm"])
    firm = _codes(entries["firm"], firms["firm"])
    cause = _codes(entries["cause"], CAUSES)
    parent, drained = _parents(entries, debts, firms, firm, cause)
    payer = _who_paid_less(entries, firms, firm, cause)
    # People earn less because many firms pay less: that begins with a shock, and with no single firm.
    order = np.argsort(_depths(np.where(cause == INCOME, payer, parent)), kind="stable")
    names = np.asarray(entries["firm"].astype("str"), dtype=object)
    shock = np.where(drained == "", np.asarray(entries["shock"].astype(object)), drained)
    direct = (cause == STRUCK) | ((drained != "") & (cause != CLIENT))
    client = np.asarray(entries["from_firm"].astype(object))
    root, root_firm = np.empty(len(entries), dtype=object), np.empty(len(entries), dtype=object)
    path, generation = np.empty(len(entries), dtype=object), np.zeros(len(entries), dtype=np.int64)
    for e in order.tolist():
        p, step = int(parent[e]), CAUSES[cause[e]]
        if p < 0:
            known = direct[e] or drained[e] != ""
            root[e] = shock[e] if known else ENDS.get(int(cause[e]), UNKNOWN)
            if payer[e] >= 0:
                root[e] = root[payer[e]]
            root_firm[e], generation[e] = (names[e], 0) if direct[e] else (client[e] if known else "", 1)
            before = f" > {CAUSES[NO_CASH]}" if known and not direct[e] else ""
            path[e] = f"{root[e]}{before} > {step}" if root[e] != step else step
            continue
        moved = firm[p] != firm[e]
        root[e], root_firm[e] = root[p], root_firm[p]
        generation[e] = generation[p] + int(moved)
        path[e] = path[p] if path[p].endswith(f"> {step}") and not moved else f"{path[p]} > {step}"
    entries["parent"], entries["generation"] = parent, generation
    for name, values in (("root", root), ("root_firm", root_firm), ("path", path)):
        entries[name] = pd.Categorical(values)
    return entries


def _codes(values: pd.Series[Any], names: Any) -> Array:
    """Places of values among names, -1 for none, whatever of its names a file has kept."""
    return pd.Categorical(values.astype(object), categories=list(names)).codes.astype(np.int64)


def _parents(
    entries: pd.DataFrame, debts: pd.DataFrame, firms: pd.DataFrame, firm: Array, cause: Array
) -> tuple[Array, Array]:
    """Row that each entry came from, -1 for none, and the shock that took the firm's cash, "" for none; both (E,)."""
    n = len(firms)
    begins = entries["first_day"].to_numpy().astype(np.int64)
    first = np.searchsorted(firm, np.arange(n + 1))
    held_back = np.isin(cause, HELD_BACK)
    other = _codes(entries["from_firm"], firms["firm"])
    wants = np.where(other >= 0, other, firm)
    wants[np.isin(cause, (STRUCK, INCOME))] = -1
    # A client leaves whoever has let it down; one that was served well leaves for reasons of its own.
    failed_on = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(failed_on, firm[held_back], begins[held_back])
    left = (cause == CLIENT_LEFT) & (failed_on[firm] < begins)
    wants[left] = firm[left]
    eaten = _cash(entries, debts, firms, firm, cause, other)
    wants = np.where(eaten.debtor >= 0, eaten.debtor, wants)
    wants[eaten.shock != ""] = -1
    held = left | np.isin(cause, (SUPPLIER, ELSEWHERE))
    parent = np.full(len(entries), -1, dtype=np.int64)
    kernel.forest(np.argsort(begins, kind="stable"), wants, held, firm, begins, held_back, first, parent)
    return np.where(eaten.entry >= 0, eaten.entry, parent), eaten.shock


def _who_paid_less(entries: pd.DataFrame, firms: pd.DataFrame, firm: Array, cause: Array) -> Array:
    """Behind people who earn less: the entry of the largest loss among the firms that they work for, of late, (E,).

    It stands for all who paid less where the name of the shock is asked for: of several, the one that took most.
    """
    begins, ends = entries["first_day"].to_numpy(), entries["last_day"].to_numpy()
    days = int(ends.max(initial=0)) + 2
    communities = firms["customer"].cat.categories
    home = firms["customer"].cat.codes.to_numpy(dtype=np.int64)
    largest = np.full((len(communities), days), -1, dtype=np.int64)
    for e in np.argsort(entries["loss"].to_numpy(), kind="stable").tolist():
        if cause[e] != INCOME:
            largest[home[firm[e]], begins[e] + 1 : ends[e] + LATELY] = e
    earns = np.maximum(_codes(entries["customer"], communities), 0)
    return np.where(cause == INCOME, largest[earns, begins], -1)


class _Eaten(NamedTuple):
    """What cost each firm without cash the most money in the year before, (E,) each."""

    entry: Array  # a stretch of its own in which it sold less, or -1
    debtor: Array  # whoever did not pay it, or -1
    shock: Array  # what took its money at once, or ""


def _cash(
    entries: pd.DataFrame, debts: pd.DataFrame, firms: pd.DataFrame, firm: Array, cause: Array, other: Array
) -> _Eaten:
    """Cash runs out over time, so it comes from what has cost the firm most, not from what came last.

    A unit of output lost costs what would have been left of it after inputs and the wages that vary with it; a debt and
    a dearer rent cost what they are. A client that orders less for want of cash is looked at in the same way.
    """
    none = np.full(len(entries), -1, dtype=np.int64)
    found = _Eaten(none, none.copy(), np.full(len(entries), "", dtype=object))
    through = np.asarray(entries["through"].astype(object))
    ordering = (cause == CLIENT) & (through == "finance")
    broke = np.isin(cause, (CLOSED, NO_CASH)) & (through != "turnover")
    whose = np.where(ordering, other, firm)
    begins, loss = entries["first_day"].to_numpy(), entries["loss"].to_numpy() * _margin(firms)[firm]
    rows = np.arange(len(firms) + 1)
    debts = debts.iloc[np.argsort(_codes(debts["creditor"], firms["firm"]), kind="stable")]
    first, owed_to = np.searchsorted(firm, rows), np.searchsorted(_codes(debts["creditor"], firms["firm"]), rows)
    debtor, day = _codes(debts["debtor"], firms["firm"]), debts["day"].to_numpy()
    amount, shock = debts["amount"].to_numpy(), np.asarray(debts["shock"].astype(object))
    for e in np.flatnonzero(broke | ordering).tolist():
        own = np.arange(first[whose[e]], first[whose[e] + 1])
        own = own[(begins[own] < begins[e]) & (begins[own] >= begins[e] - YEAR)]
        if ordering[e] and broke[own].any():
            continue  # that it had no cash is an entry of its own
        own = own[~broke[own]]
        most = loss[own].max(initial=0.0)
        if len(own):
            found.entry[e] = own[np.argmax(loss[own])]
        mine = np.arange(owed_to[whose[e]], owed_to[whose[e] + 1])
        mine = mine[(day[mine] <= begins[e]) & (day[mine] >= begins[e] - YEAR)]
        owing = mine[debtor[mine] >= 0]
        owed = np.bincount(debtor[owing], amount[owing])
        if owed.max(initial=0.0) > most:
            most, found.entry[e], found.debtor[e] = owed.max(), -1, int(np.argmax(owed))
        for at in mine[debtor[mine] < 0]:
            if amount[at] > most:
                most, found.entry[e], found.debtor[e], found.shock[e] = amount[at], -1, -1, shock[at]
    return found


def _margin(firms: pd.DataFrame) -> Array:
    """Cash that a unit of output brings in after all that is paid only when it is made, (n,); 1 without finance."""
    if "usual_profit" not in firms:
        return np.ones(len(firms))
    fixed = firms["usual_profit"] + firms["rent_bill"] + firms["rigid_wages"] * firms["wage_bill"]
    output = firms["output"].to_numpy()
    margin: Array = np.divide(fixed.to_numpy(), output, out=np.zeros(len(firms)), where=output > 0.0)
    return margin


def _depths(parent: Array) -> Array:
    """Steps from each entry back to the beginning, by doubling: (E,)."""
    depth = (parent >= 0).astype(np.int64)
    up = parent.copy()
    while (up >= 0).any():
        at = np.flatnonzero(up >= 0)
        above = up[at]
        depth[at] += depth[above]
        up[at] = up[above]
    return depth


def among(lineage: pd.DataFrame, debts: pd.DataFrame, firms: pd.DataFrame, top: int) -> pd.DataFrame:
    """Entries of the firms that lost most, and all that their harm came through."""
    whole = followed(lineage, debts, firms)
    lost = whole.groupby("firm", observed=True)["loss"].sum().nlargest(top)
    keep = whole["firm"].isin(lost.index).to_numpy().copy()
    at, parent = np.flatnonzero(keep), whole["parent"].to_numpy()
    while len(at):
        at = np.unique(parent[at])
        at = at[at >= 0]
        at = at[~keep[at]]
        keep[at] = True
    return whole.loc[keep, list(lineage.columns)].reset_index(drop=True)
