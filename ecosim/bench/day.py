"""The engine's day beside the bare kernels of the same rules, and how its cost grows with the number of firms.

The engine's day includes agents, shocks, metrics and firm records; the bare kernel is the arithmetic alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.bench.line import Line
from ecosim.config import Scenario
from ecosim.kernels.day import day_kernels
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ecosim.blueprint import Blueprint

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SUPPLIERS = 4  # links per firm
BEFORE = 20  # days: a cascade is under way
ROUNDS = 7  # engine and bare kernel take turns, so that a noisy machine disturbs both alike
FIRM_DAYS = 1_000_000  # measured per round: enough to make a timer's resolution irrelevant
# Targets: engine over bare kernel (sizes between take the one below), and growth with the number of firms.
RATIO = {10_000: 2.0, 100_000: 2.0, 1_000_000: 1.5}
EXPONENT = 1.1


@dataclass(frozen=True)
class Measured:
    """One economy in one state; times in nanoseconds per firm and day, medians over rounds."""

    firms: int
    links: int
    state: str  # "at rest", or "in a cascade"
    engine: float
    bare: float
    build_seconds: float
    bytes_per_firm: float
    blueprint: Blueprint | None = field(default=None, compare=False, repr=False)

    @property
    def ratio(self) -> float:
        """Engine with agents, metrics, records and randomness over the bare kernels."""
        return self.engine / self.bare


def equals(firms: int, suppliers: int, days: int, *, shocked: bool) -> Scenario:
    """An economy of equals on a random network; shocked, a tenth of the firms lose half of their capacity for good."""
    shocks: list[dict[str, Any]] = [{"kind": "outage", "who": {"share": 0.1}, "severity": 0.5, "recovery": None}]
    return Scenario.model_validate(
        {
            "name": "bench",
            "days": days,
            "economy": {"kind": "uniform", "firms": firms},
            "network": {"kind": "random", "suppliers": suppliers},
            "shocks": shocks if shocked else [],
        }
    )


def measure(
    firms: int, suppliers: int, *, shocked: bool, days: int | None = None, blueprint: Blueprint | None = None
) -> Measured:
    """Time the day of an economy, rationing rule 2; ``blueprint`` spares building it again."""
    days = days if days is not None else max(2, min(1000, FIRM_DAYS // firms))
    started = time.perf_counter()
    eco = Ecosystem(equals(firms, suppliers, BEFORE + days * ROUNDS, shocked=shocked), blueprint=blueprint)
    build_seconds = time.perf_counter() - started
    eco.run_for(BEFORE)
    arrays = _copies(eco)
    engine, bare = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        eco.run_for(days)
        engine.append(time.perf_counter() - started)
        started = time.perf_counter()
        _bare(arrays, days)
        bare.append(time.perf_counter() - started)
    scale = 1e9 / (firms * days)
    return Measured(
        firms=firms,
        links=len(eco.world.links),
        state="in a cascade" if shocked else "at rest",
        engine=median(engine) * scale,
        bare=median(bare) * scale,
        build_seconds=build_seconds,
        bytes_per_firm=_bytes(eco) / firms,
        blueprint=eco.world.plan,
    )


def _copies(eco: Ecosystem) -> tuple[list[Any], list[Any]]:
    """Arguments of the two kernels on arrays of their own, in today's state."""
    firms = {name: column.copy() for name, column in eco.world.firms.columns.items()}
    links = eco.world.links
    own = {name: getattr(links, name).copy() for name in ("stock", "delivered", "ordered")}
    buyers = [
        links.ptr, links.product, links.importance, links.flow, own["stock"], own["delivered"], own["ordered"],
        firms["production"], firms["output"], firms["expected"], firms["inventory_days"], firms["smoothing_days"],
        firms["ceiling"],
    ]  # fmt: skip
    sellers = [
        links.out_ptr, links.out_link, links.out_flow, own["ordered"], own["delivered"], firms["capacity"],
        firms["ceiling"], firms["final_demand"], firms["wanted"], eco.scenario.economy.rationing, firms["demand"],
        firms["production"], firms["consumption"], firms["lost"],
    ]  # fmt: skip
    return buyers, sellers


def _bare(arrays: tuple[list[Any], list[Any]], days: int) -> None:
    buyers, sellers = arrays
    buy, sell, _ = day_kernels()
    production, expected = buyers[7], buyers[9]
    for _ in range(days):
        expected[:] = production
        buy(*buyers)
        sell(*sellers)


def _bytes(eco: Ecosystem) -> int:
    """Bytes of all arrays that a model holds, shared ones once."""
    world = eco.world
    sets: list[Any] = [eco.agents, *eco.agents_by_type.values()]
    held = [
        *world.firms.columns.values(),
        *world.sheet.multipliers.values(),
        *(value for value in vars(world.links).values()),
        *(value for value in vars(world.plan).values()),
        *(value for value in vars(world.plan.firms).values()),
        *(value for memory in world.memory.values() for value in memory.values()),
        eco.roster.kind,
        *(agents.rows for agents in sets),
    ]
    arrays = {id(value): value for value in held if isinstance(value, np.ndarray)}
    return sum(array.nbytes for array in arrays.values())


def lines(sizes: Sequence[int] = SIZES, links: int = SUPPLIERS, days: int | None = None) -> Iterator[Line]:
    """Measure every size, at rest and in a cascade, and fit how cost grows."""
    measure(100, links, shocked=True, days=3)  # compiles what will be timed
    found: list[Measured] = []
    for firms in sizes:
        calm = measure(firms, links, shocked=False, days=days)
        yield _beside(calm)
        cascade = measure(firms, links, shocked=True, days=days, blueprint=calm.blueprint)
        yield _beside(cascade)
        found += [replace(one, blueprint=None) for one in (calm, cascade)]
    if len(set(sizes)) > 1:
        between = f"{min(sizes):,} to {max(sizes):,} firms"
        for state in ("at rest", "in a cascade"):
            of_time, of_memory = exponents([one for one in found if one.state == state])
            yield Line(f"exponent of a day's time, {state}", between, of_time, "", EXPONENT)
        yield Line("exponent of memory", between, of_memory, "", EXPONENT)


def _beside(one: Measured) -> Line:
    at = max((size for size in RATIO if size <= one.firms), default=None)
    return Line(
        f"core day, {one.firms:,} firms, {one.state}", f"bare kernel: {one.bare:.0f} ns", one.ratio, "x",
        None if at is None else RATIO[at],
        note=f"{one.engine:.0f} ns and {one.bytes_per_firm:.0f} B per firm, {one.links:,} links"
        + (f", built in {one.build_seconds:.2f} s" if one.state == "at rest" else ""),
    )  # fmt: skip


def exponents(found: list[Measured]) -> tuple[float, float]:
    """Exponents of a day's time and of memory in the number of firms, by least squares on logarithms."""
    size = np.log([one.firms for one in found])
    per_firm = np.log([[one.engine, one.bytes_per_firm] for one in found])
    slopes = np.polyfit(size, per_firm, 1)[0]
    return 1.0 + float(slopes[0]), 1.0 + float(slopes[1])
