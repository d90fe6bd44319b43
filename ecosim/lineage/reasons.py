"""What stands behind a lack of means, or behind customers who want less: whatever took most, against the twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.lineage.causes import CLOSED, ELSEWHERE, INCOME, MEANS, PRICES, STRUCK

if TYPE_CHECKING:
    from ecosim.lineage.witness import Witness
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(eq=False)
class Reasons:
    """Looks closer at firms that means or customers bind: at what shocks and mechanisms wrote today."""

    world: World
    twin: World
    seen: Witness
    calm: Witness
    channels: list[str]
    mechanisms: list[str]
    memory: dict[str, Array]
    """What the record keeps of closings."""

    def number(self, mechanism: str) -> int:
        """A mechanism as the detail of a cause; 0 for one that is off."""
        return len(self.channels) + self.mechanisms.index(mechanism) if mechanism in self.mechanisms else 0

    def of_means(self, rows: Array) -> tuple[Array, Array, Array]:
        """Behind a lack of capacity: a shock, what a mechanism made of the firm's means, or a firm that closed."""
        world = self.world
        if not self.mechanisms:  # nothing but shocks touches the means of the core
            cause, detail, source = np.full(len(rows), MEANS, "u1"), np.zeros(len(rows), "u1"), rows.astype(np.int32)
            if "capacity" in self.seen.struck:
                by = self.seen.struck["capacity"][1][rows]
                cause[by >= 0] = STRUCK
                source = np.where(by >= 0, by, source)
                detail[by >= 0] = self.channels.index("capacity")
        else:
            cause, detail, source = self._largest(rows, *self._drops_of_means(rows), MEANS)
        if "alive" in world.firms:
            memory = self.memory
            dead = np.flatnonzero(world.firms.alive[rows] == 0.0)
            by = memory["closed_by"][rows[dead]]
            cause[dead] = np.where(by >= 0, STRUCK, CLOSED)
            detail[dead], source[dead] = memory["closed_how"][rows[dead]], np.where(by >= 0, by, rows[dead])
        return cause, detail, source

    def _drops_of_means(
        self, rows: Array
    ) -> tuple[list[Array], list[tuple[int, str]]]:  # fmt: skip
        """What each thing took off the means of some firms, against the twin, and what it stands for."""
        world, calm = self.world, self.twin
        firms, peace = world.firms, calm.firms
        left = world.sheet.multipliers["capacity"][rows]
        if world.sheet.read("relief") is not None:
            left = np.maximum(1.0 - (1.0 - left) * world.sheet.multipliers["relief"][rows], 0.0)
        drops = [1.0 - left, 1.0 - firms.potential[rows] / np.maximum(peace.potential[rows], 1e-300)]
        labels = [(STRUCK, "capacity"), (MEANS, "opportunity" if "opportunity" in self.mechanisms else "")]
        self._add_mechanisms("capability", rows, drops, labels, MEANS)
        return drops, labels

    def of_customers(self, rows: Array) -> tuple[Array, Array, Array]:
        """Behind customers who want less: a shock, their incomes, the firm's prices, or other firms."""
        world, calm = self.world, self.twin
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
                detail[some] = self.number(name)
                most = np.zeros(len(some), dtype=np.float32)
                for channel in self.world.mechanisms[name].channels:
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


def _turned_away(world: World) -> Array:
    """Share of what each firm was asked for that customers could not order today because a platform was down, (n,)."""
    kept, demand = world.memory["platforms"], world.firms.demand
    found = np.zeros(world.firms.rows)
    if len(kept["missed"]):
        rows = kept["rows"]
        found[rows] = kept["missed"] / np.maximum(demand[rows] + kept["missed"], 1e-300)
    return found
