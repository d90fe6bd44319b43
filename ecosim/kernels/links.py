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
