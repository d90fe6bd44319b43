"""Where firms lie: regions on a grid of towns, and firms scattered around the centre of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.rng import Streams

REGION_NAMES = ("Riverside", "Old Town", "Harbour", "Market", "Hillside", "Station", "Mill Lane", "Northgate")
SPACING_KM = 10.0  # distance between the centres of neighbouring regions
SCATTER_KM = 2.5  # standard deviation of a firm's distance from its centre, each way


def region_names(regions: int | tuple[str, ...]) -> tuple[str, ...]:
    """Names of the regions: the user's own, or the first of a list that is continued by numbers."""
    if not isinstance(regions, int):
        return tuple(regions)
    return tuple(REGION_NAMES[i] if i < len(REGION_NAMES) else f"Region {i + 1}" for i in range(regions))


def settle(
    firms: int, regions: int, streams: Streams
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Give each firm a region and a place, as (region, x, y), each of shape (firms,); x and y in kilometres.

    Every region is equally likely. Draws are addressed by firm, so that a firm keeps its place whatever the network.
    """
    rows = np.arange(firms)
    region = streams["region"].integers(regions, 0, rows).astype(np.int32)
    wide = int(np.ceil(np.sqrt(regions)))
    x = (region % wide + 0.5) * SPACING_KM + SCATTER_KM * streams["place: x"].normal(0, rows)
    y = (region // wide + 0.5) * SPACING_KM + SCATTER_KM * streams["place: y"].normal(0, rows)
    return region, x, y
