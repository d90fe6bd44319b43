"""The daily record: what bound each firm that made less than its twin, and whom or what that came from.

An entry is a stretch of days in which one cause bound one firm: so a year of a firm that waits for flour is one row and
not 365. Recording reads the run and its twin side by side and writes to neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.goods import IN_TRANSIT
from ecosim.kernels import lineage as kernel
from ecosim.lineage.cash import Cash
from ecosim.lineage.causes import (
    CAUSES,
    CLIENT,
    CLIENT_LEFT,
    ELSEWHERE,
    INCOME,
    MEANS,
    NO_CASH,
    ORDERED_LITTLE,
    STRUCK,
    SUPPLIER,
)
from ecosim.lineage.reasons import Reasons
from ecosim.lineage.tables import joined, named
from ecosim.lineage.witness import TRADE, Witness, today
from ecosim.state import CLOSES, OUT_OF_CASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.model import Ecosystem
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

MEMORY = "lineage"  # the place in the world's memory, so that an interrupted run goes on with its record
NOTICED = 1e-3  # share of a firm's output below which less is noise
PAUSE = 2  # days without loss, or with another cause, that do not end an entry
CLOSING = "closing"  # what a shock writes to that puts firms out of business, named like the channels of the sheet

ENTRY = np.dtype(
    [("firm", "<i4"), ("first", "<i4"), ("last", "<i4"), ("cause", "u1"), ("detail", "u1"), ("source", "<i4"),
     ("loss", "<f8")]
)  # fmt: skip
FIELDS = ("firm", "first", "last", "cause", "detail", "source", "loss")
NOTHING_YET = {"firm": -1, "first": 0, "last": -(10**6), "cause": 0, "detail": 0, "source": -1, "loss": 0.0}

MANY = 200_000  # firms beyond which a record is made only where it is asked for: the twin then takes memory, too
EVERYONE = -1


def how_many(lineage: str | int, eco: Ecosystem) -> int:
    """How many firms' harm is followed: 0 for none, -1 for all; raises InputError for what is neither.

    A run that was interrupted goes on with what it began with.
    """
    begun = eco.world.memory.get(MEMORY)
    if begun is not None:
        return int(begun["top"])
    if eco.day >= 0 and lineage in ("auto", "off"):
        return 0
    if eco.day >= 0:  # a record of half a run would blame the wrong ones
        raise InputError(f"lineage: this run was begun without it, {eco.day + 1} days ago; run it from the start")
    if lineage in ("full", "auto"):
        return EVERYONE if lineage == "full" or eco.world.firms.rows <= MANY else 0
    if lineage == "off":
        return 0
    if isinstance(lineage, str) and lineage.isdecimal() and len(lineage) < 10:
        lineage = int(lineage)
    if isinstance(lineage, int) and not isinstance(lineage, bool) and lineage >= 1:
        return lineage
    raise InputError(f"lineage: {lineage!r} is none of full, off, or a number of firms of at least 1")


class Record:
    """Notes after each day what bound whom, and gives it as a table at the end.

    Arrays that must last live in the world's memory, so that a run that was interrupted and restored goes on with
    them; the twin is only read. Each entry takes 26 bytes in memory, and a few on disk.
    """

    def __init__(self, eco: Ecosystem, twin: Ecosystem, top: int = EVERYONE) -> None:
        """Begin, or go on, at the evening of the economy's day; ``twin`` has lived the same days."""
        self.eco, self.twin = eco, twin
        world = eco.world
        n = world.firms.rows
        memory = world.memory.setdefault(MEMORY, {})
        if not memory:
            start = np.zeros(n, dtype=ENTRY)
            for name, value in NOTHING_YET.items():
                start[name] = value
            start["firm"] = np.arange(n)
            memory |= {name: start[name].copy() for name in FIELDS}
            memory |= {"short": np.zeros(len(world.links)), "remembers": np.zeros((), dtype=np.bool_)}
            memory |= {"gains": np.zeros(n), "unnoticed": np.zeros(n)}
            memory |= {"top": np.array(top), "firm_days": np.zeros((), dtype=np.int64)}
            memory |= {"taken": np.empty(0), "taken_by": np.empty(0, dtype=np.int32), "taken_how": np.empty(0, "u1")}
            memory |= {"unbought": np.empty(0)}
            memory |= {"closed_by": np.full(n, -1, dtype=np.int32), "closed_how": np.zeros(n, dtype=np.uint8)}
        self.parts: list[Array] = []
        if "entries" in memory:
            self.parts.append(memory.pop("entries").view(ENTRY).reshape(-1))
        self.channels: list[str] = [*world.sheet.channels, TRADE, CLOSING]
        self.mechanisms = list(world.mechanisms)
        self.shocks = [shock.label for shock, _ in eco._shocks]
        self.seen, self.calm = Witness(world), Witness(twin.world)
        world.sheet.witness = self.seen.see
        if world.mechanisms:
            twin.world.sheet.witness = self.calm.see
        self.reasons = Reasons(world, twin.world, self.seen, self.calm, self.channels, self.mechanisms, memory)
        self.cash = Cash(world, memory, self.seen, self.channels)
        self.reached, self.cut_by = world.links.ordered, np.empty(0, dtype=np.int32)
        self.less: Array | None = None  # by how many days of purchases firms cut today's orders for want of cash
        self._everyone = np.ones(n)
        self._rows, self._loss, self._ended = np.empty(n, dtype=np.int64), np.empty(n), np.empty((n, len(FIELDS)))

    # --- each day -----------------------------------------------------------------------------------------------

    def note(self) -> None:
        """Note the day that both have just lived."""
        world, calm, memory = self.eco.world, self.twin.world, self.eco.world.memory[MEMORY]
        firms = world.firms
        self._note_cuts(world)
        self._note_shortfalls(world, memory)
        self._note_taken(world, memory)
        self._note_closings(world, memory)
        if "finance" in world.mechanisms:
            self._note_unbought(world, calm, memory)
            self.cash.note(calm)
        rows, loss = self._rows, self._loss
        count = kernel.notice(
            calm.firms.production, firms.production, firms.output, NOTICED, memory["gains"], memory["unnoticed"], rows,
            loss,
        )  # fmt: skip
        if count:
            memory["firm_days"] += count
            rows, loss = rows[:count], loss[:count]
            self._enter(memory, world.day, rows, *self._causes(world, calm, rows), loss)
        self.seen.forget()
        self.calm.forget()

    def _note_cuts(self, world: World) -> None:
        """What of today's orders gets through to suppliers, and which shock keeps the rest."""
        links = world.links
        self.reached = links.ordered
        if self.seen.cuts:
            self.reached, self.cut_by = links.ordered.copy(), np.full(len(links), -1, dtype=np.int32)
            for rows, left, writer in self.seen.cuts:
                self.reached[rows] *= left
                self.cut_by[rows] = writer

    def _note_shortfalls(self, world: World, memory: dict[str, Array]) -> None:
        """Keep what suppliers failed to deliver."""
        links, firms = world.links, world.firms
        if memory["remembers"] or kernel.any_rationed(firms.demand, firms.production):
            memory["remembers"][...] = kernel.remember_shortfalls(
                links.ptr, links.flow, self.reached, links.delivered, firms.production, firms.output,
                firms.inventory_days, memory["short"],
            )  # fmt: skip

    @staticmethod
    def _fade(world: World, amounts: Array) -> None:
        """Let what is remembered of links grow older by a day."""
        firms = world.firms
        kernel.fade(world.links.ptr, firms.production, firms.output, firms.inventory_days, amounts)

    def _note_taken(self, world: World, memory: dict[str, Array]) -> None:
        """Keep what shocks took from links: stocks destroyed, orders cut off, goods held up."""
        links = world.links
        if not (self.seen.cuts or self.seen.spent or len(memory["taken"]) or IN_TRANSIT in links.columns):
            return
        if not len(memory["taken"]):
            memory["taken"] = np.zeros(len(links))
            memory["taken_by"] = np.full(len(links), -1, dtype=np.int32)
            memory["taken_how"] = np.zeros(len(links), dtype=np.uint8)
        taken, by, how = memory["taken"], memory["taken_by"], memory["taken_how"]
        self._fade(world, taken)
        if self.seen.cuts:
            rows = np.flatnonzero(self.cut_by >= 0)
            taken[rows] += links.ordered[rows] - self.reached[rows]
            by[rows], how[rows] = self.cut_by[rows], self.channels.index(TRADE)
        for rows, amounts, writer in self.seen.spent:
            taken[rows] += amounts
            by[rows], how[rows] = writer, self.channels.index("stocks")
        if "delivery" in self.seen.struck:
            _, who = self.seen.struck["delivery"]
            rows = np.flatnonzero((who[links.buyer] >= 0) & (links.columns[IN_TRANSIT] > 0.0))
            taken[rows] = np.maximum(taken[rows], links.columns[IN_TRANSIT][rows])
            by[rows], how[rows] = who[links.buyer[rows]], self.channels.index("delivery")

    def _note_closings(self, world: World, memory: dict[str, Array]) -> None:
        """Keep who was put out of business how: by which shock, for want of cash, or when an owner gave up."""
        for event in today(world):
            why = event["event"].removeprefix(CLOSES)
            if why == event["event"]:
                continue
            by_shock = why in self.shocks
            kind = "finance" if why == OUT_OF_CASH else "turnover"
            memory["closed_by"][event["rows"]] = self.shocks.index(why) if by_shock else -1
            how = self.channels.index(CLOSING) if by_shock else self.reasons.number(kind)
            memory["closed_how"][event["rows"]] = how

    def _note_unbought(self, world: World, calm: World, memory: dict[str, Array]) -> None:
        """Keep what firms did not order for want of cash, beyond what their twins did not."""
        firms, links = world.firms, world.links
        stress = np.maximum(firms.cash_stress - calm.firms.cash_stress, 0.0)
        self.less = None
        if not (stress.any() or memory["unbought"].any()):
            return
        if not len(memory["unbought"]):
            memory["unbought"] = np.zeros(len(links))
        pace = np.divide(firms.expected, firms.output, out=np.ones(firms.rows), where=firms.output > 0.0)
        self.less = firms.bootstrapping * stress * firms.alive * pace * firms.inventory_days / firms.smoothing_days
        self._fade(world, memory["unbought"])
        kernel.remember_unbought(
            links.ptr, links.flow, links.stock, links.ordered, self.less, pace, firms.inventory_days,
            firms.smoothing_days, memory["unbought"],
        )  # fmt: skip

    def _causes(self, world: World, calm: World, rows: Array) -> tuple[Array, Array, Array]:
        """Cause, its detail (a channel or a mechanism) and its source (a shock or a firm), all (k,)."""
        memory, links, firms = world.memory[MEMORY], world.links, world.firms
        k = len(rows)
        cause, detail = np.zeros(k, dtype=np.uint8), np.zeros(k, dtype=np.uint8)
        source, link = np.empty(k, dtype=np.int32), np.empty(k, dtype=np.int64)
        calm_links = calm.links
        means, shocked, own, people = kernel.bind(
            rows, self._alive(world), firms.capacity, firms.ceiling, firms.demand, calm.firms.demand,
            links.ptr, links.product, links.importance, links.flow, links.stock, links.supplier, links.ordered,
            self.reached, links.out_ptr, links.out_link, memory["short"], memory["taken"], memory["unbought"],
            calm_links.out_ptr, calm_links.out_link, calm_links.client_of_out, calm_links.supplier,
            calm_links.ordered, calm_links.supplier is not links.supplier, cause, source, link,
        )  # fmt: skip
        if shocked:
            cut = np.flatnonzero((cause == STRUCK) & (source == kernel.CUT))
            source[cut], detail[cut] = self.cut_by[link[cut]], self.channels.index(TRADE)
            at = np.flatnonzero((cause == STRUCK) & (source == -1))
            source[at], detail[at] = memory["taken_by"][link[at]], memory["taken_how"][link[at]]
        if self.less is not None:
            at = np.flatnonzero(cause == CLIENT)
            cut, fell = self.less[source[at]] * links.flow[link[at]], (calm_links.ordered - links.ordered)[link[at]]
            detail[at[cut >= 0.5 * fell]] = self.reasons.number("finance")
        if own:
            at = np.flatnonzero((cause == ORDERED_LITTLE) | (cause == NO_CASH))
            source[at] = rows[at]
        if means:
            at = np.flatnonzero(cause == MEANS)
            cause[at], detail[at], source[at] = self.reasons.of_means(rows[at])
        if people:
            at = np.flatnonzero(cause == ELSEWHERE)
            cause[at], detail[at], source[at] = self.reasons.of_customers(rows[at])
        return cause, detail, source

    def _alive(self, world: World) -> Array:
        alive: Array = world.firms.columns.get("alive", self._everyone)
        return alive

    def _enter(
        self, memory: dict[str, Array], day: int, rows: Array, cause: Array, detail: Array, source: Array, loss: Array
    ) -> None:
        """Write the day into the entries of these firms."""
        count = kernel.enter(
            day, PAUSE, rows, cause, detail, source, loss, memory["first"], memory["last"], memory["cause"],
            memory["detail"], memory["source"], memory["loss"], self._ended,
        )  # fmt: skip
        if count:
            self.parts.append(_entries([*self._ended[:count].T]))

    # --- the end ------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Put all that was noted into the world's memory, so that it is saved with the run."""
        memory = self.eco.world.memory[MEMORY]
        memory["entries"] = joined(self.parts, ENTRY).view(np.uint8)
        self.cash.keep()

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
        """All entries by firm and day, the bad debts, and what the record is made of."""
        from ecosim.lineage.cascade import among

        memory, firms = self.eco.world.memory[MEMORY], self.eco.world.firms
        open_ones = np.flatnonzero(memory["loss"] > 0.0)
        entries = joined([*self.parts, _entries([memory[name][open_ones] for name in FIELDS])], ENTRY)
        entries = entries[np.lexsort((entries["first"], entries["firm"]))]
        firm_names = pd.Index(list(self.eco.world.plan.names), dtype="str")
        frame, debts = self._frame(entries, firm_names), self.cash.table(firm_names, self.shocks)
        noted = {
            "firm_days": int(memory["firm_days"]),
            "entries": len(entries),
            "loss": float(entries["loss"].sum()),
            "too_small_to_note": float(memory["unnoticed"].sum()),
            "gains_of_others": float(memory["gains"].sum()),
            "firms": int((memory["loss"] > 0.0).sum()),
            "top": int(memory["top"]),
        }
        if memory["top"] >= 0:
            plan = self.eco.world.plan
            about = {"firm": list(plan.names), "customer": named(plan.customer, plan.customer_names)}
            frame = among(frame, debts, pd.DataFrame(about | dict(firms.columns)), int(memory["top"]))
        return frame, debts, noted

    def _frame(self, entries: Array, names: pd.Index[str]) -> pd.DataFrame:
        plan = self.eco.world.plan
        kinds = [*self.channels, *self.mechanisms]
        cause, source, detail = entries["cause"], entries["source"], entries["detail"].astype(np.int64)
        struck = cause == STRUCK
        of_firm = np.isin(cause, (SUPPLIER, CLIENT, CLIENT_LEFT))
        return pd.DataFrame(
            {
                "firm": named(entries["firm"], names),
                "first_day": entries["first"],
                "last_day": entries["last"],
                "loss": entries["loss"],
                "cause": named(cause, CAUSES),
                "through": named(np.where((detail > 0) | struck, detail, -1), kinds),
                "from_firm": named(np.where(of_firm, source, -1), names),
                "shock": named(np.where(struck, source, -1), self.shocks),
                "customer": named(np.where(cause == INCOME, source, -1), plan.customer_names),
            }
        )


def _entries(columns: Sequence[Array]) -> Array:
    part = np.empty(len(columns[0]), dtype=ENTRY)
    for name, column in zip(FIELDS, columns, strict=True):
        part[name] = column
    return part
