"""Many small economies lived as one: replicates are blocks of one large economy, and no block trades with another.

The engine costs time by the firm and hardly any by the economy, so hundreds of replicates of sixty firms are lived in
the time of one town. Each block is an economy of its own replicate, with its own draws of who trades with whom and whom
a shock strikes. With the published core alone a block is to the bit what the same economy is by itself. With mechanisms
it is one only where these keep to a firm, its links or its region, because each block is one region:
`LEAK_FREE` says which do. Their draws are addressed by row, so a block's luck is then that of its rows in the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import Blueprint, Firms
from ecosim.build import build
from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.rng import Streams
from ecosim.shocks.hit import Hit
from ecosim.state import World
from ecosim.who import Who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecosim.economies.economy import Economy
    from ecosim.networks.wiring import Network

    type Array = NDArray[np.float64]
    type Rows = NDArray[np.int64]
    type Entries = dict[str, NDArray[Any]]

LEAK_FREE: dict[str, dict[str, Any]] = {
    "recovery": {},
    "continuity": {},
    "learning": {},
    "experiments": {},
    "workforce": {},
    "automation": {},
    "autonomy": {},
    "collaboration": {},
    "sourcing": {"local_share": 1.0, "attachment": 1.0, "link_survival": 1.0},
}
"""Mechanisms that keep to a block, and the values without which they do not: whoever seeks suppliers elsewhere, by
powers of numbers of clients that do not add up exactly, or changes them in pairs drawn from all links, meets others."""
ENTRIES = ("rows", "day", "first", "left", "clock", "number", "origin")  # of `ecosim.shocks.hit.Hit`


@dataclass(frozen=True, eq=False)
class Blocks:
    """Economies of equally many firms: ``parts``, one a replicate, and ``whole``, all of them side by side.

    Firm i of replicate k is row k x firms + i of the whole; replicates are counted from 0.
    """

    parts: tuple[Blueprint, ...]
    seed: int

    @property
    def firms(self) -> int:
        """Firms of a block."""
        return len(self.parts[0].firms)

    @cached_property
    def whole(self) -> Blueprint:
        """All blocks as one economy, each in a region of its own."""
        return merge(self.parts)

    @cached_property
    def calm(self) -> tuple[World, ...]:
        """Each block at rest by itself, for whoever asks whom a shock would strike there."""
        stocks = {"inventory_days": 1.0, "smoothing_days": 1.0}  # nobody is struck for the stocks of others
        return tuple(World.at_rest(part, Streams(self.seed, at), stocks) for at, part in enumerate(self.parts))

    def by_block(self, values: Array) -> Array:
        """Values of firms, shape (R n,), as (R, n)."""
        return values.reshape(len(self.parts), self.firms)


def blocks(economy: Economy, network: Network, *, seed: int, replicates: int) -> Blocks:
    """Build so many replicates of an economy."""
    return Blocks(tuple(build(economy, network, Streams(seed, replicate)) for replicate in range(replicates)), seed)


def merge(parts: Sequence[Blueprint]) -> Blueprint:
    """Lay economies side by side: rows, customers and regions of each after those of the one before.

    All need as many firms and the same sectors; regions become one a block. Raises InputError otherwise.
    """
    if not parts:
        raise InputError("there are no economies to lay side by side; give one or more")
    first, n = parts[0], len(parts[0].firms)
    for at, part in enumerate(parts):
        if len(part.firms) != n or part.firms.sector_names != first.firms.sector_names:
            raise InputError(f"economy {at} has {len(part.firms)} firms, the first {n}; blocks need equal numbers")
    people = len(first.customer_names)

    def joined(name: str, of: Any = lambda part: part.firms) -> NDArray[Any]:
        return np.concatenate([getattr(of(part), name) for part in parts])

    def itself(part: Blueprint) -> Blueprint:
        return part

    offset = np.repeat(np.arange(len(parts)), [len(part.flow) for part in parts])
    firms = Firms(
        sector=joined("sector"),
        sector_names=first.firms.sector_names,
        region=np.repeat(np.arange(len(parts), dtype=np.int32), n),
        region_names=tuple(f"Block {at + 1}" for at in range(len(parts))),
        x=joined("x"),
        y=joined("y"),
        size=joined("size"),
        final_demand=joined("final_demand"),
        role=joined("role"),
    )
    shift = np.repeat(np.arange(len(parts), dtype=np.int32) * np.int32(people), n)
    ends = np.concatenate([[0], np.cumsum([len(part.flow) for part in parts])])
    return Blueprint(
        firms=firms,
        ptr=np.concatenate([*(part.ptr[:-1] + ends[at] for at, part in enumerate(parts)), ends[-1:]]).astype(np.int64),
        supplier=(joined("supplier", itself) + offset * n).astype(np.int32),
        product=joined("product", itself),
        flow=joined("flow", itself),
        importance=joined("importance", itself),
        customer=(joined("customer", itself) + shift).astype(np.int32),
        customer_names=tuple(f"{name}, block {at + 1}" for at in range(len(parts)) for name in first.customer_names),
    )


# --- shocks ----------------------------------------------------------------------------------------------------------


def strikes(shocks: Sequence[Hit], of: Blocks, scenario: Scenario) -> list[Entries]:
    """Whom each shock strikes in each block, when and how hard, as it would strike that replicate by itself.

    One set of entries a shock, with rows of the whole. Who is struck is drawn by firm and replicate, so it is the same
    on every structure unless ``who`` asks for the structure.
    """
    found: list[list[Entries]] = [[] for _ in shocks]
    for at, calm in enumerate(of.calm):
        world = replace(calm, memory={}, remarks=[], events=[], horizon=scenario.days)
        for place, shock in enumerate(shocks):
            shock.prepare(world, world.streams[f"shock: {shock.label}"], f"shocks.{place}")
            kept = world.memory[shock.label]
            found[place].append({**kept, "rows": kept["rows"] + at * of.firms})
    return [{name: np.concatenate([one[name] for one in each]) for name in ENTRIES} for each in found]


def bare(shock: Hit) -> Hit:
    """Strip a shock of whom it strikes and when: entries say so instead."""
    return shock.model_copy(update={"who": Who(), "when": 0, "severity": 1.0, "contagion": None})


# --- days ------------------------------------------------------------------------------------------------------------


class BlockEconomy(Ecosystem):
    """An ecosystem that measures every block by itself, and nothing of the whole.

    ``made`` and ``sold`` hold production and final consumption of each block on each day, shape (days, R);
    ``taken`` what the shocks took, in days of a firm's whole means, shape (R,).
    """

    def __init__(self, scenario: Scenario, of: Blocks, entries: Sequence[Entries] = (), level: float = 1.0) -> None:
        """Lay out the blocks at rest, with the scenario's shocks as ``entries`` say, at a share of their severity."""
        shocks: tuple[Any, ...] = scenario.shocks
        self.of = of
        super().__init__(
            scenario.model_copy(update={"shocks": tuple(bare(shock) for shock in shocks)}),
            rng=of.seed,
            blueprint=of.whole,
        )
        many = len(of.parts)
        self.made, self.sold, self.taken = (
            np.zeros((scenario.days, many)),
            np.zeros((scenario.days, many)),
            np.zeros(many),
        )
        self._entries: list[Entries] = []
        for shock, given in zip(shocks, entries, strict=True):
            own = {name: values.copy() for name, values in given.items()} | {"first": level * given["first"]}
            self.world.memory[shock.label] = own
            self._entries.append(own)

    def _measure(self, failing: int) -> None:
        world, of = self.world, self.of
        if world.day < 0:
            return
        self.made[world.day] = of.by_block(world.firms.production).sum(axis=1)
        self.sold[world.day] = of.by_block(world.firms.consumption).sum(axis=1)
        if any(entries["left"].any() for entries in self._entries):
            whole = np.ones(world.firms.rows)
            for entries in self._entries:
                np.multiply.at(whole, entries["rows"], 1.0 - np.minimum(entries["left"], 1.0))
            self.taken += of.by_block(1.0 - whole).sum(axis=1)

    def live(self) -> BlockEconomy:
        """Live all days of the scenario."""
        self.run_for(self.scenario.days)
        return self


def refuse_leaks(scenario: Scenario, where: str) -> None:
    """Raise InputError for mechanisms that do not keep to a block."""
    mechanisms: tuple[Any, ...] = scenario.mechanisms
    for at, part in enumerate(mechanisms):
        if part.kind not in LEAK_FREE:
            raise InputError(
                f"{where}.mechanisms.{at}.kind: {part.kind} reaches beyond a firm's own region, so replicates would "
                f"not be independent; choose from {', '.join(LEAK_FREE)}"
            )
        for name, value in LEAK_FREE[part.kind].items():
            if getattr(part, name) != value:
                raise InputError(
                    f"{where}.mechanisms.{at}.{name}: {getattr(part, name)!r} lets replicates meet; set {value:g}"
                )


def alone(of: Blocks, at: int) -> Blocks:
    """One block, as the only one: with the core alone it lives to the bit as it does among others."""
    return replace(of, parts=(of.parts[at],))
