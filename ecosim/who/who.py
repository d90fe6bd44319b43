"""Which firms: the part of a shock, a policy or a class of agents that says whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.errors import InputError, hint
from ecosim.part import Part
from ecosim.who import largest
from ecosim.who.together import Together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.rng import Stream
    from ecosim.state import World

    Rows = NDArray[np.int64]


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
    hit_by: str | None = None
    """Name of a shock that stands before this one: firms that it hits."""
    share: float | None = Field(default=None, gt=0, le=1)
    """Random share of those firms, at least one; with together, the chance of each."""
    count: int | None = Field(default=None, ge=1)
    """Random number of those firms."""
    top: int | None = Field(default=None, ge=1)
    """Number of the largest of those firms."""
    by: Literal["output", "clients", "suppliers", "degree", "load", "esri"] = "output"
    """What the largest are largest in: output, clients, suppliers, both (degree), how much trade passes through them
    (load: betweenness), or what share of the economy stops when they fail (esri: Diem et al. 2022)."""
    together: Together | None = None
    """Whether firms of a group tend to be chosen together: each then has the chance ``share``, and by chance many or
    nobody are."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        given = [name for name in ("share", "count", "top") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; keep one")
        if self.together is not None and self.share is None:
            instead = f"{given[0]} fixes their number; " if given else ""
            raise ValueError(f"together: {instead}give share, the chance of each firm to be among them")
        return self

    @property
    def by_chance(self) -> bool:
        """Whether chance has a part in who it is, so that another draw may choose others."""
        return self.share is not None or self.count is not None

    def pick(
        self, world: World, stream: Stream, where: str = "who", *, number: int = 0, among: Rows | None = None
    ) -> Rows:
        """Rows of the chosen firms, ascending, shape (chosen,); none only where ``together`` leaves it to chance.

        ``where`` is the path of this part in the scenario, for error texts; ``number`` tells apart several draws, and
        ``among`` (k,) are rows, ascending, out of which to choose. Raises InputError for a name that does not exist
        and where nobody can be chosen.
        """
        rows = self._who_fit(world, where, np.arange(len(world.plan.firms)) if among is None else among)
        if not len(rows) and self.hit_by is None:  # whom another shock hits may be left to chance
            conditions = self.model_dump(exclude_unset=True)
            raise InputError(f"{where}: no firm meets all of {conditions}; drop a condition")
        return rows if not len(rows) else self._some(rows, world, stream, where, number)

    def _who_fit(self, world: World, where: str, rows: Rows) -> Rows:
        """Those of some firms that meet every condition."""
        plan = world.plan
        if self.firms is not None:
            known = plan.rows_by_name
            named = [_index(name, known, f"{where}.firms", "firm") for name in _names(self.firms)]
            rows = np.intersect1d(rows, named)
        for field, column, names in (
            ("sector", plan.firms.sector, plan.firms.sector_names),
            ("region", plan.firms.region, plan.firms.region_names),
        ):
            asked = getattr(self, field)
            if asked is not None:
                places = {name: at for at, name in enumerate(names)}
                wanted = [_index(name, places, f"{where}.{field}", field) for name in _names(asked)]
                rows = rows[np.isin(column[rows], wanted)]
        if self.type is not None:
            rows = rows[plan.firms.role[rows] == ("SMB", "Supplier").index(self.type)]
        if self.hit_by is not None:
            rows = np.intersect1d(rows, struck_before(world, self.hit_by, f"{where}.hit_by")["rows"])
        return rows

    def _some(self, rows: Rows, world: World, stream: Stream, where: str, number: int) -> Rows:
        if self.together is not None and self.share is not None:
            luck = world.streams[f"{stream.purpose}: together"]
            return rows[self.together.chosen(self.share, rows, world.plan, luck, number)]
        wanted = self.count if self.share is None else max(1, round(self.share * len(rows)))
        order = None
        if self.top is not None:
            wanted = self.top
            order = np.argsort(-largest.MEASURES[self.by](world, rows, stream, f"{where}.by"), kind="stable")
        elif wanted is not None:
            order = np.argsort(stream.uniform(number, rows), kind="stable")
        if wanted is None or order is None:
            return rows
        if wanted > len(rows):
            field = "top" if self.top is not None else "count"
            raise InputError(f"{where}.{field}: {wanted} is more than the {len(rows)} firms there are to choose from")
        return np.sort(rows[order[:wanted]])


def struck_before(world: World, name: str, where: str) -> dict[str, Any]:
    """What is kept of a shock that stands before another one; raises InputError where there is none of that name."""
    known = {label: kept for label, kept in world.memory.items() if "origin" in kept}
    if name not in known:
        listed = f"; {hint(name, known)}" if known else ""
        raise InputError(
            f"{where}: no shock that is named {name!r} stands before this one{listed}; name one, and list it first"
        )
    return known[name]


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _index(name: str, known: dict[str, int], where: str, noun: str) -> int:
    if name not in known:
        raise InputError(f"{where}: no {noun} is named {name!r}; {hint(name, known)}")
    return known[name]
