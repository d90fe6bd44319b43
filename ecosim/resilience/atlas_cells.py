"""A cell of an atlas: one structure, one shock, one habit, lived by all replicates at every intensity."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ecosim.resilience.blocks import BlockEconomy, Blocks, blocks, strikes
from ecosim.resilience.curves import relative_response
from ecosim.resilience.inequality import gini
from ecosim.resilience.recovery import days_to_recover
from ecosim.resilience.responses import Made, Responses

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ecosim.resilience.atlas_spec import AtlasSpec

    type Array = NDArray[np.float64]
    type Table = Literal["own", "equal", "rewired"]

WINDOW = 0.1  # share of the horizon that counts as its end
HOLD = 7  # days for which a block must stay near its twin to have recovered
MEASURES = ("consumption", "production")
"""What is compared with the twin: what customers got, or all that firms made, restocking included."""


class Cell(NamedTuple):
    """A cell of a ``table``: of habits as they are, at equal cost, or on a rewired structure."""

    table: Table
    habit: str
    structure: str
    shock: str

    @property
    def file(self) -> str:
        """Name of the file with its responses."""
        return f"{'.'.join(self)}.parquet"


@dataclass(frozen=True, eq=False)
class Job:
    """Cells that differ in their shocks alone, so that they share their economies and their twin."""

    spec: AtlasSpec
    cells: tuple[Cell, ...]
    scale: float
    folder: Path


def work(job: Job) -> int:
    """Live the cells of a job, each into a file that appears whole; return how many."""
    spec, one = job.spec, job.cells[0]
    rewired = one.table == "rewired"
    of = economies(spec, one.structure, rewired=rewired)
    twin = BlockEconomy(spec.scenario(one.structure, one.habit, scale=job.scale, rewired=rewired), of).live()
    for cell in job.cells:
        respond(spec, cell, of, twin, job.scale).save(job.folder / cell.file, force=True)
    return len(job.cells)


def economies(spec: AtlasSpec, structure: str, *, rewired: bool = False) -> Blocks:
    """All replicates of a structure."""
    network = spec.network(structure, rewired=rewired)
    return blocks(spec.economy, network, seed=spec.seed, replicates=spec.replicates)


def respond(spec: AtlasSpec, cell: Cell, of: Blocks, twin: BlockEconomy, scale: float = 1.0) -> Responses:
    """Live a cell at every intensity beside its twin, buffers ``scale`` times those of its habit.

    ``d`` and ``e`` of the responses are those of final consumption; outcomes hold both for every measure, as
    ``d_production`` and so on.
    """
    scenario = spec.scenario(cell.structure, cell.habit, cell.shock, scale=scale, rewired=cell.table == "rewired")
    entries = strikes(spec.shocks[cell.shock].of, of, scenario)
    since, m = min(int(each["day"].min()) for each in entries), spec.intensities
    noted = [_noted(twin, twin, since)]
    for k in range(1, m):
        noted.append(_noted(BlockEconomy(scenario, of, entries, k / (m - 1)).live(), twin, since))
    found = {name: np.stack([each[name] for each in noted], axis=1) for name in noted[0]}
    made = Made(
        scenario=scenario.digest(),
        seed=spec.seed,
        days=spec.days,
        firms=of.firms,
        axis="severity",
        window=WINDOW,
        unit="firm-days at full severity",
        version=version("ecosim"),
    )
    x = float(found["firm_days"][:, -1].mean()) * np.linspace(0.0, 1.0, m)
    labels = {"scenario": scenario.name, **cell._asdict()}
    return Responses(x, found["d_consumption"], found["e_consumption"], found, {}, labels, made)


def _noted(eco: BlockEconomy, twin: BlockEconomy, since: int) -> dict[str, Array]:
    """Outcomes of every block at one intensity, shape (R,) each."""
    of, firms = eco.of, eco.world.firms
    made, calm, sold, wanted = eco.made.T, twin.made.T, eco.sold.T, twin.sold.T
    days, seen = days_to_recover(sold, wanted, since=since, hold=min(HOLD, sold.shape[-1] - since))
    return {
        "d_consumption": relative_response(sold, wanted),
        "e_consumption": relative_response(sold, wanted, WINDOW),
        "d_production": relative_response(made, calm),
        "e_production": relative_response(made, calm, WINDOW),
        "days_to_recover": np.where(seen, days, np.nan),
        "depth": np.maximum(0.0, (1.0 - sold / wanted).max(axis=1)),
        "firms_failing": (of.by_block(firms.failed_on) >= 0).sum(axis=1).astype(np.float64),
        "gini": gini(of.by_block(firms.produced)),
        "output": made.sum(axis=1),
        "firm_days": eco.taken,
    }
