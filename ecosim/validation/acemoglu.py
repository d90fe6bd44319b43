"""Acemoglu et al. (2012): how shocks to single firms add up, by the influence vector of the network.

With a share a of labour and the others' goods in the shares W, log output is v' e, v = (a/n) (I - (1 - a) W)^-1 1, and
v is at the same time each firm's share of all sales. So the aggregate fluctuates by sd(e) ||v||: n^-1/2 on a ring,
where all are alike, and not less than (1 - a) sd(e) on a star, however many firms there are.

The engine has the same sales (its flows balance), and on the day of a small loss of capacity, before any stock is used
up, its production falls by v' e: Hulten's theorem. What it does not have is the theory's Cobb-Douglas firm, which lives
with less of an input: here an essential input that stays away stops production (docs/published_results.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.validation.check import Check
from ecosim.validation.jolts import Jolts
from ecosim.validation.worlds import balanced, plan_of, world_of

if TYPE_CHECKING:
    from ecosim.blueprint import Blueprint

SOURCE = "Acemoglu et al. (2012)"
LABOUR = 0.5
DEPTH = 0.001


def acemoglu(*, firms: int = 200, days: int = 4000) -> list[Check]:
    """Let every firm lose a little capacity, day by day and each for itself, on a ring and on a star."""
    found = []
    for name, hub in (("ring", None), ("star", 0)):
        plan = _economy(firms, hub)
        exact = _norm(firms, hub)
        deviations = _fluctuations(plan, days)
        told = float(deviations.std() / (DEPTH / np.sqrt(12.0)))
        eco = world_of(plan)
        sales = eco.world.firms.output / eco.world.firms.output.sum()
        found += [
            Check.within(f"{name}: norm of the sales shares", exact, float(np.linalg.norm(sales)), firms, SOURCE,
                         relative=1e-9),
            Check.within(f"{name}: sd of total production over sd of a firm's shock", exact, told, days, SOURCE,
                         relative=0.03),
        ]  # fmt: skip
    return found


def _norm(firms: int, hub: int | None) -> float:
    """Norm of the influence vector, exact for finite n."""
    if hub is None:
        return float(firms**-0.5)
    a = LABOUR
    return float(np.sqrt(((1 - a) + a / firms) ** 2 + (firms - 1) * a**2 / firms**2))


def _economy(firms: int, hub: int | None) -> Blueprint:
    """Everybody buys from the one before it, or everybody, the hub too, from the hub."""
    buyer = np.arange(firms)
    supplier = (buyer - 1) % firms if hub is None else np.full(firms, hub)
    share = np.zeros((firms, firms))
    share[supplier, buyer] = 1.0 - LABOUR
    final_demand = np.ones(firms)
    return plan_of(final_demand, supplier, buyer, (1.0 - LABOUR) * balanced(share, final_demand))


def _fluctuations(plan: Blueprint, days: int) -> np.ndarray:
    """Total production, relative to rest, on ``days`` first days of the same economy, each with shocks of its own."""
    total = np.empty(days)
    eco = world_of(plan, shocks=[Jolts(depth=DEPTH)])
    firms, links = eco.world.firms.columns, eco.world.links
    columns = {name: values.copy() for name, values in firms.items()}
    held = {name: getattr(links, name).copy() for name in ("stock", "ordered", "delivered")}
    for day in range(days):
        for name, values in columns.items():
            firms[name][:] = values
        for name, values in held.items():
            getattr(links, name)[:] = values
        eco.run_for(1)
        total[day] = firms["production"].sum()
    return np.asarray(total / columns["output"].sum() - 1.0)
