"""Network covariates, which may explain a verdict and never are one: each as a z-score against equal degrees."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from ecosim.errors import InputError
from ecosim.rng import Stream

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Rows = NDArray[np.int64]

SWEEPS = 20
"""Rounds of swaps in making one null network; in each, every other link is offered one."""


@dataclass(frozen=True, slots=True)
class Covariate:
    """A ``value``, its mean and spread over networks of equal degrees, and z = (value - mean)/spread.

    z is NaN where all of them have the same value: it then follows from the degrees alone.
    """

    value: float
    null_mean: float
    null_sd: float
    z: float
    nulls: int


def network_covariates(
    supplier: ArrayLike,
    buyer: ArrayLike,
    *,
    firms: int,
    flow: ArrayLike | None = None,
    nulls: int = 100,
    seed: int = 0,
) -> dict[str, Covariate]:
    """Measure a network of supply, links of one pair taken as one, against ``nulls`` rewired ones of equal degrees.

    ``supplier``, ``buyer`` (rows of the ``firms``) and ``flow`` (1 by default) have shape (links,). Covariates:

    - schneider_r: mean largest component, as a share, while the best-linked firm left is removed (Schneider 2011)
    - kappa: mean squared over mean degree; a random network percolates above 2 (Molloy & Reed 1995)
    - gao_beta: effective coupling, sum of inflow times outflow over the sum of flows (Gao et al. 2016)
    - assortativity: correlation of degrees at the ends of links (Newman 2002); NaN where all degrees are equal
    - modularity: of the best division found by the Louvain method (Blondel et al. 2008)
    - core_periphery: best correlation with a core of the best-linked firms (Borgatti & Everett 2000)

    All but gao_beta (with ``flow``) and kappa are of the network without directions. Null networks keep each firm's
    numbers of suppliers and clients, and each link's flow stays with its supplier (swaps, Maslov & Sneppen 2002).
    Raises InputError for rows out of range, a link of a firm to itself, or fewer than two links.
    """
    source, target, weight = _links(supplier, buyer, flow, firms)
    if nulls < 2:
        raise InputError(f"nulls is {nulls}; a spread needs at least 2")
    rng = Stream(seed, 0, "network covariates").generator()
    seen = _measure(source, target, weight, firms, int(rng.integers(2**31)))
    drawn = []
    for _ in range(nulls):
        target = _swap(source, target, firms, rng)  # one long chain of swaps
        drawn.append(_measure(source, target, weight, firms, int(rng.integers(2**31))))
    return {name: _against(value, np.array([null[name] for null in drawn])) for name, value in seen.items()}


def _against(value: float, null: NDArray[np.float64]) -> Covariate:
    mean, sd = float(null.mean()), float(null.std(ddof=1))
    same = sd <= 1e-9 * max(1.0, abs(mean))
    return Covariate(value, mean, 0.0 if same else sd, float("nan") if same else (value - mean) / sd, len(null))


def _links(
    supplier: ArrayLike, buyer: ArrayLike, flow: ArrayLike | None, firms: int
) -> tuple[Rows, Rows, NDArray[np.float64]]:
    source, target = np.asarray(supplier, dtype=np.int64), np.asarray(buyer, dtype=np.int64)
    weight = np.ones(source.shape) if flow is None else np.asarray(flow, dtype=np.float64)
    if not (source.ndim == 1 and source.shape == target.shape == weight.shape and len(source) >= 2):
        raise InputError("supplier, buyer and flow need one value for each of at least two links")
    if min(source.min(), target.min()) < 0 or max(source.max(), target.max()) >= firms:
        raise InputError(f"suppliers and buyers must be rows of the {firms} firms")
    if (source == target).any():
        raise InputError("a firm supplies itself; leave such links out")
    if not np.isfinite(weight).all():
        raise InputError("flow holds NaN or infinity")
    keys, of = np.unique(source * firms + target, return_inverse=True)
    return keys // firms, keys % firms, np.bincount(of, weights=weight)


def _swap(source: Rows, target: Rows, firms: int, rng: np.random.Generator) -> Rows:
    """Exchange the targets of random pairs of links, so that no link leads to itself or is there twice.

    Half of all pairs are tried at once. A pair changes only if nothing that it makes is there or proposed by another,
    and nobody proposes what it has: the step back is then as likely as the step, so all networks that can be reached
    are equally likely.
    """
    links = len(source)
    for _ in range(SWEEPS):
        order = rng.permutation(links)
        tries = rng.random(links // 2) < 0.5  # were all to try, tiny networks would move in lockstep
        one, other = order[: links // 2][tries], order[links // 2 : 2 * (links // 2)][tries]
        keys = source * firms + target
        made = np.stack([source[one] * firms + target[other], source[other] * firms + target[one]])
        _, of, count = np.unique(made, return_inverse=True, return_counts=True)
        twice = count[of.reshape(made.shape)] > 1
        wanted = np.isin(keys, made)
        itself = (source[one] == target[other]) | (source[other] == target[one])
        free = ~(itself | np.isin(made, keys).any(axis=0) | twice.any(axis=0) | wanted[one] | wanted[other])
        target = target.copy()
        target[one[free]], target[other[free]] = target[other[free]], target[one[free]]
    return target


def _measure(source: Rows, target: Rows, weight: NDArray[np.float64], firms: int, seed: int) -> dict[str, float]:
    low, high = np.minimum(source, target), np.maximum(source, target)
    keys = np.unique(low * firms + high)
    u, v = keys // firms, keys % firms
    degree = np.bincount(np.concatenate([u, v]), minlength=firms)
    both = np.bincount(source, minlength=firms) + np.bincount(target, minlength=firms)
    out, into = (np.bincount(end, weights=weight, minlength=firms) for end in (source, target))
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(firms))
    graph.add_edges_from(zip(u.tolist(), v.tolist(), strict=True))
    parts = nx.community.louvain_communities(graph, seed=seed)
    return {
        "schneider_r": schneider_r(u, v, firms),
        "kappa": float((both**2).sum() / both.sum()),
        "gao_beta": float((out * into).sum() / weight.sum()),
        "assortativity": _assortativity(degree[u], degree[v]),
        "modularity": float(nx.community.modularity(graph, parts)),
        "core_periphery": _core_periphery(u, v, degree),
    }


def _assortativity(one: Rows, other: Rows) -> float:
    ends, opposite = np.concatenate([one, other]), np.concatenate([other, one])
    if ends.min() == ends.max():
        return float("nan")
    return float(np.corrcoef(ends, opposite)[0, 1])


def _core_periphery(u: Rows, v: Rows, degree: Rows) -> float:
    """Best correlation, over sizes k, of who is linked with who has an end among the k best-linked firms."""
    firms, links = len(degree), len(u)
    rank = np.empty(firms, dtype=np.int64)
    rank[np.argsort(-degree, kind="stable")] = np.arange(firms)
    k = np.arange(1, firms - 1)
    covered = np.cumsum(np.bincount(np.minimum(rank[u], rank[v]), minlength=firms))[k - 1].astype(np.float64)
    pairs = firms * (firms - 1) / 2
    ideal = k * (k - 1) / 2 + k * (firms - k)
    scale = np.sqrt(ideal * (pairs - ideal)) * np.sqrt(links * (pairs - links))
    if links == pairs:
        return float("nan")
    return float(((pairs * covered - ideal * links) / scale).max())


def schneider_r(u: ArrayLike, v: ArrayLike, firms: int) -> float:
    """Mean over Q = 1..firms of the largest component, as a share of all, when the Q best-linked firms are gone.

    ``u`` and ``v``, shape (links,), are the ends of links, each pair once. Degrees are counted anew after each removal
    (Schneider et al. 2011); of equals the lowest row goes first. At most (firms - 1)/(2 firms), of a complete network.
    """
    neighbours: list[list[int]] = [[] for _ in range(firms)]
    for one, other in zip(np.asarray(u).tolist(), np.asarray(v).tolist(), strict=True):
        neighbours[one].append(other)
        neighbours[other].append(one)
    order = _removal(neighbours)
    root, size, present = list(range(firms)), [1] * firms, [False] * firms

    def find(firm: int) -> int:
        while root[firm] != firm:
            root[firm] = root[root[firm]]
            firm = root[firm]
        return firm

    largest, total = 0, 0
    for firm in reversed(order):  # put back, which joins components, instead of taken out, which splits them
        total += largest
        present[firm] = True
        for other in neighbours[firm]:
            if present[other]:
                one, two = find(firm), find(other)
                if one != two:
                    root[two] = one
                    size[one] += size[two]
        largest = max(largest, size[find(firm)])
    return total / firms**2


def _removal(neighbours: list[list[int]]) -> list[int]:
    degree = [len(of) for of in neighbours]
    heap = [(-count, firm) for firm, count in enumerate(degree)]
    heapify(heap)
    gone = [False] * len(degree)
    order = []
    while heap:
        count, firm = heappop(heap)
        if gone[firm] or -count != degree[firm]:
            continue
        gone[firm] = True
        order.append(firm)
        for other in neighbours[firm]:
            if not gone[other]:
                degree[other] -= 1
                heappush(heap, (-degree[other], other))
    return order
