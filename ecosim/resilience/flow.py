"""Flow order: how much of a network's flow is bound to few paths, and how much is in reserve (Ulanowicz 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ecosim.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class FlowOrder:
    """Ascendency A and capacity C in units of flow, order a = A/C, and robustness R = -a ln a, at most 1/e.

    All depend on the number of firms ``n`` with flow: never compare them across sizes.
    """

    ascendency: float
    capacity: float
    order: float
    robustness: float
    n: int


def flow_order(supplier: ArrayLike, buyer: ArrayLike, flow: ArrayLike) -> FlowOrder:
    """Order of the flows T_ij from ``supplier`` i to ``buyer`` j, each of shape (links,), links of one pair summed.

    A = sum T_ij ln(T_ij T / (T_i. T_.j)), C = -sum T_ij ln(T_ij / T). Raises InputError where flows are negative or
    fewer than two pairs have flow.
    """
    rows, columns = np.asarray(supplier, dtype=np.int64), np.asarray(buyer, dtype=np.int64)
    flows = np.asarray(flow, dtype=np.float64)
    if not (rows.shape == columns.shape == flows.shape == (flows.size,)):
        raise InputError("supplier, buyer and flow need one value for each link")
    if not np.isfinite(flows).all() or (flows < 0).any():
        raise InputError("flow must be finite and not negative")
    kept = flows > 0
    pairs, of = np.unique(np.stack([rows[kept], columns[kept]]), axis=1, return_inverse=True)
    if pairs.shape[1] < 2:
        raise InputError("flow order needs flow between at least two pairs of firms")
    between = np.bincount(of.reshape(-1), weights=flows[kept])
    total = between.sum()
    firms, at = np.unique(pairs, return_inverse=True)
    source, target = at.reshape(pairs.shape)
    out, into = (np.bincount(end, weights=between, minlength=len(firms)) for end in (source, target))
    ascendency = float((between * np.log(between * total / (out[source] * into[target]))).sum())
    capacity = float(-(between * np.log(between / total)).sum())
    order = ascendency / capacity
    return FlowOrder(ascendency, capacity, order, float(-special.xlogy(order, order)), len(firms))
