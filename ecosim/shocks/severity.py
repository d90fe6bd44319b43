"""How hard shocks hit: a share, shares by name, or a distribution of shares or of days of a firm's output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from ecosim.errors import InputError
from ecosim.part import Part, by_kind

if TYPE_CHECKING:
    from ecosim.shocks.recovery import Course

Array = np.ndarray[Any, np.dtype[Any]]


class Distribution(Part, ABC):
    """What is lost, drawn for each firm and strike. What exceeds a firm's capacity takes all of it."""

    model_config = ConfigDict(json_schema_extra=by_kind)

    unit: Literal["share", "firm_days"] = "share"
    """Of what: share of capacity, or days of the firm's whole output that it loses until it is back."""

    @abstractmethod
    def quantile(self, luck: Array) -> Array:
        """Amounts in the unit below which lie the shares ``luck`` of all draws, in [0, 1); same shape."""

    def shares(self, luck: Array, course: Course | None, where: str) -> Array:
        """Severities in [0, 1] for uniform draws; firm-days become those that cost as many while they pass.

        Raises InputError where ``course`` does not say what a severity costs.
        """
        amount = self.quantile(luck)
        if self.unit == "share":
            return np.minimum(amount, 1.0)
        try:
            if course is None:
                raise ValueError("what never passes costs days without end; give a recovery")
            severity, days = course.firm_days()
        except ValueError as error:
            raise InputError(f"{where}.unit: firm_days, but {error}, or give unit: share") from None
        return np.interp(amount, days, severity)


class Uniform(Distribution):
    """Every amount from ``low`` to ``high`` is as likely."""

    kind: Literal["uniform"] = "uniform"
    low: float = Field(default=0.0, ge=0)
    """Least amount."""
    high: float = Field(default=1.0, ge=0)
    """Largest amount."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.high < self.low:
            raise ValueError(f"high: {self.high:g} is below low, {self.low:g}; give more")
        return self

    def quantile(self, luck: Array) -> Array:
        """Linear in between."""
        return self.low + (self.high - self.low) * luck


class Beta(Distribution):
    """Beta distribution from 0 to ``largest``, with mean largest x a / (a + b)."""

    kind: Literal["beta"] = "beta"
    a: float = Field(default=2.0, gt=0, le=10_000)
    """First shape."""
    b: float = Field(default=2.0, gt=0, le=10_000)
    """Second shape."""
    largest: float = Field(default=1.0, gt=0)
    """Largest amount."""

    def quantile(self, luck: Array) -> Array:
        """Inverse of the incomplete beta function."""
        from scipy.special import betaincinv

        found: Array = self.largest * betaincinv(self.a, self.b, luck)
        return found


class Lognormal(Distribution):
    """Lognormal distribution."""

    kind: Literal["lognormal"] = "lognormal"
    median: float = Field(gt=0)
    """Middle of the distribution."""
    sigma: float = Field(default=1.0, ge=0, le=10)
    """Standard deviation of the logarithm."""

    def quantile(self, luck: Array) -> Array:
        """Exponential of a normal quantile."""
        from scipy.special import ndtri

        found: Array = self.median * np.exp(self.sigma * ndtri(luck))
        return found


class Pareto(Distribution):
    """Generalised Pareto distribution: P(more than x) = (1 + xi x / scale)^(-1/xi), exp(-x / scale) for xi = 0.

    The tail is the heavier the larger ``xi``: from 0.5 on its variance is infinite, from 1 on its mean. So no mean of
    draws stands for the whole; what a response is to a severity is better measured severity by severity.
    """

    kind: Literal["pareto"] = "pareto"
    xi: float = Field(default=0.25, ge=0, le=5)
    """Tail index: 0 exponential, 0.25 and 0.5 heavy."""
    scale: float = Field(gt=0)
    """Scale, in the unit."""

    def quantile(self, luck: Array) -> Array:
        """Inverse of the distribution function."""
        depth = -np.log1p(-luck)
        return self.scale * (np.expm1(self.xi * depth) / self.xi if self.xi > 0 else depth)


KINDS = ("uniform", "beta", "lognormal", "pareto")


def _shares(value: Any) -> Any:
    """Refuse what is no share and no distribution."""
    if isinstance(value, Mapping):
        kind = value.get("kind")
        if isinstance(kind, str) and kind not in KINDS:
            raise ValueError(f"kind: {kind!r} is no distribution; give one of {', '.join(KINDS)}")
        if not value:
            raise ValueError("severity names no firm; give a share for at least one")
    if "share" in _which(value):
        for share in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(share, int | float) and not 0 <= share <= 1:
                raise ValueError(f"{share!r} is not a share of capacity; give a number from 0 to 1")
    return value


def _which(value: Any) -> str:
    """Tag of the way; with a space in it, because pydantic mixes tags into the paths of its complaints."""
    if isinstance(value, Distribution):
        return f"a {type(value).__name__.lower()}"
    if not isinstance(value, Mapping):
        return "a share"
    kind = value.get("kind")
    return f"a {kind}" if isinstance(kind, str) else "a share by name"


Severity = Annotated[
    Annotated[float, Tag("a share")]
    | Annotated[Uniform, Tag("a uniform")]
    | Annotated[Beta, Tag("a beta")]
    | Annotated[Lognormal, Tag("a lognormal")]
    | Annotated[Pareto, Tag("a pareto")]
    | Annotated[dict[str, float], Tag("a share by name")],
    Discriminator(_which),
    BeforeValidator(_shares),
]
"""How hard: share that is lost, a share for each firm by name, or a distribution."""
