"""Gabaix (2011): shocks to single firms do not average out where a few firms are large.

Total production of firms with shares w of it fluctuates by sd h, h^2 = sum w^2. With a power law of exponent 1 for
sizes h falls only as 1 / ln N: sum S / N grows as ln N, while sum S^2 / N^2 is a Lévy variable whose median has the
root 1.858.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from ecosim.rng import Stream
from ecosim.validation.check import Check
from ecosim.validation.jolts import Noise
from ecosim.validation.worlds import plan_of, world_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "Gabaix (2011)"
SD = 0.05
NUMBERS = (1000, 10_000, 100_000)  # of firms, for how h falls with their number
#: Root of the median of sum S^2 / N^2 for exponent 1: one-sided stable with index 1/2 and Laplace exp(-sqrt(pi s)).
MEDIAN = float(np.sqrt(stats.levy.ppf(0.5, scale=np.pi / 2.0)))


def herfindahl_root(sizes: NDArray[np.float64]) -> float:
    """Root of the sum of squared shares, of sizes (n,)."""
    return float(np.linalg.norm(sizes) / sizes.sum())


def gabaix(*, firms: int = 10_000, days: int = 4000, draws: int = 400) -> list[Check]:
    """Let customers of every firm want a little more or less each day; look how h falls with the number of firms."""
    rng = Stream(1, 0, "validation: gabaix").generator()
    found = []
    for exponent in (1.0, 1.5):
        sizes = 1.0 + rng.pareto(exponent, firms)
        eco = world_of(plan_of(sizes), shocks=[Noise(sd=SD)], headroom=1.0, rationing=0)
        total = np.empty(days)
        for day in range(days):
            eco.run_for(1)
            total[day] = eco.world.firms.production.sum()
        ratio = float(total.std() / sizes.sum() / SD)
        what = f"sd of total production over sd of a firm's demand, tail exponent {exponent:g}"
        found.append(Check.within(what, herfindahl_root(sizes), ratio, days, SOURCE, relative=0.03))
    typical = [1.0 / np.median([herfindahl_root(1.0 + rng.pareto(1.0, n)) for _ in range(draws)]) for n in NUMBERS]
    slope = float(np.polyfit(np.log(NUMBERS), typical, 1)[0])
    told = "growth of 1/h with ln N, tail exponent 1"
    found.append(Check.within(told, 1.0 / MEDIAN, slope, draws, SOURCE, relative=0.1, fewest=400, tests="library"))
    return found
