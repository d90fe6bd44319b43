"""The preregistered rule: is a structure FRAGILE, ROBUST, RESILIENT or ANTIFRAGILE under a shock?

Antifragility is not the mirror of fragility: it is a gain on the right and robustness on the left (Taleb & Douady
2013). FRAGILE needs one harm that is shown (concave where it loses, not recovered, or ruin: Bonferroni over the three);
any other verdict needs all three harms shown to be absent (intersection-union test, Berger 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from ecosim.errors import InputError
from ecosim.resilience.curves import curvature, curves, grid, spreads
from ecosim.resilience.estimate import STILL, Estimate, above, below, share_interval
from ecosim.resilience.verdicts import Label, Margins, Verdict, label_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

POWER = 0.8
"""Chance of a label that ``needed`` aims at."""
ENDLESS = 1e6
"""Studies that would need more replicates than this are told that no number will do."""


class _Moments(NamedTuple):
    """Mean and standard deviation over replicates, one for each position."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all tests are made of."""

    d: _Moments
    e: _Moments
    bend: _Moments
    ends: NDArray[np.int64]
    """Position of the outer intensity x_(j+k) of each contrast."""
    gap: _Moments
    gain: _Moments
    ruined: int
    n: int


def classify(
    x: ArrayLike,
    d: ArrayLike,
    e: ArrayLike,
    *,
    delta: float = 0.02,
    delta_e: float = 0.02,
    delta_j: float = 0.02,
    tau: float = 0.5,
    p_ruin: float = 0.05,
    alpha: float = 0.05,
    looks: int = 1,
) -> Verdict:
    """Give the verdict on one structure under one shock.

    ``x`` are intensities in physical units (never rescaled), equally spaced from 0, an odd number from 5, nine by
    default. ``d`` and ``e`` are relative responses and end states against the twin, shape (replicates, intensities),
    rows paired by seed. Margins are as in `Margins`; with ``looks`` above 1 each P value is held against alpha/looks.

    The means of replicates are tested by Student's t, ruin by the exact binomial test. Raises InputError for a grid,
    responses or margins that make no test.
    """
    margins = Margins(delta, delta_e, delta_j, tau, p_ruin, alpha, looks)
    at = grid(x)
    seen = _see(at, curves(at, d, "d"), e, margins)
    p, routes = _p_values(seen, margins)
    label = label_of(p, margins.level, seen.n, margins.floor())
    needed = _needed(seen, margins) if label == "INCONCLUSIVE" else 0
    worst, least = int(seen.d.mean.argmin()), int(seen.bend.mean.argmin())
    reach = float(special.stdtrit(seen.n - 1, 1 - margins.level / 2) / np.sqrt(seen.n))

    def interval(of: _Moments, position: int = 0) -> Estimate:
        mean, half = float(of.mean[position]), float(reach * of.sd[position])
        return Estimate(mean, mean - half, mean + half, seen.n, 1 - margins.level)

    return Verdict(
        label=label,
        reason=_reason(label, at, seen, margins, p, routes, needed),
        gain=float(seen.gain.mean[0]),
        worst=float(seen.d.mean[worst]),
        min_curvature=float(seen.bend.mean[least]),
        jensen_gap=float(seen.gap.mean[0]),
        p_values=p,
        intervals={
            "gain": interval(seen.gain),
            "worst": interval(seen.d, worst),
            "min_curvature": interval(seen.bend, least),
            "jensen_gap": interval(seen.gap),
            "ruin": share_interval(seen.ruined, seen.n, 1 - margins.level),
        },
        n=seen.n,
        needed=needed,
        gains=p["gain"] <= margins.level,
        x=at,
        response=seen.d.mean,
        end=seen.e.mean,
        curvature=seen.bend.mean,
        margins=margins,
    )


