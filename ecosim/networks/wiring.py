"""What every network does: choose, for each slot of each buyer, the firm that supplies it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, model_validator

from ecosim.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    import networkx as nx
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots

    type Some = NDArray[np.intp] | slice
    """Which slots: their indices, or a slice of all of them."""

ROUNDS = 16
"""Times a refused wish is drawn anew before the next free firm is taken: fewer than 1 in 10^6 slots get that far
unless the firms a slot may choose from are nearly used up."""


class Network(Part, ABC):
    """A structure: who supplies whom. Firms, slots and total flow are given and equal across structures.

    A class of your own needs ``wire``, or derives from `GeneratedNetwork` and needs ``generate``; a scenario names
    it ``package.module:Name``.
    """

    kind: str = ""
    """Name of the structure."""
    suppliers: int = Field(default=5, ge=1, le=1000)
    """Suppliers per firm (links)."""

    @model_validator(mode="before")
    @classmethod
    def _know_own_name(cls, data: Any) -> Any:
        """A class without a kind of its own is known by where it stands, so that it survives a round trip to YAML."""
        if isinstance(data, dict) and not data.get("kind") and cls.model_fields["kind"].default == "":
            return {**data, "kind": f"{cls.__module__}:{cls.__qualname__}"}
        return data

    @abstractmethod
    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        """Row of the supplier of each slot, shape (L,); -1 where the structure leaves a slot empty."""


class GeneratedNetwork(Network):
    """A structure drawn as one whole graph, with an edge from each supplier to each of its buyers.

    For graphs from a generator or a formula. A firm may have fewer suppliers than slots (the others
    stay empty), not more.
    """

    @abstractmethod
    def generate(self, n: int, rng: np.random.Generator) -> nx.DiGraph[int]:
        """Graph on the firms 0..n-1 with an edge supplier -> buyer for each supply link."""

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        """Each buyer's in-neighbours fill its slots in ascending order; slots left over are -1."""
        n = len(firms)
        name = type(self).__name__
        if len(slots.product) and slots.product.max() >= 0:
            raise ValueError(
                f"{name}: a network that generates a whole graph needs an economy without a table "
                "(economy.kind: uniform), because it cannot know which product each slot asks for"
            )
        graph = self.generate(n, rng)
        strangers = [node for node in graph if not (isinstance(node, int | np.integer) and 0 <= node < n)]
        if strangers:
            raise ValueError(f"{name}: nodes must be the firms 0..{n - 1}, found {strangers[:3]!r}")
        supplier = np.full(len(slots.product), -1, np.int32)
        for buyer in sorted(graph):
            rows = sorted(set(graph.predecessors(buyer)))
            first, room = int(slots.ptr[buyer]), int(slots.ptr[buyer + 1] - slots.ptr[buyer])
            if buyer in rows:
                raise ValueError(f"{name}: firm {buyer} supplies itself; leave self-loops out of the graph")
            if len(rows) > room:
                raise ValueError(
                    f"{name}: firm {buyer} has {len(rows)} suppliers in the graph and {room} slots; "
                    f"raise network.suppliers to {len(rows)} or draw fewer edges"
                )
            supplier[first : first + len(rows)] = rows
        return supplier


