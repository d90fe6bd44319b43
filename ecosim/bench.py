"""How fast the engine is: its day beside the bare kernels of the same rules, in one run on one machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ecosim.config import Scenario
from ecosim.kernels.day import day_kernels
from ecosim.model import Ecosystem

ROUNDS = 7  # engine and bare kernel take turns, so that a noisy machine disturbs both alike
FIRM_DAYS = 2_000_000  # measured per round: enough to make a timer's resolution irrelevant


@dataclass(frozen=True)
class Measured:
    """One line of the benchmark; times in nanoseconds per firm and day, medians over rounds."""

    firms: int
    links: int
    state: str  # "at rest", or "in a cascade" (a tenth of the firms hit, everyone short of something)
    engine: float
    bare: float
    build_seconds: float
    bytes_per_firm: float

    @property
    def ratio(self) -> float:
        """Engine with agents, metrics, records and randomness over the bare kernels."""
        return self.engine / self.bare


def measure(firms: int, suppliers: int, *, shocked: bool, days: int | None = None) -> Measured:
    """Time an economy of equals on a random network, rationing rule 2."""
    rounds_days = days if days is not None else max(3, min(2000, FIRM_DAYS // firms))
    shocks: list[dict[str, Any]] = [
        {"kind": "outage", "who": {"share": 0.1}, "severity": 0.5, "recovery": None} if shocked else {}
    ]
    scenario = Scenario.model_validate(
        {
            "name": "bench",
            "days": rounds_days * (ROUNDS + 1) + 30,
            "economy": {"kind": "uniform", "firms": firms},
            "network": {"kind": "random", "suppliers": suppliers},
            "shocks": shocks if shocked else [],
        }
    )
    started = time.perf_counter()
    eco = Ecosystem(scenario)
    build_seconds = time.perf_counter() - started
    eco.run_for(30)
    arrays = _copies(eco)
    engine, bare = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        eco.run_for(rounds_days)
        engine.append(time.perf_counter() - started)
        started = time.perf_counter()
        _bare(arrays, rounds_days)
        bare.append(time.perf_counter() - started)
    scale = 1e9 / (firms * rounds_days)
    return Measured(
        firms=firms,
        links=len(eco.world.links),
        state="in a cascade" if shocked else "at rest",
        engine=median(engine) * scale,
        bare=median(bare) * scale,
        build_seconds=build_seconds,
        bytes_per_firm=_bytes(eco) / firms,
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


def print_bench(sizes: list[int], suppliers: int, days: int | None) -> None:
    """Measure every size, at rest and in a cascade, and print a line each."""
    from rich.console import Console
    from rich.table import Table

    measure(100, suppliers, shocked=True, days=3)  # compiles what will be timed
    table = Table("firms", "links", "state", title="one day of the engine, one thread")
    for name in ("ns per firm", "bare kernel", "ratio", "bytes per firm", "build, s"):
        table.add_column(name, justify="right")
    lines = []
    for firms in sizes:
        for shocked in (False, True):
            found = measure(firms, suppliers, shocked=shocked, days=days)
            table.add_row(
                f"{found.firms:,}",
                f"{found.links:,}",
                found.state,
                f"{found.engine:.1f}",
                f"{found.bare:.1f}",
                f"{found.ratio:.2f}",
                f"{found.bytes_per_firm:.0f}",
                f"{found.build_seconds:.2f}",
            )
            lines.append(found)
    console = Console()
    console.print(table)
    console.print(
        "The engine's day includes agents, shocks, metrics and firm records; the bare kernel is the arithmetic alone. "
        f"Medians of {ROUNDS} rounds in turn.",
        highlight=False,
    )
    if len(sizes) > 1:
        for state in ("at rest", "in a cascade"):
            some = [line for line in lines if line.state == state]
            time_of, memory_of = exponents(some)
            console.print(
                f"Cost {state} grows as firms ** {time_of:.2f} in time and ** {memory_of:.2f} in memory.",
                highlight=False,
            )


def exponents(lines: list[Measured]) -> tuple[float, float]:
    """Exponents of a day's time and of memory in the number of firms, by least squares on logarithms."""
    size = np.log([line.firms for line in lines])
    per_firm = np.log([[line.engine, line.bytes_per_firm] for line in lines])
    slopes = np.polyfit(size, per_firm, 1)[0]
    return 1.0 + float(slopes[0]), 1.0 + float(slopes[1])
