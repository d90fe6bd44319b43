"""Leave one type of shock out: does what was tuned on some shocks help against one that it has never seen?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.paired import live_calmly
from ecosim.resilience.estimate import mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ecosim.config import Scenario

type Shocks = Sequence[Any]
type Losses = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Gains against shocks that were trained on and against the one that was not.

    ``table`` has a row for each type held out: held_out, trained (mean share of output saved against the types that
    were seen), unseen (against the one that was not), gap (trained - unseen), each with its t interval
    (``_low``, ``_high``) over ``replicates`` paired worlds. A gain is the loss of the base less that of the tuned
    scenario under the same shock and the same randomness.
    """

    table: pd.DataFrame
    replicates: int

    def sentences(self) -> list[str]:
        """The comparison in words, never stronger than its intervals."""
        said = []
        for row in self.table.to_dict("records"):
            gap = f"{100 * row['gap']:.2f} points (95 %: {100 * row['gap_low']:.2f} to {100 * row['gap_high']:.2f})"
            if row["gap_low"] > 0:
                what = f"protects less than trained on, by {gap}"
            elif row["gap_high"] < 0:
                what = f"protects more than trained on, by {gap.replace('-', '')}"
            else:
                what = f"no difference could be shown, {gap}"
            said.append(f"{row['held_out']} held out: {what}; n = {self.replicates}.")
        return said


def leave_one_type_out(
    base: Scenario,
    types: Mapping[str, Shocks],
    tune: Callable[[Scenario, dict[str, Shocks]], Scenario],
    *,
    replicates: int = 20,
    level: float = 0.95,
) -> HeldOut:
    """Tune on all types of shock but one, and measure against that one; once for each type.

    ``types`` gives the shocks of each type (as a scenario lists them), ``tune(base, seen)`` returns the scenario that
    it makes of ``base`` knowing only the types in ``seen``: it must change habits or policies and leave days, seed,
    economy and network as they are. Replicate r of every scenario has the same economy and the same draws. Raises
    InputError for fewer than two types or two replicates, and where ``tune`` changed what must stay.
    """
    if len(types) < 2:
        raise InputError(f"types: {len(types)} type of shock leaves none to train on; give at least two")
    if replicates < 2:
        raise InputError(f"replicates = {replicates}; an interval needs at least 2")
    plain = base.with_({"shocks": []})
    before = _losses(plain, types, replicates)
    rows = []
    for held in types:
        seen = {name: shocks for name, shocks in types.items() if name != held}
        tuned = tune(plain, dict(seen)).with_({"shocks": []})
        _refuse_moved(plain, tuned, held)
        after = _losses(tuned, types, replicates)
        gain = {name: before[name] - after[name] for name in types}
        trained = np.mean([gain[name] for name in seen], axis=0)
        row: dict[str, Any] = {"held_out": held}
        for name, values in (("trained", trained), ("unseen", gain[held]), ("gap", trained - gain[held])):
            interval = mean_interval(values, level)
            row |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    return HeldOut(pd.DataFrame(rows), replicates)


def _losses(plain: Scenario, types: Mapping[str, Shocks], replicates: int) -> dict[str, Losses]:
    """Share of the twin's output that each type takes in each replicate, (replicates,); all types have one twin."""
    struck = {name: plain.with_({"shocks": list(shocks)}) for name, shocks in types.items()}
    found = {name: np.empty(replicates) for name in types}
    for replicate in range(replicates):
        twin = Ecosystem(plain, replicate=replicate)
        plan = twin.world.plan
        calm = float(live_calmly(twin, plain.days).produced.sum())
        if calm <= 0:
            raise InputError(f"{plain.name}: the undisturbed twin of replicate {replicate} makes nothing to lose")
        for name, scenario in struck.items():
            eco = Ecosystem(scenario, replicate=replicate, blueprint=plan)
            eco.run_for(scenario.days)
            found[name][replicate] = 1.0 - float(eco.world.firms.produced.sum()) / calm
    return found


def _refuse_moved(base: Scenario, tuned: Scenario, held: str) -> None:
    for name in ("days", "seed", "economy", "network"):
        if getattr(base, name) != getattr(tuned, name):
            raise InputError(
                f"tune (without {held}): it changed {name}, so that the two worlds are no longer the same ones; "
                "change mechanisms or policies only"
            )
