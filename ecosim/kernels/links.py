"""An index of supply links by supplier, by counting: linear in the number of links, and always in order of row."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def by_supplier(supplier: Any, flow: Any, firms: int) -> tuple[Any, Any, Any]:
    """Return ``out_ptr`` (firms + 1,), and ``out_link`` and ``out_flow``, one entry for each link that carries a flow.

    Links without a flow are left out: they are spare, and a share of nothing would be 0 / 0.
    """
    ptr = np.zeros(firms + 1, dtype=np.int64)
    for e in range(len(supplier)):
        if flow[e] > 0.0:
            ptr[supplier[e] + 1] += 1
    for i in range(firms):
        ptr[i + 1] += ptr[i]
    at = ptr[:-1].copy()
    link = np.empty(ptr[firms], dtype=np.int32)
    flows = np.empty(ptr[firms])
    for e in range(len(supplier)):
        if flow[e] > 0.0:
            place = at[supplier[e]]
            at[supplier[e]] = place + 1
            link[place] = e
            flows[place] = flow[e]
    return ptr, link, flows


@njit(cache=True)
def regrouped(
    out_ptr: Any, out_link: Any, out_flow: Any, links: Any, before: Any, supplier: Any, flow: Any
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Bring an index of `by_supplier` up to date where some ``links``, sorted and each once, have changed.

    ``before`` holds the supplier that each of them had. The lists of suppliers that they touch are merged anew; all
    that lies between is copied as it stands.
    """
    firms = len(out_ptr) - 1
    order = np.argsort(supplier[links], kind="mergesort")  # stable: the links that come to a firm stay in order of row
    gone = np.zeros(len(supplier), dtype=np.bool_)
    ptr, touched = np.zeros(firms + 1, dtype=np.int64), np.zeros(firms, dtype=np.bool_)
    for k in range(len(links)):
        gone[links[k]] = True
        touched[before[k]] = touched[supplier[links[k]]] = True
    for i in np.flatnonzero(touched):
        for k in range(out_ptr[i], out_ptr[i + 1]):
            ptr[i + 1] -= gone[out_link[k]]
    for e in links:
        ptr[supplier[e] + 1] += flow[e] > 0.0
    for row in range(firms):  # from the change of each firm's links to where they start
        ptr[row + 1] += ptr[row] + out_ptr[row + 1] - out_ptr[row]
    link, flows = np.empty(ptr[firms], dtype=np.int32), np.empty(ptr[firms])
    start, come = 0, 0  # first firm not copied yet, first arrival not placed yet
    for i in np.append(np.flatnonzero(touched), firms):
        low, high = out_ptr[start], out_ptr[i]
        link[ptr[start] : ptr[i]] = out_link[low:high]
        flows[ptr[start] : ptr[i]] = out_flow[low:high]
        if i == firms:
            break
        place, start = ptr[i], i + 1
        for k in range(out_ptr[i], out_ptr[i + 1]):
            if gone[out_link[k]]:
                continue
            come, place = _let_in(link, flows, links, order, supplier, flow, i, out_link[k], come, place)
            link[place], flows[place] = out_link[k], out_flow[k]
            place += 1
        come, place = _let_in(link, flows, links, order, supplier, flow, i, len(supplier), come, place)
    return ptr, link, flows


@njit(inline="always")
def _let_in(
    link: Any, flows: Any, links: Any, order: Any, supplier: Any, flow: Any, firm: int, below: int, come: int,
    place: int,
) -> tuple[int, int]:  # fmt: skip
    """Place those links that come to ``firm`` and stand before row ``below``; return what is next."""
    while come < len(order) and supplier[links[order[come]]] == firm and links[order[come]] < below:
        e = links[order[come]]
        if flow[e] > 0.0:
            link[place], flows[place] = e, flow[e]
            place += 1
        come += 1
    return come, place
