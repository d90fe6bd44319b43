"""The engine's day beside its bare kernels, how time and memory grow, bytes a firm, and what rationing rule 2 costs.

    uv run benchmarks/core.py
    uv run benchmarks/core.py --sizes 10000,100000 --links 5

Exit code 1 where a target is missed.
"""

from __future__ import annotations

import sys

from ecosim.bench import script

if __name__ == "__main__":
    sys.exit(script(__doc__, "day", "memory", "rationing"))
