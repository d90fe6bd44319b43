"""The core day in agentpy: firms are agents in an AgentList, whose methods are called on all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import agentpy as ap
from shared import NOISE, NOTHING, Economy, serve

if TYPE_CHECKING:
    from shared import Run


@dataclass(slots=True)
class Link:
    """What a firm buys from one supplier."""

    flow: float
    stock: float
    ordered: float
    delivered: float


class Firm(ap.Agent):
    """A firm with its stocks of inputs and its clients."""

    def setup(self, output: float, final_demand: float, capacity: float, inventory: float, smoothing: float) -> None:
        """Start at rest; the model adds the links."""
        self.output = self.production = output
        self.final_demand = final_demand
        self.capacity = capacity
        self.inventory, self.smoothing = inventory, smoothing
        self.ceiling = inf
        self.goods: list[list[Link]] = []  # one list a product: its suppliers replace each other
        self.needs: list[float] = []  # of each product, a day at rest
        self.clients: list[Link] = []

    def buy(self) -> None:
        """Use inputs, order new ones, and see how much the stocks allow to make."""
        output, inventory, smoothing = self.output, self.inventory, self.smoothing
        pace = self.production / output
        limit = inf
        for need, links in zip(self.needs, self.goods, strict=True):
            have = 0.0
            for link in links:
                have += link.stock
            drawn = pace * need / have if have > NOTHING else 0.0
            left = 0.0
            for link in links:
                change = link.delivered - link.stock * drawn
                if abs(change) > NOISE * link.delivered:
                    stock = link.stock + change
                    link.stock = stock if stock > NOTHING else 0.0
                stock = link.stock
                left += stock
                use = link.flow * pace
                link.ordered = max(0.0, use + (inventory * use - stock) / smoothing)
            limit = min(limit, left / need * output)
        self.ceiling = output if output * (1.0 - NOISE) <= limit < output else limit

    def sell(self) -> None:
        """Make what is asked for, as far as possible, and share it out in proportion."""
        asked = self.final_demand + sum([link.ordered for link in self.clients])
        self.production = min(self.capacity, self.ceiling, asked)
        share = self.production / asked if asked > 0.0 else 0.0
        for link in self.clients:
            link.delivered = link.ordered * share


class Market(ap.Model):
    """All firms; everybody buys before anybody sells."""

    def setup(self) -> None:
        """Make the firms, then the links between them."""
        economy = self.p.economy
        columns = {
            "output": economy.output,
            "final_demand": economy.final_demand,
            "capacity": economy.capacity,
            "inventory": economy.inventory_days,
            "smoothing": economy.smoothing_days,
        }
        each = {name: ap.AttrIter(column.tolist()) for name, column in columns.items()}
        self.firms = ap.AgentList(self, economy.firms, Firm, **each)
        firms = list(self.firms)
        goods = zip(
            economy.buyer.tolist(), economy.supplier.tolist(), economy.group.tolist(), economy.flow.tolist(),
            strict=True,
        )  # fmt: skip
        last = -1
        for buyer, supplier, group, flow in goods:
            firm = firms[buyer]
            if group != last:
                firm.goods.append([])
                firm.needs.append(0.0)
                last = group
            link = Link(flow, firm.inventory * flow, flow, flow)
            firm.goods[-1].append(link)
            firm.needs[-1] += flow
            firms[supplier].clients.append(link)

    def step(self) -> None:
        """One day."""
        self.firms.buy()
        self.firms.sell()


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    market = Market({"economy": economy, "seed": 0})
    market.sim_setup()

    def run() -> list[float]:
        totals = []
        for _ in range(days):
            market.sim_step()
            totals.append(sum(market.firms.production))
        return totals

    return run


if __name__ == "__main__":
    serve(start)
