"""Market areas inside market areas: what a local supplier's customers share, a national one's share too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ecosim.networks.wiring import Network, Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots
    from ecosim.networks.wiring import Some


class Nested(Network):
    """One importer serves all, regional wholesalers serve parts, local shops serve parts of parts.

    Each pool is cut into ``levels``: one firm at the first, about g times as many at each next one, with g =
    pool^(1 / (levels - 1)). A firm's position decides which area of each level it lies in, and areas of a level lie
    whole inside areas of the level above (nested market areas of central places: Christaller 1933). A buyer with as
    many slots as levels buys once from each; one with fewer skips levels at random. So the customers of a rare
    supplier are customers of the common ones of its area too: overlap |C_a & C_b| / min(|C_a|, |C_b|) is 1 for
    suppliers that share a customer (nestedness: Bascompte et al. 2003; Almeida-Neto et al. 2008). With equal numbers
    of suppliers, a nested order of *all* suppliers would be the star.
    """

    kind: Literal["nested"] = "nested"
    """Name of the structure."""
    levels: int = Field(default=5, ge=2, le=20)
    """Levels of market areas, the widest included (levels)."""
    nestedness: float = Field(default=1.0, ge=0, le=1)
    """Links that keep to the areas; the others are drawn evenly from the pool (share of links, 0-1)."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        places = Places.of(firms, slots)
        turn, many = places.turns()
        blind = rng.random(len(turn)) >= self.nestedness

        def draw(some: Some) -> NDArray[np.int64]:
            stratum = (turn[some] + rng.random(len(turn[some]))) * self.levels / many[some]
            place = places.start[some] + self._supplier_at(stratum.astype(np.int64), places, some)
            return np.where(blind[some], places.anywhere(rng, some), place)

        return places.fill(rng, draw, yields=blind)

    def _supplier_at(self, level: NDArray[np.int64], places: Places, some: Some) -> NDArray[np.int64]:
        """Position in the pool of the supplier whose area of that level holds the buyer.

        Areas are built from the smallest up, each from whole ones, so that they cannot cross.
        """
        size, own, home = places.size[some], places.own[some], places.home[some]
        position = np.zeros(len(size), np.int64)
        end, area, areas = size, own, home
        for step in range(self.levels - 1, -1, -1):
            begin = self._begin(step, size)
            count = np.maximum(end - begin, 1)  # a pool of fewer firms than levels lacks the finest ones
            area = area * count // areas
            position = np.where(level == step, np.minimum(begin + area, np.maximum(size - 1, 0)), position)
            end, areas = begin, count
        return position

    def _begin(self, level: int, size: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position at which a level begins: levels grow in proportion, and none is empty if there are firms for all."""
        growth = np.maximum(size, 2) ** (1 / (self.levels - 1))
        begin = np.round(size * (growth**level - 1) / (growth**self.levels - 1)).astype(np.int64)
        return np.minimum(np.maximum(begin, level), size)
