"""An economy from tables of firms and links: checked whole, every mistake named with its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.blueprint import ESSENTIAL, IMPORTANCE, Blueprint, Firms
from ecosim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FIRM_COLUMNS = ("firm", "sector", "final_demand", "region", "customer", "type", "x", "y")
LINK_COLUMNS = ("supplier", "client", "flow", "importance")
LEVELS = {level: IMPORTANCE.index(level) for level in reversed(IMPORTANCE)}  # as a user ranks them
ROLES = {"SMB": 0, "Supplier": 1}
SHOWN = 20  # mistakes listed before the rest are only counted
LONGEST = 60  # characters of a wrong value shown
# Sums of amounts within these bounds neither overflow nor lose what matters; coordinates stay below the upper one.
MOST = 1e15
LEAST = 1e-12


@dataclass(frozen=True)
class Source:
    """Where a table came from, for error texts: a file with a header in line 1, or rows of a list.

    ``numbers`` (rows,) gives the line, or the number, of each row where they do not simply count up.
    """

    name: str
    is_file: bool = False
    numbers: NDArray[np.int64] | None = field(default=None, compare=False, repr=False)

    def at(self, row: int) -> str:
        """Place of a row (from 0)."""
        first = 2 if self.is_file else 1
        number = row + first if self.numbers is None else int(self.numbers[row])
        return f"{self.name}:{number}" if self.is_file else f"{self.name}, row {number}"

    @property
    def header(self) -> str:
        """Place of the names of the columns."""
        return f"{self.name}:1" if self.is_file else self.name


class Mistakes:
    """Collects every mistake of a table, so that a user sees them all at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.count = 0

    def where(self, bad: NDArray[np.bool_], source: Source, text: Callable[[int], str]) -> None:
        """Note each row where ``bad`` is true; ``text(row)`` says what is wrong and the mend."""
        rows = np.flatnonzero(bad)
        self.count += len(rows)
        self.found += [f"{source.at(row)}: {text(row)}" for row in rows[: SHOWN - len(self.found)].tolist()]

    def stop(self) -> None:
        """Raise them all, if any."""
        if not self.count:
            return
        more = [f"... and {self.count - SHOWN} more"] if self.count > SHOWN else []
        raise InputError("\n".join(self.found + more))


# --- files ------------------------------------------------------------------------------------------------------------


def read_bytes(path: str, where: str) -> bytes:
    """Read a whole file. Raises InputError for what is no file; ``where`` is the key of the scenario that names it."""
    import stat
    from pathlib import Path

    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # reading a device or a pipe might never end
            raise InputError(f"{path}: not a regular file; check {where}")
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check {where}") from None


