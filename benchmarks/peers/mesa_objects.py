"""The core day in plain Mesa: a firm is an object with ordinary attributes, and so is each link it buys through."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import mesa
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


class Firm(mesa.Agent):
    """A firm with its stocks of inputs and its clients."""

    def __init__(
        self, model: mesa.Model, output: float, final_demand: float, capacity: float, inventory: float, smoothing: float
    ) -> None:
        super().__init__(model)
        self.output = self.production = output
        self.final_demand = final_demand
        self.capacity = capacity
        self.inventory, self.smoothing = inventory, smoothing
        self.ceiling = inf
        self.inputs: list[list[Link]] = []  # one list a product: its suppliers replace each other
        self.needs: list[float] = []  # of each product, a day at rest
        self.clients: list[Link] = []

    def buy(self) -> None:
        """Use inputs, order new ones, and see how much the stocks allow to make."""
        output, inventory, smoothing = self.output, self.inventory, self.smoothing
        pace = self.production / output  # what was made yesterday is what is expected today
        limit = inf
        for need, links in zip(self.needs, self.inputs, strict=True):
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


class Market(mesa.Model):
    """All firms; everybody buys before anybody sells, so the order among firms makes no difference."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(rng=0)
        columns = (
            economy.output, economy.final_demand, economy.capacity, economy.inventory_days, economy.smoothing_days,
        )  # fmt: skip
        firms = list(Firm.create_agents(self, economy.firms, *(column.tolist() for column in columns)))
        goods = zip(
            economy.buyer.tolist(), economy.supplier.tolist(), economy.group.tolist(), economy.flow.tolist(),
            strict=True,
        )  # fmt: skip
        last = -1
        for buyer, supplier, group, flow in goods:
            firm = firms[buyer]
            if group != last:
                firm.inputs.append([])
                firm.needs.append(0.0)
                last = group
            link = Link(flow, firm.inventory * flow, flow, flow)
            firm.inputs[-1].append(link)
            firm.needs[-1] += flow
            firms[supplier].clients.append(link)

    def step(self) -> None:
        """One day."""
        self.agents.do("buy")
        self.agents.do("sell")


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    market = Market(economy)

    def run() -> list[float]:
        totals = []
        for _ in range(days):
            market.step()
            totals.append(market.agents.agg("production", sum))
        return totals

    return run


if __name__ == "__main__":
    serve(start)
