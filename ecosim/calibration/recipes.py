"""What each firm buys: sizes of firms, and the slots of their recipes, drawn from an input-output table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.blueprint import Slots

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
LARGE = 0.05  # a firm with more than this share of its sector buys everything its sector buys


def pareto_sizes(u: NDArray[np.float64], exponent: float, ratio: float) -> NDArray[np.float64]:
    """Sizes from a Pareto law between 1 and ``ratio`` by inverting its distribution at ``u`` in [0, 1).

    The tail exponent of US firm sizes is 1.06 (Axtell 2001).
    """
    sizes: NDArray[np.float64] = (1.0 - u * (1.0 - ratio**-exponent)) ** (-1.0 / exponent)
    return sizes


def firms_per_sector(shares: NDArray[np.float64], firms: int, least: int = 2) -> NDArray[np.int64]:
    """Number of firms of each sector: by its share of output (largest remainder), at least ``least`` each."""
    wanted = shares / shares.sum() * (firms - least * len(shares))
    counts = np.floor(wanted).astype(np.int64)
    extra = firms - least * len(shares) - int(counts.sum())
    counts[np.argsort(counts - wanted, kind="stable")[:extra]] += 1
    return counts + least


def draw_slots(
    sector: NDArray[np.int32],
    size: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    suppliers: int,
    start: NDArray[np.float64],
) -> Slots:
    """Give every firm ``suppliers`` slots of equal cost, whose products together follow its sector's recipe.

    Systematic sampling with probability proportional to cost (Madow 1949): slot t of a firm is the product at
    (u + t)/m of the cumulated input coefficients ``coefficients[:, sector]``, so each firm's cost share is exactly its
    sector's, and products are right on average. The offsets u of the firms of a sector follow the golden-ratio
    sequence from ``start`` (sectors,) in order of row, so that neighbours in size complement each other. A firm with
    over 5 % of its sector's size, and the two largest, buy every product of the recipe: no average could correct them.
    """
    count = len(sector)
    within = np.arange(count) - np.searchsorted(sector, sector)
    total = np.bincount(sector, size, minlength=len(coefficients))
    full = (size > LARGE * total[sector]) | (within < 2)
    share_in = coefficients.sum(axis=0)
    products_of = [np.flatnonzero(column > 0) for column in coefficients.T]
    slots_of = np.where(full, [len(products_of[s]) for s in sector], suppliers)
    slots_of[share_in[sector] <= 0] = 0
    ptr = np.concatenate(([0], np.cumsum(slots_of)))
    product = np.empty(ptr[-1], dtype=np.int32)
    share = np.empty(ptr[-1])
    offset = (start[sector] + within * GOLDEN) % 1.0
    for s, bought in enumerate(products_of):
        if not len(bought):
            continue
        of_sector = sector == s
        some = np.flatnonzero(of_sector & ~full)
        at = ptr[some][:, None] + np.arange(suppliers)
        points = (offset[some][:, None] + np.arange(suppliers)) / suppliers
        cumulated = np.cumsum(coefficients[bought, s]) / share_in[s]
        product[at] = bought[np.minimum(np.searchsorted(cumulated, points, side="right"), len(bought) - 1)]
        share[at] = share_in[s] / suppliers
        for row in np.flatnonzero(of_sector & full):
            product[ptr[row] : ptr[row + 1]] = bought
            share[ptr[row] : ptr[row + 1]] = coefficients[bought, s]
    return Slots(ptr.astype(np.int64), product, share)
