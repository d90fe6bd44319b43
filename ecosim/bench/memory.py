"""How many bytes an economy holds a firm."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

from ecosim.bench.day import equals
from ecosim.bench.line import Line
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPPLIERS = 5
DAYS = 10  # after the shock: what a day makes and keeps counts, too
LIMIT = 600.0  # bytes


def lines(firms: int = 100_000) -> Iterator[Line]:
    """Everything that Python and numpy hold for an economy after some days, not only the arrays that we know of."""
    Ecosystem(equals(100, SUPPLIERS, DAYS, shocked=True)).run_for(DAYS)  # compiled code is no memory of the economy
    gc.collect()
    watched = tracemalloc.is_tracing()
    if not watched:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        eco = Ecosystem(equals(firms, SUPPLIERS, DAYS, shocked=True))
        eco.run_for(DAYS)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        if not watched:
            tracemalloc.stop()
    held = (after - before) / firms
    yield Line(
        f"memory per firm, {SUPPLIERS} links", "", held, "B", LIMIT, note=f"{firms:,} firms, all that is held, traced"
    )
