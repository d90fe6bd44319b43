"""The state of a running economy: columns of firms and customers, links as arrays, and today's sheet of multipliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import protect
from ecosim.choices import Choices
from ecosim.errors import InputError, hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.money import Money
    from ecosim.rng import Streams

Array = np.ndarray[Any, np.dtype[Any]]

FIRM_COLUMNS: dict[str, str] = {
    "output": "baseline output, currency units a day",
    "potential": "most the firm can make with all its means intact, currency units a day",
    "final_demand": "usual sales to customers, currency units a day",
    "wanted": "what customers want today, currency units a day",
    "capacity": "most the firm can make today with the means it has left, currency units a day",
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
        """Add a column (a mechanism's own state) and return it; one that is there already is somebody else's."""
        if name in self.columns:
            raise InputError(_taken(name, "Table.ensure"))
        return self.put(name, values)

    def put(self, name: str, values: Array | float) -> Array:
        """Put a column in place, whether or not there was one: for restoring what was saved."""
        column = np.broadcast_to(np.asarray(values, dtype=np.float64), (self.rows,)).copy()
        self.columns[name] = column
        self.views[name] = memoryview(column)
        return column

    def ensure(self, name: str, values: Array | float) -> Array:
        """Return a column that several mechanisms share, added at its neutral value by whoever needs it first."""
        return self.columns[name] if name in self.columns else self.add(name, values)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the memoryviews, which cannot be copied or pickled."""
        return {"rows": self.rows, "columns": self.columns}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the memoryviews over this table's own columns."""
        self.__dict__.update(state)
        self._look()


def _taken(name: str, shared: str) -> str:
    return f"column {name!r} is there already; choose another name, or share it on purpose with {shared}"


CLOSES = "closes: "  # how an event begins that puts a firm out of business
OUT_OF_CASH, GIVEN_UP = "out of cash", "closes for good"  # why, beside the shocks that close firms
LINK_AMOUNTS = ("importance", "flow", "stock", "ordered", "delivered")
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
    columns: dict[str, Array] = field(default_factory=dict)  # what mechanisms keep of each link, shape (L,) each

    @classmethod
    def at_rest(cls, plan: Blueprint, inventory_days: NDArray[np.float64]) -> Links:
        """Links of a balanced economy: stocks at target, orders and deliveries at their baseline flow."""
        days = np.repeat(inventory_days, np.diff(plan.ptr))
        out_ptr, out_link, out_flow = _by_supplier(plan.supplier, plan.flow, len(plan.firms))
        return cls(
            ptr=plan.ptr,
            supplier=plan.supplier,
            product=plan.product,
            importance=plan.importance,
            flow=plan.flow,
            stock=days * plan.flow,
            ordered=plan.flow.copy(),
            delivered=plan.flow.copy(),
            out_ptr=out_ptr,
            out_link=out_link,
            out_flow=out_flow,
        )

    def __post_init__(self) -> None:
        """Protect what a day does not change; `rewire` puts new arrays in place."""
        protect(*(getattr(self, name) for name in FIXED))

    def add(self, name: str, values: Array | float = 0.0) -> Array:
        """Add a column of the links (a mechanism's own state), shape (L,), and return it."""
        if name in self.columns or name in self.__dataclass_fields__:
            raise InputError(_taken(name, "Links.columns"))
        self.columns[name] = np.broadcast_to(np.asarray(values, dtype=np.float64), self.flow.shape).copy()
        return self.columns[name]

    def add_spare(self, buyer: Array, product: Array, supplier: Array) -> None:
        """Add spare links, shape (k,): contracts with a flow of 0, after the links of the same buyer and product.

        Rows of links move, so this must come before anybody adds columns (see `Mechanism.lay_out`).
        """
        if self.columns:
            raise RuntimeError(f"links have columns already ({', '.join(self.columns)}): too late for more rows")
        late = np.repeat([0, 1], [len(self), len(buyer)])
        order = np.lexsort((late, np.concatenate((self.product, product)), np.concatenate((self.buyer, buyer))))
        nothing = np.zeros(len(buyer))
        added = {"supplier": supplier, "product": product} | dict.fromkeys(LINK_AMOUNTS, nothing)
        for name, values in added.items():
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.asarray(values, dtype=old.dtype)))[order])
        count = np.diff(self.ptr) + np.bincount(buyer, minlength=len(self.ptr) - 1)
        self.ptr = np.concatenate(([0], np.cumsum(count))).astype(self.ptr.dtype)
        self.__dict__.pop("buyer", None)
        self.index()

    def rewire(self, links: Array, supplier: Array, flow: Array | None = None) -> None:
        """Give some links, rows of shape (k,), another supplier each, and another usual flow where ``flow`` is given.

        A link keeps its row, its product and its stock. One with a flow of 0 is spare: nothing is ordered through it.
        """
        from ecosim.kernels.links import regrouped

        rows = np.unique(links)
        before = self.supplier[rows]
        changed = self.supplier.copy()
        changed[links] = supplier
        self.supplier = changed
        if flow is not None:
            flows = self.flow.copy()
            flows[links] = flow
            self.flow = flows
        protect(self.supplier, self.flow)  # numba compiles arrays that may be written to once more
        index = self.out_ptr, self.out_link, self.out_flow
        self._put(regrouped(*index, rows, before, self.supplier, self.flow))

    def index(self) -> None:
        """Make the index by supplier anew, after arrays have been put in place."""
        self._put(_by_supplier(self.supplier, self.flow, len(self.ptr) - 1))

    def _put(self, index: tuple[Array, Array, Array]) -> None:
        self.out_ptr, self.out_link, self.out_flow = index
        self.__dict__.pop("client_of_out", None)
        self.__post_init__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Protect the arrays of a copy, too: copying and pickling forget it."""
        self.__dict__.update(state)
        self.__post_init__()

    def __len__(self) -> int:
        return len(self.flow)

    @cached_property
    def buyer(self) -> Array:
        """Buyer of each link, shape (L,)."""
        return np.repeat(np.arange(len(self.ptr) - 1, dtype=np.int32), np.diff(self.ptr))

    @cached_property
    def client_of_out(self) -> Array:
        """Client behind each entry of ``out_link``, shape of ``out_link``."""
        return self.buyer[self.out_link]


def _by_supplier(supplier: Array, flow: Array, firms: int) -> tuple[Array, Array, Array]:
    from ecosim.kernels.links import by_supplier

    protect(supplier, flow)  # numba compiles arrays that may be written to once more
    return by_supplier(supplier, flow, firms)


#: What shocks and policies can do to a firm of the core; mechanisms open further channels.
CORE_CHANNELS = {
    "capacity": "what a firm can still make, share",
    "demand": "what its customers still want, share of the usual",
    "stocks": "stocks of inputs that survive the night, share",
    "delivery": "what is on its way to a firm and gets there today, share",
    "buffer": "stock of inputs that a firm aims at, share of the usual",
}


def _nobody(channel: str) -> None:
    """No mechanism is known that would open a channel."""


class Sheet:
    """Today's multipliers, neutral (1) each morning. Shocks and policies write here and nowhere else.

    ``capacity`` scales what a firm can make, ``demand`` what its customers want; a mechanism opens the channels it
    listens to. Two events that touch the same firm multiply on the day, and nothing carries over to the next: effects
    compose, never compound, and always expire.
    """

    def __init__(self, rows: int) -> None:
        """Neutral multipliers for ``rows`` firms."""
        self.rows = rows
        self.channels: dict[str, str] = {}
        self.multipliers: dict[str, Array] = {}
        self.written: set[str] = set()
        self.cuts: list[tuple[Array, Array]] = []
        self.writer: int | str = ""  # who writes now: a shock by its place in the scenario, a mechanism by its kind
        self.witness: Callable[[str, Array | None, Array, int | str], None] | None = None  # lineage listens here
        self.opener: Callable[[str], str | None] = _nobody
        for name, meaning in CORE_CHANNELS.items():
            self.open(name, meaning)

    def open(self, channel: str, meaning: str) -> None:
        """Let a channel be written to; ``meaning`` says what it scales. One that is open stays as it is."""
        if channel not in self.channels:
            self.channels[channel] = meaning
            self.multipliers[channel] = np.ones(self.rows)

    def read(self, channel: str) -> Array | None:
        """Today's multipliers of a channel, shape (n,), or None where nobody wrote to it (or it is not open)."""
        return self.multipliers[channel] if channel in self.written else None

    def multiply(self, channel: str, rows: Array, factors: Array | float) -> None:
        """Scale a channel of some firms for today by finite factors of at least 0, one number or one a row."""
        self._know(channel)
        values = np.asarray(factors, dtype=np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise InputError(f"{channel} was multiplied by {factors!r}; give finite factors of at least 0")
        np.multiply.at(self.multipliers[channel], rows, values)
        self._wrote(channel, rows, values)

    def scale(self, channel: str, factors: Array) -> None:
        """Scale a channel of all firms for today by finite factors of at least 0, shape (n,) or one number."""
        self._know(channel)
        values = np.asarray(factors, dtype=np.float64)
        if values.shape not in {(), (self.rows,)}:
            raise InputError(
                f"{channel} was scaled by factors of shape {values.shape}; give one a firm, ({self.rows},)"
            )
        if not (values.min() >= 0.0 and values.max() < np.inf):
            raise InputError(f"{channel} was scaled by {factors!r}; give finite factors of at least 0")
        self.multipliers[channel] *= values
        self._wrote(channel, None, values)

    def cushion(self, channel: str, rows: Array, share: Array | float) -> None:
        """Give some firms, (k,) and each once, back a share (0 to 1) of what a channel lacks to 1 today.

        A channel that is not open, or that nobody wrote to, lacks nothing. Unlike a factor this helps where nothing is
        left; two cushions leave (1 - a) (1 - b) of the gap, in whatever order.
        """
        if self.read(channel) is None:
            return
        shares = np.asarray(share, dtype=np.float64)
        if not ((shares >= 0) & (shares <= 1)).all():
            raise InputError(f"{channel} was cushioned by {share!r}; give shares from 0 to 1")
        today = self.multipliers[channel]
        before = today[rows]
        today[rows] = before + shares * np.maximum(1.0 - before, 0.0)
        if self.witness is not None:
            eased = np.divide(today[rows], before, out=np.ones(len(before)), where=before > 0.0)
            self.witness(channel, rows, eased, self.writer)

    def _wrote(self, channel: str, rows: Array | None, factors: Array) -> None:
        self.written.add(channel)
        if self.witness is not None:
            self.witness(channel, rows, factors, self.writer)

    def cut(self, links: Array, left: Array | float) -> None:
        """Let only a share of today's orders through some links reach their suppliers, 0 to 1, one number or each."""
        shares = np.broadcast_to(np.asarray(left, dtype=np.float64), np.shape(links))
        if not ((shares >= 0) & (shares <= 1)).all():
            raise InputError(f"trade was cut to {left!r} of its usual; give shares from 0 to 1")
        self.cuts.append((links, shares))
        if self.witness is not None:
            self.witness("trade", links, shares, self.writer)

    def _know(self, channel: str) -> None:
        if channel not in self.multipliers:
            raise InputError(f"no channel {channel!r} on the sheet; {self.instead(channel)}")

    def instead(self, channel: str) -> str:
        """What to write instead of a channel that is not open, or who would open it."""
        kind = self.opener(channel)
        if kind is not None:
            return f"{channel} is opened by {kind}; add it to mechanisms"
        return hint(channel, self.channels)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the witness, which belongs to whoever watches this very run."""
        return self.__dict__ | {"witness": None}

    def reset(self) -> set[str]:
        """Make every channel neutral; return those that were not."""
        written, self.written = self.written, set()
        self.cuts.clear()
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
    horizon: int = 0  # days of the scenario
    memory: dict[str, dict[str, Array]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # what a reader of the run should know, in sentences
    sources: dict[str, str] = field(default_factory=dict)  # SHA-256 of each file that shocks were read from, by path
    mechanisms: Mapping[str, Any] = field(default_factory=dict)  # those switched on, by kind
    money: Money | None = None  # accounts and payments; finance opens them
    choices: Choices = field(default_factory=Choices)

    @classmethod
    def at_rest(
        cls, plan: Blueprint, streams: Streams, behaviour: Mapping[str, Array | float], headroom: float = 0.0
    ) -> World:
        """Return the unshocked economy of ``plan``.

        ``behaviour`` gives inventory_days and smoothing_days; ``headroom`` is spare capacity, a share of output.
        """
        rows = len(plan.firms)
        firms = Table(rows, FIRM_COLUMNS)
        for name, value in behaviour.items():
            firms.columns[name][:] = value
        links = Links.at_rest(plan, firms.inventory_days)
        bought = np.add.reduceat(np.append(links.flow, 0.0), links.ptr[:-1]) * (np.diff(links.ptr) > 0)
        firms.final_demand[:] = plan.firms.final_demand
        firms.output[:] = firms.final_demand + np.bincount(links.supplier, links.flow, minlength=rows)
        firms.potential[:] = firms.output * (1.0 + headroom)
        firms.capacity[:] = firms.potential
        for name in ("expected", "demand", "production"):
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

    def close(self, rows: Array, why: str) -> None:
        """Put some firms out of business: each keeps its row, and makes nothing until somebody takes it over."""
        self.firms.ensure("alive", 1.0)[rows] = 0.0
        self.happened(f"{CLOSES}{why}", rows, 0.0)

    def firm_name(self, row: int) -> str:
        """Readable name of a firm."""
        return self.plan.firm_name(row)
