"""Cohen et al. (2000, 2001): how many nodes must be lost before a network falls to pieces, by chance or by intent.

Where nodes are lost at random a giant component is left up to f_c = 1 - 1 / (kappa - 1), kappa = <k^2> / <k>; where the
best connected go first, up to the f at which what is left has kappa = 2. The critical f of a finite graph is
extrapolated from beyond it: where the second component is largest, the usual sign, lies some hundredths too low.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from ecosim.build import build
from ecosim.economies.uniform import Uniform
from ecosim.networks.random import Random
from ecosim.rng import Stream, Streams
from ecosim.validation.check import Check
from ecosim.validation.watts import random_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "Cohen et al. (2000, 2001)"
Z = 4.0  # mean degree
BEYOND = np.linspace(0.04, 0.10, 7)  # how far beyond the expected share components are measured


def random_loss(kappa: float) -> float:
    """Share of nodes lost at random at which the giant component ends."""
    return 1.0 - 1.0 / (kappa - 1.0)


def attack_on_random_graph(z: float) -> float:
    """Share of nodes lost, the best connected first, at which the giant component of a random graph ends.

    With degrees above K gone, and a share of those of K, a neighbour is left with probability q = sum k p_k / z over
    those left, and the rest percolates while sum k (k - 1) p_k > z (Cohen et al. 2001).
    """
    k = np.arange(100)
    p = stats.poisson.pmf(k, z)
    branching = np.cumsum(k * (k - 1) * p) / z  # of nodes with degrees up to K; all of each degree
    last = int(np.argmax(branching > 1.0))
    part = (1.0 - branching[last - 1]) / (branching[last] - branching[last - 1])
    return float(1.0 - p[:last].sum() - part * p[last])


def breaking_point(graph: sparse.csr_array, order: NDArray[np.int64], beyond: NDArray[np.float64]) -> float:
    """Share of nodes, lost in that order, beyond which there is no giant component.

    The mean component of a node grows without bound as the break is approached from ``beyond``, shares of nodes lost at
    which only small ones are left, and one over it falls to 0 in a straight line.
    """
    nodes, inverse = len(order), []
    for share in beyond:
        kept = np.sort(order[round(share * nodes) :])
        _, label = connected_components(graph[kept][:, kept], directed=False)
        sizes = np.bincount(label).astype(np.float64)
        inverse.append(float(sizes.sum() / (sizes**2).sum()))
    slope, level = np.polyfit(beyond, inverse, 1)
    return float(-level / slope)


def cohen(*, nodes: int = 10_000, graphs: int = 20) -> list[Check]:
    """Take nodes from random graphs, by chance and the best connected first, and from a network of ecosim by chance."""
    by_chance, attacked, ours, kappas = [], [], [], []
    for number in range(graphs):
        rng = Stream(1, number, "validation: cohen").generator()
        graph = random_graph(nodes, Z, rng)
        by_chance.append(breaking_point(graph, rng.permutation(nodes), random_loss(Z + 1.0) + BEYOND))
        degree = np.diff(graph.indptr) + 0.5 * rng.random(nodes)  # ties broken at random
        attacked.append(breaking_point(graph, np.argsort(-degree), attack_on_random_graph(Z) + BEYOND))
        supply = _supply_network(nodes, number)
        degrees = np.diff(supply.indptr).astype(np.float64)
        kappas.append(float((degrees**2).mean() / degrees.mean()))
        ours.append(breaking_point(supply, rng.permutation(nodes), random_loss(kappas[-1]) + BEYOND))
    attack = attack_on_random_graph(Z)
    return [
        Check.within("random graph, targeted attack: f_c by the formula", 0.3616, attack, 1, SOURCE, absolute=1e-4,
                     tests="library"),
        Check.within("random graph, loss at random: f_c", 0.75, float(np.mean(by_chance)), graphs, SOURCE,
                     absolute=0.02, tests="library"),
        Check.within("random graph, targeted attack: f_c", 0.3616, float(np.mean(attacked)), graphs, SOURCE,
                     absolute=0.02, tests="library"),
        Check.within("ecosim's random network, loss at random: f_c = 1 - 1/(kappa - 1)",
                     float(np.mean([random_loss(kappa) for kappa in kappas])), float(np.mean(ours)), graphs, SOURCE,
                     absolute=0.02, tests="library"),
    ]  # fmt: skip


def _supply_network(firms: int, seed: int) -> sparse.csr_array:
    """Ecosim's random network with two suppliers a firm, without directions, shape (firms, firms)."""
    plan = build(Uniform(firms=firms), Random(suppliers=2), Streams(seed, 0))
    pairs = np.unique(np.sort(np.column_stack((plan.supplier, plan.buyer)), axis=1), axis=0)
    ends = np.concatenate((pairs, pairs[:, ::-1]))
    return sparse.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(firms, firms))
