"""A million firms: building them, and living a year."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ecosim.bench.line import Line
from ecosim.errors import InputError
from ecosim.found import load
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ecosim.config import Scenario

FIRMS = 1_000_000
BUILD, YEAR = 60.0, 120.0  # seconds at most
LIVED = 70  # days of the sample: 30 at rest and 40 after the flood
LAST = 20  # of them, whose mean stands for each day that was not lived; days get cheaper later, so it is no flattery


def lines(firms: int = FIRMS, *, full: bool = False) -> Iterator[Line]:
    """Build the shipped scenario ``country`` and live it: all of it, or the first days for an estimate of the rest."""
    scenario = load("country")
    if firms != FIRMS:
        scenario = scenario.with_({"economy.firms": firms})
    Ecosystem(scenario.with_({"economy.firms": 1000})).run_for(1)  # compiles what will be timed
    try:
        yield from _measured(scenario, full=full)
    except InputError as error:  # of which there is one: too large for the memory that is left
        yield Line(f"country, {firms:,} firms", "", None, "s", BUILD, note=str(error))


def _measured(scenario: Scenario, *, full: bool) -> Iterator[Line]:
    begun = _clocks()
    eco = Ecosystem(scenario)
    built = _clocks() - begun
    firms, links = eco.world.firms.rows, len(eco.world.links)
    note = f"{links:,} links, balanced, calibrated; {built[1]:.1f} s of processor"
    yield Line(f"build, {firms:,} firms", "", float(built[0]), "s", BUILD, note=note)
    taken = []
    for _ in range(scenario.days if full else LIVED):
        begun = _clocks()
        eco.step()
        taken.append(_clocks() - begun)
    rest = scenario.days - len(taken)
    wall, processor = np.sum(taken, axis=0) + rest * np.mean(taken[-LAST:], axis=0)
    note = "every day lived, metrics every day"
    if rest:
        note = f"ESTIMATE: {len(taken)} days lived, {rest} more at the mean of the last {LAST} of them"
    note += f"; {processor:.0f} s of processor"
    yield Line(f"a year ({scenario.days} days), {firms:,} firms", "", float(wall), "s", YEAR, note=note)


def _clocks() -> NDArray[np.float64]:
    """Seconds by the wall, and of this processor, which is the fairer on a machine that others use too."""
    return np.array([time.perf_counter(), time.process_time()])
