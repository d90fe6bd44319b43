"""The model of Inoue & Todo (2019) as its authors run it: this engine, with every mechanism of ours off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.calibration.imports import Source, blueprint_from_frames
from ecosim.config import Scenario
from ecosim.economies.given import Given
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.networks.imported import Imported
from ecosim.shocks.outage import Outage
from ecosim.shocks.recovery import Recovery

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = ["total_production", "value_added", "final_consumption"]


def inoue_todo(
    firms: pd.DataFrame,
    links: pd.DataFrame,
    *,
    days: int,
    rationing: Literal[0, 1, 2, 3] = 2,
    inventory_days: float = 15.0,
    smoothing_days: float = 6.0,
    recovery: Literal[0, 1, 2, 3, 4, 5] | None = None,
    recovery_days: float = 0,
    recovery_start: int = 0,
) -> pd.DataFrame:
    """Propagate damage through a supply network (Inoue & Todo 2019, Nature Sustainability 2, 841-847).

    ``firms`` is indexed by firm with columns ``sector``, ``final_demand`` (currency units a day) and ``damage`` (share
    of capacity lost on day 0); ``links`` has ``supplier``, ``client`` and ``flow`` (currency units a day).
    ``recovery`` is the law of the reference program, 0 proportional, 1 uniform, 2 at once, 3 renewal, 4 exponential,
    5 damped, over ``recovery_days`` from day ``recovery_start``; None leaves the damage for good.

    Returns a frame indexed by day (-1 is the economy before the damage) with ``total_production``, ``value_added`` and
    ``final_consumption``, currency units a day. Raises ValueError that names the row and the mend for a bad table.
    """
    missing = [name for name in ("sector", "final_demand", "damage") if name not in firms.columns]
    if missing:
        there = ", ".join(map(str, firms.columns)) or "none"
        raise InputError(f"firms: no column {missing[0]!r}; the columns are {there}")
    damage = firms["damage"].to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~((damage >= 0) & (damage <= 1)))
    if len(bad):
        raise InputError(
            f"firms, row {bad[0] + 1}: damage of {firms.index[bad[0]]!r} is {damage[bad[0]]}; give a share from 0 to 1"
        )
    if recovery is not None and not recovery_days > 0 and recovery != 2:
        raise InputError(f"recovery_days = {recovery_days}: recovery law {recovery} needs days above 0")
    plan = blueprint_from_frames(
        firms[["sector", "final_demand"]].rename_axis("firm").reset_index(),
        links[[name for name in links.columns if name in ("supplier", "client", "flow")]],
        firms_source=Source("firms"),
        links_source=Source("links"),
        strict=False,
    )
    hit = {str(name): float(share) for name, share in zip(firms.index, damage, strict=True) if share > 0}
    law = None if recovery is None else Recovery(law=recovery, days=recovery_days or 1, start=recovery_start)
    scenario = Scenario(
        name="Inoue & Todo (2019)",
        days=days,
        economy=Given(inventory_days=inventory_days, smoothing_days=smoothing_days, rationing=rationing),
        network=Imported(),
        shocks=(Outage(severity=hit, recovery=law),) if hit else (),
    )
    eco = Ecosystem(scenario, blueprint=plan)
    eco.run_for(days)
    return eco.series[OUTPUTS]
