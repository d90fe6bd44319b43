"""What the rationing rule of Inoue & Todo, filling the lowest orders first, costs beside sharing in proportion."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from ecosim.bench.day import ROUNDS, equals
from ecosim.bench.line import Line
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPPLIERS = 5
BEFORE = 30  # days: a cascade is under way
LIMIT = 2.0


def lines(firms: int = 100_000) -> Iterator[Line]:
    """A day under rule 2 beside a day under rule 0: the same economy, hit alike, each in the cascade that it makes."""
    days = max(3, min(300, 1_000_000 // firms))
    scenario = equals(firms, SUPPLIERS, BEFORE + ROUNDS * days, shocked=True)
    proportional = Ecosystem(scenario.with_({"economy.rationing": 0}))
    filling = Ecosystem(scenario.with_({"economy.rationing": 2}), blueprint=proportional.world.plan)
    taken: dict[Ecosystem, list[float]] = {proportional: [], filling: []}
    for eco in taken:
        eco.run_for(BEFORE)
    for _ in range(ROUNDS):
        for eco, times in taken.items():
            started = time.perf_counter()
            eco.run_for(days)
            times.append(time.perf_counter() - started)
    plain, filled = (median(times) * 1e9 / (firms * days) for times in taken.values())
    yield Line(
        f"rule 2 over rule 0, {firms:,} firms, cascade", f"rule 0: {plain:.0f} ns", filled / plain, "x", LIMIT,
        note=f"{filled:.0f} ns per firm and day, {SUPPLIERS} links",
    )  # fmt: skip
