"""The core day in ecosim, and the economy that every peer starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from shared import Economy, serve

from ecosim import Ecosystem, Scenario

if TYPE_CHECKING:
    from shared import Run

ESSENTIAL = 2


def scenario(firms: int, days: int) -> Scenario:
    """Every firm has four suppliers of two products; a tenth of the firms lose half of their capacity for good."""
    return Scenario.model_validate(
        {
            "name": "peers",
            "days": days,
            "economy": {"kind": "uniform", "firms": firms, "inputs": 2, "rationing": 0},
            "network": {"kind": "random", "suppliers": 4},
            "shocks": [{"kind": "outage", "who": {"share": 0.1}, "severity": 0.5, "recovery": None}],
        }
    )


def export(firms: int) -> Economy:
    """The economy at rest as arrays. The damage never changes, so the first day's capacity is that of every day."""
    eco = Ecosystem(scenario(firms, 1))
    eco.step()
    links, columns = eco.world.links, eco.world.firms
    if (np.diff(links.ptr) != 4).any() or (links.importance != ESSENTIAL).any():
        raise RuntimeError("the peers expect four suppliers of essential products for every firm")
    return Economy(
        ptr=links.ptr,
        supplier=links.supplier,
        product=links.product,
        flow=links.flow,
        output=columns.output,
        final_demand=columns.final_demand,
        capacity=columns.capacity,
        inventory_days=columns.inventory_days,
        smoothing_days=columns.smoothing_days,
    )


def start(economy: Economy, days: int) -> Run:
    """Build the economy anew from its scenario: its arrays are those of ``export``, whatever the number of days."""
    eco = Ecosystem(scenario(economy.firms, days))

    def run() -> list[float]:
        totals = []
        for _ in range(days):
            eco.step()
            totals.append(eco.world.firms.production.sum())
        return totals

    return run


if __name__ == "__main__":
    serve(start)
