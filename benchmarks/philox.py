"""Nanoseconds a number of the addressed streams, beside numpy's sequential generator.

uv run benchmarks/philox.py
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ecosim.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 15


def best_ns(draw: Callable[[], object], numbers: int) -> float:
    """The least time one number took, over several repeats: the machine may be shared."""
    draw()  # compiles, or loads the compiled code
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        draw()
        times.append(time.perf_counter_ns() - start)
    return min(times) / numbers


def row(n: int) -> list[float]:
    """Nanoseconds a number at `n` rows: four ways to ask a stream, then numpy's two."""
    stream = Stream(seed=1, replicate=0, purpose="benchmark")
    in_order = np.arange(n)
    sequence = np.random.default_rng(0)
    shuffled = sequence.permutation(n)
    draws = [
        lambda: stream.uniform(1, in_order),
        lambda: stream.uniform(1, shuffled),
        lambda: stream.normal(1, in_order),
        lambda: stream.integers(1000, 1, in_order),
        lambda: sequence.random(n),
        lambda: sequence.standard_normal(n),
    ]
    return [best_ns(draw, n) for draw in draws]


def main() -> None:
    """Print a table for several numbers of rows."""
    heads = ["uniform", "shuffled", "normal", "integers", "numpy uniform", "numpy normal"]
    print(f"{'rows':>9}" + "".join(f"{head:>15}" for head in heads) + "   ns a number")
    for n in (1_000, 10_000, 100_000, 1_000_000):
        print(f"{n:9,}" + "".join(f"{ns:15.2f}" for ns in row(n)))


if __name__ == "__main__":
    main()
