"""Your own network: from CSV files, GraphML, rows in the scenario, or a NetworkX graph."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import PrivateAttr, ValidationInfo, field_validator, model_validator

from ecosim.errors import InputError
from ecosim.networks.wiring import Network

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint, Firms, Slots
    from ecosim.calibration.imports import Source

Row = dict[str, str | float | int]
LAYERS = ("supply", "demand")


@dataclass
class _Held:
    """What was read, and for which fields. All are equal: what was read is no part of what a network says."""

    of: tuple[Any, ...] | None = field(default=None, compare=False)
    plan: Blueprint | None = field(default=None, compare=False)
    sources: dict[str, str] = field(default_factory=dict, compare=False)


class Imported(Network):
    """Firms and links that you bring, with their flows; the economy then states only the rules of the day.

    Firms need ``firm, sector, final_demand`` and may have ``region, customer, type, x, y``; links need ``supplier,
    client, flow`` and may have ``importance``. In a graph, nodes carry the firms' columns, edges supplier -> client
    the links'; a graph made by ``Ecosystem.graph()`` is read as the economy it shows. Files are read once, when the
    economy is first built: the same scenario object builds the same economy again, whatever becomes of the files.
    """

    kind: Literal["imported"] = "imported"
    firms: str | tuple[Row, ...] | None = None
    """A CSV file, or the rows themselves."""
    links: str | tuple[Row, ...] | None = None
    """A CSV file, or the rows themselves."""
    graphml: str | None = None
    """A GraphML file, instead of firms and links."""

    _held: _Held = PrivateAttr(default_factory=_Held)

    @model_validator(mode="before")
    @classmethod
    def _from_python(cls, data: Any) -> Any:
        """Turn a NetworkX graph, or data frames, into rows, so that the scenario can be written down."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        graph = data.pop("graph", None)
        if graph is not None:
            if data.get("firms") is not None or data.get("links") is not None:
                raise ValueError("graph stands beside firms or links; give one or the other")
            data["firms"], data["links"] = graph_rows(graph)
        for key in ("firms", "links"):
            rows = data.get(key)
            if hasattr(rows, "to_dict"):
                twice = rows.columns[rows.columns.duplicated()]
                if len(twice):
                    raise ValueError(f"column {str(twice[0])!r} of {key} stands twice; remove one")
                rows = rows.to_dict("records")
            if isinstance(rows, (list, tuple)):
                # An empty cell of a data frame is NaN; as an empty text it gets an error that names its row.
                data[key] = tuple(_filled(row) for row in rows)
        return data

    @field_validator("firms", "links", "graphml")
    @classmethod
    def _beside_the_scenario(cls, value: Any, info: ValidationInfo) -> Any:
        base = (info.context or {}).get("base_dir")
        if isinstance(value, str) and base is not None and not Path(value).is_absolute():
            # Absolute, so that a scenario changed with with_, which passes here again, is not moved again.
            return str(Path(base).resolve() / value)
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.graphml is not None and (self.firms is not None or self.links is not None):
            raise ValueError("graphml stands beside firms or links; give one or the other")
        if self.graphml is None and (self.firms is None) != (self.links is None):
            missing = "firms" if self.firms is None else "links"
            raise ValueError(f"{missing} is missing; firms and links come together")
        return self

    def blueprint(self) -> Blueprint:
        """Read, check and return the economy; later calls return the same one. InputError names file, line and mend."""
        given = (self.firms, self.links, self.graphml)
        if self._held.plan is None or self._held.of != given:
            plan, sources = self._read()
            self._held = _Held(given, plan, sources)
            return plan
        return self._held.plan

    def sources(self) -> dict[str, str]:
        """SHA-256 of each file that was read, by its path, as it was then; empty for rows and before ``blueprint``."""
        return dict(self._held.sources) if self._held.of == (self.firms, self.links, self.graphml) else {}

    def _read(self) -> tuple[Blueprint, dict[str, str]]:
        from ecosim.calibration.imports import blueprint_from_frames

        hashes: dict[str, str] = {}
        if self.graphml is not None:
            (firms, firms_source), (links, links_source) = _graphml_tables(self.graphml, hashes)
        elif self.firms is None or self.links is None:
            raise InputError(
                "network.kind: imported says nothing to import; give firms and links (CSV files or rows), or graphml"
            )
        else:
            firms, firms_source = _table(self.firms, "network.firms", hashes)
            links, links_source = _table(self.links, "network.links", hashes)
        plan = blueprint_from_frames(firms, links, firms_source=firms_source, links_source=links_source)
        return plan, hashes

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return the suppliers as they were given."""
        return self.blueprint().supplier


# --- graphs -----------------------------------------------------------------------------------------------------------


def graph_rows(graph: nx.DiGraph[Any]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of firms and links of a directed graph whose nodes and edges carry their columns.

    In a graph of ``Ecosystem.graph()``, known by its layers, communities of customers become the firms' column
    ``customer``, and columns of the state are left out. Raises ValueError with the mend.
    """
    if not hasattr(graph, "is_directed") or not hasattr(graph, "nodes"):
        raise ValueError(f"graph is {type(graph).__name__}, not a NetworkX graph; give a networkx.DiGraph")
    if not graph.is_directed():
        raise ValueError("graph is not directed; edges must run from supplier to client: use networkx.DiGraph")
    if graph.is_multigraph():
        raise ValueError("graph has parallel edges; use networkx.DiGraph and add the flows up")
    # What a node is, and what an edge joins, stands in the graph: no attribute can say otherwise.
    firms: list[Row] = [{**data, "firm": str(node)} for node, data in graph.nodes(data=True)]
    links: list[Row] = [{**data, "supplier": str(a), "client": str(b)} for a, b, data in graph.edges(data=True)]
    if _layered(graph):
        firms, links = _without_layers(firms, links)
    for rows, names in ((firms, ("sector", "final_demand")), (links, ("flow",))):
        missing = [name for name in names if rows and not any(name in row for row in rows)]
        if missing:
            raise ValueError(
                f"graph has no column {missing[0]!r}; set node attributes sector and final_demand, edge attribute flow"
            )
    return tuple(firms), tuple(links)


