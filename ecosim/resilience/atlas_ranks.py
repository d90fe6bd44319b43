"""Which structure does better, and how sure that is: ranks by G with bootstrap intervals, and dominance."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecosim.resilience.atlas_cells import MEASURES
from ecosim.resilience.atlas_tables import columns
from ecosim.resilience.pairwise import dominance
from ecosim.rng import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.resilience.atlas_run import Atlas

    type Array = NDArray[np.float64]

DRAWS = 2000  # of replicates, in a bootstrap
EVERY = "all shocks"


def ranks(atlas: Atlas) -> pd.DataFrame:
    """A row for each table, measure, habit, shock and structure, and for the mean rank over all shocks.

    ``rank`` 1 is the highest G. Intervals (95 %) are of a bootstrap that draws replicates, the same for all structures,
    because they are paired. ``dominates`` counts structures than which this one is shown to be no worse at every
    intensity and better at some; a label is no ranking, and neither is a rank whose interval overlaps the next.
    """
    spec = atlas.spec
    names = list(spec.structures)
    weights = resamples(spec.seed, spec.replicates)
    found: list[pd.DataFrame] = []
    sums: dict[tuple[str, str, str], list[Array]] = {}
    for table, habit, shock, cells in columns(atlas):
        lived = [atlas.responses(cells[name]) for name in names]
        for measure in MEASURES:
            d = [each.outcomes[f"d_{measure}"] for each in lived]
            gains = np.stack([each.mean(axis=1) for each in d])
            drawn = ranked(weights @ gains.T)
            sums.setdefault((table, measure, habit), []).append(np.vstack([ranked(gains.mean(axis=1)[None]), drawn]))
            row = _frame(names, ranked(gains.mean(axis=1)[None])[0], drawn)
            row["gain"] = gains.mean(axis=1)
            row["dominates"] = _dominated(lived[0].x, d)
            found.append(row.assign(table=table, measure=measure, habit=habit, shock=shock))
    for (table, measure, habit), each in sums.items():
        mean = np.mean(each, axis=0)
        found.append(_frame(names, mean[0], mean[1:]).assign(table=table, measure=measure, habit=habit, shock=EVERY))
    order = ["table", "measure", "habit", "shock", "structure", "rank", "rank_low", "rank_high", "gain", "dominates"]
    return pd.concat(found, ignore_index=True)[order]


def resamples(seed: int, replicates: int, draws: int = DRAWS) -> Array:
    """Weights of replicates in bootstrap draws, shape (draws, replicates), each summing to 1 (Efron 1979)."""
    rng = Stream(seed, 0, "atlas: bootstrap").generator()
    return rng.multinomial(replicates, np.full(replicates, 1.0 / replicates), size=draws) / replicates


def ranked(gains: Array) -> Array:
    """Ranks along the last axis, 1 the highest; equals share the mean of theirs."""
    from scipy import stats

    found: Array = stats.rankdata(-gains, axis=-1)
    return found


def _frame(names: list[str], rank: Array, drawn: Array) -> pd.DataFrame:
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return pd.DataFrame({"structure": names, "rank": rank, "rank_low": low, "rank_high": high})


def _dominated(x: Array, d: list[Array]) -> list[int]:
    """How many others each structure dominates."""
    count = [0] * len(d)
    for one, other in combinations(range(len(d)), 2):
        relation = dominance(x, d[one], d[other]).relation
        if relation == "A dominates":
            count[one] += 1
        elif relation == "B dominates":
            count[other] += 1
    return count
