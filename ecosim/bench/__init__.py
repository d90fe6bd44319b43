"""How fast and how small the engine is, measured here and now: a line for every target.

Ratios are taken in one run, in turns, because the machine may be shared.
"""

from ecosim.bench.table import GROUPS, script, show

__all__ = ["GROUPS", "script", "show"]
