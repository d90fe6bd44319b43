"""Economic Systemic Risk Index (ESRI): what share of an economy stops when firms fail.

Diem, Borsos, Reisch, Kertesz and Thurner, "Quantifying firm-level economic systemic risk from nation-wide supply
networks", Scientific Reports 12, 7719 (2022), in the conventions of the authors' program GLcascade / fastcascade.

Firm i sells W_ij to firm j, sells s_out_i and buys s_in_j in all, belongs to sector p_i and, optionally, to a market
q_i of firms that can replace one another. E_kl tells how sector l needs inputs of sector k: 2 essential, 1
non-essential, 0 negligible. h_d and h_u are the fractions of activity left to a firm after losing inputs (downstream
contagion) and after losing orders (upstream contagion). With Pi_jk the inputs of j from sector k,

    Ld_ij = W_ij / Pi_jk (E = 2) or W_ij / s_in_j (E = 1) or 0,   times s_in_j / costs_j where costs are given
    Lu_ij = W_ij / s_out_i                                        or W_ij / revenue_i where revenue is given
    sigma_i = min(1, s_out_i / sum over i's market of h_d s_out)  or 1 without markets
    L_jk  = sum over suppliers i in sector k of Ld_ij sigma_i (1 - h_d_i)
    h_d_j = max(0, min(1 - psi_j, min over essential k of (1 - L_jk), 1 - sum over non-essential k of L_jk))
    h_u_i = max(0, min(1 - psi_up_i, 1 - sum over clients j of Lu_ij (1 - h_u_j)))

are repeated in synchronous rounds from h = 1 - psi. ESRI is the weighted mean of 1 - min(h_d, h_u), failed firms
included. Zero denominators count as 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ecosim.kernels.risk_network import above, below, by_length, markets, renumbered
from ecosim.kernels.systemic_risk import Direction, Markets, Shocks, cascades
from ecosim.published._systemic_risk_input import (
    Links,
    amounts,
    check_firms,
    label_text,
    read_essential,
    read_failures,
    read_links,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Losses", "SystemicRisk", "esri"]

ROUNDS = 100_000
"""Rounds after which a cascade counts as endless; tolerance 1e-12 takes hundreds."""

PARTS = ("esri", "downstream", "upstream")


class Losses(NamedTuple):
    """Losses of every firm, fractions of its activity in [0, 1], frames of firms x scenarios."""

    downstream: pd.DataFrame
    """1 - h_d."""
    upstream: pd.DataFrame
    """1 - h_u."""


@dataclass(frozen=True)
class _Case:
    """A network ready for the kernel, with its scenarios and the stopping rule."""

    firms: pd.Index
    scenarios: pd.Index
    below: Direction
    above: Direction
    markets: Markets
    weight: Floats
    hits: Shocks
    hits_above: Shocks
    tolerance: float
    convergence: int

    def run(self, order: Ints, *, keep: bool) -> tuple[Floats, Ints, Floats]:
        """Weighted losses (3, S), rounds (S,) and, if kept, firms' losses (2, n, S); only `order` is computed."""
        total, firms = len(self.scenarios), len(self.firms)
        hits, hits_above = self.hits, self.hits_above
        if order.size < total:  # number the chosen scenarios 0, 1, ... so that nothing is stored for the others
            hits, hits_above = renumbered(hits, order), renumbered(hits_above, order)
            order = np.arange(order.size)
        kept = np.empty((2, firms, order.size)) if keep else np.empty((0, 0, 0))
        sums, rounds = cascades(
            self.below, self.above, self.markets, self.weight, hits, hits_above, order,
            self.tolerance, self.convergence, ROUNDS, kept,
        )  # fmt: skip
        if not rounds.all():
            raise RuntimeError(
                f"esri: {np.count_nonzero(rounds == 0)} scenario(s) had not settled after {ROUNDS} rounds at "
                f"tolerance={self.tolerance!r}; raise tolerance, or state flows in smaller money units "
                "(a market whose sales left are 1e-10 or less counts as selling 1)"
            )
        return sums, rounds, kept


@dataclass(frozen=True, eq=False)
class SystemicRisk:
    """Systemic risk of each failure scenario: four series indexed by scenario (by firm where firms fail alone)."""

    esri: pd.Series
    """Weighted mean of the larger of each firm's two losses, fraction of the economy."""
    downstream: pd.Series
    """Weighted mean of 1 - h_d, losses from missing inputs."""
    upstream: pd.Series
    """Weighted mean of 1 - h_u, losses from missing orders."""
    iterations: pd.Series
    """Rounds until the stopping rule held, the last one included."""
    _case: _Case = field(repr=False)

    def losses(self, scenarios: Iterable[Hashable] | None = None) -> Losses:
        """Losses of every firm in the named scenarios (default all), computed on demand.

        Takes 16 bytes a firm and scenario, so name few scenarios of a large network. KeyError names a scenario
        that was not run.
        """
        case = self._case
        labels = case.scenarios if scenarios is None else pd.Index(list(scenarios))
        order = np.asarray(case.scenarios.get_indexer(labels), dtype=np.int64)
        if (order < 0).any():
            raise KeyError(
                f"losses: scenario {label_text(labels[int(np.argmax(order < 0))])} was not run; "
                f"scenarios are {some(case.scenarios)}"
            )
        kept = case.run(order, keep=True)[2]
        return Losses(*(pd.DataFrame(side, index=case.firms, columns=labels) for side in kept))


