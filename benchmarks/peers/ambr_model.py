"""The core day in ambr: an array kernel, its own advice where the whole step is arithmetic on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ambr as am
import numpy as np
from shared import NOISE, NOTHING, Economy, serve

if TYPE_CHECKING:
    from shared import Array, Run

type State = dict[str, Array]


class Market(am.ArrayKernelModel):
    """Firms and links as arrays; ``xp`` is the array module that ambr picks, numpy on a machine without CUDA."""

    def init_state(self, xp: Any, n: int, rng: Any, p: dict[str, Any]) -> State:
        """Everything at rest."""
        given: Economy = p["economy"]
        buyer, group = given.buyer, given.group
        first = np.flatnonzero(np.diff(group, prepend=-1))  # link that each pair of buyer and product begins with
        owner = buyer[first]
        fixed = {
            "buyer": buyer,
            "supplier": given.supplier.astype(np.int64),
            "group": group,
            "group_start": first,
            "group_owner": owner,
            "firm_start": np.searchsorted(owner, np.arange(n)),
            "need": np.add.reduceat(given.flow, first),
            "flow": given.flow,
            "output": given.output,
            "final_demand": given.final_demand,
            "capacity": given.capacity,
            "target": given.inventory_days[buyer] * given.flow,
            "smoothing": given.smoothing_days[buyer],
        }
        moving = {
            "production": given.output.copy(),
            "stock": given.inventory_days[buyer] * given.flow,
            "delivered": given.flow.copy(),
        }
        return {name: xp.asarray(values) for name, values in (fixed | moving).items()}

    def step_state(self, xp: Any, state: State, rng: Any, p: dict[str, Any]) -> State:
        """One day."""
        s = state
        output, flow, stock, group = s["output"], s["flow"], s["stock"], s["group"]

        pace = s["production"] / output
        have = xp.add.reduceat(stock, s["group_start"])
        drawn = xp.where(have > NOTHING, pace[s["group_owner"]] * s["need"] / xp.maximum(have, NOTHING), 0.0)
        change = s["delivered"] - stock * drawn[group]
        change[xp.abs(change) <= NOISE * s["delivered"]] = 0.0
        stock = stock + change
        stock[stock <= NOTHING] = 0.0

        day = pace[s["buyer"]]
        ordered = xp.maximum(flow * day + (s["target"] * day - stock) / s["smoothing"], 0.0)

        covered = xp.add.reduceat(stock, s["group_start"]) / s["need"]
        limit = xp.minimum.reduceat(covered, s["firm_start"]) * output
        limit[(limit >= output * (1.0 - NOISE)) & (limit < output)] = xp.inf  # capacity is at most the output

        asked = s["final_demand"] + xp.bincount(s["supplier"], ordered, minlength=len(output))
        production = xp.minimum(xp.minimum(s["capacity"], limit), asked)
        share = xp.where(asked > 0.0, production / asked, 0.0)
        return s | {"stock": stock, "delivered": ordered * share[s["supplier"]], "production": production}

    def metrics(self, xp: Any, state: State) -> dict[str, Any]:
        """Total production of the day."""
        return {"total": state["production"].sum()}


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    market = Market({"n": economy.firms, "steps": days, "seed": 0, "economy": economy, "prefer_gpu": False})

    def run() -> list[float]:
        totals: list[float] = market.run().model["total"].to_list()
        return totals

    return run


if __name__ == "__main__":
    serve(start)
