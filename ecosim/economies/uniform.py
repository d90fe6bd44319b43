"""An economy of equals: every firm has the same final demand and spends the same share on inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.blueprint import Firms, Slots
from ecosim.calibration.places import region_names, settle
from ecosim.economies.economy import Economy, Needs

if TYPE_CHECKING:
    from ecosim.rng import Streams


class Uniform(Economy):
    """Equal firms, so that only the structure differs: position sets size (Acemoglu et al. 2012).

    Final demand and the intermediate share of every firm are given; outputs follow from x = W x + c. Total output is
    then the same in every structure, and concentration is the structure's own doing.
    """

    kind: Literal["uniform"] = "uniform"
    firms: int = Field(default=1000, ge=2, le=5_000_000)
    """Number of firms."""
    intermediate_share: float = Field(default=0.5, ge=0.01, le=0.95)
    """Share of its output that every firm spends on inputs."""
    final_demand: float = Field(default=1000.0, ge=1e-6, le=1e12)
    """What customers buy from each firm, currency units a day."""
    inputs: int = Field(default=5, ge=1, le=1000)
    """Distinct products among a firm's suppliers: 1 means every supplier replaces every other."""
    regions: int = Field(default=4, ge=1, le=10_000)
    """Number of regions."""
    size_spread: float = Field(default=0.0, ge=0, le=3)
    """Spread of the sizes by which some networks tell firms apart (standard deviation of their logarithms): in a
    reconstruction large firms supply many, in tiers small ones stand at the top. Final demand stays equal."""

    def needs(self, suppliers: int, streams: Streams) -> Needs:
        """Every firm gets ``suppliers`` slots of equal cost, to be filled by anyone."""
        n = self.firms
        region, x, y = settle(n, self.regions, streams)
        names = region_names(self.regions)
        size = np.exp(self.size_spread * streams["size"].normal(0, np.arange(n)))
        firms = Firms(
            sector=np.zeros(n, dtype=np.int32),
            sector_names=("Goods",),
            region=region,
            region_names=names,
            x=x,
            y=y,
            size=size / size.mean(),
            final_demand=np.full(n, self.final_demand),
            role=np.zeros(n, dtype=np.int8),
        )
        slots = Slots(
            ptr=np.arange(n + 1, dtype=np.int64) * suppliers,
            product=np.full(n * suppliers, -1, dtype=np.int32),
            share=np.full(n * suppliers, self.intermediate_share / suppliers),
        )
        return Needs(firms, slots, None, self.inputs, region, tuple(f"People of {name}" for name in names))