def esri(
    firms: pd.DataFrame,
    links: pd.DataFrame,
    *,
    essential: pd.DataFrame,
    failures: Any = None,
    upstream_failures: Any = None,
    tolerance: float = 1e-2,
    convergence: int = 1,
) -> SystemicRisk:
    """Systemic risk of failure scenarios on a supply network (Diem et al. 2022; equations in the module).

    Parameters
    ----------
    firms : index names each firm once. Column `sector`; optional `market` (firms of one market replace one another;
        without it nobody is replaceable), `revenue` and `costs` (money, >= 0, as the flows), `weight` (>= 0,
        normalised here; default total sales).
    links : columns `supplier`, `client` (names of firms) and `flow` (money per unit of time, >= 0). Rows that repeat
        a supplier and client are added up. A firm may supply itself.
    essential : rows supplying sectors, columns buying sectors, values 2 essential, 1 non-essential, 0 negligible.
    failures : fraction of activity lost, psi in [0, 1]. None: each firm fails alone and fully. Or firms x scenarios:
        DataFrame or Series (rows named by firm; firms left out lose nothing), array or scipy sparse matrix (rows in
        the order of `firms`), or a mapping scenario -> {firm: psi}, the compact form for large networks.
    upstream_failures : the same for the upstream cascade, with the same scenarios. Default: `failures`.
    tolerance : see convergence; >= 0.
    convergence : 1 stops a cascade once no h falls by more than `tolerance` in a round, 2 once the index grows by no
        more than the factor 1 + tolerance. The last round counts.

    Raises
    ------
    ValueError : input that contradicts the above, naming value, place and mend.
    RuntimeError : a cascade does not settle within 100,000 rounds.
    """
    if convergence not in {1, 2}:
        raise ValueError(f"esri: convergence={convergence!r}; choose 1 (largest fall of h) or 2 (growth of the index)")
    if not (np.isscalar(tolerance) and 0 <= tolerance < np.inf):
        raise ValueError(f"esri: tolerance={tolerance!r}; give a finite number >= 0, such as 0.01")
    check_firms(firms)
    scenarios, hits, hits_above = _scenarios(failures, upstream_failures, firms.index)
    network = read_links(links, firms.index)
    sales = np.bincount(network.supplier, network.flow, len(firms)).astype(np.float64)  # integers where no link is
    revenue = _or_one(amounts(firms, "revenue") if "revenue" in firms else sales)
    case = _Case(
        firms.index,
        scenarios,
        _downstream(network, firms, *read_essential(essential, firms)),
        above(*network, revenue),
        _markets(firms, sales),
        _weights(firms, sales),
        hits,
        hits_above,
        float(tolerance),
        int(convergence),
    )
    sums, rounds, _ = case.run(by_length(case.below, case.above, case.markets, case.hits, case.tolerance), keep=False)
    columns = pd.DataFrame(sums.T, index=scenarios, columns=list(PARTS))
    iterations = pd.Series(rounds, index=scenarios, name="iterations")
    return SystemicRisk(columns["esri"], columns["downstream"], columns["upstream"], iterations, case)


def _scenarios(failures: Any, upstream_failures: Any, index: pd.Index) -> tuple[pd.Index, Shocks, Shocks]:
    """Scenario labels and the initial losses of both directions, scenarios in one order."""
    if failures is None:
        n = len(index)
        labels, hits = index, Shocks(np.arange(n + 1), np.arange(n, dtype=np.int32), np.ones(n))
    else:
        labels, hits = read_failures(failures, index, "failures")
    if upstream_failures is None:
        return labels, hits, hits
    others, hits_above = read_failures(upstream_failures, index, "upstream_failures")
    place = np.asarray(others.get_indexer(labels), dtype=np.int64)
    if len(others) != len(labels) or (place < 0).any():
        raise ValueError(
            f"upstream_failures: scenarios {some(others)} differ from those of failures, {some(labels)}; "
            "give both the same columns"
        )
    return labels, hits, renumbered(hits_above, place)


def _or_one(denominator: Floats) -> Floats:
    """The denominator, 1 where it is zero (the authors' convention)."""
    return np.where(denominator == 0, 1.0, denominator)


def _downstream(links: Links, firms: pd.DataFrame, sector: Ints, needs: NDArray[np.int8]) -> Direction:
    """Ld, where needs go by sector and costs may be known."""
    supplier, client, flow = links
    need = needs[sector[supplier], sector[client]]
    scale = None
    if "costs" in firms:
        scale = np.bincount(client, flow, len(firms)) / _or_one(amounts(firms, "costs"))
    return below(supplier, client, flow, need, sector[supplier], len(firms), scale)


def _markets(firms: pd.DataFrame, sales: Floats) -> Markets:
    """Firms by market, in the order of their rows; none at all without a market column."""
    if "market" not in firms:
        return Markets(np.zeros(1, np.int64), np.empty(0, np.int32), sales)
    return markets(pd.factorize(firms["market"])[0], sales)


def _weights(firms: pd.DataFrame, sales: Floats) -> Floats:
    """Weights that sum to 1."""
    weight = amounts(firms, "weight") if "weight" in firms else sales
    total = weight.sum()
    if not total > 0:
        source = "firms['weight'] sums" if "weight" in firms else "links['flow'] sums"
        raise ValueError(f"esri: {source} to {total}, so firms have no weight; give at least one number above 0")
    return weight / total
