"""Parameters of mechanisms: their unit, range and source, and how they differ between firms and sectors."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.calibration.profiles import PROFILES, profile_of
from ecosim.errors import InputError, hint
from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.blueprint import Firms
    from ecosim.rng import Stream

Array = np.ndarray[Any, np.dtype[Any]]

ROLES = ("SMB", "Supplier")


class Spread(Part):
    """A parameter that differs between firms: a distribution, and where need be another one for some sectors.

    ``{median: 27, sigma: 1.16}`` draws lognormally (sigma of the logarithm); ``law: normal`` takes sigma in the
    parameter's own unit, ``law: uniform`` draws between low and high. ``by`` gives other medians to sectors, by name,
    words in it (``"*real estate*"``; capitals make no difference) or profile (manufacturing, services, retail,
    technology, ...), to regions, and to SMBs or Suppliers. Where several apply, the sector's name wins over words in
    it, these over the region, that over the profile, and that over the role.
    """

    law: Literal["lognormal", "normal", "uniform"] = "lognormal"
    """Form of the distribution."""
    median: float | None = None
    """Middle of the distribution."""
    sigma: float = Field(default=0.0, ge=0, le=10)
    """Standard deviation, of the logarithm where the law is lognormal; 0 gives every firm the median."""
    low: float | None = None
    """Least value (uniform)."""
    high: float | None = None
    """Largest value (uniform)."""
    by: dict[str, float] = Field(default_factory=dict)
    """Median for some sectors, words in their names, regions, profiles of sectors, or roles (SMB, Supplier)."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.law == "uniform":
            if self.low is None or self.high is None or not self.low <= self.high:
                raise ValueError("a uniform law needs low and high, low not above high")
            if self.median is not None or self.by:
                raise ValueError("a uniform law has low and high and no median; drop median and by")
        elif self.median is None:
            raise ValueError(f"a {self.law} law needs a median")
        elif self.low is not None or self.high is not None:
            raise ValueError(f"low and high belong to law: uniform, not to {self.law}")
        if self.law == "lognormal" and any(value <= 0 for value in (self.median or 1.0, *self.by.values())):
            raise ValueError("a lognormal law needs medians above 0; use law: normal")
        return self

    def levels(self) -> list[float]:
        """Every median or limit it names, to be checked against the parameter's range."""
        return [value for value in (self.median, self.low, self.high, *self.by.values()) if value is not None]

    def draw(self, stream: Stream, firms: Firms) -> Array:
        """One value for each firm, shape (n,); draws are addressed by row."""
        rows = np.arange(len(firms))
        if self.law == "uniform":
            low, high = float(self.low or 0.0), float(self.high or 0.0)
            return low + (high - low) * stream.uniform(0, rows)
        middle = self._medians(firms)
        if self.sigma == 0.0:
            return middle
        noise = self.sigma * stream.normal(0, rows)
        return middle * np.exp(noise) if self.law == "lognormal" else middle + noise

    def _medians(self, firms: Firms) -> Array:
        """Median of each firm's distribution, shape (n,): the closest of what ``by`` says of it."""
        known = (*ROLES, *PROFILES, *firms.sector_names, *firms.region_names)
        unknown = next((name for name in self.by if "*" not in name and name not in known), None)
        if unknown is not None:
            raise InputError(f"by: no sector, region, profile or role is named {unknown!r}; {hint(unknown, known)}")
        nothing = float("nan")  # no level is NaN: parts refuse it
        of_role = np.array([self.by.get(role, self.median) for role in ROLES], float)
        of_profile = np.array([self.by.get(profile_of(name), nothing) for name in firms.sector_names])
        of_region = np.array([self.by.get(name, nothing) for name in firms.region_names])
        of_sector = np.array([self.by.get(name, self._by_words(name)) for name in firms.sector_names])
        middle: Array = of_role[firms.role]
        for told in (of_profile[firms.sector], of_region[firms.region], of_sector[firms.sector]):
            middle = np.where(np.isnan(told), middle, told)
        return middle

    def _by_words(self, sector: str) -> float:
        """Median given to the first words that are in a sector's name; NaN where none is."""
        name = sector.lower()
        found = (value for words, value in self.by.items() if "*" in words and fnmatchcase(name, words.lower()))
        return next(found, float("nan"))


#: A number for every firm, or a distribution over firms.
Level = float | Spread


def parameter(default: Any, *, unit: str, source: str, low: float | None = None, high: float | None = None) -> Any:
    """Declare a parameter of a mechanism: its default, unit, range and where the default comes from."""
    return Field(default=default, json_schema_extra={"unit": unit, "source": source, "low": low, "high": high})


def bounds(part: type[Part], name: str) -> tuple[float, float]:
    """Range that a parameter declares."""
    extra = part.model_fields[name].json_schema_extra
    low, high = (extra.get("low"), extra.get("high")) if isinstance(extra, dict) else (None, None)
    return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))  # type: ignore[arg-type]


def within(part: type[Part], name: str, value: Any) -> Any:
    """The value of a parameter, or ValueError where it, or a level of its distribution, is out of range."""
    low, high = bounds(part, name)
    levels = value.levels() if isinstance(value, Spread) else [value] if isinstance(value, int | float) else []
    for level in levels:
        if not low <= level <= high:
            raise ValueError(f"{level!r} is out of range; give {low:g} to {high:g}")
    return value


def per_firm(part: Part, name: str, stream: Stream, firms: Firms) -> Array:
    """Values of a parameter within its range, shape (n,): a number for all, or drawn firm by firm from a `Spread`."""
    level = getattr(part, name)
    if not isinstance(level, Spread):
        return np.full(len(firms), float(level))
    try:
        return level.draw(stream, firms).clip(*bounds(type(part), name))
    except InputError as error:
        raise InputError(f"{name}.{error}") from None
