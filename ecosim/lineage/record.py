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
from ecosim.lineage.tables import joined, named
from ecosim.lineage.witness import TRADE, Witness, today
from ecosim.state import CLOSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.model import Ecosystem
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

MEMORY = "lineage"  # the place in the world's memory, so that an interrupted run goes on with its record
NOTICED = 1e-3  # share of a firm's output below which less is noise
PAUSE = 2  # days without loss, or with another cause, that do not end an entry
CLOSING = "closing"  # what a shock writes to that puts firms out of business, named like the channels of the sheet
OUT_OF_CASH = "out of cash"  # how finance says so in the diary

#: Causes by number. What each leads back to: a shock, another firm, or the firm's own past.
CAUSES = (
    "none",
    "struck by a shock",
    "means are short",
    "a supplier delivers too little",
    "it ordered little itself",
    "it had no cash to order",
    "a client orders less",
    "customers earn less",
    "customers went elsewhere",
    "its prices turn customers away",
    "closed",
    "a client buys elsewhere",
)
STRUCK, MEANS, SUPPLIER, ORDERED_LITTLE, NO_CASH, CLIENT, INCOME, ELSEWHERE, PRICES, CLOSED, CLIENT_LEFT = range(1, 12)

ENTRY = np.dtype(
    [("firm", "<i4"), ("first", "<i4"), ("last", "<i4"), ("cause", "u1"), ("detail", "u1"), ("source", "<i4"),
     ("loss", "<f8")]
)  # fmt: skip
FIELDS = ("firm", "first", "last", "cause", "detail", "source", "loss")
NOTHING_YET = {"firm": -1, "first": 0, "last": -(10**6), "cause": 0, "detail": 0, "source": -1, "loss": 0.0}

MANY = 200_000  # firms beyond which a record is made only where it is asked for: the twin then takes memory, too
EVERYONE = -1


