"""Seconds that the Economic Systemic Risk Index takes, on synthetic networks of the size its authors report.

Five suppliers a firm on average, chosen in proportion to Pareto sizes (none above 5 % of the total), flows lognormal,
sectors even, a quarter of sector pairs negligible, 45 % non-essential, 30 % essential; the market of a firm is its
sector. One thread; a small network compiles first and is not counted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ecosim.bench.line import Line
from ecosim.published.systemic_risk import esri

if TYPE_CHECKING:
    from collections.abc import Iterator


class Case(NamedTuple):
    """A network and the seconds it may take; 0 failures means every firm in turn."""

    firms: int
    sectors: int
    failures: int
    limit: float
    repeats: int = 1


CASES = (Case(1_000, 50, 0, 0.23, 5), Case(10_000, 50, 0, 13.8), Case(10_000, 500, 0, 19.5))
LARGE = Case(100_000, 50, 1_000, 300.0)


def network(case: Case, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Firms, links and how essential each sector's goods are to each."""
    rng = np.random.default_rng(seed)
    size = rng.pareto(1.5, case.firms) + 0.2
    size = np.minimum(size, 0.05 * size.sum())
    client = np.repeat(np.arange(case.firms), rng.poisson(4, case.firms) + 1)
    links = pd.DataFrame({"supplier": rng.choice(case.firms, client.size, p=size / size.sum()), "client": client})
    links["flow"] = rng.lognormal(2, 1, client.size)
    links = links[links["supplier"] != links["client"]]
    sector = rng.integers(0, case.sectors, case.firms)
    needs = rng.choice(3, (case.sectors, case.sectors), p=[0.25, 0.45, 0.3])
    return pd.DataFrame({"sector": sector, "market": sector}), links, pd.DataFrame(needs)


def measure(case: Case) -> Line:
    """Best seconds of some repeats, with the mean index and rounds, from which a wrong answer would show."""
    firms, links, essential = network(case)
    failures = None
    if case.failures:
        largest = links.groupby("supplier")["flow"].sum().nlargest(case.failures).index
        failures = {firm: {firm: 1.0} for firm in largest}
    best = np.inf
    for _ in range(case.repeats):
        started = time.perf_counter()
        risk = esri(firms, links, essential=essential, failures=failures)
        best = min(best, time.perf_counter() - started)
    who = f"the {case.failures:,} largest of {case.firms:,}" if case.failures else f"all {case.firms:,}"
    return Line(
        f"ESRI of {who} firms, {case.sectors} sectors", "sparse prototype" if not case.failures else "", best, "s",
        case.limit, note=f"mean {risk.esri.mean():.5f} in {risk.iterations.mean():.1f} rounds",
    )  # fmt: skip


def lines(cases: tuple[Case, ...] = CASES, *, full: bool = False) -> Iterator[Line]:
    """Measure the cases, and the large one as well if it is asked for."""
    measure(Case(100, 50, 0, 0.0))
    for case in (*cases, LARGE) if full else cases:
        yield measure(case)
