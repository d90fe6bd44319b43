"""Mesa's sets of agents as arrays of row numbers, and the roster of agents that have been touched."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, ClassVar

import mesa
import numpy as np

from ecosim.agents import CORE_DECISIONS, SMB, ColumnAgent, Customer, Firm, Supplier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.state import World


class Roster:
    """Which class each row has, and the agents that have been touched so far."""

    stock_classes: ClassVar[tuple[type[ColumnAgent], ...]] = (SMB, Supplier, Customer)

    def __init__(self, model: Any, world: World, classes: list[type[ColumnAgent]], kind: NDArray[np.int16]) -> None:
        """``kind`` (firms + customers,) indexes ``classes``."""
        self.model, self.world, self.classes, self.kind = model, world, classes, kind
        self.touched: dict[int, ColumnAgent] = {}

    def agent(self, row: int, *, set_up: bool = True) -> ColumnAgent:
        """Return the agent of a row (firms first, then customers), made on first touch and kept."""
        agent = self.touched.get(row)
        if agent is None:
            firms = self.world.firms.rows
            if not 0 <= row < len(self.kind):
                raise IndexError(f"no agent {row}: rows run from 0 to {len(self.kind) - 1}")
            cls = self.classes[self.kind[row]]
            agent = cls.__new__(cls)
            agent.model, agent.unique_id, agent.pos, agent._world = self.model, row + 1, None, self.world
            agent._table = self.world.firms if row < firms else self.world.customers
            agent._row = row if row < firms else row - firms
            self.touched[row] = agent
            if set_up:
                try:
                    agent.setup()
                except BaseException:
                    del self.touched[row]
                    raise
        return agent

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Let go of the agents of some rows: whoever is touched there next is a new one of the same class."""
        for row in rows.tolist():
            self.touched.pop(row, None)

    def overriding(self, decision: str) -> NDArray[np.int64]:
        """Rows whose class overrides a decision of the stock rule."""
        stock = getattr(Firm, decision)
        own = [
            at for at, cls in enumerate(self.classes) if issubclass(cls, Firm) and getattr(cls, decision) is not stock
        ]
        return np.flatnonzero(np.isin(self.kind, own)) if own else np.empty(0, dtype=np.int64)


