"""Tables of a policy study, each a data frame whose columns docs/policy_search.md describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.resilience.several import holm
from ecosim.study.groups import parts
from ecosim.study.policy.measures import Effect, difference, effect, per_unit, quantile, regret, satisficing
from ecosim.study.policy.packages import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.spec import PolicySpec
    from ecosim.study.policy.stage import Lived

    type Array = NDArray[np.float64]

ALL = "all"
HEADLINE, REST = "headline", "rest"
SAVES, HARMS, NOTHING_SHOWN = "saves", "harms", "no difference could be shown"
ALPHA = 0.05
COMPARED = ("consumption", "production", "failures", "closures", "jobs")


def saved(lived: Lived, figure: str, packages: Sequence[Package]) -> Array:
    """How much less each package loses than doing nothing in the same future with the same luck, (packages, futures).

    Only futures in which every run succeeded are in it, here and everywhere below.
    """
    gap = lived.figure(figure, [nothing(lived.spec)]) - lived.figure(figure, packages)
    return np.asarray(gap[:, lived.whole()])


def effects(
    spec: PolicySpec,
    groups: Sequence[tuple[str, Lived, Sequence[Package]]],
    outcomes: Sequence[str] = COMPARED,
) -> pd.DataFrame:
    """Paired effects on some outcomes, over all troubles and over each, of packages lived in some futures.

    P values of the study's outcome over all troubles are one family for Holm's correction, all others another.
    """
    rows = []
    for where, lived, packages in groups:
        types = lived.types[lived.whole()]
        for outcome in outcomes:
            gains = saved(lived, outcome, packages)
            if np.isnan(gains).any():
                continue
            for each, values in zip(packages, gains, strict=True):
                rows += _effect_rows(spec, each, where, outcome, values, types)
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    frame["p_holm"] = corrected(frame["p"], frame["family"])
    frame["claim"] = claims(frame)
    return frame


def _effect_rows(
    spec: PolicySpec, each: Package, where: str, outcome: str, values: Array, types: NDArray[np.str_]
) -> list[dict[str, Any]]:
    rows = []
    kinds = list(dict.fromkeys(types.tolist()))
    for kind in [ALL, *(kinds if len(kinds) > 1 else [])]:
        these = np.ones(len(types), dtype=bool) if kind == ALL else types == kind
        found = effect(values[these], types[these])
        family = HEADLINE if outcome == spec.outcome and kind == ALL else REST
        about = {"package": each.name, "futures": where, "type": kind, "outcome": outcome, "family": family}
        rows.append(about | _told(found))
    return rows


def _told(found: Effect) -> dict[str, Any]:
    return {"effect": found.value, "low": found.low, "high": found.high, "n": found.n, "p": found.p}


def corrected(p: pd.Series[float], family: pd.Series[str]) -> Array:
    """P values corrected by Holm within each family; what has no P value has none afterwards."""
    found = np.full(len(p), np.nan)
    for name in family.unique():
        rows = np.flatnonzero((family == name).to_numpy() & p.notna().to_numpy())
        found[rows] = holm(p.to_numpy(dtype=np.float64)[rows])
    return found


def claims(frame: pd.DataFrame) -> list[str]:
    """What may be said of each effect: that it saves, that it harms, or that nothing could be shown."""
    shown = (frame["p_holm"] <= ALPHA).to_numpy()
    up = (frame["effect"] > 0).to_numpy()
    return [str(claim) for claim in np.where(shown, np.where(up, SAVES, HARMS), NOTHING_SHOWN)]


def value(spec: PolicySpec, groups: Sequence[tuple[str, Lived, Sequence[Package]]]) -> pd.DataFrame:
    """What each package saves for each unit that it costs, over all troubles and over each."""
    rows = []
    for where, lived, packages in groups:
        types = lived.types[lived.whole()]
        gains = saved(lived, f"{spec.outcome}_days", packages)
        costs = lived.figure("cost", packages)[:, lived.whole()]
        for each, gain, cost in zip(packages, gains, costs, strict=True):
            for kind in (ALL, *dict.fromkeys(types.tolist())):
                these = np.ones(len(types), dtype=bool) if kind == ALL else types == kind
                spent, gained = effect(cost[these], types[these]), effect(gain[these], types[these])
                ratio = per_unit(gain[these], cost[these], types[these])
                rows.append(
                    {
                        "package": each.name,
                        "futures": where,
                        "type": kind,
                        "spent": spent.value,
                        "spent_low": spent.low,
                        "spent_high": spent.high,
                        "saved": gained.value,
                        "saved_low": gained.low,
                        "saved_high": gained.high,
                        "per_unit": ratio.value,
                        "per_unit_low": ratio.low,
                        "per_unit_high": ratio.high,
                        "n": int(these.sum()),
                    }
                )
    return pd.DataFrame(rows)


def overview(spec: PolicySpec, lived: Lived, packages: Sequence[Package], front: NDArray[np.bool_]) -> pd.DataFrame:
    """A row a package on the futures it was chosen by: cost, loss, regret, how often the target is met."""
    whole = lived.whole()
    loss, cost = lived.figure(spec.outcome, packages)[:, whole], lived.figure("cost", packages)[:, whole]
    affordable = np.flatnonzero(within_budget(spec, cost))
    sorry = np.full(loss.shape, np.nan)
    sorry[affordable] = regret(loss[affordable])
    frame = pd.DataFrame({"package": [each.name for each in packages]})
    for at, name in enumerate(spec.levers):
        frame[f"level_{name}"] = [each.levels[at] for each in packages]
    frame["cost"] = cost.mean(axis=1)
    frame["loss"] = loss.mean(axis=1)
    frame["loss_quantile"] = quantile(loss, spec.share)
    frame["failures"] = lived.figure("failures", packages)[:, whole].mean(axis=1)
    frame["regret_mean"], frame["regret_most"] = sorry.mean(axis=1), sorry.max(axis=1)
    if spec.target is not None:
        held = satisficing(loss, spec.target.loss)
        frame["held"] = [one.value for one in held]
        frame["held_low"], frame["held_high"] = [one.low for one in held], [one.high for one in held]
    frame["within_budget"] = within_budget(spec, cost)
    frame["front"] = front
    return frame


def within_budget(spec: PolicySpec, cost: Array) -> NDArray[np.bool_]:
    """Which packages cost no more than the budget in the mean of futures, (packages,)."""
    most = np.inf if spec.budget is None else spec.budget
    return np.asarray(cost.mean(axis=1) <= most)


def shrinkage(spec: PolicySpec, training: Lived, held_out: Lived, packages: Sequence[Package]) -> pd.DataFrame:
    """What packages saved in the futures that they were chosen by, and in fresh ones: the winner's curse."""
    rows = []
    before, after = (saved(lived, spec.outcome, packages) for lived in (training, held_out))
    for at, each in enumerate(packages):
        one = effect(before[at], training.types[training.whole()])
        other = effect(after[at], held_out.types[held_out.whole()])
        gap, low, high = difference(one, other)
        row: dict[str, Any] = {"package": each.name}
        row |= {"saved_training": one.value, "saved_training_low": one.low, "saved_training_high": one.high}
        row |= {"saved_held_out": other.value, "saved_held_out_low": other.low, "saved_held_out_high": other.high}
        row |= {"shrinkage": gap, "shrinkage_low": low, "shrinkage_high": high}
        for name, lived in (("training", training), ("held_out", held_out)):
            loss = lived.figure(spec.outcome, [each])[:, lived.whole()]
            row[f"cost_{name}"] = float(lived.figure("cost", [each])[:, lived.whole()].mean())
            row[f"loss_quantile_{name}"] = float(quantile(loss, spec.share)[0])
            if spec.target is not None:
                (held,) = satisficing(loss, spec.target.loss)
                row |= {f"held_{name}": held.value, f"held_{name}_low": held.low, f"held_{name}_high": held.high}
                row[f"held_{name}_of"] = held.n
        rows.append(row)
    return pd.DataFrame(rows)


def winners(groups: Sequence[tuple[str, Lived, Sequence[Package]]]) -> pd.DataFrame:
    """Effects on the production of every sector, region and class of size; all are one family for Holm."""
    rows = []
    for where, lived, packages in groups:
        types = lived.types[lived.whole()]
        for figure in lived.groups():
            gains = saved(lived, figure, packages)
            there = ~np.isnan(gains).any(axis=0)  # a sector may have no firm in some world
            named = parts(figure)
            if there.sum() < 2 or named is None:
                continue
            for each, values in zip(packages, gains[:, there], strict=True):
                about = {"package": each.name, "futures": where, "grouping": named[0], "group": named[1]}
                rows.append(about | _told(effect(values, types[there])))
    frame = pd.DataFrame(rows)
    if not frame.empty:
        frame["p_holm"] = corrected(frame["p"], pd.Series([REST] * len(frame)))
        frame["claim"] = claims(frame)
    return frame
