"""Which firms: the part of a shock, a policy or a class of agents that says whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.errors import InputError, hint
from ecosim.part import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.rng import Stream
    from ecosim.state import World


class Who(Part):
    """Firms that meet every condition given, and of those all, a share, a number, or the largest.

    Random choice is addressed by firm: the same seed picks the same firms whatever the network between them.
    """

    firms: str | tuple[str, ...] | None = None
    """Names of firms."""
    sector: str | tuple[str, ...] | None = None
    """Names of sectors."""
    region: str | tuple[str, ...] | None = None
    """Names of regions."""
    type: Literal["SMB", "Supplier"] | None = None
    """Small businesses that sell mostly to customers, or suppliers that sell mostly to other firms."""
    share: float | None = Field(default=None, gt=0, le=1)
    """Random share of those firms, at least one."""
    count: int | None = Field(default=None, ge=1)
    """Random number of those firms."""
    top: int | None = Field(default=None, ge=1)
    """Number of the largest of those firms."""
    by: Literal["output", "clients", "suppliers"] = "output"
    """What the largest are largest in."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        given = [name for name in ("share", "count", "top") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; keep one")
        return self

    def pick(self, world: World, stream: Stream, where: str = "who") -> NDArray[np.int64]:
        """Rows of the chosen firms, ascending, shape (chosen,).

        ``where`` is the path of this part in the scenario, for error texts. Raises InputError for a name that does
        not exist and where nobody is chosen.
        """
        plan = world.plan
        rows = np.arange(len(plan.firms))
        if self.firms is not None:
            rows = np.unique([_index(name, plan.rows_by_name, f"{where}.firms", "firm") for name in _names(self.firms)])
        for field, column, names in (
            ("sector", plan.firms.sector, plan.firms.sector_names),
            ("region", plan.firms.region, plan.firms.region_names),
        ):
            asked = getattr(self, field)
            if asked is not None:
                known = {name: at for at, name in enumerate(names)}
                wanted = [_index(name, known, f"{where}.{field}", field) for name in _names(asked)]
                rows = rows[np.isin(column[rows], wanted)]
        if self.type is not None:
            rows = rows[plan.firms.role[rows] == ("SMB", "Supplier").index(self.type)]
        if not len(rows):
            raise InputError(f"{where}: no firm meets all of {self.model_dump(exclude_unset=True)}; drop a condition")
        return self._some(rows, world, stream, where)

    def _some(self, rows: NDArray[np.int64], world: World, stream: Stream, where: str) -> NDArray[np.int64]:
        wanted = self.count if self.share is None else max(1, round(self.share * len(rows)))
        order = None
        if self.top is not None:
            wanted = self.top
            order = np.argsort(-self._measure(world)[rows], kind="stable")
        elif wanted is not None:
            order = np.argsort(stream.uniform(0, rows), kind="stable")
        if wanted is None or order is None:
            return rows
        if wanted > len(rows):
            field = "top" if self.top is not None else "count"
            raise InputError(f"{where}.{field}: {wanted} is more than the {len(rows)} firms there are to choose from")
        return np.sort(rows[order[:wanted]])

    def _measure(self, world: World) -> NDArray[np.float64]:
        if self.by == "output":
            output: NDArray[np.float64] = world.firms.output
            return output
        ends = world.links.out_ptr if self.by == "clients" else world.links.ptr
        return np.diff(ends).astype(np.float64)


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _index(name: str, known: dict[str, int], where: str, noun: str) -> int:
    if name not in known:
        raise InputError(f"{where}: no {noun} is named {name!r}; {hint(name, known)}")
    return known[name]
