"""The engine beside its bare kernels, bytes a firm, and how time and memory grow; PASS or FAIL against the targets.

uv run benchmarks/core.py
uv run benchmarks/core.py --sizes 10000,100000
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ecosim.bench import exponents, measure

if TYPE_CHECKING:
    from ecosim.bench import Measured

RATIO = {10_000: 2.0, 100_000: 2.0, 1_000_000: 1.5}  # engine over bare kernels; sizes between take the one below
SUPPLIERS = 5  # links a firm
BYTES = 600.0  # a firm with them
EXPONENT = 1.1  # of time and memory over the number of firms


def target(firms: int) -> float:
    """Ratio aimed at for a number of firms."""
    return RATIO[max((size for size in RATIO if size <= firms), default=min(RATIO))]


def verdict(name: str, value: float, limit: float) -> bool:
    """Print one target."""
    met = value <= limit
    print(f"{'PASS' if met else 'FAIL'}  {name:<52}{value:>10.2f}{limit:>10.2f}")
    return met


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of firms, with commas")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]

    measure(100, SUPPLIERS, shocked=True, days=3)  # compiles what will be timed
    print(
        f"{'firms':>10} {'links':>10}  {'state':<13}{'engine':>8}{'bare':>8}{'ratio':>7}{'bytes/firm':>12}{'build':>9}"
    )
    found: list[Measured] = []
    for firms in sizes:
        for shocked in (False, True):
            one = measure(firms, SUPPLIERS, shocked=shocked)
            found.append(one)
            print(
                f"{one.firms:>10,} {one.links:>10,}  {one.state:<13}{one.engine:>8.1f}{one.bare:>8.1f}{one.ratio:>7.2f}"
                f"{one.bytes_per_firm:>12.0f}{one.build_seconds:>9.2f}",
                flush=True,
            )

    print(f"\n{'':6}{'target':<52}{'measured':>10}{'at most':>10}")
    met = [
        verdict(f"engine / bare kernels, {one.firms:,} firms, {one.state}", one.ratio, target(one.firms))
        for one in found
    ]
    met.append(verdict(f"bytes a firm with {SUPPLIERS} links", max(one.bytes_per_firm for one in found), BYTES))
    if len(set(sizes)) > 1:
        for state in ("at rest", "in a cascade"):
            of_time, of_memory = exponents([one for one in found if one.state == state])
            met.append(verdict(f"exponent of a day's time, {state}", of_time, EXPONENT))
            met.append(verdict(f"exponent of memory, {state}", of_memory, EXPONENT))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
