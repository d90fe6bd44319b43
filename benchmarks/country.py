"""A million firms and five million links: seconds to build them, and to live a year with metrics every day.

    uv run benchmarks/country.py            builds, lives the first 70 days and estimates the others
    uv run benchmarks/country.py --full     lives all 365

Exit code 1 where a target is missed.
"""

from __future__ import annotations

import sys

from ecosim.bench import script

if __name__ == "__main__":
    sys.exit(script(__doc__, "country"))
