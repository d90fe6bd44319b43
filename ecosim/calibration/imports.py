"""An economy from tables of firms and links: checked whole, every mistake named with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import Blueprint, Firms
from ecosim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FIRM_COLUMNS = ("firm", "sector", "final_demand", "region", "customer", "type", "x", "y")
LINK_COLUMNS = ("supplier", "client", "flow", "importance")
IMPORTANCE = {"essential": 2, "important": 1, "other": 0}
ROLES = {"SMB": 0, "Supplier": 1}
SHOWN = 20  # mistakes listed before the rest are only counted


@dataclass(frozen=True)
class Source:
    """Where a table came from, for error texts: a file with a header in line 1, or rows of a list."""

    name: str
    is_file: bool = False

    def at(self, row: int) -> str:
        """Place of a row (from 0)."""
        return f"{self.name}:{row + 2}" if self.is_file else f"{self.name}, row {row + 1}"


class Mistakes:
    """Collects every mistake of a table, so that a user sees them all at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def where(self, bad: NDArray[np.bool_], source: Source, text: Any) -> None:
        """Note each row where ``bad`` is true; ``text(row)`` says what is wrong and the mend."""
        self.found += [f"{source.at(row)}: {text(row)}" for row in np.flatnonzero(bad).tolist()]

    def stop(self) -> None:
        """Raise them all, if any."""
        if not self.found:
            return
        shown = self.found[:SHOWN]
        if len(self.found) > SHOWN:
            shown.append(f"... and {len(self.found) - SHOWN} more")
        raise InputError("\n".join(shown))


def _columns(frame: pd.DataFrame, source: Source, needed: tuple[str, ...], known: tuple[str, ...]) -> None:
    have = [str(column) for column in frame.columns]
    missing = [name for name in needed if name not in have]
    strange = [name for name in have if name not in known]
    place = f"{source.name}:1" if source.is_file else source.name
    if missing:
        there = ", ".join(have) or "none"
        raise InputError(f"{place}: no column {missing[0]!r}; the columns are {there}; needed are {', '.join(needed)}")
    if strange:
        raise InputError(f"{place}: unknown column {strange[0]!r}; known are {', '.join(known)}; rename or remove it")
    if len(set(have)) < len(have):
        twice = next(name for name in have if have.count(name) > 1)
        raise InputError(f"{place}: column {twice!r} stands twice; remove one")


def _numbers(frame: pd.DataFrame, name: str, source: Source, wrong: Mistakes, *, positive: bool) -> NDArray[np.float64]:
    import pandas as pd

    values: NDArray[np.float64] = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(values)
    wrong.where(bad, source, lambda row: f"{name} is {frame[name].iloc[row]!r}; give a finite number")
    low = ~bad & ((values <= 0) if positive else (values < 0))
    need = "above 0; leave out a link that carries nothing" if positive else "of at least 0"
    wrong.where(low, source, lambda row: f"{name} is {values[row]:g}; give a number {need}")
    return values


