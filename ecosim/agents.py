"""The agents: small businesses, suppliers and communities of customers, as genuine Mesa agents over columns.

An agent is made when somebody first touches it and holds no numbers of its own: its attributes read and write its row
of the model's columns. A model of a million firms therefore costs no objects until you ask for one, and a class of
yours that overrides a *decision* (``order``, ``expect``) runs Python for its own firms only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from ecosim.choices import is_amount
from ecosim.state import CUSTOMER_COLUMNS, FIRM_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ecosim.state import Table, World

#: What a firm decides by itself every day, in that order; a subclass may override each.
CORE_DECISIONS = ("expect", "order")
#: What it decides where a mechanism asks for it.
DECISIONS_OF = {"choose_supplier": "sourcing", "invest": "judgement", "price": "pricing", "borrow": "finance"}
DECISIONS = (*CORE_DECISIONS, *DECISIONS_OF)
#: What the engine alone does, so that goods always add up.
SETTLEMENT = frozenset({"produce", "ship", "ration", "settle", "receive", "sell"})
#: Columns that are a firm's own plans; all others are results, which only the engine writes.
PLANS = frozenset({"expected", "inventory_days", "smoothing_days"})


class Column:
    """An attribute of an agent that lives in its row of the column of that name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = {**FIRM_COLUMNS, **CUSTOMER_COLUMNS}[name]

    def __get__(self, agent: ColumnAgent | None, owner: type) -> Any:
        if agent is None:
            return self
        return agent._table.views[self.name][agent._row]

    def __set__(self, agent: ColumnAgent, value: float) -> None:
        if self.name not in PLANS:
            raise AttributeError(
                f"{type(agent).__name__}.{self.name} is a result that only the engine writes, so that goods add up; "
                f"an agent may set {', '.join(sorted(PLANS))}"
            )
        least = "> 0" if self.name == "smoothing_days" else ">= 0"
        if not is_amount(value) or (value == 0 and least == "> 0"):
            raise ValueError(f"{type(agent).__name__} {agent.unique_id}: {self.name} = {value!r}: not a number {least}")
        agent._table.columns[self.name][agent._row] = value


class ColumnAgent(mesa.Agent):  # type: ignore[type-arg]
    """A Mesa agent whose numbers live in a row of its model's columns."""

    unique_id: int  # type: ignore[assignment]  # Mesa's own annotation is None
    _table: Table
    _row: int
    _world: World

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse subclasses that would touch results or settlement, when the class is written."""
        super().__init_subclass__(**kwargs)  # type: ignore[no-untyped-call]
        mine = [base for base in cls.__mro__[: cls.__mro__.index(ColumnAgent)] if base.__module__ != __name__]
        own = {name for base in mine for name in vars(base)}
        for name in sorted(own):
            inherited = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
            if name in SETTLEMENT or any(isinstance(each, Column) for each in inherited):
                raise TypeError(
                    f"{cls.__name__}.{name}: settlement is the engine's and cannot be overridden; "
                    f"a class may override the decisions {', '.join(DECISIONS)}"
                )

    def __init__(self, model: Any, *args: Any, **kwargs: Any) -> None:
        """Refuse: agents are rows of the economy and are made when they are first touched."""
        raise TypeError(
            f"{type(self).__name__} cannot be made by hand: agents are rows of the economy; "
            "name your class in economy.agents, or give Ecosystem(agents=...)"
        )

    def __repr__(self) -> str:
        """Say who it is, and when."""
        return f"<{type(self).__name__} {self._name!r}, day {self._world.day}>"

    def __getattr__(self, name: str) -> Any:
        """Return what a mechanism keeps of this agent, such as ``cash``."""
        table = self.__dict__.get("_table")
        if table is not None and name in table.columns:
            return table.views[name][self._row]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def _name(self) -> str:
        firms = self._world.firms.rows
        row = self.unique_id - 1
        return self._world.firm_name(row) if row < firms else str(self._world.plan.customer_names[row - firms])

    def setup(self) -> None:
        """Prepare attributes of your own; called once, when the agent is first touched."""

    def remove(self) -> None:
        """Refuse: rows never move, and a firm leaves the economy only by going out of business."""
        raise TypeError(f"agent {self.unique_id} cannot be removed: its row is part of the economy's accounts")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as a plain object, with whatever attributes the agent was given."""
        return (_blank, (type(self),), self.__dict__)


def _blank(cls: type[ColumnAgent]) -> ColumnAgent:
    return cls.__new__(cls)


