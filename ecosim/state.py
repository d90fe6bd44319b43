"""The state of a running economy: columns of firms and customers, links as arrays, and today's sheet of multipliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import protect
from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.rng import Streams

Array = np.ndarray[Any, np.dtype[Any]]

FIRM_COLUMNS: dict[str, str] = {
    "output": "baseline output, currency units a day",
    "final_demand": "baseline sales to customers, currency units a day",
    "wanted": "what customers want today, currency units a day",
    "capacity": "most the firm can make today with its own means, currency units a day",
    "ceiling": "most its stocks of inputs allow today, currency units a day",
    "expected": "demand the firm plans for, currency units a day",
    "demand": "orders of clients and customers today, currency units a day",
    "production": "made today, currency units a day",
    "consumption": "sold to customers today, currency units a day",
    "lost": "made today but delivered to nobody (rationing rule 2), currency units a day",
    "inventory_days": "stock the firm aims at, days of use",
    "smoothing_days": "days over which a gap in stock is closed",
    "value_added_share": "1 - inputs / output at baseline, share",
    "produced": "made since the first day, currency units",
    "lowest": "lowest production since the first day, share of baseline output",
    "failed_on": "first day with less than half of baseline output, -1 if none",
}

CUSTOMER_COLUMNS: dict[str, str] = {
    "budget": "baseline purchases, currency units a day",
    "spent": "purchases today, currency units a day",
    "unmet": "wanted today and not sold to them, currency units a day",
}


class Table:
    """Named float64 columns of equal length; row i belongs to agent i for ever.

    ``table.production`` is the column as an array. ``views`` holds a memoryview of each column, through which a
    single agent reads and writes a plain Python float several times faster than through the array.
    """

    def __init__(self, rows: int, names: Iterable[str]) -> None:
        """Make columns of ``rows`` zeros each."""
        self.rows = rows
        self.columns: dict[str, Array] = {name: np.zeros(rows) for name in names}
        self.views: dict[str, memoryview] = {}
        self._look()

    def _look(self) -> None:
        self.views = {name: memoryview(column) for name, column in self.columns.items()}

    def __getattr__(self, name: str) -> Array:
        """Return a column by name."""
        columns = self.__dict__.get("columns", {})
        if name in columns:
            column: Array = columns[name]
            return column
        raise AttributeError(f"no column {name!r}; there are {', '.join(columns)}")

    def add(self, name: str, values: Array | float = 0.0) -> Array:
        """Add a column (a mechanism's own state) and return it."""
        column = np.broadcast_to(np.asarray(values, dtype=np.float64), (self.rows,)).copy()
        self.columns[name] = column
        self.views[name] = memoryview(column)
        return column

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the memoryviews, which cannot be copied or pickled."""
        return {"rows": self.rows, "columns": self.columns}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the memoryviews over this table's own columns."""
        self.__dict__.update(state)
        self._look()


FIXED = ("ptr", "supplier", "product", "importance", "flow", "out_ptr", "out_link", "out_flow")


@dataclass(eq=False)
class Links:
    """Supply links in compressed rows by buyer, and an index of them by supplier; all arrays have shape (L,).

    The links of buyer i are ``ptr[i]:ptr[i + 1]``, sorted by product. The links that supplier i sells through are
    ``out_link[out_ptr[i]:out_ptr[i + 1]]``; ``out_flow`` repeats their baseline flow in that order, because the seller
    reads it in sequence. ``flow``, ``stock``, ``ordered`` and ``delivered`` are in currency units (a day, or held).
    """

    ptr: Array
    supplier: Array
    product: Array
    importance: Array
    flow: Array
    stock: Array
    ordered: Array
    delivered: Array
    out_ptr: Array
    out_link: Array
    out_flow: Array

    @classmethod
    def at_rest(cls, plan: Blueprint, inventory_days: NDArray[np.float64]) -> Links:
        """Links of a balanced economy: stocks at target, orders and deliveries at their baseline flow."""
        firms = len(plan.firms)
        out_link = np.argsort(plan.supplier, kind="stable").astype(np.int32)
        sold = np.bincount(plan.supplier, minlength=firms)
        days = np.repeat(inventory_days, np.diff(plan.ptr))
        return cls(
            ptr=plan.ptr,
            supplier=plan.supplier,
            product=plan.product,
            importance=plan.importance,
            flow=plan.flow,
            stock=days * plan.flow,
            ordered=plan.flow.copy(),
            delivered=plan.flow.copy(),
            out_ptr=np.concatenate(([0], np.cumsum(sold))),
            out_link=out_link,
            out_flow=plan.flow[out_link],
        )

    def __post_init__(self) -> None:
        """Protect what a day does not change; a mechanism that changes links puts new arrays in place."""
        protect(*(getattr(self, name) for name in FIXED))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Protect the arrays of a copy, too: copying and pickling forget it."""
        self.__dict__.update(state)
        self.__post_init__()

    def __len__(self) -> int:
        return len(self.flow)

    @property
    def buyer(self) -> Array:
        """Buyer of each link, shape (L,)."""
        return np.repeat(np.arange(len(self.ptr) - 1, dtype=np.int32), np.diff(self.ptr))


class Sheet:
    """Today's multipliers, neutral (1) each morning. Shocks and policies write here and nowhere else.

    ``capacity`` scales what a firm can make, ``demand`` what its customers want. Two events that touch the same firm
    multiply on the day, and nothing carries over to the next: effects compose, never compound, and always expire.
    """

    channels = ("capacity", "demand")

    def __init__(self, rows: int) -> None:
        """Neutral multipliers for ``rows`` firms."""
        self.multipliers: dict[str, Array] = {name: np.ones(rows) for name in self.channels}
        self.written: set[str] = set()

    def multiply(self, channel: str, rows: Array, factors: Array | float) -> None:
        """Scale a channel of some firms for today by finite factors of at least 0, one number or one a row."""
        if channel not in self.multipliers:
            raise InputError(f"no channel {channel!r} on the sheet; there are {', '.join(self.channels)}")
        values = np.asarray(factors, dtype=np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise InputError(f"{channel} was multiplied by {factors!r}; give finite factors of at least 0")
        np.multiply.at(self.multipliers[channel], rows, values)
        self.written.add(channel)

    def reset(self) -> set[str]:
        """Make every channel neutral; return those that were not."""
        written, self.written = self.written, set()
        for name in written:
            self.multipliers[name].fill(1.0)
        return written


@dataclass
class World:
    """Everything that a shock, a policy or a metric may look at, and the sheet that it may write to."""

    plan: Blueprint
    firms: Table
    customers: Table
    links: Links
    sheet: Sheet
    streams: Streams
    day: int = -1
    memory: dict[str, dict[str, Array]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def at_rest(cls, plan: Blueprint, streams: Streams, behaviour: Mapping[str, Array | float]) -> World:
        """Return the unshocked economy of ``plan``; ``behaviour`` gives inventory_days and smoothing_days."""
        rows = len(plan.firms)
        firms = Table(rows, FIRM_COLUMNS)
        for name, value in behaviour.items():
            firms.columns[name][:] = value
        links = Links.at_rest(plan, firms.inventory_days)
        bought = np.add.reduceat(np.append(links.flow, 0.0), links.ptr[:-1]) * (np.diff(links.ptr) > 0)
        firms.final_demand[:] = plan.firms.final_demand
        firms.output[:] = firms.final_demand + np.bincount(links.supplier, links.flow, minlength=rows)
        for name in ("capacity", "expected", "demand", "production"):
            firms.columns[name][:] = firms.output
        for name in ("wanted", "consumption"):
            firms.columns[name][:] = firms.final_demand
        firms.ceiling[:] = np.inf
        firms.lowest[:] = 1.0
        firms.failed_on[:] = -1.0
        busy = firms.output > 0
        firms.value_added_share[busy] = 1.0 - bought[busy] / firms.output[busy]
        customers = Table(len(plan.customer_names), CUSTOMER_COLUMNS)
        customers.budget[:] = np.bincount(plan.customer, firms.final_demand, minlength=customers.rows)
        customers.spent[:] = customers.budget
        return cls(plan, firms, customers, links, Sheet(rows), streams)

    def happened(self, event: str, rows: Array, amount: Array | float, *, damage: bool = False) -> None:
        """Write into the diary what befell some firms today.

        ``amount`` is one number, or one a firm; with ``damage`` it is the share of capacity that was lost, and the
        firms count as damaged.
        """
        amounts = np.broadcast_to(amount, rows.shape).astype(np.float64)
        self.events.append({"day": self.day, "event": event, "rows": rows.copy(), "amount": amounts, "damage": damage})

    @cached_property
    def output_at_rest(self) -> float:
        """Baseline output of all firms, currency units a day."""
        return float(self.firms.output.sum())

    @cached_property
    def client_of_out(self) -> Array:
        """Client behind each entry of ``links.out_link``, shape (L,)."""
        return self.links.buyer[self.links.out_link]

    def firm_name(self, row: int) -> str:
        """Readable name of a firm."""
        return self.plan.firm_name(row)
