"""Seconds that the Economic Systemic Risk Index takes, every firm failing alone, on synthetic networks.

    uv run benchmarks/esri.py            1,000 and 10,000 firms
    uv run benchmarks/esri.py --full     and the 1,000 largest of 100,000

What the networks are like stands in ecosim/bench/esri.py. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import sys

from ecosim.bench import script

if __name__ == "__main__":
    sys.exit(script(__doc__, "esri"))
