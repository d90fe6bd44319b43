"""The core day as Mesa's tutorials and examples write models: agents in a networkx graph, ``shuffle_do``, a collector.

A firm is an agent whose attributes are plain numbers; what passes along a supply link is kept in the attributes of
the graph's edge, as networkx models do. Agents act in random order, and a ``DataCollector`` with one reporter notes
total production. Everybody buys before anybody sells, in Mesa's staged activation, so the order changes no number
but for the last bits of sums. Compare ``mesa_objects.py``, which leaves out the graph, the shuffling and the collector.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import mesa
import networkx as nx
from shared import NOISE, NOTHING, Economy, serve

if TYPE_CHECKING:
    from shared import Run


class Firm(mesa.Agent):
    """A firm that knows its place in the graph."""

    def __init__(
        self, model: Market, output: float, final_demand: float, capacity: float, inventory: float, smoothing: float
    ) -> None:
        super().__init__(model)
        self.output = output
        self.production = output
        self.final_demand = final_demand
        self.capacity = capacity
        self.inventory = inventory
        self.smoothing = smoothing
        self.ceiling = inf

    def buy(self) -> None:
        """Use inputs, order new ones, and see how much the stocks allow to make."""
        pace = self.production / self.output  # what was made yesterday is what is expected today
        inputs = [link for _, _, link in self.model.graph.in_edges(self.unique_id, data=True)]
        have: dict[int, float] = {}
        need: dict[int, float] = {}
        for link in inputs:
            product = link["product"]
            have[product] = have.get(product, 0.0) + link["stock"]
            need[product] = need.get(product, 0.0) + link["flow"]
        left = dict.fromkeys(have, 0.0)
        for link in inputs:
            product, stock = link["product"], link["stock"]
            drawn = pace * need[product] / have[product] if have[product] > NOTHING else 0.0
            change = link["delivered"] - stock * drawn
            if abs(change) > NOISE * link["delivered"]:
                stock = stock + change if stock + change > NOTHING else 0.0
                link["stock"] = stock
            left[product] += stock
            use = link["flow"] * pace
            link["ordered"] = max(0.0, use + (self.inventory * use - stock) / self.smoothing)
        limit = min((left[product] / need[product] * self.output for product in need), default=inf)
        self.ceiling = self.output if self.output * (1.0 - NOISE) <= limit < self.output else limit

    def sell(self) -> None:
        """Make what is asked for, as far as possible, and share it out in proportion."""
        clients = [link for _, _, link in self.model.graph.out_edges(self.unique_id, data=True)]
        asked = self.final_demand + sum(link["ordered"] for link in clients)
        self.production = min(self.capacity, self.ceiling, asked)
        share = self.production / asked if asked > 0.0 else 0.0
        for link in clients:
            link["delivered"] = link["ordered"] * share


class Market(mesa.Model):
    """All firms, their graph and what is noted of them."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(rng=0)
        columns = (
            economy.output, economy.final_demand, economy.capacity, economy.inventory_days, economy.smoothing_days,
        )  # fmt: skip
        firms = Firm.create_agents(self, economy.firms, *(column.tolist() for column in columns))
        names = [firm.unique_id for firm in firms]
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(names)
        inventory = economy.inventory_days.tolist()
        for buyer, supplier, product, flow in zip(
            economy.buyer.tolist(), economy.supplier.tolist(), economy.product.tolist(), economy.flow.tolist(),
            strict=True,
        ):  # fmt: skip
            self.graph.add_edge(
                names[supplier], names[buyer],
                product=product, flow=flow, stock=inventory[buyer] * flow, ordered=flow, delivered=flow,
            )  # fmt: skip
        if self.graph.number_of_edges() != len(economy.flow):
            raise ValueError("a firm buys twice from one supplier, which a graph without parallel edges cannot hold")
        self.datacollector = mesa.DataCollector(
            model_reporters={"total": lambda market: sum(firm.production for firm in market.agents)}
        )

    def step(self) -> None:
        """One day."""
        self.agents.shuffle_do("buy")
        self.agents.shuffle_do("sell")
        self.datacollector.collect(self)


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    market = Market(economy)

    def run() -> list[float]:
        for _ in range(days):
            market.step()
        return list(market.datacollector.model_vars["total"])

    return run


if __name__ == "__main__":
    serve(start)
