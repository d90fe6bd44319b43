"""The verdict on a scenario, with the engine: live replicates, look, and stop as soon as the rule allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ecosim.errors import InputError
from ecosim.resilience.looks import SCHEDULE, sequential
from ecosim.resilience.pool import processes
from ecosim.resilience.twins import respond

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from ecosim.config import Scenario
    from ecosim.resilience.responses import Responses
    from ecosim.resilience.verdicts import Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """The ``verdict`` on a scenario, the ``responses`` it rests on, and the verdict at each of the ``looks``."""

    verdict: Verdict
    responses: Responses
    looks: tuple[Verdict, ...]

    def __str__(self) -> str:
        """The verdict with its numbers, what pairing was worth, and what a reader must know."""
        seen = ", ".join(f"{look.n}: {look.label}" for look in self.looks)
        told = [f"{self.responses.name}: {self.verdict}", f"  looks: {seen}; {pairing(self.responses)}"]
        return "\n".join([*told, *(f"  {remark}" for remark in self.responses.remarks)])

    __repr__ = __str__


def pairing(responses: Responses) -> str:
    """What common random numbers were worth at full strength, in words."""
    ratio, alike = responses.variance_ratio[-1], responses.twin_correlation[-1]
    if responses.replicates < 3:
        return f"variance ratio of pairing: not told by {responses.replicates} replicates, it takes 3"
    if not ratio > 0:
        return "variance ratio of pairing: none, since replicates do not differ"
    if not -1 <= alike <= 1:
        return f"variance ratio of pairing {ratio:.3g}; the twin's output does not vary by chance"
    return f"variance ratio of pairing {ratio:.3g}, correlation with the twin {alike:.3f}"


def verdict(
    scenario: Scenario | str | PathLike[str],
    *,
    replicates: int = SCHEDULE[-1],
    intensities: int = 9,
    axis: Literal["severity", "reach"] = "severity",
    window: float = 0.1,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    start: Responses | None = None,
    keep: str | PathLike[str] | None = None,
    **margins: float,
) -> Judgement:
    """Is a scenario FRAGILE, ROBUST, RESILIENT or ANTIFRAGILE under its shocks?

    Looks at 60, 120, 240 and 480 replicates, each at alpha/4, and stops where the rule is decided or at ``replicates``,
    one of these. ``margins`` are those of `ecosim.resilience.classify`; everything else as for `respond`. Raises
    InputError as `respond` and `classify` do, and for another number of replicates.
    """
    planned = looks_up_to(replicates)
    seen: list[Verdict] = []
    with processes(workers) as pool:
        for n in planned:
            start = respond(
                scenario,
                replicates=n,
                intensities=intensities,
                axis=axis,
                window=window,
                workers=pool or 1,
                progress=progress,
                start=start,
                keep=keep,
            )
            look = sequential(start.x, start.d, start.e, **margins)
            seen.append(look.verdict)
            if look.go_on is None:
                break
    assert start is not None
    return Judgement(seen[-1], start, tuple(seen))


def looks_up_to(replicates: Any) -> tuple[int, ...]:
    """Looks of the schedule up to a number of replicates, which must be one of them; raises InputError otherwise."""
    if replicates not in SCHEDULE:
        raise InputError(
            f"replicates = {replicates!r}; looks are planned at {SCHEDULE} replicates, so give one of these"
        )
    return tuple(n for n in SCHEDULE if n <= replicates)
