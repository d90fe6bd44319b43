"""Reading the frames of the Economic Systemic Risk Index into arrays; every fault is named with its place and mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from ecosim.kernels.risk_network import ESSENTIAL, NEGLIGIBLE, NON_ESSENTIAL
from ecosim.kernels.systemic_risk import Shocks

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SHOWN = 8
"""Labels that a message lists."""


class Links(NamedTuple):
    """Links by row of firm, one entry a pair of supplier and client, shape (L,)."""

    supplier: Ints
    client: Ints
    flow: Floats
    """Money per unit of time, > 0."""


def label_text(label: Any) -> str:
    """A label as its owner would write it, 1 rather than np.int64(1)."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def some(labels: Iterable[Hashable]) -> str:
    """A few labels for a message."""
    names = [label_text(label) for label in labels]
    return ", ".join(names[:SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > SHOWN else "")


def require(table: pd.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    """A frame with rows and all of `columns`."""
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"{name}: {type(table).__name__} given; give a pandas DataFrame")
    if table.empty and not (len(table) and not columns):
        raise ValueError(f"{name}: the frame is empty; give at least one row with {', '.join(columns)}")
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"{name}: no column {some(missing)}; columns are {some(table.columns)}")


def numbers(values: Any, place: str) -> Floats:
    """Numbers of any shape as floats."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{place}: not all numbers ({error}); convert it, for instance with pandas.to_numeric"
        ) from None


def amounts(table: pd.DataFrame, column: str, name: str = "firms") -> Floats:
    """A column of finite numbers >= 0."""
    values = numbers(table[column], f"{name}[{column!r}]")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name}[{column!r}]: {values[row]} in row {label_text(table.index[row])}; "
            "give finite numbers >= 0, or drop the row"
        )
    return values


def check_firms(firms: pd.DataFrame) -> None:
    require(firms, "firms", ("sector",))
    if not firms.index.is_unique:
        twice = firms.index[firms.index.duplicated()].unique()
        raise ValueError(f"firms: index repeats {some(twice)}; give each firm one row")
    for column in {"sector", "market"} & set(firms.columns):
        absent = firms[column].isna().to_numpy()
        if absent.any():
            firm = label_text(firms.index[int(np.argmax(absent))])
            raise ValueError(
                f"firms[{column!r}]: missing for firm {firm}; name a {column} for every firm "
                "(one of its own where it has none)"
            )


def read_links(links: pd.DataFrame, index: pd.Index) -> Links:
    """Links by row of firm; pairs added up, zero flows left out."""
    require(links, "links", ("supplier", "client", "flow"))
    ends = []
    for column in ("supplier", "client"):
        rows = np.asarray(index.get_indexer(pd.Index(links[column])), dtype=np.int64)
        if (rows < 0).any():
            row = int(np.argmax(rows < 0))
            firm, place = label_text(links[column].iloc[row]), label_text(links.index[row])
            raise ValueError(
                f"links[{column!r}]: unknown firm {firm} in row {place}; add it to the index of firms or drop the link "
                f"(firms are {some(index[:3])}, ...)"
            )
        ends.append(rows)
    flow = amounts(links, "flow", "links")
    pair = ends[0] * len(index) + ends[1]
    unique, inverse = np.unique(pair[flow > 0], return_inverse=True)
    return Links(
        unique // len(index), unique % len(index), np.bincount(inverse, flow[flow > 0], unique.size).astype(float)
    )


def read_essential(essential: pd.DataFrame, firms: pd.DataFrame) -> tuple[Ints, NDArray[np.int8]]:
    """Each firm's sector, 0 to K - 1 in order of appearance, and the needs, shape (K supplying, K buying)."""
    require(essential, "essential", ())
    codes, sectors = pd.factorize(firms["sector"])
    index = pd.Index(sectors)
    for axis, labels in (("rows", essential.index), ("columns", essential.columns)):
        if not labels.is_unique:
            raise ValueError(f"essential: {axis} repeat {some(labels[labels.duplicated()].unique())}; keep one each")
        absent = [label for label in index if label not in labels]
        if absent:
            alike = {str(label) for label in labels}.issuperset(map(str, absent))
            raise ValueError(
                f"essential: sector(s) {some(absent)} of firms missing from the {axis}, which are {some(labels)}; "
                + ("the labels differ only in type, convert one side" if alike else "add them (0 where negligible)")
            )
    values = numbers(essential.loc[index, index], "essential")
    wrong = np.argwhere(~np.isin(values, (NEGLIGIBLE, NON_ESSENTIAL, ESSENTIAL)))
    if wrong.size:
        k, buyer = wrong[0]
        place = f"supplier sector {label_text(index[k])}, buyer sector {label_text(index[buyer])}"
        raise ValueError(
            f"essential: {values[k, buyer]} for {place}; give 2 (essential), 1 (non-essential) or 0 (negligible)"
        )
    return np.asarray(codes, dtype=np.int64), values.astype(np.int8)


