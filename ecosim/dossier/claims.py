"""How strong a sentence may be: words that follow from intervals, and are never stronger than those.

An effect is told as shown only where its interval leaves out zero after all effects that are told beside it are
allowed for (Bonferroni); where it does not, the sentence says that no difference could be shown, and how large a one
the interval leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10, sqrt

from scipy import special

ALPHA = 0.05
MOST_PLACES = 4
MINUS = "−"
NO_DIFFERENCE = "no difference could be shown"


@dataclass(frozen=True)
class Effect:
    """A mean of paired differences with its 95 % Student interval, from ``n`` pairs, one of ``among`` told together."""

    value: float
    low: float
    high: float
    n: int
    among: int = 1

    @property
    def p(self) -> float:
        """Two-sided P value that there is no effect, times ``among``, at most 1; where pairs never differ, 1 or 0."""
        half = (self.high - self.low) / 2.0
        if half <= 0.0:
            return 1.0 if self.value == 0.0 else 0.0
        error = half / float(special.stdtrit(self.n - 1, 0.975))
        return min(1.0, self.among * 2.0 * float(special.stdtr(self.n - 1, -abs(self.value) / error)))

    @property
    def shown(self) -> bool:
        """Whether it may be told as an effect."""
        outside = self.low > 0.0 or self.high < 0.0
        return outside and self.p <= ALPHA

    @property
    def none(self) -> bool:
        """Whether the pairs never differ."""
        return self.value == self.low == self.high == 0.0

    def __str__(self) -> str:
        """The number with its interval and how many pairs it rests on."""
        return f"{signed(self.value, self.places)} (95 % interval {self.interval}, n = {self.n:,})"

    @property
    def interval(self) -> str:
        """From where to where."""
        return f"{signed(self.low, self.places)} to {signed(self.high, self.places)}"

    @property
    def places(self) -> int:
        """Decimals with which to tell it: as many as are known, and enough that no bound beyond zero reads as zero."""
        found = places(self.high - self.low)
        while self.shown and found < MOST_PLACES and round(min(abs(self.low), abs(self.high)), found) == 0.0:
            found += 1
        return found


def compared(effect: Effect, what: str, unit: str, one: str, other: str) -> str:
    """How ``one`` differs from ``other`` in ``what`` (of which ``effect`` says how much more it has)."""
    if effect.none:
        return f"{one} and {other} have the same {what} in each of {effect.n:,} replicates"
    known = f"95 % interval {effect.interval}, n = {effect.n:,}"
    if effect.shown:
        size = number(abs(effect.value), effect.places)
        word = "higher" if effect.value > 0 else "lower"
        return f"{what} is {size} {unit} {word} with {one} than with {other} ({known})"
    reach = number(max(abs(effect.low), abs(effect.high)), effect.places)
    allowed = f", once {effect.among} comparisons are allowed for" if effect.low > 0.0 or effect.high < 0.0 else ""
    return (
        f"{NO_DIFFERENCE} in {what} between {one} and {other}{allowed}: "
        f"{signed(effect.value, effect.places)} {unit} ({known}); "
        f"one of up to {reach} {unit} is not ruled out"
    )


def spread(values_sd: float, n: int) -> float:
    """Half-width of Student's 95 % interval of a mean."""
    return float(special.stdtrit(n - 1, 0.975)) * values_sd / sqrt(n)


def places(width: float) -> int:
    """Decimals that show one digit of an interval's half-width, so that no more is told than is known."""
    if not isfinite(width) or width <= 0.0:
        return 2
    return max(0, min(MOST_PLACES, -floor(log10(width / 2.0))))


def signed(value: float, digits: int) -> str:
    """A number with a real minus."""
    text = number(abs(value), digits)
    zero = not text.strip("0.,")
    return f"{MINUS}{text}" if value < 0.0 and not zero else text


def number(value: float, digits: int) -> str:
    """A number as people read it."""
    return f"{value:,.{digits}f}"


def listed(words: list[str]) -> str:
    """Words with commas and an "and"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str, *, name: str = "") -> str:
    """Text that ends with a full stop and begins with a capital, or with a ``name``, which stays as it is."""
    text = text.strip()
    start = text[:1] if name and text.startswith(name) else text[:1].upper()
    return f"{start}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
