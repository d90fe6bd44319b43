"""An economy calibrated on a country's input-output table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.blueprint import Firms
from ecosim.calibration.places import region_names, settle
from ecosim.calibration.recipes import draw_slots, firms_per_sector, pareto_sizes
from ecosim.economies.economy import Economy, Needs

if TYPE_CHECKING:
    from ecosim.calibration.tables import InputOutputTable
    from ecosim.rng import Streams

MOST_REGIONS = 10_000


class Table(Economy):
    """Firms whose sector-to-sector flows are those of a national table; the network acts inside each pair of sectors.

    Each sector gets firms by its share of output, with Pareto sizes (Axtell 2001); its final demand is shared by size.
    """

    kind: Literal["table"] = "table"
    preset: str = "us"
    """Country table: us (BEA), or aut, deu, gbr, hun, ita, jpn, usa (WIOD 2011); see `ecosim data list`."""
    industries: int | None = Field(default=None, ge=1)
    """Detail of the table where it comes in several (us: 15 or 71); the coarsest by default."""
    firms: int = Field(default=2000, ge=2, le=5_000_000)
    """Number of firms, at least two for each sector."""
    size_exponent: float = Field(default=1.06, gt=0, le=10)
    """Tail exponent of firm sizes (Axtell 2001: 1.06 in the United States)."""
    size_ratio: float = Field(default=500.0, ge=1, le=1e6)
    """Largest size over smallest; small businesses end at 500 employees (US Small Business Administration)."""
    mean_output: float = Field(default=10_000.0, ge=1e-6, le=1e12)
    """Mean output of a firm, currency units a day; a scale that changes no relative result."""
    regions: int | tuple[str, ...] = 6
    """Number of regions, or their names."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        table = self.load()
        if self.firms < 2 * table.industries:
            raise ValueError(
                f"firms: {self.firms} is too few for the {table.industries} sectors of {self.preset!r}; "
                f"give at least {2 * table.industries}"
            )
        count = self.regions if isinstance(self.regions, int) else len(set(self.regions))
        if not 1 <= count <= MOST_REGIONS:
            raise ValueError(f"regions: {count} of them; give 1 to {MOST_REGIONS}")
        if not isinstance(self.regions, int) and (count < len(self.regions) or not all(map(str.strip, self.regions))):
            raise ValueError(f"regions: {', '.join(map(repr, self.regions))}: name each, and none twice")
        unknown = set(self.importance) - set(table.sectors)
        if unknown:
            raise ValueError(
                f"importance: no sector {sorted(unknown)[0]!r} in {self.preset!r}; there are {', '.join(table.sectors)}"
            )
        return self

    def load(self) -> InputOutputTable:
        """The input-output table itself."""
        from ecosim.calibration.tables import load_table

        return load_table(self.preset, self.industries)

    def needs(self, suppliers: int, streams: Streams) -> Needs:
        """Firms by sector, largest first, each with ``suppliers`` slots that follow its sector's recipe."""
        table = self.load()
        counts = firms_per_sector(table.output, self.firms)
        sector = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        rows = np.arange(self.firms)
        size = pareto_sizes(streams["size"].uniform(0, rows), self.size_exponent, self.size_ratio)
        size = size[np.lexsort((-size, sector))]
        total = np.bincount(sector, size)
        scale = self.mean_output * self.firms / float(table.output.sum())
        names = region_names(self.regions)
        region, x, y = settle(self.firms, len(names), streams)
        firms = Firms(
            sector=sector,
            sector_names=table.sectors,
            region=region,
            region_names=names,
            x=x,
            y=y,
            size=size / size.mean(),
            final_demand=scale * table.final_demand[sector] * size / total[sector],
            role=np.zeros(self.firms, dtype=np.int8),
        )
        start = streams["recipe"].uniform(0, np.arange(table.industries))
        slots = draw_slots(sector, size, table.coefficients, suppliers, start)
        return Needs(firms, slots, scale * table.flows, 1, region, tuple(f"People of {name}" for name in names))
