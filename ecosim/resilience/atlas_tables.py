"""Tables of an atlas: verdicts cell by cell, and the curves they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.resilience.atlas_cells import MEASURES, Cell
from ecosim.resilience.recovery import recovery_of
from ecosim.resilience.rule import classify
from ecosim.resilience.several import correct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecosim.resilience.atlas_run import Atlas
    from ecosim.resilience.responses import Responses
    from ecosim.resilience.verdicts import Verdict

KEYS = ["table", "measure", "habit", "shock", "structure"]
"""What names a row."""


def columns(atlas: Atlas) -> Iterator[tuple[str, str, str, dict[str, Cell]]]:
    """Every column of the maps: table, habit, shock, and its cells by structure."""
    groups: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in atlas.cells():
        groups.setdefault((cell.table, cell.habit, cell.shock), {})[cell.structure] = cell
    for (table, habit, shock), cells in groups.items():
        yield table, habit, shock, cells


def verdicts(atlas: Atlas) -> pd.DataFrame:
    """A row for each cell and measure, with everything that a label must be shown with.

    ``label`` is corrected by Holm over the structures of the same table, habit and shock, ``label_alone`` is not.
    ``gain``, ``worst``, ``min_curvature`` and ``jensen_gap`` come with intervals; ``recovery_half`` and
    ``recovery_full`` are median days to recover at half and at full strength (infinite: most had not by the end),
    ``recovered_full`` the share that did; ``failing_full`` the mean number of firms that fell below half of their
    output, ``equity_full`` the change of the Gini coefficient of what firms made; ``cost`` the share of output that
    habit and buffers cost.
    """
    rows = []
    for table, habit, shock, cells in columns(atlas):
        found = {name: atlas.responses(cell) for name, cell in cells.items()}
        said = {name: _measured(one) for name, one in found.items()}
        for measure in MEASURES:
            alone = {name: judge(one, measure) for name, one in found.items()}
            for name, verdict in correct(alone).items():
                rows.append(
                    {
                        **dict(zip(KEYS, (table, measure, habit, shock, name), strict=True)),
                        **verdict.row(),
                        "label_alone": alone[name].label,
                        **said[name],
                        **_cost(atlas, cells[name]),
                    }
                )
    return pd.DataFrame(rows)


def judge(found: Responses, measure: str) -> Verdict:
    """Verdict on one cell by one measure, not yet corrected."""
    return classify(found.x, found.outcomes[f"d_{measure}"], found.outcomes[f"e_{measure}"])


def _measured(found: Responses) -> dict[str, Any]:
    m = len(found.x)
    half, full = (_recovery(found, at) for at in (m // 2, m - 1))
    last = {name: values[:, -1] for name, values in found.outcomes.items()}
    return {
        "x_full": found.x[-1],
        "recovery_half": half[0],
        "recovery_full": full[0],
        "recovered_full": full[1],
        "depth_full": float(last["depth"].mean()),
        "failing_full": float(last["firms_failing"].mean()),
        "equity_full": float((last["gini"] - found.outcomes["gini"][:, 0]).mean()),
    }


def _recovery(found: Responses, at: int) -> tuple[float, float]:
    """Median days to recover at one intensity (Kaplan-Meier), and the share that was seen to."""
    days = found.outcomes["days_to_recover"][:, at]
    seen = ~np.isnan(days)
    told = recovery_of(np.where(seen, days, found.made.days), seen)
    return told.median.value, told.share


def _cost(atlas: Atlas, cell: Cell) -> dict[str, float]:
    from ecosim.resilience.atlas_structures import BUFFERS

    scale = atlas.scale(cell.table, cell.habit, cell.structure)
    parts = atlas.structures[cell.structure]["cost"][cell.habit]
    cost = sum(value * (scale if name in BUFFERS else 1.0) for name, value in parts.items())
    return {"scale": scale, "cost": cost}


def curves(atlas: Atlas) -> pd.DataFrame:
    """Mean response and end state of each cell at every intensity, with standard errors, by both measures."""
    parts = []
    for cell in atlas.cells():
        found = atlas.responses(cell)
        root = np.sqrt(found.replicates)
        for measure in MEASURES:
            d, e = (found.outcomes[f"{name}_{measure}"] for name in "de")
            parts.append(
                pd.DataFrame(
                    {
                        **dict(zip(KEYS, (cell.table, measure, cell.habit, cell.shock, cell.structure), strict=True)),
                        "x": found.x, "d": d.mean(axis=0), "d_se": d.std(axis=0, ddof=1) / root,
                        "e": e.mean(axis=0), "e_se": e.std(axis=0, ddof=1) / root,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def structures(atlas: Atlas) -> pd.DataFrame:
    """A row for each structure: network covariates, systemic risk, and the cost of each habit on it."""
    rows = []
    for name, found in atlas.structures.items():
        costs = {f"cost_{habit}": sum(parts.values()) for habit, parts in found["cost"].items()}
        rows.append({"structure": name, **found["network"], **costs})
    return pd.DataFrame(rows)