def _layered(graph: nx.DiGraph[Any]) -> bool:
    return any("layer" in data for _, _, data in graph.edges(data=True))


def _without_layers(firms: list[Row], links: list[Row]) -> tuple[list[Row], list[Row]]:
    """Firms and supply links alone, with the columns of an import and none of the state of a day."""
    from ecosim.calibration.imports import FIRM_COLUMNS, LINK_COLUMNS, ROLES

    strange = next((link for link in links if link.get("layer", "supply") not in LAYERS), None)
    if strange is not None:
        raise ValueError(
            f"the edge {strange['supplier']!r} -> {strange['client']!r} is of layer {strange['layer']!r}; "
            f"choose one of {', '.join(LAYERS)}"
        )
    community = {link["supplier"]: link["client"] for link in links if link.get("layer") == "demand"}
    people = [row["firm"] for row in firms if _is_community(row)]
    firms = [row for row in firms if not _is_community(row)]
    nearby = {row.get("region"): community[row["firm"]] for row in reversed(firms) if row["firm"] in community}
    kept: list[Row] = []
    for row in firms:
        known = {name: row[name] for name in FIRM_COLUMNS if name in row}
        if known.get("type") not in ROLES:
            known.pop("type", None)  # a class of your own: its role follows from what it sells
        if people:
            # Who sells nothing to customers has no edge that tells its community, which then buys nothing from it.
            idle = nearby.get(row.get("region"), people[0]) if not row.get("final_demand") else ""
            known["customer"] = community.get(row["firm"], idle)
        kept.append(known)
    trade = [link for link in links if link.get("layer", "supply") == "supply"]
    return kept, [{name: link[name] for name in LINK_COLUMNS if name in link} for link in trade]


def _is_community(node: dict[str, Any]) -> bool:
    return node.get("type") == "Customer"


def _graphml_tables(
    path: str, hashes: dict[str, str]
) -> tuple[tuple[pd.DataFrame, Source], tuple[pd.DataFrame, Source]]:
    from ecosim.calibration.imports import Source

    graph = _read_graphml(path, hashes)
    try:
        firms, links = graph_rows(graph)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    nodes, edges = list(graph.nodes(data=True)), list(graph.edges(data=True))
    layered = _layered(graph)
    which_nodes = [at for at, (_, data) in enumerate(nodes, 1) if not (layered and _is_community(data))]
    which_edges = [at for at, (*_, data) in enumerate(edges, 1) if data.get("layer", "supply") == "supply"]
    return (
        (_frame(firms), Source(f"{path} (nodes)", numbers=np.array(which_nodes, dtype=np.int64))),
        (_frame(links), Source(f"{path} (edges)", numbers=np.array(which_edges, dtype=np.int64))),
    )


def _read_graphml(path: str, hashes: dict[str, str]) -> nx.DiGraph[Any]:
    import io
    import xml.etree.ElementTree as ET

    import networkx as nx

    raw = _bytes(path, "network.graphml", hashes)
    try:
        graph: Any = nx.read_graphml(io.BytesIO(raw))
    except (ET.ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not GraphML ({error}); write it with networkx.write_graphml") from None
    found: nx.DiGraph[Any] = graph
    return found


# --- tables -----------------------------------------------------------------------------------------------------------


def _filled(row: Any) -> Any:
    return {name: _cell(cell) for name, cell in row.items()} if isinstance(row, dict) else row


def _cell(cell: Any) -> Any:
    if isinstance(cell, np.generic):
        cell = cell.item()
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else cell


def _frame(rows: tuple[Row, ...]) -> pd.DataFrame:
    import pandas as pd

    # Objects, so that pandas does not make the firm 1 beside the firm 2.0 a firm 1.0.
    return pd.DataFrame(list(rows), dtype=object).fillna("")


def _table(value: str | tuple[Row, ...], where: str, hashes: dict[str, str]) -> tuple[pd.DataFrame, Source]:
    from ecosim.calibration.imports import Source, csv_table

    if isinstance(value, str):
        return csv_table(_bytes(value, where, hashes), value)
    return _frame(value), Source(where)


def _bytes(path: str, where: str, hashes: dict[str, str]) -> bytes:
    import hashlib

    from ecosim.calibration.imports import read_bytes

    raw = read_bytes(path, where)
    hashes[path] = hashlib.sha256(raw).hexdigest()
    return raw
