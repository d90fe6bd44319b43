"""What the largest firms can be largest in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

EXACT = 3_000  # firms up to which paths are followed from each of them
PIVOTS = 300  # firms from which paths are followed in larger economies
TOLERANCE = 1e-2  # fall of a firm's activity at which a cascade has ended, as by default in ecosim.published.esri
MOST_CASCADES = 200_000_000  # firms that fail in turn x firms: minutes


def output(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Baseline output of some firms, currency units a day, shape (k,)."""
    made: Array = world.firms.output[rows]
    return made


def clients(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Number of links through which some firms sell, shape (k,)."""
    number: Array = np.diff(world.links.out_ptr)[rows]
    return number.astype(np.float64)


def suppliers(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Number of links through which some firms buy, shape (k,)."""
    number: Array = np.diff(world.links.ptr)[rows]
    return number.astype(np.float64)


def degree(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Number of links of some firms, shape (k,)."""
    return clients(world, rows, stream, where) + suppliers(world, rows, stream, where)


def load(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Betweenness of some firms, shape (k,): how many of the shortest ways of goods lead through each.

    A link is the shorter the more flows through it (its length is 1 / flow: Newman 2001); computed as by Brandes
    (2001), from every firm up to `EXACT` of them, and from `PIVOTS` firms drawn at random above (Brandes & Pich 2007).
    """
    from scipy.sparse import coo_array

    from ecosim.kernels.betweenness import betweenness

    plan = world.plan
    n = len(plan.firms)
    flows = coo_array((plan.flow, (plan.supplier, plan.buyer)), shape=(n, n)).tocsr()
    flows.sum_duplicates()
    flows.eliminate_zeros()
    flows.data = 1.0 / flows.data
    into = flows.tocsc()
    sources = np.arange(n)
    if n > EXACT:
        luck = world.streams[f"{stream.purpose}: pivots"].uniform(0, sources)
        sources = np.sort(np.argsort(luck, kind="stable")[:PIVOTS])
    ends = [(way.indptr.astype(np.int64), way.indices.astype(np.int64), way.data) for way in (flows, into)]
    through: Array = betweenness(*ends[0], *ends[1], sources)
    return through[rows]


def esri(world: World, rows: Array, stream: Stream, where: str) -> Array:
    """Economic Systemic Risk Index of some firms, shape (k,): the share of all output that stops when each fails alone.

    Diem et al. (2022), as `ecosim.published.esri` computes it with firms weighed by output, the market of a firm its
    sector, and inputs essential (2), important (1: non-essential) or other (0: negligible) as the economy has them.
    Raises InputError where there are so many firms that it would take hours.
    """
    from ecosim.kernels.risk_network import above, below, by_length, markets
    from ecosim.kernels.systemic_risk import Shocks, cascades

    plan, made = world.plan, world.firms.output
    n = len(plan.firms)
    if len(rows) * n > MOST_CASCADES:
        raise InputError(
            f"{where}: the failure of each of {len(rows):,} firms among {n:,} would take hours to follow; "
            "choose among fewer by sector or region, or take the largest by output"
        )
    down = below(plan.supplier, plan.buyer, plan.flow, plan.importance, plan.product, n)
    up = above(plan.supplier, plan.buyer, plan.flow, np.where(made > 0.0, made, 1.0))
    sales = np.bincount(plan.supplier, plan.flow, n).astype(np.float64)
    rivals = markets(plan.firms.sector, sales)
    alone = Shocks(np.arange(len(rows) + 1), rows.astype(np.int32), np.ones(len(rows)))
    order = by_length(down, up, rivals, alone, TOLERANCE)
    weight = made / made.sum()
    lost, _ = cascades(down, up, rivals, weight, alone, alone, order, TOLERANCE, 1, 100_000, np.empty((0, 0, 0)))
    share: Array = lost[0]
    return share


MEASURES: dict[str, Callable[[World, Array, Stream, str], Array]] = {
    "output": output,
    "clients": clients,
    "suppliers": suppliers,
    "degree": degree,
    "load": load,
    "esri": esri,
}
