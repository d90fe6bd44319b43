"""How much passes through each firm: betweenness on a network whose links have lengths (Brandes 2001)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@njit(cache=True)
def betweenness(
    out_ptr: Ints, target: Ints, out_length: Floats, in_ptr: Ints, origin: Ints, in_length: Floats, sources: Ints
) -> Floats:
    """Sum over sources s and all t of the share of shortest paths from s to t that lead through each firm, (n,).

    Links leave firm i as ``out_ptr[i]:out_ptr[i + 1]`` and enter it as ``in_ptr[i]:in_ptr[i + 1]``, each once, with a
    length above 0. The ends of a path do not count.
    """
    n = out_ptr.size - 1
    through = np.zeros(n)
    far, paths, depends = np.empty(n), np.empty(n), np.empty(n)
    reached = np.empty(n, np.int64)
    for s in sources:
        far[:] = np.inf
        paths[:] = 0.0
        depends[:] = 0.0
        far[s], paths[s] = 0.0, 1.0
        count = 0
        front = [(0.0, s)]
        while front:
            length, firm = heapq.heappop(front)
            if length > far[firm]:
                continue  # a shorter way was found since
            reached[count] = firm
            count += 1
            for link in range(out_ptr[firm], out_ptr[firm + 1]):
                other, so_far = target[link], length + out_length[link]
                if so_far < far[other]:
                    far[other], paths[other] = so_far, paths[firm]
                    heapq.heappush(front, (so_far, other))
                elif so_far == far[other]:
                    paths[other] += paths[firm]
        for at in range(count - 1, 0, -1):
            firm = reached[at]
            part = (1.0 + depends[firm]) / paths[firm]
            for link in range(in_ptr[firm], in_ptr[firm + 1]):
                before = origin[link]
                if far[before] + in_length[link] == far[firm]:
                    depends[before] += paths[before] * part
            through[firm] += depends[firm]
    return through
