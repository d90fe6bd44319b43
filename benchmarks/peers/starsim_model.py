"""The core day in Starsim: firms are its people with array states, links the edges of a network, the day a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import starsim as ss
from shared import NOISE, NOTHING, Economy, serve

if TYPE_CHECKING:
    from shared import Run

ss.options(precision=64, verbose=0, warnings="ignore")  # single precision cannot agree to nine digits


class Supply(ss.Network):
    """Supply links as edges from supplier (p1) to buyer (p2), in the order of buyers and products."""

    def __init__(self, economy: Economy) -> None:
        flow = economy.flow
        super().__init__(
            name="supply",
            p1=economy.supplier,
            p2=economy.buyer,
            beta=np.ones(len(flow)),
            group=economy.group,
            flow=flow,
            stock=np.repeat(economy.inventory_days, np.diff(economy.ptr)) * flow,
            delivered=flow,
        )

    def step(self) -> None:
        """Links never change."""


class Firms(ss.Module):
    """What firms know and do."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(name="firms")
        given = economy._asdict()
        self.define_states(
            *(ss.FloatArr(name, default=lambda n, name=name: given[name]) for name in (
                "output", "final_demand", "capacity", "inventory_days", "smoothing_days",
            )),
            ss.FloatArr("production", default=lambda n: given["output"]),
        )  # fmt: skip
        group = economy.group
        first = np.flatnonzero(np.diff(group, prepend=-1))  # link that each pair of buyer and product begins with
        owner = economy.buyer[first]
        self.group_start, self.group_owner = first, owner
        self.firm_start = np.searchsorted(owner, np.arange(economy.firms))
        self.need = np.add.reduceat(economy.flow, first)

    def init_results(self) -> None:
        """Keep total production of every day."""
        super().init_results()
        self.define_results(ss.Result("total", dtype=float, scale=False))

    def step(self) -> None:
        """One day. Nobody is born or dies, so the raw arrays are the active ones, and save an index each."""
        links = self.sim.networks.supply.edges
        output, production = self.output.raw, self.production.raw
        buyer, supplier, group = links["p2"].view(np.ndarray), links["p1"].view(np.ndarray), links["group"]
        flow, stock, delivered = links["flow"], links["stock"], links["delivered"]

        pace = production / output
        have = np.add.reduceat(stock, self.group_start)
        drawn = np.zeros_like(have)
        np.divide(pace[self.group_owner] * self.need, have, out=drawn, where=have > NOTHING)
        change = delivered - stock * drawn[group]
        change[np.abs(change) <= NOISE * delivered] = 0.0
        stock += change
        stock[stock <= NOTHING] = 0.0

        use = flow * pace[buyer]
        ordered = self.inventory_days.raw[buyer] * use
        ordered -= stock
        ordered /= self.smoothing_days.raw[buyer]
        ordered += use
        np.maximum(ordered, 0.0, out=ordered)

        covered = np.add.reduceat(stock, self.group_start) / self.need
        limit = np.minimum.reduceat(covered, self.firm_start) * output
        limit[(limit >= output * (1.0 - NOISE)) & (limit < output)] = np.inf  # capacity is at most the output

        asked = self.final_demand.raw + np.bincount(supplier, ordered, minlength=len(output))
        np.minimum(np.minimum(self.capacity.raw, limit), asked, out=production)
        share = np.divide(production, asked, out=np.zeros_like(asked), where=asked > 0.0)
        np.multiply(ordered, share[supplier], out=delivered)

    def update_results(self) -> None:
        """Note total production."""
        super().update_results()
        self.results.total[self.ti] = self.production.raw.sum()


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    sim = ss.Sim(
        n_agents=economy.firms,
        start=0,
        dur=days - 1,  # Starsim counts the day it starts on
        dt=1,
        networks=Supply(economy),
        modules=Firms(economy),
        rand_seed=0,
        people_results=False,  # births, deaths and ages say nothing about firms
    )
    sim.init()

    def run() -> list[float]:
        sim.run()
        return list(sim.results.firms.total)

    return run


if __name__ == "__main__":
    serve(start)
