"""Small worlds in which theories have closed forms: firms and flows given one by one, lived by the engine as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import ESSENTIAL, Blueprint, Firms
from ecosim.config import Scenario
from ecosim.economies.given import Given
from ecosim.model import Ecosystem
from ecosim.networks.imported import Imported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ecosim.agents import Firm
    from ecosim.who import Who

EVER = 100_000  # days: for good


def plan_of(
    final_demand: ArrayLike,
    supplier: ArrayLike = (),
    buyer: ArrayLike = (),
    flow: ArrayLike = (),
    product: ArrayLike = (),
) -> Blueprint:
    """An economy at rest, every input essential, all firms in one place.

    ``final_demand`` (n,) and ``flow`` (L,) are currency units a day. Links of one buyer and ``product`` (L,) replace
    each other; without products all of a buyer's links do.
    """
    wanted = np.asarray(final_demand, dtype=np.float64)
    n = len(wanted)
    sold_by, bought_by = np.asarray(supplier, dtype=np.int32), np.asarray(buyer, dtype=np.int32)
    goods = np.asarray(product, dtype=np.int32) if len(np.atleast_1d(product)) else np.zeros(len(sold_by), np.int32)
    order = np.lexsort((sold_by, goods, bought_by))
    nowhere = np.zeros(n, dtype=np.int32)
    firms = Firms(
        sector=nowhere,
        sector_names=("Goods",),
        region=nowhere,
        region_names=("Here",),
        x=np.zeros(n),
        y=np.zeros(n),
        size=np.ones(n),
        final_demand=wanted,
        role=np.zeros(n, dtype=np.int8),
    )
    return Blueprint(
        firms=firms,
        ptr=np.concatenate(([0], np.cumsum(np.bincount(bought_by, minlength=n)))).astype(np.int64),
        supplier=sold_by[order],
        product=goods[order],
        flow=np.asarray(flow, dtype=np.float64)[order],
        importance=np.full(len(sold_by), ESSENTIAL, dtype=np.int8),
        customer=nowhere,
        customer_names=("People",),
    )


def world_of(
    plan: Blueprint,
    *,
    shocks: Sequence[Any] = (),
    mechanisms: Sequence[Any] = (),
    agents: Mapping[type[Firm], Who | None] | None = None,
    seed: int = 1,
    **rules: Any,
) -> Ecosystem:
    """The engine over that economy; ``rules`` are those of `ecosim.economies.given.Given`, such as ``headroom``."""
    scenario = Scenario(
        days=1,
        seed=seed,
        economy=Given(**rules),
        network=Imported(),
        mechanisms=tuple(mechanisms),
        shocks=tuple(shocks),
    )
    return Ecosystem(scenario, blueprint=plan, agents=dict(agents or {}))


def balanced(share: NDArray[np.float64], final_demand: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outputs (n,) that meet final demand and each other's inputs, x = A x + f (Leontief 1936).

    ``share`` (n, n) is A: what the column's firm buys of the row's firm for a unit of its own output.
    """
    solved: NDArray[np.float64] = np.linalg.solve(np.eye(len(share)) - share, final_demand)
    return solved