def followed(lineage: str | int, eco: Ecosystem) -> int:
    """How many firms' harm is followed: 0 for none, -1 for all; raises InputError for what is neither.

    A run that was interrupted goes on with what it began with.
    """
    begun = eco.world.memory.get(MEMORY)
    if begun is not None:
        return int(begun["top"])
    if lineage == "auto" and eco.day >= 0:
        return 0  # it was begun without, and a record of half a run would blame the wrong ones
    if lineage in ("full", "auto"):
        return EVERYONE if lineage == "full" or eco.world.firms.rows <= MANY else 0
    if lineage == "off":
        return 0
    if isinstance(lineage, str) and lineage.isdecimal():
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
            memory |= {"short": np.zeros(len(world.links)), "idle": np.zeros((), dtype=np.int64)}
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
        self.cash = Cash(world, memory, self.seen, self.channels)
        self.reached, self.cut_by = world.links.ordered, np.empty(0, dtype=np.int32)
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
        memory["idle"] += 1
        if kernel.any_rationed(firms.demand, firms.production):  # else nothing failed to come today
            keeps = self._keeps(world)
            if memory["idle"] > 1:
                keeps = keeps ** memory["idle"]
            kernel.remember_shortfalls(links.ptr, links.flow, self.reached, links.delivered, keeps, memory["short"])
            memory["idle"][...] = 0

    @staticmethod
    def _keeps(world: World) -> Array:
        """Share of what did not come in that still shows in a firm's stocks a day later, (n,)."""
        return np.asarray(1.0 - 1.0 / np.maximum(world.firms.inventory_days, 1.0))

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
        taken *= self._keeps(world)[links.buyer]
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
            how = self.channels.index(CLOSING) if by_shock else self._number(kind)
            memory["closed_how"][event["rows"]] = how

    def _number(self, mechanism: str) -> int:
        """A mechanism as the detail of a cause; 0 for one that is off."""
        return len(self.channels) + self.mechanisms.index(mechanism) if mechanism in self.mechanisms else 0

    def _note_unbought(self, world: World, calm: World, memory: dict[str, Array]) -> None:
        """Keep what firms did not order for want of cash, beyond what their twins did not."""
        firms, links = world.firms, world.links
        stress = np.maximum(firms.cash_stress - calm.firms.cash_stress, 0.0)
        if not (stress.any() or memory["unbought"].any()):
            return
        if not len(memory["unbought"]):
            memory["unbought"] = np.zeros(len(links))
        pace = np.divide(firms.expected, firms.output, out=np.ones(firms.rows), where=firms.output > 0.0)
        less = firms.bootstrapping * stress * firms.alive * pace * firms.inventory_days / firms.smoothing_days
        kernel.remember_unbought(
            links.ptr, links.flow, links.stock, links.ordered, less, pace, firms.inventory_days, firms.smoothing_days,
            self._keeps(world), memory["unbought"],
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
            calm_links.out_ptr, calm_links.out_link, calm_links.client_of_out, calm_links.ordered, cause, source, link,
        )  # fmt: skip
        if shocked:
            cut = np.flatnonzero((cause == STRUCK) & (source == kernel.CUT))
            source[cut], detail[cut] = self.cut_by[link[cut]], self.channels.index(TRADE)
            at = np.flatnonzero((cause == STRUCK) & (source == -1))
            source[at], detail[at] = memory["taken_by"][link[at]], memory["taken_how"][link[at]]
        if own:
            at = np.flatnonzero((cause == ORDERED_LITTLE) | (cause == NO_CASH))
            source[at] = rows[at]
        if means:
            at = np.flatnonzero(cause == MEANS)
            cause[at], detail[at], source[at] = self._of_means(world, calm, rows[at])
        if people:
            at = np.flatnonzero(cause == ELSEWHERE)
            cause[at], detail[at], source[at] = self._of_customers(world, calm, rows[at])
        return cause, detail, source

    def _alive(self, world: World) -> Array:
        alive: Array = world.firms.columns.get("alive", self._everyone)
        return alive

    def _of_means(self, world: World, calm: World, rows: Array) -> tuple[Array, Array, Array]:
        """Behind a lack of capacity: a shock, what a mechanism made of the firm's means, or a firm that closed."""
        if not self.mechanisms:  # nothing but shocks touches the means of the core
            cause, detail, source = np.full(len(rows), MEANS, "u1"), np.zeros(len(rows), "u1"), rows.astype(np.int32)
            self._blame("capacity", np.arange(len(rows)), rows, cause, detail, source)
        else:
            cause, detail, source = self._largest(rows, *self._drops_of_means(world, calm, rows), MEANS)
        if "alive" in world.firms:
            memory = world.memory[MEMORY]
            dead = np.flatnonzero(world.firms.alive[rows] == 0.0)
            by = memory["closed_by"][rows[dead]]
            cause[dead] = np.where(by >= 0, STRUCK, CLOSED)
            detail[dead], source[dead] = memory["closed_how"][rows[dead]], np.where(by >= 0, by, rows[dead])
        return cause, detail, source

    def _drops_of_means(
        self, world: World, calm: World, rows: Array
    ) -> tuple[list[Array], list[tuple[int, str]]]:  # fmt: skip
        """What each thing took off the means of some firms, against the twin, and what it stands for."""
        firms, peace = world.firms, calm.firms
        left = world.sheet.multipliers["capacity"][rows]
        if world.sheet.read("relief") is not None:
            left = np.maximum(1.0 - (1.0 - left) * world.sheet.multipliers["relief"][rows], 0.0)
        drops = [1.0 - left, 1.0 - firms.potential[rows] / np.maximum(peace.potential[rows], 1e-300)]
        labels = [(STRUCK, "capacity"), (MEANS, "opportunity" if "opportunity" in self.mechanisms else "")]
        self._add_mechanisms("capability", rows, drops, labels, MEANS)
        return drops, labels

    def _of_customers(self, world: World, calm: World, rows: Array) -> tuple[Array, Array, Array]:
        """Behind customers who want less: a shock, their incomes, the firm's prices, or other firms."""
        firms, peace = world.firms, calm.firms
        shocked = np.ones(len(rows))
        if "demand" in self.seen.struck:
            shocked = world.sheet.multipliers["demand"][rows]
            for (channel, _), factors in self.seen.factors.items():
                if channel == "demand":
                    shocked = shocked / np.maximum(factors[rows], 1e-300)
        drops = [1.0 - shocked]
        labels: list[tuple[int, str]] = [(STRUCK, "demand")]
        self._add_mechanisms("demand", rows, drops, labels, ELSEWHERE)
        if "posted_price" in firms:
            drops.append(1.0 - peace.posted_price[rows] / np.maximum(firms.posted_price[rows], 1e-300))
            labels.append((PRICES, ""))
        if "spending" in world.customers:
            means = world.customers.spending / np.maximum(calm.customers.spending, 1e-300)
            drops.append(1.0 - means[world.plan.customer[rows]])
            labels.append((INCOME, ""))
        if "platforms" in world.mechanisms:
            drops.append(_turned_away(world)[rows])
            labels.append((ELSEWHERE, "platforms"))
        if "market_share" in firms:
            drops.append(1.0 - firms.market_share[rows] / np.maximum(peace.market_share[rows], 1e-300))
            labels.append((ELSEWHERE, ""))
        cause, detail, source = self._largest(rows, drops, labels, ELSEWHERE)
        income = cause == INCOME
        source[income] = world.plan.customer[rows[income]]
        return cause, detail, source

    def _add_mechanisms(
        self, channel: str, rows: Array, drops: list[Array], labels: list[tuple[int, str]], cause: int
    ) -> None:
        """What each mechanism took off a channel, against what it took off in the twin."""
        for (written, kind), factors in self.seen.factors.items():
            if written == channel:
                usual = self.calm.factors.get((written, kind))
                at_peace = 1.0 if usual is None else np.maximum(usual[rows], 1e-300)
                drops.append(1.0 - factors[rows] / at_peace)
                labels.append((cause, kind))

    def _largest(
        self, rows: Array, drops: list[Array], labels: list[tuple[int, str]], otherwise: int
    ) -> tuple[Array, Array, Array]:
        """Cause, detail and source by the largest drop; a mechanism that a shock struck stands for that shock."""
        chosen = np.argmax(np.array(drops), axis=0)
        cause, detail = np.zeros(len(rows), dtype=np.uint8), np.zeros(len(rows), dtype=np.uint8)
        source = rows.astype(np.int32)
        for at, (label, name) in enumerate(labels):
            some = np.flatnonzero(chosen == at)
            if not len(some):
                continue
            cause[some] = otherwise if label == STRUCK else label
            if label == STRUCK:
                self._blame(name, some, rows, cause, detail, source)
            elif name:
                detail[some] = self._number(name)
                most = np.zeros(len(some), dtype=np.float32)
                for channel in self.eco.world.mechanisms[name].channels:
                    if channel in self.seen.struck:
                        much = self.seen.struck[channel][0][rows[some]]
                        self._blame(channel, some[much > most], rows, cause, detail, source)
                        most = np.maximum(most, much)
        return cause, detail, source

    def _blame(self, channel: str, at: Array, rows: Array, cause: Array, detail: Array, source: Array) -> None:
        who = self.seen.struck.get(channel)
        if who is None:
            return
        known = at[who[1][rows[at]] >= 0]
        cause[known], detail[known] = STRUCK, self.channels.index(channel)
        source[known] = who[1][rows[known]]

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
        frame, debts = self._frame(entries), self.cash.table(self.shocks)
        noted = {
            "firm_days": int(memory["firm_days"]),
            "entries": len(entries),
            "loss": float(entries["loss"].sum()),
            "too_small_to_note": float(memory["unnoticed"].sum()),
            "gains_of_others": float(memory["gains"].sum()),
        }
        if memory["top"] >= 0:
            plan = self.eco.world.plan
            about = {"firm": list(plan.names), "customer": named(plan.customer, plan.customer_names)}
            frame = among(frame, debts, pd.DataFrame(about | dict(firms.columns)), int(memory["top"]))
        return frame, debts, noted

    def _frame(self, entries: Array) -> pd.DataFrame:
        plan = self.eco.world.plan
        kinds = [*self.channels, *self.mechanisms]
        cause, source, detail = entries["cause"], entries["source"], entries["detail"].astype(np.int64)
        struck = cause == STRUCK
        of_firm = np.isin(cause, (SUPPLIER, CLIENT, CLIENT_LEFT))
        return pd.DataFrame(
            {
                "firm": named(entries["firm"], plan.names),
                "first_day": entries["first"],
                "last_day": entries["last"],
                "loss": entries["loss"],
                "cause": named(cause, CAUSES),
                "through": named(np.where((detail > 0) | struck, detail, -1), kinds),
                "from_firm": named(np.where(of_firm, source, -1), plan.names),
                "shock": named(np.where(struck, source, -1), self.shocks),
                "customer": named(np.where(cause == INCOME, source, -1), plan.customer_names),
            }
        )


def _turned_away(world: World) -> Array:
    """Share of what each firm was asked for that customers could not order today because a platform was down, (n,)."""
    kept, demand = world.memory["platforms"], world.firms.demand
    found = np.zeros(world.firms.rows)
    if len(kept["missed"]):
        rows = kept["rows"]
        found[rows] = kept["missed"] / np.maximum(demand[rows] + kept["missed"], 1e-300)
    return found


def _entries(columns: Sequence[Array]) -> Array:
    part = np.empty(len(columns[0]), dtype=ENTRY)
    for name, column in zip(FIELDS, columns, strict=True):
        part[name] = column
    return part
