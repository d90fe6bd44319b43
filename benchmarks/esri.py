"""Seconds that the Economic Systemic Risk Index takes, on synthetic networks of the size its authors report.

    python benchmarks/esri.py             the four cases with a target
    python benchmarks/esri.py --quick     1,000 firms only

Networks: five suppliers a firm on average, chosen in proportion to Pareto sizes (none above 5 % of the total), flows
lognormal, sectors even, a quarter of sector pairs negligible, 45 % non-essential, 30 % essential; the market of a
firm is its sector. One thread; the first run compiles and is not counted. Best of `repeats`.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecosim.published.systemic_risk import SystemicRisk, esri


class Case(NamedTuple):
    """A network and the seconds it may take; 0 failures means every firm in turn."""

    firms: int
    sectors: int
    failures: int
    target: float
    repeats: int


CASES = (
    Case(1_000, 50, 0, 0.23, 5),
    Case(10_000, 50, 0, 13.8, 1),
    Case(10_000, 500, 0, 19.5, 1),
    Case(100_000, 50, 1_000, 300.0, 1),
)


def network(case: Case, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Firms, links and essential inputs."""
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


def measure(case: Case) -> tuple[float, SystemicRisk]:
    """Best seconds and the answer."""
    firms, links, essential = network(case)
    failures = None
    if case.failures:
        largest = links.groupby("supplier")["flow"].sum().nlargest(case.failures).index
        failures = {firm: {firm: 1.0} for firm in largest}
    best = np.inf
    for _ in range(case.repeats):
        start = time.perf_counter()
        risk = esri(firms, links, essential=essential, failures=failures)
        best = min(best, time.perf_counter() - start)
    return best, risk


def main() -> None:
    """Print one row a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 firms only")
    quick = parser.parse_args().quick
    measure(Case(100, 50, 0, 0.0, 1))
    print(f"{'firms':>8} {'sectors':>8} {'failures':>9} {'seconds':>9} {'target':>7} {'rounds':>7} {'mean ESRI':>10}")
    for case in CASES[: 1 if quick else None]:
        seconds, risk = measure(case)
        print(
            f"{case.firms:>8,} {case.sectors:>8} {len(risk.esri):>9,} {seconds:>9.2f} {case.target:>7.2f} "
            f"{risk.iterations.mean():>7.1f} {risk.esri.mean():>10.5f}"
        )


if __name__ == "__main__":
    main()
