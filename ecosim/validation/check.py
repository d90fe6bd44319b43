"""One line of a validation: what is expected, what was found, and whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tests = Literal["engine", "library"]


@dataclass(frozen=True)
class Check:
    """A figure of the model beside one that is known.

    ``low`` and ``high`` are the tolerance, stated before anything was measured; ``n`` is what the figure rests on, and
    with less than ``fewest`` it says nothing. ``tests`` says whether days of the simulator were lived for it (engine)
    or a function beside the simulator was called (library).
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
    tests: Tests = "engine"

    @classmethod
    def within(
        cls,
        what: str,
        expected: float,
        measured: float,
        n: int,
        source: str,
        *,
        relative: float = 0.0,
        absolute: float = 0.0,
        unit: str = "",
        fewest: int = 1,
        tests: Tests = "engine",
    ) -> Check:
        """Compare with a figure up to a share of it, or up to an amount in its unit."""
        margin = abs(expected) * relative + absolute
        return cls(what, unit, expected, expected - margin, expected + margin, measured, n, source, fewest, tests)

    @classmethod
    def at_most(
        cls, what: str, most: float, measured: float, n: int, source: str, *, unit: str = "", tests: Tests = "engine"
    ) -> Check:
        """Compare with nothing at all: a largest difference, or a count, of which ``most`` is tolerated."""
        return cls(what, unit, 0.0, 0.0, most, measured, n, source, tests=tests)

    @property
    def judged(self) -> bool:
        """Whether the figure rests on enough to be compared."""
        return self.n >= self.fewest

    @property
    def passed(self) -> bool:
        """Whether the figure lies within the tolerance; one that could not be measured (NaN) does not."""
        return bool(self.low <= self.measured <= self.high)