def _codes(values: pd.Series[Any], names: tuple[str, ...] | None = None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    import pandas as pd

    codes, labels = pd.factorize(values.astype(str), sort=True)
    return codes.astype(np.int32), tuple(str(label) for label in labels)


def blueprint_from_frames(
    firms: pd.DataFrame,
    links: pd.DataFrame,
    *,
    firms_source: Source,
    links_source: Source,
    strict: bool = True,
) -> Blueprint:
    """Check tables of firms and links and make them an economy; flows are taken as they are.

    ``firms`` has columns ``firm, sector, final_demand`` and optionally ``region, customer, type, x, y``; ``links``
    has ``supplier, client, flow`` and optionally ``importance``; flows and demand in currency units a day. A firm's
    output is its final demand plus its sales, so any such tables balance, unless (``strict``) a firm pays for inputs
    as much as it earns. Raises InputError with every mistake, each with its row.
    """
    if firms.empty:
        raise InputError(f"{firms_source.name}: no firms; give at least one")
    if links.empty:
        raise InputError(f"{links_source.name}: no links; a network needs at least one")
    _columns(firms, firms_source, FIRM_COLUMNS[:3], FIRM_COLUMNS)
    _columns(links, links_source, LINK_COLUMNS[:3], LINK_COLUMNS)
    wrong = Mistakes()
    name = firms["firm"].astype(str)
    twice = name.duplicated().to_numpy()
    wrong.where(twice, firms_source, lambda row: f"firm {name.iloc[row]!r} stands twice; keep one row")
    wrong.where((name.str.strip() == "").to_numpy(), firms_source, lambda row: "firm has no name; give one")
    final = _numbers(firms, "final_demand", firms_source, wrong, positive=False)
    flow = _numbers(links, "flow", links_source, wrong, positive=True)
    row_of = {label: row for row, label in enumerate(name)}
    ends = {}
    for end in ("supplier", "client"):
        label = links[end].astype(str)
        rows = label.map(row_of).fillna(-1).to_numpy(dtype=np.int64)
        wrong.where(
            rows < 0,
            links_source,
            lambda row, label=label, end=end: (
                f"{end} {label.iloc[row]!r} is not among the firms of {firms_source.name}; add it or mend the name"
            ),
        )
        ends[end] = rows
    supplier, buyer = ends["supplier"], ends["client"]
    loop = (supplier == buyer) & (buyer >= 0)
    wrong.where(loop, links_source, lambda row: f"firm {name.iloc[buyer[row]]!r} supplies itself; remove the link")
    pair = buyer * (len(name) + 1) + supplier
    again = _repeated(pair) & (supplier >= 0) & (buyer >= 0)
    wrong.where(
        again,
        links_source,
        lambda row: f"a second link {name.iloc[supplier[row]]!r} -> {name.iloc[buyer[row]]!r}; add the flows up",
    )
    importance = _choice(links, "importance", IMPORTANCE, 2, links_source, wrong)
    declared_role = _choice(firms, "type", ROLES, -1, firms_source, wrong)
    places = [
        _numbers(firms, axis, firms_source, wrong, positive=False) if axis in firms else np.zeros(len(name))
        for axis in ("x", "y")
    ]
    wrong.stop()
    output = final + np.bincount(supplier, flow, minlength=len(name))
    if strict:
        _affordable(name, output, np.bincount(buyer, flow, minlength=len(name)), firms_source)
    sector, sector_names = _codes(firms["sector"])
    region, region_names = _codes(firms["region"]) if "region" in firms else (np.zeros(len(name), np.int32), ("Here",))
    if "customer" in firms:
        customer, customer_names = _codes(firms["customer"])
    else:
        customer, customer_names = region, tuple(f"People of {place}" for place in region_names)
    shared = sorted(set(customer_names) & set(row_of))
    if shared:
        raise InputError(
            f"{firms_source.at(row_of[shared[0]])}: firm {shared[0]!r} has the name of a community of customers; "
            "rename one of the two"
        )
    order = np.lexsort((supplier, sector[supplier], buyer))
    derived = (final < 0.5 * output).astype(np.int8)
    role = np.where(declared_role >= 0, declared_role, derived).astype(np.int8)
    return Blueprint(
        firms=Firms(
            sector=sector,
            sector_names=sector_names,
            region=region,
            region_names=region_names,
            x=places[0],
            y=places[1],
            size=output / max(output.mean(), 1e-300),
            final_demand=final,
            role=role,
            name=tuple(name),
        ),
        ptr=np.concatenate(([0], np.cumsum(np.bincount(buyer, minlength=len(name))))).astype(np.int64),
        supplier=supplier[order].astype(np.int32),
        product=sector[supplier[order]],
        flow=flow[order],
        importance=importance[order].astype(np.int8),
        customer=customer,
        customer_names=customer_names,
        notes={"flows": "as given", "sizes": "output is final demand plus sales"},
    )


def _repeated(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    import pandas as pd

    found: NDArray[np.bool_] = pd.Series(values).duplicated().to_numpy()
    return found


def _choice(
    frame: pd.DataFrame, column: str, codes: dict[str, int], default: int, source: Source, wrong: Mistakes
) -> NDArray[np.int64]:
    if column not in frame:
        return np.full(len(frame), default)
    text = frame[column].astype(str)
    found = text.map({**codes, "": default}).to_numpy(dtype=np.float64)
    allowed = ", ".join(codes)
    wrong.where(np.isnan(found), source, lambda row: f"{column} is {text.iloc[row]!r}; choose one of {allowed}")
    return np.nan_to_num(found, nan=default).astype(np.int64)


def _affordable(name: pd.Series[str], output: NDArray[np.float64], inputs: NDArray[np.float64], source: Source) -> None:
    wrong = Mistakes()
    wrong.where(
        (inputs >= output) & (inputs > 0),
        source,
        lambda row: (
            f"firm {name.iloc[row]!r} cannot be balanced: it buys {inputs[row]:g} a day and sells {output[row]:g}; "
            "inputs must stay below output: raise its final demand or lower its purchases"
        ),
    )
    wrong.stop()
