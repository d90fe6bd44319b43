"""Parameters of mechanisms: their unit, range and source, and how they differ between firms and sectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.calibration.profiles import PROFILES, profile_of
from ecosim.errors import InputError, hint
from ecosim.part import Part

if TYPE_CHECKING:
    from ecosim.rng import Stream

Array = np.ndarray[Any, np.dtype[Any]]

ROLES = ("SMB", "Supplier")


class Spread(Part):
    """A parameter that differs between firms: a distribution, and where need be another one for some sectors.

    ``{median: 27, sigma: 1.16}`` draws lognormally (sigma of the logarithm); ``law: normal`` takes sigma in the
    parameter's own unit, ``law: uniform`` draws between low and high. ``by`` gives other medians to sectors, by name or
    by profile (manufacturing, services, retail, technology, ...), and to SMBs or Suppliers; where several apply, the
    sector's name wins over the profile, and that over the role.
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
    """Median for some sectors, profiles of sectors, or roles (SMB, Supplier)."""

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

    def draw(self, stream: Stream, sector: Array, names: tuple[str, ...], role: Array) -> Array:
        """One value for each firm, shape (n,), given sectors (n,), their names, and roles (n,): 0 SMB, 1 Supplier."""
        unknown = [name for name in self.by if name not in names and name not in (*PROFILES, *ROLES)]
        if unknown:
            known = (*ROLES, *PROFILES, *names)
            raise InputError(f"by: no sector, profile or role is named {unknown[0]!r}; {hint(unknown[0], known)}")
        rows = np.arange(len(sector))
        if self.law == "uniform":
            low, high = float(self.low or 0.0), float(self.high or 0.0)
            return low + (high - low) * stream.uniform(0, rows)
        told = [[self.by.get(name, self.by.get(profile_of(name), self.by.get(each, self.median))) for name in names]
                for each in ROLES]  # fmt: skip
        middle: Array = np.array(told, float)[role, sector]
        if self.sigma == 0.0:
            return middle
        noise = self.sigma * stream.normal(0, rows)
        return middle * np.exp(noise) if self.law == "lognormal" else middle + noise


#: A number for every firm, or a distribution over firms.
Level = float | Spread


def parameter(default: Any, *, unit: str, source: str, low: float | None = None, high: float | None = None) -> Any:
    """Declare a parameter of a mechanism: its default, unit, range and where the default comes from."""
    return Field(default=default, json_schema_extra={"unit": unit, "source": source, "low": low, "high": high})
