"""What every peer starts from and how it is timed; needs numpy only, for peers that cannot live beside ecosim."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[Any]]

NOTHING = 1e-20  # a stock below it is none
NOISE = 1e-12  # relative; a change below it is rounding, and would be amplified from firm to firm


class Economy(NamedTuple):
    """An economy at rest, a day before some of its firms lose capacity for good.

    The links of buyer i are ``ptr[i]:ptr[i + 1]``, sorted by product. ``capacity`` is what is left after the damage.
    Every product is essential (Leontief), and goods that are short are rationed in proportion to what was asked for.
    """

    ptr: Array
    supplier: Array
    product: Array
    flow: Array
    output: Array
    final_demand: Array
    capacity: Array
    inventory_days: Array
    smoothing_days: Array

    @property
    def firms(self) -> int:
        """Number of firms."""
        return len(self.output)

    @property
    def buyer(self) -> Array:
        """Buyer of each link."""
        return np.repeat(np.arange(self.firms), np.diff(self.ptr))

    @property
    def group(self) -> Array:
        """Number of the pair of buyer and product that each link belongs to, counted from 0 in the order of links."""
        buyer = self.buyer
        new = np.ones(len(buyer), dtype=bool)
        new[1:] = (np.diff(buyer) != 0) | (np.diff(self.product) != 0)
        return np.cumsum(new) - 1

    def save(self, path: Path) -> None:
        """Write the arrays to a file."""
        np.savez(path, **self._asdict())

    @classmethod
    def load(cls, path: Path | str) -> Economy:
        """Read the arrays from a file."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in cls._fields})


type Run = Callable[[], list[float]]
"""Live the days that were asked for; return the total production of each."""


def serve(start: Callable[[Economy, int], Run]) -> None:
    """Answer each number of days on standard input with one run from rest: its times and totals, a line of JSON.

    The first line out says that the libraries are loaded. Setting up the model is timed apart from its days.
    """
    economy = Economy.load(sys.argv[1])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        run = start(economy, int(line))
        clocks = time.perf_counter(), time.process_time()
        totals = run()
        wall, cpu = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
        answer = {"setup": clocks[0] - begun, "wall": wall, "cpu": cpu, "totals": [float(total) for total in totals]}
        print(json.dumps(answer), flush=True)
