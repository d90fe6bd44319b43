"""Watts (2002): a single failure that ends in the failure of nearly everybody, and when it can.

A node fails once a share phi of its neighbours has failed. On random graphs of mean degree z a single failure can reach
a finite share of all nodes only where those that one failure topples (degree up to 1/phi) hang together, sum over k <=
1/phi of k (k - 1) p_k > z: with Poisson degrees and phi = 0.18, for z between 1.0207 and 5.7647.

A firm of the engine is such a node: with n days of stock and a smoothing time of tau days, those of its suppliers that
are left, a share f of them, make up for the others as long as f n - (1 - f) tau >= 1, so it fails once a share (n - 1)
/ (n + tau) of them has failed. The slower it closes gaps (tau), the more sudden its failure; where tau is short, a firm
past its threshold lingers at a part of its output, and what it still sends holds others up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, stats
from scipy.optimize import brentq

from ecosim.rng import Stream
from ecosim.shocks.outage import Outage
from ecosim.validation.check import Check
from ecosim.validation.worlds import plan_of, world_of
from ecosim.who import Who

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "Watts (2002)"
PHI = 0.18
WINDOW = (1.0207, 5.7647)
GLOBAL = 0.1  # share of nodes that makes a cascade global
SMOOTHING = 60.0  # tau, days
STOCK = (1.0 + PHI * SMOOTHING) / (1.0 - PHI)  # n, days, so that (n - 1) / (n + tau) = phi
INPUTS = 0.01  # share of output that firms of the engine spend on inputs: so little that orders cannot swing
AMPLE = 9.0  # capacity beyond the usual, share


def window() -> tuple[float, float]:
    """Mean degrees between which the nodes that one failure topples form a giant cluster."""
    k = np.arange(2, int(1.0 / PHI) + 1)

    def margin(z: float) -> float:
        return float((k * (k - 1) * stats.poisson.pmf(k, z)).sum() - z)

    return brentq(margin, 0.5, 2.0), brentq(margin, 3.0, 10.0)


def random_graph(nodes: int, mean_degree: float, rng: np.random.Generator) -> sparse.csr_array:
    """Random graph (Erdős & Rényi 1959), symmetric, entries 1, shape (nodes, nodes)."""
    pairs = rng.integers(nodes, size=(rng.poisson(mean_degree * nodes / 2), 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    ends = np.concatenate((pairs, pairs[:, ::-1]))
    return sparse.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))


def cascade(graph: sparse.csr_array, first: int) -> NDArray[np.bool_]:
    """Who has failed in the end where one node fails, shape (nodes,)."""
    degree = np.diff(graph.indptr)
    failed = np.zeros(len(degree), dtype=bool)
    failed[first] = True
    while True:
        after = failed | ((graph @ failed.astype(np.float64) >= PHI * degree) & (degree > 0))
        if (after == failed).all():
            return failed
        failed = after


def watts(
    *, nodes: int = 10_000, graphs: int = 100, seeds: int = 10, engine_nodes: int = 10_000, engine_graphs: int = 2
) -> list[Check]:
    """Topple single nodes of random graphs inside and outside of the window, by the rule and by the engine."""
    edges = zip(("lower", "upper"), WINDOW, window(), strict=True)
    found = [
        Check.within(f"{side} edge of the window", z, ours, 1, SOURCE, absolute=5e-5, unit="mean degree",
                     tests="library")
        for side, z, ours in edges
    ]  # fmt: skip
    for z, inside in ((0.95, False), (1.2, True), (3.0, True), (5.5, True), (6.5, False)):
        many = sum(
            float(cascade(graph, first).mean()) > GLOBAL
            for graph, firsts in _drawn(nodes, z, graphs, seeds)
            for first in firsts
        )
        what = f"mean degree {z:g}, {'inside' if inside else 'outside'}: single failures that become global"
        low, high = (1.0, np.inf) if inside else (0.0, 0.0)
        found.append(Check(what, "failures", low, low, high, many, graphs * seeds, SOURCE, tests="library"))
    for z in (0.95, 3.0, 6.5):
        wrong, spread = 0, 0.0
        for graph, firsts in _drawn(engine_nodes, z, engine_graphs, 1):
            ours, theirs = through_engine(graph, int(firsts[0])), cascade(graph, int(firsts[0]))
            wrong, spread = wrong + int((ours != theirs).sum()), max(spread, float(theirs.mean()))
        told = f"engine, mean degree {z:g} (cascades of up to {100 * spread:.3g} %): firms that fail in one alone"
        found.append(Check.at_most(told, 0.0, float(wrong), engine_graphs * engine_nodes, SOURCE, unit="firms"))
    return found


def through_engine(graph: sparse.csr_array, first: int, days: int = 3000) -> NDArray[np.bool_]:
    """Which firms stand still in the end where one stops for good, shape (nodes,); neighbours supply each other."""
    nodes = graph.shape[0]
    buyer = np.repeat(np.arange(nodes), np.diff(graph.indptr))
    supplier, degree = graph.indices, np.diff(graph.indptr)
    output = np.ones(nodes)
    for _ in range(20):
        output = 1.0 + np.bincount(supplier, INPUTS * output[buyer] / degree[buyer], minlength=nodes)
    plan = plan_of(np.ones(nodes), supplier, buyer, INPUTS * output[buyer] / degree[buyer])
    stop = Outage(who=Who(firms=plan.firm_name(first)), severity=1.0, recovery=None)
    eco = world_of(plan, shocks=[stop], headroom=AMPLE, inventory_days=STOCK, smoothing_days=SMOOTHING, rationing=0)
    eco.run_for(days)
    return np.asarray(eco.world.firms.production < 0.5)


def _drawn(nodes: int, mean_degree: float, graphs: int, seeds: int) -> list[tuple[sparse.csr_array, NDArray[np.int64]]]:
    """Random graphs and the nodes of each that fail first."""
    found = []
    for number in range(graphs):
        rng = Stream(1, number, f"validation: watts {mean_degree:g}").generator()
        found.append((random_graph(nodes, mean_degree, rng), rng.integers(nodes, size=seeds)))
    return found
