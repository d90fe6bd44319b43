"""Time to survive: for how long a node may stand still with all final demand still met (Simchi-Levi et al. 2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ecosim.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def time_to_survive(
    node: int,
    *,
    supplier: ArrayLike,
    buyer: ArrayLike,
    product: ArrayLike,
    flow: ArrayLike,
    stock: ArrayLike,
    final_demand: ArrayLike,
    headroom: float = 0.0,
) -> float:
    """Longest outage of ``node``, in days, with every final demand still met: deterministic, the best the rest can do.

    ``supplier``, ``buyer`` (rows of firms), ``product``, ``flow`` (a day, at rest) and ``stock`` (held by the buyer)
    have shape (links,); ``final_demand`` (a day) shape (firms,). A firm makes output from products in fixed proportions
    (Leontief), up to its output at rest times 1 + ``headroom``; suppliers of one product replace each other along
    existing links. The linear programme of the paper: lengthen t as far as stocks and what others can make cover
    t days of final demand. Infinite where nobody needs the node. Raises InputError for shapes or rows that do not fit.
    """
    s, b, p = (np.asarray(rows, dtype=np.int64) for rows in (supplier, buyer, product))
    flows, held = (np.asarray(values, dtype=np.float64) for values in (flow, stock))
    final = np.asarray(final_demand, dtype=np.float64)
    firms, links = len(final), len(s)
    if not all(array.shape == (links,) for array in (b, p, flows, held)):
        raise InputError("supplier, buyer, product, flow and stock need one value for each link")
    rows = np.concatenate([s, b, [node]])
    if rows.min() < 0 or rows.max() >= firms:
        raise InputError(f"node {node}, suppliers and buyers must be rows of the {firms} firms")
    if not all(np.isfinite(of).all() and (of >= 0).all() for of in (flows, held, final)):
        raise InputError("flow, stock and final_demand must be finite and not negative")
    output = final + np.bincount(s, weights=flows, minlength=firms)
    # Unknowns: days t, what each firm makes, what each link carries, over the whole outage. All at least 0.
    made, carried = 1 + np.arange(firms), 1 + firms + np.arange(links)
    width = 1 + firms + links
    sold = sparse.coo_array(
        (
            np.concatenate([final, -np.ones(firms), np.ones(links)]),
            (np.concatenate([np.arange(firms)] * 2 + [s]), np.concatenate([np.zeros(firms, int), made, carried])),
        ),
        shape=(firms, width),
    )
    needs, of = np.unique(np.stack([b, p]), axis=1, return_inverse=True)
    of = of.reshape(-1)
    count = needs.shape[1]
    rate = np.bincount(of, weights=flows, minlength=count) / np.where(output > 0, output, 1.0)[needs[0]]
    used = sparse.coo_array(
        (
            np.concatenate([rate, -np.ones(links)]),
            (np.concatenate([np.arange(count), of]), np.concatenate([made[needs[0]], carried])),
        ),
        shape=(count, width),
    )
    most = output * (1.0 + headroom)
    most[node] = 0.0
    able = sparse.coo_array(
        (
            np.concatenate([-most, np.ones(firms)]),
            (np.concatenate([np.arange(firms)] * 2), np.concatenate([np.zeros(firms, int), made])),
        ),
        shape=(firms, width),
    )
    limits = np.concatenate([np.zeros(firms), np.bincount(of, weights=held, minlength=count), np.zeros(firms)])
    wish: NDArray[np.float64] = np.zeros(width)
    wish[0] = -1.0
    # The stubs know no sparse matrices, which HiGHS takes.
    every: Any = sparse.vstack([sold, used, able]).tocsr()
    found = linprog(wish, A_ub=every, b_ub=limits, method="highs")
    if found.status == 3:
        return float("inf")
    if found.x is None:
        raise RuntimeError(f"the linear programme was not solved: {found.message}")
    return float(found.x[0])


def at_risk(survive: ArrayLike, recover: ArrayLike) -> NDArray[np.bool_]:
    """Which nodes survive for less time than they take to recover, TTS < TTR, days each, shape (nodes,)."""
    risk: NDArray[np.bool_] = np.asarray(survive, dtype=np.float64) < np.asarray(recover, dtype=np.float64)
    return risk
