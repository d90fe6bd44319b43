"""Your own network: from CSV files, GraphML, rows in the scenario, or a NetworkX graph."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from ecosim.errors import InputError
from ecosim.networks.wiring import Network

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint, Firms, Slots
    from ecosim.calibration.imports import Source

Row = dict[str, str | float | int]


class Imported(Network):
    """Firms and links that you bring, with their flows; the economy then states only the rules of the day.

    Firms need ``firm, sector, final_demand`` and may have ``region, customer, type, x, y``; links need ``supplier,
    client, flow`` and may have ``importance``. In a graph, nodes carry the firms' columns, edges supplier -> client
    the links'.
    """

    kind: Literal["imported"] = "imported"
    firms: str | tuple[Row, ...] | None = None
    """A CSV file, or the rows themselves."""
    links: str | tuple[Row, ...] | None = None
    """A CSV file, or the rows themselves."""
    graphml: str | None = None
    """A GraphML file, instead of firms and links."""

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
            return str(Path(base) / value)
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
        """Read, check and return the economy. Raises InputError that names file, line and mend."""
        from ecosim.calibration.imports import Source, blueprint_from_frames

        if self.graphml is not None:
            firms, links = graph_rows(_read_graphml(self.graphml))
            sources = Source(f"{self.graphml} (nodes)"), Source(f"{self.graphml} (edges)")
            frames = [_frame(rows) for rows in (firms, links)]
        elif self.firms is None or self.links is None:
            raise InputError(
                "network.kind: imported says nothing to import; give firms and links (CSV files or rows), or graphml"
            )
        else:
            frames, found = [], []
            for key, value in (("firms", self.firms), ("links", self.links)):
                frame, source = _read(value, f"network.{key}")
                frames.append(frame)
                found.append(source)
            sources = found[0], found[1]
        return blueprint_from_frames(frames[0], frames[1], firms_source=sources[0], links_source=sources[1])

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return the suppliers as they were given."""
        return self.blueprint().supplier


def graph_rows(graph: nx.DiGraph[Any]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of firms and links of a directed graph whose nodes and edges carry their columns."""
    if not hasattr(graph, "is_directed") or not graph.is_directed():
        raise ValueError("graph is not directed; edges must run from supplier to client: use networkx.DiGraph")
    if graph.is_multigraph():
        raise ValueError("graph has parallel edges; use networkx.DiGraph and add the flows up")
    firms: list[Row] = [{"firm": str(node), **data} for node, data in graph.nodes(data=True)]
    links: list[Row] = [{"supplier": str(a), "client": str(b), **data} for a, b, data in graph.edges(data=True)]
    return tuple(firms), tuple(links)


def _filled(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: "" if isinstance(cell, float) and math.isnan(cell) else cell for name, cell in row.items()}


def _frame(rows: tuple[Row, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows)).astype(object).fillna("")


def _read_graphml(path: str) -> nx.DiGraph[Any]:
    import xml.etree.ElementTree as ET

    import networkx as nx

    try:
        graph: Any = nx.read_graphml(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check network.graphml") from None
    except (ET.ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not GraphML ({error}); write it with networkx.write_graphml") from None
    try:
        graph_rows(graph)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    found: nx.DiGraph[Any] = graph
    return found


def _read(value: str | tuple[Row, ...], where: str) -> tuple[pd.DataFrame, Source]:
    import pandas as pd

    from ecosim.calibration.imports import Source

    if not isinstance(value, str):
        return _frame(value), Source(where)
    try:
        frame = pd.read_csv(value, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{value}: cannot be read ({error.strerror}); check {where}") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        text = str(error).strip()
        raise InputError(f"{value}: not a CSV table ({text}); give a header line and one row each") from None
    return frame, Source(value, is_file=True)
