"""Looking at a study while it runs, without spending more than alpha: 60, 120, 240 and 480 replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecosim.errors import InputError
from ecosim.resilience.estimate import replicates
from ecosim.resilience.rule import classify

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ecosim.resilience.verdicts import Verdict

SCHEDULE = (60, 120, 240, 480)
RESILIENT_FROM = 240
"""A study that is only RESILIENT so far may yet be shown ROBUST or ANTIFRAGILE, so it goes on until here."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: the ``verdict`` so far, and the number of replicates to ``go_on`` to, or None to stop."""

    verdict: Verdict
    go_on: int | None

    def __str__(self) -> str:
        """What to do, and why."""
        return f"{f'go on to {self.go_on} replicates' if self.go_on else 'stop'}: {self.verdict}"


def sequential(x: ArrayLike, d: ArrayLike, e: ArrayLike, **margins: float) -> Look:
    """Give the verdict at a look, each at alpha/4, and whether to go on.

    Arguments as for `classify`, without ``looks``. The number of replicates must be one of the schedule (60, 120, 240,
    480): more looks would spend more than alpha. Raises InputError otherwise.
    """
    n = len(replicates(d, "d", 2))
    if n not in SCHEDULE:
        raise InputError(f"{n} replicates are not a look of the schedule {SCHEDULE}; look at one of these only")
    if "looks" in margins:
        raise InputError(f"looks is fixed at {len(SCHEDULE)} here; leave it out")
    verdict = classify(x, d, e, looks=len(SCHEDULE), **margins)
    return Look(verdict, following(verdict))


def following(verdict: Verdict) -> int | None:
    """The number of replicates at which to look next, or None where the verdict ends the study."""
    later = [n for n in SCHEDULE if n > verdict.n]
    early = verdict.label == "RESILIENT" and verdict.n < RESILIENT_FROM
    return later[0] if later and (verdict.label == "INCONCLUSIVE" or early) else None
