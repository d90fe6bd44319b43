"""One line of a validation: what is expected, what was found, and whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A figure of the model beside one that is known of the world.

    ``low`` and ``high`` are the tolerance, stated before anything was measured; ``n`` is what the figure rests on, and
    with less than ``fewest`` it says nothing.
    """

    what: str
    unit: str
    expected: float
    low: float
    high: float
    measured: float
    n: int
    source: str
    fewest: int = 1

    @property
    def judged(self) -> bool:
        """Whether the figure rests on enough to be compared."""
        return self.n >= self.fewest

    @property
    def passed(self) -> bool:
        """Whether the figure lies within the tolerance; one that could not be measured (NaN) does not."""
        return self.low <= self.measured <= self.high
