"""Where each firm of a cascade stands in the picture: generations as columns, clients near whoever harmed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecosim.lineage.tables import rows

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.lineage.cascade import Cascade

ROUNDS = 8  # of sorting each column by the mean row of its neighbours


@dataclass
class Node:
    """A firm in the picture."""

    generation: int
    """Firms away from where most of its harm began."""
    loss: float
    cause: str
    """What cost it most."""
    row: float = 0.0


def laid_out(cascade: Cascade, most: int) -> tuple[dict[str, Node], pd.DataFrame]:
    """Firms that lost most, with their places, and the harm that passed between them (giver, firm, cause, loss).

    Columns are sorted by the mean row of the neighbours in the other columns (Sugiyama, Tagawa & Toda 1981), so that
    few edges cross.
    """
    entries = cascade.entries
    loss = entries.groupby("firm", observed=True)["loss"].sum().nlargest(most)
    nodes = {
        str(firm): Node(int(_most(entries, firm, "generation")), float(total), str(_most(entries, firm, "cause")))
        for firm, total in loss.items()
    }
    handed = cascade.handed_on()
    handed = handed[handed["firm"].isin(nodes) & handed["giver"].isin(nodes)]
    flows = handed.groupby(["giver", "firm", "cause"], observed=True)["loss"].sum().reset_index()
    flows = flows.astype({"giver": str, "firm": str, "cause": str}).sort_values("loss", ascending=False)
    edges = flows.groupby(["giver", "firm"], sort=False).agg(cause=("cause", "first"), loss=("loss", "sum"))
    edges = edges.reset_index()
    _place(nodes, edges)
    return nodes, edges


def _most(entries: pd.DataFrame, firm: object, column: str) -> Any:
    """The value of a column under which a firm lost most."""
    own = entries[(entries["firm"] == firm).to_numpy()]
    return own.groupby(column, observed=True)["loss"].sum().idxmax()


def _place(nodes: dict[str, Node], edges: pd.DataFrame) -> None:
    """Give each firm a row."""
    columns: dict[int, list[str]] = {}
    for name, node in nodes.items():
        columns.setdefault(node.generation, []).append(name)
    tallest = max((len(column) for column in columns.values()), default=0)
    weights: dict[str, list[tuple[str, float]]] = {name: [] for name in nodes}
    for row in rows(edges):
        if nodes[row.giver].generation != nodes[row.firm].generation:
            weights[row.giver].append((row.firm, row.loss))
            weights[row.firm].append((row.giver, row.loss))
    for _ in range(ROUNDS):
        for column in columns.values():
            mean = {name: _mean(name, nodes, weights[name]) for name in column}
            column.sort(key=mean.__getitem__)
            gap = tallest / len(column)
            for place, name in enumerate(column):
                nodes[name].row = (place + 0.5) * gap - 0.5


def _mean(name: str, nodes: dict[str, Node], neighbours: list[tuple[str, float]]) -> float:
    total = sum(weight for _, weight in neighbours)
    return sum(nodes[other].row * weight for other, weight in neighbours) / total if total else nodes[name].row