class Firm(ColumnAgent):
    """What small businesses and suppliers share: a place in the network, stocks of inputs, and two decisions.

    Each column is explained, with its unit, in ``ecosim.state.FIRM_COLUMNS``.
    """

    output = Column()
    potential = Column()
    final_demand = Column()
    wanted = Column()
    capacity = Column()
    ceiling = Column()
    expected = Column()
    demand = Column()
    production = Column()
    consumption = Column()
    lost = Column()
    inventory_days = Column()
    smoothing_days = Column()
    value_added_share = Column()
    produced = Column()
    lowest = Column()
    failed_on = Column()

    @property
    def name(self) -> str:
        """The firm's name."""
        return self._name

    @property
    def sector(self) -> str:
        """Name of the sector it works in."""
        firms = self._world.plan.firms
        return str(firms.sector_names[firms.sector[self._row]])

    @property
    def region(self) -> str:
        """Name of the region it lies in."""
        firms = self._world.plan.firms
        return str(firms.region_names[firms.region[self._row]])

    def _links(self, name: str) -> NDArray[np.float64]:
        links = self._world.links
        view: NDArray[np.float64] = getattr(links, name)[links.ptr[self._row] : links.ptr[self._row + 1]].view()
        view.flags.writeable = False
        return view

    @property
    def flow(self) -> NDArray[np.float64]:
        """Baseline purchases from each supplier, shape (suppliers,), currency units a day."""
        return self._links("flow")

    @property
    def stock(self) -> NDArray[np.float64]:
        """Stock of each supplier's goods, shape (suppliers,), currency units."""
        return self._links("stock")

    @property
    def ordered(self) -> NDArray[np.float64]:
        """Today's orders to each supplier, shape (suppliers,), currency units a day."""
        return self._links("ordered")

    @property
    def delivered(self) -> NDArray[np.float64]:
        """Today's deliveries from each supplier, shape (suppliers,), currency units a day."""
        return self._links("delivered")

    @property
    def suppliers(self) -> list[Firm]:
        """The firms it buys from, in the order of ``flow``, ``stock``, ``ordered`` and ``delivered``."""
        return [self.model.agent(row) for row in self._links("supplier").tolist()]

    @property
    def clients(self) -> list[Firm]:
        """The firms that buy from it."""
        links = self._world.links
        own = links.out_link[links.out_ptr[self._row] : links.out_ptr[self._row + 1]]
        return [self.model.agent(row) for row in (np.searchsorted(links.ptr, own, side="right") - 1).tolist()]

    @property
    def customer(self) -> Customer:
        """The community that buys its final goods."""
        world = self._world
        found: Customer = self.model.agent(world.firms.rows + int(world.plan.customer[self._row]))
        return found

    def expect(self) -> float:
        """Decide how much to plan for: the stock rule is yesterday's production (Inoue & Todo 2019)."""
        return float(self.production)

    def order(self) -> NDArray[np.float64] | Sequence[float]:
        """Decide what to order from each supplier today, shape (suppliers,), currency units a day, each >= 0.

        The stock rule replaces what will be used and closes the gap to the target stock over the smoothing time:
        ``max(0, A E/P0 + (n A E/P0 - S) / tau)`` (Inoue & Todo 2019, after Hallegatte 2008).
        """
        use: NDArray[np.float64] = self.flow * (self.expected / self.output if self.output > 0 else 1.0)
        gap = self.inventory_days * use - self.stock
        return np.asarray(np.maximum(0.0, use + gap / self.smoothing_days))

    def choose_supplier(self, candidates: NDArray[np.int64]) -> int:
        """Decide whom to buy from instead: the row of one of ``candidates``, or -1 for none of them (sourcing)."""
        return int(self._rule("choose_supplier")(self, candidates))

    def invest(self, options: Mapping[str, float]) -> str | None:
        """Decide what to spend on today: one of ``options`` (name -> cost, currency units), or None (judgement)."""
        chosen: str | None = self._rule("invest")(self, options)
        return chosen

    def price(self) -> float:
        """Decide tomorrow's price, 1 at rest; asked on evenings on which it may be changed (pricing)."""
        return float(self._rule("price")(self))

    def borrow(self, need: float) -> float:
        """Decide how much of what is missing to draw from the credit line, currency units (finance)."""
        return float(self._rule("borrow")(self, need))

    def _rule(self, decision: str) -> Any:
        """The stock rule of a mechanism for one agent, in plain Python; tested equal to what the mechanism does."""
        kind = DECISIONS_OF[decision]
        part = self._world.mechanisms.get(kind)
        if part is None:
            raise TypeError(f"{decision} is decided only where the mechanism {kind} is on; add it to mechanisms")
        return getattr(part, decision)


class SMB(Firm):
    """A small or medium-sized business that sells mostly to customers."""


class Supplier(Firm):
    """A business that sells more than half of its output to other businesses."""


class Customer(ColumnAgent):
    """A community of households that buys from the businesses of its region."""

    budget = Column()
    spent = Column()
    unmet = Column()

    @property
    def name(self) -> str:
        """The community's name."""
        return self._name