def _firm_rows(labels: pd.Index, index: pd.Index, name: str) -> Ints:
    """Rows of the firms that scenarios name."""
    rows = np.asarray(index.get_indexer(labels), dtype=np.int64)
    if (rows < 0).any():
        raise ValueError(
            f"{name}: unknown firm {label_text(labels[int(np.argmax(rows < 0))])}; name rows by the index of firms "
            f"({some(index[:3])}, ...), scenarios by column"
        )
    if not labels.is_unique:
        raise ValueError(f"{name}: repeats firm(s) {some(labels[labels.duplicated()].unique())}; name each once")
    return rows


def _one_scenario(psi: Any, place: str, index: pd.Index) -> tuple[Ints, Floats]:
    """Firms and losses of one entry of a mapping: {firm: psi}, or one number a firm."""
    if isinstance(psi, pd.Series):
        return _firm_rows(psi.index, index, place), numbers(psi, place)
    if isinstance(psi, Mapping):
        return _firm_rows(pd.Index(list(psi), tupleize_cols=False), index, place), numbers(list(psi.values()), place)
    values = numbers(psi, place)
    if values.shape != (len(index),):
        raise ValueError(
            f"{place}: shape {values.shape}; give {{firm: psi}} or one number for each of {len(index)} rows"
        )
    return np.arange(len(index), dtype=np.int64), values


def _from_mapping(failures: Mapping[Hashable, Any], index: pd.Index, name: str) -> tuple[pd.Index, sparse.csc_array]:
    """Scenarios given one by one, never held densely."""
    scenarios = [_one_scenario(psi, f"{name}[{label!r}]", index) for label, psi in failures.items()]
    labels = pd.Index(list(failures), tupleize_cols=False)
    rows = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in scenarios)])
    values = np.concatenate([np.empty(0), *(psi for _, psi in scenarios)])
    ends = np.cumsum([0, *(rows.size for rows, _ in scenarios)])
    return labels, sparse.csc_array((values, rows, ends), shape=(len(index), len(labels)))


def _from_table(failures: Any, index: pd.Index, name: str) -> tuple[pd.Index, sparse.csc_array]:
    """Scenarios as the columns of a frame, an array or a sparse matrix."""
    if isinstance(failures, pd.DataFrame):
        rows = _firm_rows(failures.index, index, name)
        given = sparse.coo_array(numbers(failures, name))
        entries = (given.data, (rows[given.coords[0]], given.coords[1]))
        return failures.columns, sparse.csc_array(entries, shape=(len(index), failures.shape[1]))
    if not sparse.issparse(failures):
        failures = numbers(failures, name)
        failures = failures[:, None] if failures.ndim == 1 else failures
    if failures.shape[:1] != (len(index),) or failures.shape[2:]:
        raise ValueError(f"{name}: shape {failures.shape}; give ({len(index)} firms, scenarios), transpose if need be")
    return pd.RangeIndex(failures.shape[1]), sparse.csc_array(failures, dtype=np.float64)


def read_failures(failures: Any, index: pd.Index, name: str) -> tuple[pd.Index, Shocks]:
    """Scenario labels and the initial losses above zero."""
    if isinstance(failures, pd.Series):
        failures = failures.to_frame()
    labels, psi = (_from_mapping if isinstance(failures, Mapping) else _from_table)(failures, index, name)
    if not len(labels):
        raise ValueError(f"{name}: no scenario; give at least one column")
    if not labels.is_unique:
        raise ValueError(f"{name}: repeats scenario(s) {some(labels[labels.duplicated()].unique())}; name each once")
    wrong = ~((psi.data >= 0) & (psi.data <= 1))
    if wrong.any():
        entry = int(np.argmax(wrong))
        column = int(np.searchsorted(psi.indptr, entry, side="right")) - 1
        place = f"firm {label_text(index[psi.indices[entry]])} in scenario {label_text(labels[column])}"
        raise ValueError(f"{name}: {psi.data[entry]} for {place}; give the fraction lost, from 0 (nothing) to 1 (all)")
    psi.eliminate_zeros()
    return labels, Shocks(psi.indptr.astype(np.int64), psi.indices.astype(np.int32), psi.data)