def _see(x: NDArray[np.float64], d: NDArray[np.float64], e: ArrayLike, margins: Margins) -> _Seen:
    end = curves(x, e, "e")
    if d.shape != end.shape:
        raise InputError(f"d has {len(d)} replicates, e {len(end)}; give both of the same runs")
    m = len(x)
    everywhere = d.mean(axis=1, keepdims=True)
    # One array of all contrasts, so that moments are taken once: curvatures, responses, ends, Jensen gap, gain.
    all_of = np.concatenate([curvature(d), d, end, everywhere - d[:, m // 2, None], everywhere], axis=1)
    mean, sd = all_of.mean(axis=0), all_of.std(axis=0, ddof=1)
    cuts = np.cumsum([m - 2, m, m, 1])
    bend, response, left, gap, gain = map(_Moments, np.split(mean, cuts), np.split(sd, cuts))
    outer = np.arange(1, m - 1) + spreads(m)
    ruined = int((d.min(axis=1) < -margins.tau).sum())
    return _Seen(response, left, bend, outer, gap, gain, ruined, len(d))


def _p_values(seen: _Seen, margins: Margins) -> tuple[dict[str, float], dict[str, int]]:
    """P value of each claim, corrected within the study; and where the strongest sign of each harm is."""
    n, d = seen.n, seen.d

    def at_most(p: NDArray[np.float64] | float, times: int) -> float:
        return min(1.0, times * float(np.min(p)))

    loses = below(d.mean, d.sd, n, -margins.delta)
    harmed = np.maximum(below(*seen.bend, n, -margins.delta_j), loses[seen.ends])
    lasting = below(seen.e.mean[1:], seen.e.sd[1:], n, -margins.delta_e)
    p = {
        "concave": at_most(harmed, len(harmed)),
        "unrecovered": at_most(lasting, len(lasting)),
        "ruin": float(special.bdtrc(seen.ruined - 1, n, margins.p_ruin)) if seen.ruined else 1.0,
    }
    p["fragile"] = at_most(np.array(list(p.values())), 3)
    # Concave and losing must both hold to be harm, so either may be shown absent: two chances, hence twice the smaller.
    unbent = above(*seen.bend, n, -margins.delta_j)
    harmless = np.minimum(1.0, 2 * np.minimum(unbent, above(d.mean, d.sd, n, -margins.delta)[seen.ends]))
    p["not concave"] = float(harmless.max())
    p["recovered"] = float(above(*seen.e, n, -margins.delta_e).max())
    p["no ruin"] = float(special.bdtr(seen.ruined, n, margins.p_ruin))
    p["non-fragile"] = max(p["not concave"], p["recovered"], p["no ruin"])
    p["convex"] = float(above(*seen.gap, n, margins.delta_j)[0])
    p["gain"] = float(above(*seen.gain, n, margins.delta)[0])
    p["antifragile"] = max(p["non-fragile"], p["convex"], p["gain"])
    p["unmoved"] = max(
        float(side.max())
        for moments, margin in ((d, margins.delta), (seen.e, margins.delta_e))
        for side in (below(*moments, n, margin), above(*moments, n, -margin))
    )
    p["robust"] = max(p["non-fragile"], p["unmoved"])
    # Where P values are equal (often 0, in far tails or without noise), the larger harm is told.
    worst = np.lexsort((seen.bend.mean, harmed))[0], np.lexsort((seen.e.mean[1:], lasting))[0]
    return p, {"concave": int(worst[0]), "unrecovered": 1 + int(worst[1])}


def _reason(
    label: Label,
    x: NDArray[np.float64],
    seen: _Seen,
    margins: Margins,
    p: dict[str, float],
    routes: dict[str, int],
    needed: int | None,
) -> str:
    if label == "FRAGILE":
        j, i = routes["concave"], routes["unrecovered"]
        told = {
            "concave": f"concave at x = {x[j + 1]:g} (H = {100 * seen.bend.mean[j]:.3g} %, with d = "
            f"{100 * seen.d.mean[seen.ends[j]]:.3g} % at x = {x[seen.ends[j]]:g})",
            "unrecovered": f"unrecovered at x = {x[i]:g} (e = {100 * seen.e.mean[i]:.3g} %)",
            "ruin": f"ruin in {seen.ruined} of {seen.n} replicates",
        }
        return "; ".join(f"{told[name]}, P {3 * p[name]:.2g}" for name in told if 3 * p[name] <= margins.level)
    if label == "INCONCLUSIVE":
        if needed is None:
            return "inconclusive: what was seen lies on a margin, and no number of replicates would tell"
        short = f", below the floor of {margins.floor()}" if seen.n < margins.floor() else ""
        return f"underpowered: {seen.n} replicates{short}; about {needed} more are needed"
    harmless = "not concave where it loses, recovered, ruin ruled out"
    return {
        "ANTIFRAGILE": f"{harmless}; gains, and more at higher stress",
        "ROBUST": f"{harmless}; response and end state within the margins at every intensity",
        "RESILIENT": f"{harmless}; neither unmoved nor antifragile is shown",
    }[label]


# How many replicates would do -----------------------------------------------------------------------------------------


def _size(effect: NDArray[np.float64], sd: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Replicates with which a one-sided t test at ``level`` finds ``effect``; infinite where it has the wrong sign."""
    z = special.ndtri(1 - level)
    there = effect > STILL
    n = ((z + special.ndtri(POWER)) * sd / np.where(there, effect, 1.0)) ** 2 + z**2 / 2
    found: NDArray[np.float64] = np.where(there, np.where(sd <= STILL, 2.0, n), np.inf)
    return found


def _ruin_size(seen: _Seen, margins: Margins, level: float, above_margin: bool) -> float:
    """The same for the binomial test that ruin is rarer (or more frequent) than ``p_ruin``, by normal approximation."""
    share, null = seen.ruined / seen.n, margins.p_ruin
    gap = (share - null) if above_margin else (null - share)
    if gap <= 0:
        return float("inf")
    z, power = special.ndtri(1 - level), special.ndtri(POWER)
    rough = ((z * np.sqrt(null * (1 - null)) + power * np.sqrt(share * (1 - share))) / gap) ** 2
    return float(rough if above_margin else max(rough, margins.floor()))


def _needed(seen: _Seen, margins: Margins) -> int | None:
    """More replicates that would settle the study with chance `POWER`, were what was seen the truth."""
    level, d, bend, e = margins.level, seen.d, seen.bend, seen.e
    j = len(bend.mean)
    loss, loss_sd = d.mean[seen.ends], d.sd[seen.ends]
    concave = np.maximum(
        _size(-margins.delta_j - bend.mean, bend.sd, level / (3 * j)),
        _size(-margins.delta - loss, loss_sd, level / (3 * j)),
    )
    lasting = _size(-margins.delta_e - e.mean[1:], e.sd[1:], level / (3 * (len(e.mean) - 1)))
    fragile = min(concave.min(), lasting.min(), _ruin_size(seen, margins, level / 3, above_margin=True))
    unbent = np.minimum(
        _size(bend.mean + margins.delta_j, bend.sd, level / 2), _size(loss + margins.delta, loss_sd, level / 2)
    )
    recovered = _size(e.mean + margins.delta_e, e.sd, level)
    otherwise = max(unbent.max(), recovered.max(), _ruin_size(seen, margins, level, above_margin=False))
    total = min(fragile, otherwise)
    return max(1, int(np.ceil(total)) - seen.n) if total < ENDLESS else None