def csv_table(raw: bytes, path: str) -> tuple[pd.DataFrame, Source]:
    """Read a CSV file's bytes as a table of texts that knows the line of each row. Raises InputError with the mend."""
    import csv
    import io

    import pandas as pd

    reader = csv.reader(io.StringIO(_text_of(raw, path), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        for cells in reader:
            if cells and (len(cells) > 1 or cells[0].strip()):
                rows.append(cells)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(_no_table(path, f"line {start}: {error}")) from None
    if not rows:
        raise InputError(_no_table(path, "it is empty"))
    header, line = rows.pop(0), lines.pop(0)
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if any(sign in cell for cell in header):
            raise InputError(f"{path}:{line}: the header has {name}; separate columns with commas")
    source = Source(path, is_file=True, numbers=np.array(lines, dtype=np.int64))
    counts = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    wrong = Mistakes()
    wrong.where(
        counts != len(header),
        source,
        lambda row: (
            f"the row has {counts[row]} cells and the header {len(header)}; "
            + ("fill in or leave empty" if counts[row] < len(header) else "remove or quote")
            + " cells until they agree"
        ),
    )
    wrong.stop()
    return pd.DataFrame(rows, columns=header, dtype=object), source


def _no_table(path: str, reason: str) -> str:
    return f"{path}: not a CSV table ({reason}); give a header line and one row each"


def _text_of(raw: bytes, path: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: saved as UTF-16; save it as UTF-8")
    if b"\0" in raw:
        raise InputError(f"{path}: not text, or saved as UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: byte {raw[error.start]:#04x} is not UTF-8; save it as UTF-8") from None


# --- columns ----------------------------------------------------------------------------------------------------------


def _columns(frame: pd.DataFrame, source: Source, needed: tuple[str, ...], known: tuple[str, ...]) -> None:
    have = [str(column) for column in frame.columns]
    missing = [name for name in needed if name not in have]
    strange = [name for name in have if name not in known]
    twice = [name for name in have if have.count(name) > 1]
    place = source.header
    if twice:
        raise InputError(f"{place}: column {twice[0]!r} stands twice; remove one")
    if missing:
        there = ", ".join(have) or "none"
        raise InputError(f"{place}: no column {missing[0]!r}; the columns are {there}; needed are {', '.join(needed)}")
    if strange:
        raise InputError(f"{place}: unknown column {strange[0]!r}; known are {', '.join(known)}; rename or remove it")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _texts(frame: pd.DataFrame, name: str) -> pd.Series[str]:
    column = frame[name].astype(object)
    texts: pd.Series[str] = column.where(column.notna(), "").map(str)
    return texts


def _words(frame: pd.DataFrame, name: str, source: Source, wrong: Mistakes, mend: str) -> pd.Series[str]:
    """Texts of a column that must be filled in everywhere."""
    texts = _texts(frame, name)
    wrong.where((texts.str.strip() == "").to_numpy(dtype=bool), source, lambda _: mend)
    return texts


def _finite(
    frame: pd.DataFrame, name: str, source: Source, wrong: Mistakes
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a column, and which of them are good."""
    import pandas as pd

    try:
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    except OverflowError:  # an integer beyond the floats
        values = np.array([_float(cell) for cell in frame[name]], dtype=np.float64)
    bad = ~np.isfinite(values)
    wrong.where(bad, source, lambda row: f"{name} is {_shown(frame[name].iloc[row])}; give a finite number")
    return values, ~bad


def _float(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _amounts(frame: pd.DataFrame, name: str, source: Source, wrong: Mistakes, *, positive: bool) -> NDArray[np.float64]:
    values, good = _finite(frame, name, source, wrong)
    low = good & ((values <= 0) if positive else (values < 0))
    need = "above 0; leave out a link that carries nothing" if positive else "of at least 0"
    wrong.where(low, source, lambda row: f"{name} is {values[row]:g}; give a number {need}")
    least = f"at least {LEAST:g}, or " + ("leave the link out" if positive else "0")
    small, large = good & (values > 0) & (values < LEAST), good & (values > MOST)
    wrong.where(small, source, lambda row: f"{name} is {values[row]:g} currency units a day; give {least}")
    wrong.where(large, source, lambda row: f"{name} is {values[row]:g} currency units a day; give at most {MOST:g}")
    return values


def _coordinates(frame: pd.DataFrame, name: str, source: Source, wrong: Mistakes) -> NDArray[np.float64]:
    if name not in frame:
        return np.zeros(len(frame))
    values, good = _finite(frame, name, source, wrong)
    far = good & (np.abs(values) > MOST)
    wrong.where(far, source, lambda row: f"{name} is {values[row]:g} km; give at most {MOST:g}")
    return values


def _choice(
    frame: pd.DataFrame, column: str, codes: dict[str, int], default: int, source: Source, wrong: Mistakes
) -> NDArray[np.int64]:
    if column not in frame:
        return np.full(len(frame), default)
    text = _texts(frame, column)
    found = text.map({**codes, "": default}).to_numpy(dtype=np.float64)
    allowed = ", ".join(codes)
    wrong.where(np.isnan(found), source, lambda row: f"{column} is {_shown(text.iloc[row])}; choose one of {allowed}")
    return np.nan_to_num(found, nan=default).astype(np.int64)


def _codes(values: pd.Series[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    import pandas as pd

    codes, labels = pd.factorize(values, sort=True)
    return codes.astype(np.int32), tuple(str(label) for label in labels)


def _repeated(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    import pandas as pd

    found: NDArray[np.bool_] = pd.Series(values).duplicated().to_numpy()
    return found


# --- firms and links --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _FirmTable:
    """What a table of firms says, row by row. ``role`` is -1 where it says nothing."""

    name: tuple[str, ...]
    sector: pd.Series[str]
    region: pd.Series[str] | None
    customer: pd.Series[str] | None
    final_demand: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    role: NDArray[np.int64]
    row_of: dict[str, int]


@dataclass(frozen=True)
class _LinkTable:
    """What a table of links says, row by row; an end that is no firm is -1."""

    supplier: NDArray[np.int64]
    buyer: NDArray[np.int64]
    flow: NDArray[np.float64]
    importance: NDArray[np.int64]


def _firm_table(frame: pd.DataFrame, source: Source, wrong: Mistakes) -> _FirmTable:
    name = _texts(frame, "firm")
    twice = name.duplicated().to_numpy(dtype=bool)
    wrong.where(twice, source, lambda row: f"firm {_shown(name.iloc[row])} stands twice; keep one row")
    _words(frame, "firm", source, wrong, "firm has no name; give one")
    optional = {
        column: _words(frame, column, source, wrong, f"{column} is empty; fill it in, or leave the column out")
        for column in ("region", "customer")
        if column in frame
    }
    return _FirmTable(
        name=tuple(name),
        sector=_words(frame, "sector", source, wrong, "sector is empty; name the firm's sector"),
        region=optional.get("region"),
        customer=optional.get("customer"),
        final_demand=_amounts(frame, "final_demand", source, wrong, positive=False),
        x=_coordinates(frame, "x", source, wrong),
        y=_coordinates(frame, "y", source, wrong),
        role=_choice(frame, "type", ROLES, -1, source, wrong),
        row_of={label: row for row, label in enumerate(name)},
    )


def _link_table(
    frame: pd.DataFrame, source: Source, firms: _FirmTable, firms_source: Source, wrong: Mistakes
) -> _LinkTable:
    flow = _amounts(frame, "flow", source, wrong, positive=True)
    ends: dict[str, NDArray[np.int64]] = {}
    for end in ("supplier", "client"):
        label = _texts(frame, end)
        rows: NDArray[np.int64] = label.map(firms.row_of).fillna(-1).to_numpy().astype(np.int64)
        ends[end] = rows
        wrong.where(
            rows < 0,
            source,
            lambda row, label=label, end=end: (  # type: ignore[misc]
                f"{end} {_shown(label.iloc[row])} is not among the firms of {firms_source.name}; "
                "add it or mend the name"
            ),
        )
    supplier, buyer = ends["supplier"], ends["client"]
    known = (supplier >= 0) & (buyer >= 0)
    wrong.where(
        (supplier == buyer) & known,
        source,
        lambda row: f"firm {_shown(firms.name[buyer[row]])} supplies itself; remove the link",
    )
    wrong.where(
        _repeated(buyer * (len(firms.name) + 1) + supplier) & known,
        source,
        lambda row: (
            f"a second link {_shown(firms.name[supplier[row]])} -> {_shown(firms.name[buyer[row]])}; add the flows up"
        ),
    )
    return _LinkTable(supplier, buyer, flow, _choice(frame, "importance", LEVELS, ESSENTIAL, source, wrong))


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
    has ``supplier, client, flow`` and optionally ``importance``; flows and demand in currency units a day, from 1e-12
    to 1e15 (demand also 0). A firm's output is its final demand plus its sales, so any such tables balance, unless
    (``strict``) a firm pays for inputs as much as it earns. Raises InputError with every mistake, each with its row.
    """
    if firms.empty:
        raise InputError(f"{firms_source.name}: no firms; give at least one")
    if links.empty:
        raise InputError(f"{links_source.name}: no links; a network needs at least one")
    _columns(firms, firms_source, FIRM_COLUMNS[:3], FIRM_COLUMNS)
    _columns(links, links_source, LINK_COLUMNS[:3], LINK_COLUMNS)
    wrong = Mistakes()
    firm = _firm_table(firms, firms_source, wrong)
    link = _link_table(links, links_source, firm, firms_source, wrong)
    wrong.stop()
    output = firm.final_demand + np.bincount(link.supplier, link.flow, minlength=len(firm.name))
    if strict:
        _affordable(firm, output, np.bincount(link.buyer, link.flow, minlength=len(firm.name)), firms_source)
    return _assembled(firm, link, output, firms_source)


def _assembled(firm: _FirmTable, link: _LinkTable, output: NDArray[np.float64], source: Source) -> Blueprint:
    n = len(firm.name)
    sector, sector_names = _codes(firm.sector)
    nowhere: NDArray[np.int32] = np.zeros(n, dtype=np.int32)
    region, region_names = (nowhere, ("Here",)) if firm.region is None else _codes(firm.region)
    if firm.customer is None:
        customer, customer_names = region, tuple(f"People of {place}" for place in region_names)
    else:
        customer, customer_names = _codes(firm.customer)
    shared = sorted(set(customer_names) & set(firm.row_of))
    if shared:
        raise InputError(
            f"{source.at(firm.row_of[shared[0]])}: firm {shared[0]!r} has the name of a community of customers; "
            "rename one of the two"
        )
    order = np.lexsort((link.supplier, sector[link.supplier], link.buyer))
    derived = (firm.final_demand < 0.5 * output).astype(np.int8)
    supplier = link.supplier[order].astype(np.int32)
    return Blueprint(
        firms=Firms(
            sector=sector,
            sector_names=sector_names,
            region=region,
            region_names=region_names,
            x=firm.x,
            y=firm.y,
            size=output / max(output.mean(), 1e-300),
            final_demand=firm.final_demand,
            role=np.where(firm.role >= 0, firm.role, derived).astype(np.int8),
            name=firm.name,
        ),
        ptr=np.concatenate(([0], np.cumsum(np.bincount(link.buyer, minlength=n)))).astype(np.int64),
        supplier=supplier,
        product=sector[supplier],
        flow=link.flow[order],
        importance=link.importance[order].astype(np.int8),
        customer=customer,
        customer_names=customer_names,
        notes={"flows": "as given", "sizes": "output is final demand plus sales"},
    )


def _affordable(firm: _FirmTable, output: NDArray[np.float64], inputs: NDArray[np.float64], source: Source) -> None:
    wrong = Mistakes()
    wrong.where(
        (inputs >= output) & (inputs > 0),
        source,
        lambda row: (
            f"firm {_shown(firm.name[row])} cannot be balanced: it buys {inputs[row]:g} a day and sells "
            f"{output[row]:g}; inputs must stay below output: raise its final demand or lower its purchases"
        ),
    )
    wrong.stop()
