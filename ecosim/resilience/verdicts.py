"""What a study found: a label that is never shown without the numbers it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecosim.resilience.estimate import Estimate

Label = Literal["FRAGILE", "ROBUST", "RESILIENT", "ANTIFRAGILE", "INCONCLUSIVE"]
LOOKS = 4
"""Looks of the preregistered design, at 60, 120, 240 and 480 replicates."""


@dataclass(frozen=True, slots=True)
class Margins:
    """What was fixed before the run. Raises InputError where a margin is not usable.

    ``delta``, ``delta_e`` and ``delta_j`` are shares of the twin's output that count as a difference (of the response,
    of the end state, of curvature); ``tau`` the loss that is ruin, ``p_ruin`` how often it may happen, ``alpha`` the
    rate of wrong claims, spent in equal parts at ``looks`` looks.
    """

    delta: float = 0.02
    delta_e: float = 0.02
    delta_j: float = 0.02
    tau: float = 0.5
    p_ruin: float = 0.05
    alpha: float = 0.05
    looks: int = 1

    def __post_init__(self) -> None:
        """Refuse what makes no test."""
        for name in ("delta", "delta_e", "delta_j", "tau", "p_ruin", "alpha"):
            given = getattr(self, name)
            if isinstance(given, bool) or not (isinstance(given, Real) and 0 < float(given) < 1):
                raise InputError(f"{name} is {given!r}; give a share between 0 and 1, such as 0.02 for 2 %")
        if isinstance(self.looks, bool) or not (isinstance(self.looks, Integral) and self.looks >= 1):
            raise InputError(f"looks is {self.looks!r}; give how many times the study is looked at, from 1")

    @property
    def level(self) -> float:
        """What a P value must not exceed at one look."""
        return self.alpha / self.looks

    def floor(self, structures: int = 1) -> int:
        """Fewest replicates with which a verdict other than FRAGILE is possible: ln(4 S/alpha) / -ln(1 - p_ruin).

        With fewer, not even a study without any ruin shows at a look that ruin is rarer than ``p_ruin``, among
        ``structures`` compared. It is that of four looks, as preregistered, even where fewer are planned.
        """
        if structures < 1:
            raise InputError(f"structures is {structures}; give how many are compared, from 1")
        needed = np.log(max(LOOKS, self.looks) * structures / self.alpha) / -np.log1p(-self.p_ruin)
        return int(np.ceil(needed))

    def __str__(self) -> str:
        """All of them."""
        at = "" if self.looks == 1 else f", {self.level:.3g} at each of {self.looks} looks"
        return (
            f"delta {_percent(self.delta)}, delta_e {_percent(self.delta_e)}, delta_J {_percent(self.delta_j)}, tau "
            f"{_percent(self.tau)}, p_ruin {_percent(self.p_ruin)}, alpha {self.alpha:.3g}{at}"
        )


@dataclass(frozen=True, eq=False, slots=True)
class Verdict:
    """The label of a structure under a shock, with all it rests on. All but P values and n are shares of twin output.

    ``gain`` is G, the mean response over the grid; ``worst`` the lowest mean response; ``min_curvature`` the smallest
    contrast H_j; ``jensen_gap`` J; ``intervals`` holds these and "ruin" with their intervals (each at 1 - alpha/looks
    for itself; those of ``worst`` and ``min_curvature`` do not know that they were picked as the lowest). ``response``
    and ``end`` are mean d and e, shape (intensities,), ``curvature`` all H_j, shape (intensities - 2,). ``needed`` says
    how many more replicates would probably (4 in 5) settle an INCONCLUSIVE study if what was seen is true: None where
    what was seen lies on a margin, 0 for any other label. ``gains`` is true where G > delta is shown.
    """

    label: Label
    reason: str
    gain: float
    worst: float
    min_curvature: float
    jensen_gap: float
    p_values: Mapping[str, float]
    intervals: Mapping[str, Estimate]
    n: int
    needed: int | None
    gains: bool
    x: NDArray[np.float64]
    response: NDArray[np.float64]
    end: NDArray[np.float64]
    curvature: NDArray[np.float64]
    margins: Margins
    correction: str = ""

    def __str__(self) -> str:
        """The label with its numbers and margins."""
        flag = " (gain)" if self.label == "RESILIENT" and self.gains else ""
        shown = self.intervals
        parts = [
            f"{name} {_percent(shown[key].value)} [{_percent(shown[key].low)}, {_percent(shown[key].high)}]"
            for name, key in (("G", "gain"), ("worst d", "worst"), ("min H", "min_curvature"), ("J", "jensen_gap"))
        ]
        risk = shown["ruin"]
        ruined = round(risk.value * risk.n)
        parts.append(f"ruin {ruined} of {risk.n} [{_percent(risk.low)}, {_percent(risk.high)}]")
        tests = ", ".join(f"{name} {self.p_values[name]:.2g}" for name in ("fragile", "non-fragile", "antifragile"))
        corrected = f" ({self.correction})" if self.correction else ""
        return (
            f"{self.label}{flag}: {self.reason}\n  {'; '.join(parts)}\n  n = {self.n}; P {tests}{corrected}; "
            f"intervals {_percent(risk.level)}\n  margins: {self.margins}"
        )

    __repr__ = __str__

    def row(self) -> dict[str, Any]:
        """Everything but the curves as one flat row of a table."""
        found: dict[str, Any] = {"label": self.label, "gains": self.gains, "reason": self.reason, "n": self.n}
        found["needed"] = self.needed
        for name, estimate in self.intervals.items():
            found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        found |= {f"p_{name.replace('-', '_').replace(' ', '_')}": p for name, p in self.p_values.items()}
        return found | {"correction": self.correction}


def label_of(p: Mapping[str, float], level: float, n: int, floor: int) -> Label:
    """The label by the preregistered order of claims: FRAGILE, or shown to be otherwise, or INCONCLUSIVE."""
    if p["fragile"] <= level:
        return "FRAGILE"
    if p["non-fragile"] > level or n < floor:
        return "INCONCLUSIVE"
    if p["antifragile"] <= level:
        return "ANTIFRAGILE"
    return "ROBUST" if p["robust"] <= level else "RESILIENT"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
