"""Firms that are struck together: a Student-t copula, whose joint tail a Gaussian one lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator

from ecosim.part import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.rng import Stream

Array = np.ndarray[Any, np.dtype[Any]]


class Together(Part):
    """Firms of one group tend to be struck together, beyond what each one's chance says.

    Firm i of group g is struck where x_i < F^-1(share), with F the distribution of x_i and

        x_i = (sqrt(c) z_g + sqrt(1 - c) e_i) sqrt(nu / w_g)     z, e standard normal, w chi-squared with nu degrees

    so the chance of each is ``share`` and the firms of a group have a Student-t copula; groups are independent (a
    grouped t copula: Demarta & McNeil 2005). Without ``nu`` w_g / nu is 1 and the copula Gaussian: its firms are
    hardly ever struck together by what strikes each of them rarely. With c = 0.3, two firms with a chance of 0.1 % are
    struck together in 1.5 % of the cases in which the first is, and with nu = 3 in 21.9 %.
    """

    within: Literal["region", "sector", "customer", "everyone"] = "everyone"
    """Which firms make a group: those of a region, a sector, a community of customers, or all."""
    correlation: float = 0.3
    """Correlation c of what strikes two firms of a group, 0 to 1."""
    nu: float | Literal["inf"] | None = 3.0
    """Degrees of freedom, at least 3: the fewer, the more of a group are struck at once; null or inf for Gaussian."""

    @field_validator("correlation")
    @classmethod
    def _possible(cls, value: float) -> float:
        if not 0.0 <= value <= 1.0:
            more = "cannot all run against each other" if value < 0 else "cannot be more than alike"
            raise ValueError(f"{value!r}: the firms of a group {more}; give 0 (no more than by chance) to 1 (alike)")
        return value

    @field_validator("nu")
    @classmethod
    def _enough(cls, value: float | str | None) -> float | str | None:
        if isinstance(value, float) and value < 3.0:
            raise ValueError(f"{value!r} degrees of freedom are too few; give 3 or more, or null for a Gaussian copula")
        return value

    def chosen(self, share: float, rows: Array, plan: Blueprint, stream: Stream, number: int) -> NDArray[np.bool_]:
        """Which of some firms are struck, shape (k,), in draw ``number``; addressed by firm and by group."""
        from scipy.special import gammaincinv, ndtri, stdtrit

        group = self._groups(plan)[rows]
        common, own = stream.normal(number, group, draw=1), stream.normal(number, rows)
        luck = np.sqrt(self.correlation) * common + np.sqrt(1.0 - self.correlation) * own
        if self.nu is None or self.nu == "inf":
            return np.asarray(luck < ndtri(share))
        degrees = float(self.nu)
        chi_squared = 2.0 * gammaincinv(degrees / 2.0, stream.uniform(number, group, draw=2))
        return np.asarray(luck < stdtrit(degrees, share) * np.sqrt(chi_squared / degrees))

    def _groups(self, plan: Blueprint) -> Array:
        """Number of each firm's group, shape (n,)."""
        firms = plan.firms
        if self.within == "everyone":
            return np.zeros(len(firms), dtype=np.int64)
        return {"region": firms.region, "sector": firms.sector, "customer": plan.customer}[self.within]