class Rows(mesa.agentset.AbstractAgentSet):  # type: ignore[type-arg]
    """A set of agents as row numbers: Mesa's agent set, on columns where it can be, on agents where it must."""

    def __init__(self, agents: Any, random: Any = None, *, roster: Roster | None = None) -> None:
        """Make a set of agents, given as agents (as Mesa does) or, with ``roster``, as an array of row numbers."""
        if roster is None:
            members = list(dict.fromkeys(agents))
            if not members:
                raise ValueError("an empty set of agents needs its roster: use where() or select() on a full set")
            roster = members[0].model.roster
            agents = [agent.unique_id - 1 for agent in members]
        self.roster: Roster = roster
        self.rows: NDArray[np.int64] = np.asarray(agents, dtype=np.int64)
        self.random = random

    def _of(self, rows: Any) -> Rows:
        return Rows(rows, self.random, roster=self.roster)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Any:
        return map(self.roster.agent, self.rows.tolist())

    def __getitem__(self, item: int | slice) -> Any:
        """Return one agent, or a set of several."""
        rows = self.rows[item]
        return self._of(rows) if isinstance(item, slice) else self.roster.agent(int(rows))

    def __contains__(self, agent: object) -> bool:
        return (
            isinstance(agent, ColumnAgent)
            and agent._world is self.roster.world
            and bool(np.any(self.rows == agent.unique_id - 1))
        )

    @property
    def _agents(self) -> dict[ColumnAgent, None]:
        return dict.fromkeys(self)

    def _update(self, agents: Any) -> Rows:
        self.rows = np.array([agent.unique_id - 1 for agent in agents], dtype=np.int64)
        return self

    def to_list(self) -> list[Any]:
        """All agents of the set, made if need be."""
        return list(self)

    def _column(self, name: str) -> NDArray[np.float64] | None:
        """Values of a column for these rows, or None when not all rows have it."""
        firms = self.roster.world.firms.rows
        if not len(self.rows):
            return np.empty(0)
        low, high = int(self.rows.min()), int(self.rows.max())
        for table, start, end in (
            (self.roster.world.firms, 0, firms),
            (self.roster.world.customers, firms, len(self.roster.kind)),
        ):
            if start <= low and high < end and name in table.columns:
                values: NDArray[np.float64] = table.columns[name][self.rows - start]
                return values
        return None

    def array(self, name: str) -> NDArray[np.float64]:
        """Values of a column, shape (agents,)."""
        values = self._column(name)
        if values is None:
            raise AttributeError(f"not every agent of this set has a column {name!r}")
        return values

    def get(self, attr_names: Any, handle_missing: str = "error", default_value: Any = None) -> list[Any]:
        """Values of one attribute, or of several, of each agent."""
        if handle_missing not in {"error", "default"}:
            raise ValueError(f"handle_missing = {handle_missing!r}: use 'error' or 'default'")
        if isinstance(attr_names, str):
            values = self._column(attr_names)
            if values is not None:
                return list(values.tolist())
            if handle_missing == "error":
                return [getattr(agent, attr_names) for agent in self]
            return [getattr(agent, attr_names, default_value) for agent in self]
        columns = [self.get(name, handle_missing, default_value) for name in attr_names]
        return [list(values) for values in zip(*columns, strict=True)]

    def agg(self, attribute: str, func: Any) -> Any:
        """Aggregate an attribute by one function or several."""
        if not callable(func):
            return [self.agg(attribute, each) for each in func]
        column = self._column(attribute)
        fast: Any = {sum: np.sum, min: np.min, max: np.max}.get(func, func if _is_numpys(func) else None)
        # Functions of your own get a list, as Mesa gives them one.
        found = fast(column) if column is not None and fast is not None else func(self.get(attribute))
        return found.item() if isinstance(found, np.generic) else found

    def set(self, attr_name: str, value: Any) -> Rows:  # type: ignore[override]
        """Set an attribute of all agents; on columns only a firm's own plans can be set."""
        for agent in self:
            setattr(agent, attr_name, value)
        return self

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the agents for which ``mask`` (agents,) is true, without making any."""
        return self._of(self.rows[np.asarray(mask, dtype=bool)])

    def select(
        self,
        filter_func: Any = None,
        at_most: int | float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> Rows:
        """Select agents by type, by a function of the agent, and up to a number or share of them."""
        rows = self.rows
        limit = int(len(rows) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        if agent_type is not None:
            right = [at for at, cls in enumerate(self.roster.classes) if issubclass(cls, agent_type)]
            rows = rows[np.isin(self.roster.kind[rows], right)]
        if filter_func is not None:
            chosen: list[int] = []
            for row in rows.tolist():
                if len(chosen) >= limit:
                    break
                if filter_func(self.roster.agent(row)):
                    chosen.append(row)
            rows = np.array(chosen, dtype=np.int64)
        rows = rows if limit == float("inf") else rows[: max(0, math.ceil(limit))]
        if inplace:
            self.rows = rows
            return self
        return self._of(rows)

    def sort(self, key: Any, ascending: bool = False, inplace: bool = False) -> Rows:
        """Sort by an attribute or a function of the agent; ties keep their order."""
        column = self._column(key) if isinstance(key, str) else None
        if column is not None:
            order = np.argsort(column if ascending else -column, kind="stable")
        else:
            value = operator.attrgetter(key) if isinstance(key, str) else key
            values = [value(agent) for agent in self]
            order = np.array(sorted(range(len(values)), key=values.__getitem__, reverse=not ascending), dtype=np.int64)
        return self._moved(self.rows[order], inplace)

    def shuffle(self, inplace: bool = False) -> Rows:
        """Put the agents in random order, from the model's Mesa generator."""
        rows = self.rows.tolist()
        self.random.shuffle(rows)
        return self._moved(np.array(rows, dtype=np.int64), inplace)

    def _moved(self, rows: NDArray[np.int64], inplace: bool) -> Rows:
        if not inplace:
            return self._of(rows)
        self.rows = rows
        return self

    def do(self, method: Any, *args: Any, **kwargs: Any) -> Rows:
        """Call a method on each agent. A decision runs compiled for firms that keep the stock rule."""
        if isinstance(method, str) and method in CORE_DECISIONS and not args and not kwargs:
            self.roster.model.decide(method, self.rows)
            return self
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: Any, *args: Any, **kwargs: Any) -> Rows:
        """Call a method on each agent in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Call a method or a function on each agent and return the results."""
        if isinstance(method, str):
            return [getattr(agent, method)(*args, **kwargs) for agent in self]
        return [method(agent, *args, **kwargs) for agent in self]

    def groupby(self, by: Any, result_type: str = "agentset") -> Any:
        """Group by an attribute or a function of the agent."""
        values = [by(agent) for agent in self] if callable(by) else self.get(by)
        groups: dict[Any, list[int]] = {}
        for value, row in zip(values, self.rows.tolist(), strict=True):
            groups.setdefault(value, []).append(row)
        sets: dict[Any, Any] = {value: self._of(rows) for value, rows in groups.items()}
        if result_type == "list":
            sets = {value: list(members) for value, members in sets.items()}
        return mesa.agentset.GroupBy(sets)

    def _from_iterable(self, agents: Any) -> Rows:  # type: ignore[override]
        """Make the result of ``|``, ``&``, ``-`` and ``^``: each agent once, in order."""
        rows = list(dict.fromkeys(agent.unique_id - 1 for agent in agents))
        return self._of(np.array(rows, dtype=np.int64))

    def copy(self) -> Rows:
        """Return a set of the same agents."""
        return self._of(self.rows.copy())

    def add(self, agent: Any) -> None:
        """Add an agent of the same economy to this set."""
        if not isinstance(agent, ColumnAgent):
            raise TypeError(
                f"{type(agent).__name__} cannot join an Ecosystem: its agents are rows of the economy; "
                "subclass SMB, Supplier or Customer and name your class in economy.agents"
            )
        if agent._world is not self.roster.world:
            raise TypeError(f"agent {agent.unique_id} belongs to another economy and cannot join this set")
        if agent not in self:
            self.rows = np.append(self.rows, agent.unique_id - 1)

    def discard(self, agent: Any) -> None:
        """Take an agent out of this set (it stays in the economy)."""
        if agent in self:
            self.rows = self.rows[self.rows != agent.unique_id - 1]

    def remove(self, agent: Any) -> None:
        """Take an agent out of this set, or raise KeyError."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)


def _is_numpys(func: Any) -> bool:
    return isinstance(func, np.ufunc) or (getattr(func, "__module__", None) or "").split(".")[0] == "numpy"