@dataclass(frozen=True)
class Places:
    """Where each slot may look for a supplier: a stretch of ``members``, the firms of all pools laid end to end.

    The pool of a slot is ``members[start : start + size]``: the firms of the sector it asks for, or all firms.
    A buyer's position is ``own`` of ``home``: its place among the firms of its own sector (among all firms, for a
    slot that any firm may fill). ``inside`` tells whether the buyer stands in the pool itself. Shapes (L,) but for
    ``members`` (2 n,) and ``ptr`` (n + 1,).
    """

    ptr: NDArray[np.int64]
    members: NDArray[np.int32]
    pool: NDArray[np.int32]
    buyer: NDArray[np.int32]
    start: NDArray[np.int64]
    size: NDArray[np.int64]
    own: NDArray[np.int64]
    home: NDArray[np.int64]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, firms: Firms, slots: Slots, order: NDArray[Any] | None = None) -> Places:
        """Lay out the pools; firms stand in each by ``order`` (a number per firm), without one by row."""
        sector, n = firms.sector, len(firms)
        sectors = 1 + max(int(sector.max(initial=-1)), int(slots.product.max(initial=-1)))
        all_firms = np.arange(n) if order is None else np.argsort(order, kind="stable")
        by_sector = all_firms[np.argsort(sector[all_firms], kind="stable")]
        count = np.append(np.bincount(sector, minlength=sectors), n)
        first = np.cumsum(count) - count
        place = np.empty(n, np.int64)
        place[by_sector] = np.arange(n) - first[sector[by_sector]]
        rank = np.empty(n, np.int64)
        rank[all_firms] = np.arange(n)
        buyer = slots.buyer
        anyone = slots.product < 0
        pool = np.where(anyone, np.int32(sectors), slots.product)
        return cls(
            ptr=slots.ptr,
            members=np.concatenate([by_sector, all_firms]).astype(np.int32),
            pool=pool,
            buyer=buyer,
            start=first[pool],
            size=count[pool],
            own=np.where(anyone, rank[buyer], place[buyer]),
            home=np.where(anyone, n, count[sector[buyer]]),
            inside=anyone | (slots.product == sector[buyer]),
        )

    @property
    def seat(self) -> NDArray[np.int64]:
        """The buyer's position carried over into the pool, 0..size-1: its own one where it stands in the pool."""
        return (2 * self.own + 1) * self.size // (2 * self.home)

    @property
    def anyone(self) -> NDArray[np.bool_]:
        """Whether any firm may fill the slot: the pool of all firms stands after those of the sectors."""
        return np.asarray(self.start == len(self.ptr) - 1)

    def turns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of the slots of the same buyer in the same pool: how many come before, and how many there are."""
        from ecosim.kernels.wiring import turns

        turn, many = turns(self.ptr, self.pool, int(self.pool.max(initial=0)) + 1)
        return turn, many

    def anywhere(self, rng: np.random.Generator, some: Some) -> NDArray[np.int64]:
        """A place drawn evenly from the pool, for each of ``some`` slots."""
        return self.start[some] + evenly(rng, self.size[some])

    def fill(
        self,
        rng: np.random.Generator,
        draw: Callable[[Some], NDArray[np.int64]],
        window: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
        overflow: bool = False,
        yields: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int32]:
        """Turn wishes into suppliers: nobody supplies itself, and no buyer has the same supplier twice.

        ``draw`` gives a place for each of some slots, inside ``window`` (first place and the one after the last; the
        pool where not given), and is asked again for slots whose wish cannot be granted. Slots that ``yields`` give
        way to the others of their buyer. A slot stays empty (-1) only where its whole window is used up, or with
        ``overflow`` its whole pool.
        """
        pool = (self.start, self.start + self.size)
        low, high = pool if window is None else window
        # Slots that name a product are served before those that any firm may fill: the others can step aside.
        late = 2 * self.anyone.astype(np.uint8)
        if yields is not None:
            late += yields
        place = np.where(high > low, draw(slice(None)), -1)
        self._settle(place, draw, low, high, late)
        if overflow and window is not None and (place < 0).any():
            late = late // 2 * 2 + (place < 0)

            def elsewhere(some: Some) -> NDArray[np.int64]:
                return self.anywhere(rng, some)

            place = np.where((place < 0) & (self.size > 0), elsewhere(slice(None)), place)
            self._settle(place, elsewhere, *pool, late)
        return np.where(place >= 0, self.members[place], np.int32(-1))

    def _settle(
        self,
        place: NDArray[np.int64],
        draw: Callable[[Some], NDArray[np.int64]],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        late: NDArray[np.uint8],
    ) -> None:
        """Draw refused wishes again, some rounds, then take the next free place; writes into ``place``."""
        from ecosim.kernels.wiring import settle

        for _ in range(ROUNDS):
            refused = np.flatnonzero(settle(self.ptr, self.members, low, high, late, False, place))
            if not len(refused):
                break
            again = draw(refused)
            if (again == place[refused]).all():
                break  # a structure that leaves nothing to chance
            place[refused] = again
        settle(self.ptr, self.members, low, high, late, True, place)


def evenly(rng: np.random.Generator, width: NDArray[np.int64]) -> NDArray[np.int64]:
    """A whole number from 0 to ``width`` - 1, each as likely as the next (0 where the width is 0)."""
    return (rng.random(len(width)) * width).astype(np.int64)


def one_regime(slots: Slots, kind: str) -> None:
    """Refuse slots of which some name a product and others do not, for structures that put all firms in one order."""
    named = slots.product >= 0
    if named.any() and not named.all():
        raise ValueError(f"network.kind: {kind} needs slots that either all name a product or none of which does")
