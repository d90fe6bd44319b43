"""Verdicts on several structures at once: Holm for headline claims, Benjamini-Hochberg for screening."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special, stats

from ecosim.errors import InputError
from ecosim.resilience.rule import POWER
from ecosim.resilience.verdicts import Verdict, label_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

CLAIMS = ("fragile", "non-fragile", "antifragile", "robust", "gain")
METHODS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted P values, shape (tests,), that hold the chance of any wrong claim at alpha (Holm 1979)."""
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def correct(verdicts: Mapping[str, Verdict], method: Literal["holm", "bh"] = "holm") -> dict[str, Verdict]:
    """Verdicts on S structures, labelled anew so that S chances of a wrong claim count as one.

    For each kind of claim, its S P values are adjusted: by "holm" so that any wrong one is as rare as alpha (headline
    claims), by "bh" so that the share of wrong ones is (Benjamini & Hochberg 1995, screening). A label can only become
    weaker, and below the floor for S structures only FRAGILE stays. Studies stopped at different looks may be mixed.
    Raises InputError where there are none, margins differ, or some were corrected before.
    """
    if method not in METHODS:
        raise InputError(f"method is {method!r}; give 'holm' for headline claims or 'bh' for screening")
    if not verdicts:
        raise InputError("there are no verdicts to correct; give one for each structure")
    first = next(iter(verdicts.values())).margins
    for name, verdict in verdicts.items():
        if verdict.margins != first:
            raise InputError(f"{name} was judged with margins {verdict.margins}, others with {first}; use the same")
        if verdict.correction:
            raise InputError(f"{name} is already corrected: {verdict.correction}; give verdicts as classify made them")
    adjust = holm if method == "holm" else stats.false_discovery_control
    adjusted = {claim: adjust(np.array([verdict.p_values[claim] for verdict in verdicts.values()])) for claim in CLAIMS}
    count = len(verdicts)
    told = f"{METHODS[method]} over {count} structures"
    return {
        name: _again(verdict, {claim: float(adjusted[claim][at]) for claim in CLAIMS}, told, first.floor(count))
        for at, (name, verdict) in enumerate(verdicts.items())
    }


def _again(verdict: Verdict, p: dict[str, float], told: str, floor: int) -> Verdict:
    level = verdict.margins.level
    label = label_of(p, level, verdict.n, floor)
    reason = verdict.reason
    needed = verdict.needed
    if label != verdict.label:
        reason = f"{verdict.label} alone, not after {told}"
        if label == "INCONCLUSIVE":
            needed = _needed(verdict, p, floor)
            reason += f"; about {needed} more replicates are needed"
    elif label == "INCONCLUSIVE" and needed is not None and verdict.margins.floor() <= verdict.n + needed < floor:
        needed = floor - verdict.n
        reason = (
            f"underpowered: {verdict.n} replicates, below the floor of {floor} for several structures; "
            f"about {needed} more are needed"
        )
    p_values = {**verdict.p_values, **p}
    gains = p["gain"] <= level
    return replace(verdict, label=label, reason=reason, p_values=p_values, needed=needed, gains=gains, correction=told)


def _needed(verdict: Verdict, p: dict[str, float], floor: int) -> int:
    """More replicates with which the lost claim would probably stand, were what was seen the truth.

    A test's deviate grows with the root of n; it stands at z(P) and must reach that of the corrected level and POWER.
    """
    claim = "fragile" if verdict.label == "FRAGILE" else "non-fragile"
    total = float(floor if claim == "non-fragile" else 0)
    if p[claim] > verdict.margins.level:
        times = p[claim] / verdict.p_values[claim]
        stands, wanted = special.ndtri([1 - verdict.p_values[claim], 1 - verdict.margins.level / times])
        total = max(total, verdict.n * ((wanted + special.ndtri(POWER)) / stands) ** 2)
    return max(1, int(np.ceil(total)) - verdict.n)
