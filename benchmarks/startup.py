"""Seconds of whole processes: ``ecosim --help``, and a first step with and without compiled kernels in numba's cache.

    uv run benchmarks/startup.py

Exit code 1 where a target is missed.
"""

from __future__ import annotations

import sys

from ecosim.bench import script

if __name__ == "__main__":
    sys.exit(script(__doc__, "startup"))
