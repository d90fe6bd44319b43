"""How long a verdict takes: 480 replicates at nine intensities, the largest study of the rule.

python benchmarks/verdict.py
"""

from __future__ import annotations

import timeit

import numpy as np

from ecosim.resilience import classify

X = np.linspace(0.0, 800.0, 9)


def main() -> None:
    """Time one verdict, the best of 40."""
    luck = np.random.Generator(np.random.Philox(1))
    d = -0.2 * (X / X[-1]) ** 2 + luck.normal(0.0, 0.03, (480, len(X)))
    e = luck.normal(0.0, 0.005, (480, len(X)))
    took = min(timeit.repeat(lambda: classify(X, d, e), number=1, repeat=40))
    print(f"verdict on 480 x {len(X)} responses: {1000 * took:.2f} ms (target 2 ms)")


if __name__ == "__main__":
    main()
