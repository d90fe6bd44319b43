"""What a study changes: a place in the scenario, and the range or the values it takes there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from ecosim.part import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Codes = NDArray[np.float64]

PLAIN = (int, float, str, bool)


def _short(value: object) -> object:
    """A list alone stands for its values."""
    if not isinstance(value, list | tuple | dict | Factor):
        raise ValueError(f"{value!r} alone varies nothing; give a list of values, or low and high")
    return {"values": value} if isinstance(value, list | tuple) else value


class Factor(Part):
    """A range from ``low`` to ``high``, or a list of ``values`` of any kind (with names, where it is a mapping).

    A point of a design holds a number for each factor, its code: the value itself in a range, the place in the list
    among values, NaN for what the base scenario has.
    """

    low: int | float | None = None
    """Least value of a range."""
    high: int | float | None = None
    """Largest value of a range; whole where the scenario takes whole numbers only."""
    scale: Literal["linear", "log"] = "linear"
    """Whether a range is covered evenly, or evenly in its logarithm."""
    levels: int = Field(default=3, ge=2, le=10_000, strict=True)
    """How many evenly spaced values of a range a full or one-at-a-time design takes."""
    values: tuple[Any, ...] | dict[str, Any] | None = None
    """Values instead of a range: a list, or a mapping of names to values."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.values is None:
            if self.low is None or self.high is None:
                missing = "low" if self.low is None else "high"
                raise ValueError(f"{missing}: missing; give low and high, or values")
            if not self.low < self.high:
                raise ValueError(f"high: {self.high} is not above low, {self.low}; the range is empty")
            if self.scale == "log" and self.low <= 0:
                raise ValueError(f"low: {self.low} has no logarithm; give a low above 0, or scale: linear")
            return self
        if self.low is not None or self.high is not None or "scale" in self.model_fields_set:
            raise ValueError("values: a range is given, too; give one of the two")
        if not self.values:
            raise ValueError("values: empty; give at least one")
        seen: set[str] = set()
        for value in self.given:
            shown = json.dumps(value, sort_keys=True, default=str)
            if shown in seen:
                raise ValueError(f"values: {shown} stands there twice; drop one")
            seen.add(shown)
        return self

    @property
    def given(self) -> tuple[Any, ...]:
        """The values of a list, without their names."""
        return tuple(self.values.values()) if isinstance(self.values, dict) else self.values or ()

    @property
    def names(self) -> tuple[Any, ...]:
        """What stands for each value in a table: itself where all are numbers, or all text, or all true or false."""
        if isinstance(self.values, dict):
            return tuple(self.values)
        for kinds in ((bool,), (str,), (int,), (int, float)):
            if all(type(value) in kinds for value in self.given):
                return tuple(float(value) for value in self.given) if float in kinds else self.given
        return tuple(value if isinstance(value, str) else json.dumps(value, default=str) for value in self.given)

    def spread(self, at: Codes, *, whole: bool) -> Codes:
        """Codes for places in the unit interval, same shape; each value of a list, or whole number, has equal room."""
        if self.values is not None:
            count = len(self.values)
            return np.minimum(np.floor(at * count), count - 1)
        low, high = float(self.low or 0), float(self.high or 0)
        if whole:
            return low + np.minimum(np.floor(at * (high - low + 1)), high - low)
        if self.scale == "log":
            return np.asarray(np.clip(low * (high / low) ** at, low, high))
        return np.asarray(np.clip(low + at * (high - low), low, high))

    def grid(self, *, whole: bool) -> Codes:
        """Codes of all values of a list, or of the levels of a range, ascending."""
        if self.values is not None:
            return np.arange(len(self.values), dtype=np.float64)
        even = np.linspace(0.0, 1.0, self.levels)
        if not whole:
            return self.spread(even, whole=False)
        low, high = float(self.low or 0), float(self.high or 0)
        exact = low * (high / low) ** even if self.scale == "log" else low + even * (high - low)
        return np.unique(np.round(exact))

    def value(self, code: float, *, whole: bool) -> Any:
        """What a code stands for."""
        if self.values is not None:
            return self.given[int(code)]
        return int(code) if whole else float(code)


Factors = dict[str, Annotated[Factor, BeforeValidator(_short)]]
