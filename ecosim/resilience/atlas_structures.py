"""What there is to know of a structure before anything happens: its network, its risky firms, what its habits cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ecosim.folders import NewFile
from ecosim.published import esri
from ecosim.resilience.atlas_cells import economies
from ecosim.resilience.blocks import BlockEconomy
from ecosim.resilience.covariates import network_covariates
from ecosim.resilience.inequality import gini, herfindahl

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.resilience.atlas_spec import AtlasSpec
    from ecosim.resilience.blocks import Blocks
    from ecosim.state import Links

YEAR = 365.0
BUFFERS = ("stock", "spare_capacity")  # parts of the cost that a scale multiplies


@dataclass(frozen=True, eq=False)
class Look:
    """A structure to look at, and where to write what is found."""

    spec: AtlasSpec
    structure: str
    folder: Path

    @property
    def file(self) -> Path:
        """Where it is written."""
        return self.folder / f"structure.{self.structure}.json"


def look(of: Look) -> int:
    """Measure a structure: ``network`` (name to number), ``cost`` (habit to parts to share of output)."""
    spec = of.spec
    lived = economies(spec, of.structure)
    seen = [_network(part, spec.nulls, at) for at, part in enumerate(lived.parts[: spec.looked_at])]
    found = {
        "network": {name: _mean([one[name] for one in seen]) for name in seen[0]},
        "cost": {habit: cost(spec, of.structure, habit, lived) for habit in spec.habits},
    }
    with NewFile(of.file, replace=True) as half:
        half.write_text(json.dumps(found, indent=1, allow_nan=False), encoding="utf-8")
    return 1


def _mean(values: list[float]) -> float | None:
    """Mean of what is known, None where nothing is: JSON knows no NaN."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None


# --- cost ------------------------------------------------------------------------------------------------------------


def cost(spec: AtlasSpec, structure: str, habit: str, of: Blocks, scale: float = 1.0) -> dict[str, float]:
    """What a habit costs on a structure at rest, shares of output by part, mean over replicates.

    ``needed_stock`` is that of the one day without which nothing is made; ``stock`` what is held beyond it.
    """
    eco = BlockEconomy(spec.scenario(structure, habit, scale=scale), of)
    links, firms, prices = eco.world.links, eco.world.firms, spec.prices
    output = float(firms.output.sum())
    needed = float(links.flow.sum())
    return {
        "needed_stock": prices.stock / YEAR * needed / output,
        "stock": prices.stock / YEAR * (float(links.stock.sum()) - needed) / output,
        "spare_capacity": prices.spare_capacity * (float(firms.potential.sum()) / output - 1.0),
        "spare_links": prices.spare_link * float(stood_by(links).sum()) / output,
        "practice": spec.habits[habit].practice,
    }


def stood_by(links: Links) -> NDArray[np.float64]:
    """Flow that each contract without a flow stands by for, 0 for others, shape (L,).

    That is the mean flow of those through which its buyer gets the product.
    """
    begins = (np.diff(links.buyer, prepend=-1) != 0) | (np.diff(links.product, prepend=-1) != 0)
    of, used = np.cumsum(begins) - 1, links.flow > 0.0
    mean = np.bincount(of, links.flow) / np.maximum(np.bincount(of, used), 1)
    return np.where(used, 0.0, mean[of])


def scale_to(parts: dict[str, float], target: float) -> float:
    """Multiple of buffers at which a habit costs ``target``, a share of output; 0 where the rest costs more."""
    buffers = sum(parts[name] for name in BUFFERS)
    return max(0.0, (target - (sum(parts.values()) - buffers)) / buffers) if buffers > 0 else 1.0


# --- network ---------------------------------------------------------------------------------------------------------


def _network(plan: Blueprint, nulls: int, seed: int) -> dict[str, float]:
    """Covariates of one economy: values, z-scores against equal degrees, concentration, cycles, systemic risk."""
    n = len(plan.firms)
    found: dict[str, float] = {}
    measured = network_covariates(plan.supplier, plan.buyer, firms=n, flow=plan.flow, nulls=nulls, seed=seed)
    for name, one in measured.items():
        found |= {name: one.value, f"{name}_z": one.z}
    output = plan.firms.final_demand + np.bincount(plan.supplier, plan.flow, minlength=n)
    clients = np.bincount(plan.supplier, minlength=n).astype(np.float64)
    graph = csr_array((np.ones(len(plan.supplier)), (plan.supplier, plan.buyer)), shape=(n, n))
    _, part = connected_components(graph, directed=True, connection="strong")
    risk = systemic_risk(plan)
    return found | {
        "size_herfindahl": float(herfindahl(output)),
        "clients_gini": float(gini(clients)),
        "in_cycles": float(np.bincount(part).max() / n),
        "esri_mean": float(risk.mean()),
        "esri_max": float(risk.max()),
        "esri_gini": float(gini(risk)),
    }


def systemic_risk(plan: Blueprint) -> NDArray[np.float64]:
    """ESRI of each firm, shape (n,), with linear production and nobody replaceable (Diem et al. 2022).

    With every input essential nearly every firm would stop the whole economy, and firms could not be told apart.
    """
    n = len(plan.firms)
    rows = np.arange(n)
    revenue = plan.firms.final_demand + np.bincount(plan.supplier, plan.flow, minlength=n)
    costs = revenue  # a firm's costs are its output: what is not bought is its own work
    firms = pd.DataFrame({"sector": rows, "revenue": revenue, "costs": costs, "weight": revenue})
    links = pd.DataFrame({"supplier": plan.supplier, "client": plan.buyer, "flow": plan.flow})
    linear = pd.DataFrame(1, index=rows, columns=rows)
    return np.asarray(esri(firms, links, essential=linear).esri.to_numpy(), dtype=np.float64)
