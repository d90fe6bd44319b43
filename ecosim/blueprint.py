"""An economy at rest, before anything happens to it: who the firms are, who supplies whom, and how much a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How much production needs an input (Pichler et al. 2022), by code.
IMPORTANCE = ("other", "important", "essential")
ESSENTIAL = IMPORTANCE.index("essential")


def protect(*values: object) -> None:
    """Make the arrays among some values read-only."""
    for value in values:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


@dataclass(frozen=True, eq=False)
class Firms:
    """Who the firms are. All arrays have shape (n,); row i is firm i for ever.

    ``size`` is the relative weight a firm is drawn with (mean 1, heavy-tailed where the economy says so); its
    output follows from its place in the network. ``x`` and ``y`` are kilometres from the south-west corner.
    """

    sector: NDArray[np.int32]
    sector_names: tuple[str, ...]
    region: NDArray[np.int32]
    region_names: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    size: NDArray[np.float64]
    final_demand: NDArray[np.float64]  # currency units a day
    role: NDArray[np.int8]  # 0 SMB, 1 Supplier
    name: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.sector)


@dataclass(frozen=True, eq=False)
class Slots:
    """What the firms need, before anyone is chosen to supply it: one slot is one supply link to be.

    The slots of buyer i are ``ptr[i]:ptr[i + 1]``. ``product`` (L,) is the sector a slot must be supplied from,
    or -1 where any other firm will do. ``share`` (L,) is the slot's cost as a share of the buyer's output.
    """

    ptr: NDArray[np.int64]
    product: NDArray[np.int32]
    share: NDArray[np.float64]

    @property
    def buyer(self) -> NDArray[np.int32]:
        """Buyer of each slot, shape (L,)."""
        return np.repeat(np.arange(len(self.ptr) - 1, dtype=np.int32), np.diff(self.ptr))


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A balanced economy: firms, and links in compressed rows by buyer, sorted by product within a buyer.

    Its arrays cannot be written to, because runs and their twins share them.

    Links of buyer i are ``ptr[i]:ptr[i + 1]``; ``supplier``, ``product``, ``flow`` (currency units a day) and
    ``importance`` (2 essential, 1 important, 0 other; Pichler et al. 2022) have shape (L,).
    ``customer`` (n,) is the community that buys the firm's final demand. ``notes`` says what was balanced and how.
    """

    firms: Firms
    ptr: NDArray[np.int64]
    supplier: NDArray[np.int32]
    product: NDArray[np.int32]
    flow: NDArray[np.float64]
    importance: NDArray[np.int8]
    customer: NDArray[np.int32]
    customer_names: tuple[str, ...]
    notes: dict[str, float | int | str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # SHA-256 of each file it was read from, by path

    def __post_init__(self) -> None:
        """Protect the arrays."""
        protect(*vars(self).values(), *vars(self.firms).values())

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Protect the arrays of a copy, too: copying and pickling forget it."""
        self.__dict__.update(state)
        self.__post_init__()

    def firm_name(self, row: int) -> str:
        """Name of a firm: its own, or its sector and its number in the economy."""
        names = self.firms.name
        if names is not None:
            return names[row]
        return f"{self.firms.sector_names[self.firms.sector[row]]} #{row + 1}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each firm."""
        return tuple(self.firm_name(row) for row in range(len(self.firms)))

    @cached_property
    def rows_by_name(self) -> dict[str, int]:
        """Row of each firm by name."""
        return {name: row for row, name in enumerate(self.names)}

    @property
    def buyer(self) -> NDArray[np.int32]:
        """Buyer of each link, shape (L,)."""
        return np.repeat(np.arange(len(self.ptr) - 1, dtype=np.int32), np.diff(self.ptr))
