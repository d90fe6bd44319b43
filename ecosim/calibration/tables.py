"""Real input-output tables to calibrate on: loading, bringing to one form, balancing.

Every table comes out in the same form: what each industry of a country sells to each other industry of that
country (``flows``), what it sells to everybody else (``final_demand``), and the sum of both (``output``), in
million USD a year. Value added is what a column does not spend on ``flows``; it therefore includes imported
inputs and taxes on products.

Sources: US Bureau of Economic Analysis (preset ``us``) and the World Input-Output Database, 2013 release
(Timmer et al. 2015; the other presets). ``ecosim/data/README.md`` gives terms and citations.
"""

from __future__ import annotations

import csv
import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ecosim.calibration.industries import WIOD_INDUSTRIES
from ecosim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

UNIT: Final = "million USD a year"
_BEA_SIZES: Final = (15, 71)
_BEA_YEAR: Final = "not stated in the file"
_BEA_SOURCE: Final = "US Bureau of Economic Analysis, supply (make) and use tables"
_BEA_TERMS: Final = "US government work, public domain (files as packaged in quantecon_book_networks 1.6, MIT licence)"
_BEA_CITATION: Final = "US Bureau of Economic Analysis, Input-Output Accounts: supply and use tables."
_WIOD_COUNTRIES: Final = {
    "aut": "Austria",
    "deu": "Germany",
    "gbr": "United Kingdom",
    "hun": "Hungary",
    "ita": "Italy",
    "jpn": "Japan",
    "usa": "United States",
}
_WIOD_SIZE: Final = len(WIOD_INDUSTRIES)
_WIOD_SOURCE: Final = "World Input-Output Database, 2013 release, national part of the 2011 world table"
_WIOD_TERMS: Final = "free to use; cite Timmer et al. (2015) wherever it is used"
_WIOD_CITATION: Final = (
    "Timmer, M. P., Dietzenbacher, E., Los, B., Stehrer, R. and de Vries, G. J. (2015). An Illustrated User Guide to "
    "the World Input-Output Database: the Case of Global Automotive Production. Review of International Economics "
    "23(3), 575-605."
)

# Trade and transport sell goods' margins: in a use table at purchasers' prices these are hidden in the goods.
_RETAIL: Final = frozenset(
    {
        "Retail trade",
        "Motor vehicle and parts dealers",
        "Food and beverage stores",
        "General merchandise stores",
        "Other retail",
    }
)
_CARRIAGE: Final = frozenset(
    {
        "Wholesale trade",
        "Transportation and warehousing",
        "Rail transportation",
        "Water transportation",
        "Truck transportation",
        "Pipeline transportation",
    }
)
_SCRAP: Final = "Scrap, used and secondhand goods"
_GOODS_15: Final = frozenset(
    {"Agriculture, forestry, fishing, and hunting", "Mining", "Manufacturing", "Information", _SCRAP}
)
_CIF: Final = "CIF/FOB Adjustments on Imports"


@dataclass(frozen=True, eq=False)
class InputOutputTable:
    """Domestic industry-by-industry table of one country, balanced; k industries, money in million USD a year.

    ``flows`` (k, k): row sells to column. ``final_demand`` (k,): all that is sold to others than the industries of
    the table (households, government, investment, stocks, exports), never negative. ``output`` (k,) equals
    ``flows.sum(1) + final_demand``. ``notes`` says what was changed to get there, and by how much. The arrays are
    read-only, because tables are shared between callers. Two tables are equal only if they are the same object.
    """

    preset: str
    industries: int
    sectors: tuple[str, ...]
    flows: NDArray[np.float64]
    final_demand: NDArray[np.float64]
    output: NDArray[np.float64]
    unit: str
    source: str
    terms: str
    citation: str
    notes: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that it was made of, below ``ecosim/data``."""
        if self.preset == "us":
            return f"bea/make_{self.industries}.csv", f"bea/use_{self.industries}.csv"
        return (f"wiod/{self.preset.upper()}_2011.json",)

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """Technical coefficients A = flows / output of the buyer, shape (k, k), no unit (Leontief 1936)."""
        return self.flows / self.output

    @property
    def input_share(self) -> NDArray[np.float64]:
        """Domestic inputs per unit of output, shape (k,): column sums of the coefficients, below 1."""
        return self.flows.sum(axis=0) / self.output


@dataclass(frozen=True)
class TableEntry:
    """One table that ``load_table(preset, industries)`` can load. ``year`` is text, for not every file states it."""

    preset: str
    industries: int
    country: str
    year: str
    source: str
    terms: str


def available() -> tuple[TableEntry, ...]:
    """All tables that ship with ecosim; ``industries`` counts the industries kept."""
    bea = [TableEntry("us", size, "United States", _BEA_YEAR, _BEA_SOURCE, _BEA_TERMS) for size in _BEA_SIZES]
    wiod = [
        TableEntry(preset, load_table(preset).industries, country, "2011", _WIOD_SOURCE, _WIOD_TERMS)
        for preset, country in _WIOD_COUNTRIES.items()
    ]
    return (*bea, *wiod)


def load_table(preset: str, industries: int | None = None) -> InputOutputTable:
    """The balanced table of a preset; repeated calls return the same object.

    ``industries`` picks the size where there is a choice: 15 (default) or 71 for ``us``. The other presets have one
    size, which may be named as the 35 industries of the source or as the number that is kept once industries
    without output are dropped.

    Raises ValueError for a preset or a number of industries that does not exist, naming the valid ones.
    """
    presets = ("us", *_WIOD_COUNTRIES)
    if preset not in presets:
        close = difflib.get_close_matches(str(preset).lower(), presets, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
        raise InputError(f"unknown preset {preset!r}: valid are {', '.join(presets)}.{hint}")
    if preset == "us":
        size = _BEA_SIZES[0] if industries is None else industries
        _check_size(preset, size, _BEA_SIZES)
        return _load_bea(size)
    table = _load_wiod(preset)
    if industries is not None:
        _check_size(preset, industries, tuple(sorted({table.industries, _WIOD_SIZE})))
    return table


def describe(table: InputOutputTable) -> pd.DataFrame:
    """What to show of a table: one row a sector (index ``sector``), in the order of the table.

    Columns: ``output`` (million USD a year), ``output_percent`` (share of total output, %), ``input_share`` (domestic
    inputs per unit of output) and ``final_demand_share`` (share of output that does not go to industries).
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "output": table.output,
            "output_percent": 100.0 * table.output / table.output.sum(),
            "input_share": table.input_share,
            "final_demand_share": table.final_demand / table.output,
        },
        index=pd.Index(table.sectors, name="sector"),
    )


def _check_size(preset: str, size: int, valid: tuple[int, ...]) -> None:
    """Raises ValueError, with the nearest valid size, where ``preset`` has no table of ``size`` industries."""
    if size not in valid:
        options = " or ".join(str(option) for option in valid)
        hint = ""
        if isinstance(size, int | float):
            hint = f" Did you mean {min(valid, key=lambda option: abs(option - size))}?"
        raise InputError(f"preset {preset!r} has no table of {size!r} industries: valid are {options}.{hint}")


def _finish(
    preset: str,
    sectors: tuple[str, ...],
    flows: NDArray[np.float64],
    output: NDArray[np.float64],
    notes: tuple[str, ...],
) -> InputOutputTable:
    """Close the rows with final demand, check what every user of a table relies on, and freeze the arrays.

    Raises ValueError where a flow or a final demand is negative or an industry spends its whole output on inputs.
    """
    final_demand = output - flows.sum(axis=1)
    # A row mended to sell everything to industries ends at zero up to rounding, which may fall just below.
    final_demand[np.abs(final_demand) < 1e-9 * output] = 0.0
    problems = {
        "negative flow": bool((flows < 0.0).any()),
        "negative final demand": bool((final_demand < 0.0).any()),
        "input share of 1 or more": bool((flows.sum(axis=0) >= output).any()),
        "repeated sector name": len(set(sectors)) != len(sectors),
    }
    if any(problems.values()):
        raise InputError(f"table {preset!r}: {', '.join(name for name, found in problems.items() if found)}")
    for array in (flows, final_demand, output):
        array.setflags(write=False)
    return InputOutputTable(
        preset=preset,
        industries=len(sectors),
        sectors=sectors,
        flows=flows,
        final_demand=final_demand,
        output=output,
        unit=UNIT,
        source=_BEA_SOURCE if preset == "us" else _WIOD_SOURCE,
        terms=_BEA_TERMS if preset == "us" else _WIOD_TERMS,
        citation=_BEA_CITATION if preset == "us" else _WIOD_CITATION,
        notes=notes,
    )


# --- World Input-Output Database ---------------------------------------------------------------------------------


@cache
def _load_wiod(preset: str) -> InputOutputTable:
    """Table of one country of the 2013 release: closes the rows, drops industries that produce nothing."""
    path = resources.files("ecosim") / "data" / "wiod" / f"{preset.upper()}_2011.json"
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    codes: list[str] = raw["industries"]
    flows = np.array(raw["Z_domestic"], dtype=np.float64)
    output = np.array(raw["output"], dtype=np.float64)
    stated = np.array(raw["final_demand_domestic"], dtype=np.float64).sum(axis=1)
    stated += np.array(raw["exports_final"], dtype=np.float64) + np.array(raw["exports_intermediate"], dtype=np.float64)

    notes = [_residual_note(codes, output, output - flows.sum(axis=1) - stated)]
    notes += _cap_rows(codes, flows, output)
    kept = output > 0.0
    if not kept.all():
        dropped = [f"{code} ({WIOD_INDUSTRIES[code]})" for code, keep in zip(codes, kept, strict=True) if not keep]
        lost = flows.sum() - flows[np.ix_(kept, kept)].sum()
        notes.append(f"dropped for want of output: {', '.join(dropped)}; flows dropped with it: {lost:,.0f} {UNIT}")
    notes.append("value added (output less flows bought) includes imported inputs, transport margins and taxes")
    sectors = tuple(WIOD_INDUSTRIES[code] for code, keep in zip(codes, kept, strict=True) if keep)
    return _finish(preset, sectors, flows[np.ix_(kept, kept)], output[kept], tuple(notes))


def _residual_note(codes: list[str], output: NDArray[np.float64], residual: NDArray[np.float64]) -> str:
    """Says by how much rows (k,) of the file miss their output, in million USD a year and as a share of output."""
    relative = np.abs(residual) / np.where(output > 0.0, output, np.inf)
    worst = int(relative.argmax())
    return (
        "rows of the file miss output; the residual is put into final demand: "
        f"at most {np.abs(residual).max():,.0f} {UNIT} in a row, at most {relative[worst]:.2%} of output "
        f"({codes[worst]}, {WIOD_INDUSTRIES[codes[worst]]}), in all {np.abs(residual).sum():,.0f} {UNIT} or "
        f"{np.abs(residual).sum() / output.sum():.3%} of total output"
    )


def _cap_rows(codes: list[str], flows: NDArray[np.float64], output: NDArray[np.float64]) -> list[str]:
    """Scale down, in place, each row of ``flows`` (k, k) that sells more than ``output`` (k,); one note a row.

    Such a row sells out of stocks of earlier years. An economy at rest has none, so the row sells just its output,
    has no final demand, and the buyers' missing inputs count as value added.
    """
    notes = []
    sold = flows.sum(axis=1)
    for row in np.flatnonzero(sold > output):
        factor = output[row] / sold[row]
        notes.append(
            f"{codes[row]} ({WIOD_INDUSTRIES[codes[row]]}) sells {sold[row] - output[row]:,.0f} {UNIT} more to "
            f"industries than it produces (out of stocks): its row is multiplied by {factor:.4f}, final demand is 0"
        )
        flows[row] *= factor
    return notes


# --- US Bureau of Economic Analysis ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Sheet:
    """One BEA file: row names, column names, and cells (rows, columns) with empty cells as 0."""

    rows: list[str]
    columns: list[str]
    cells: NDArray[np.float64]

    def row(self, name: str) -> NDArray[np.float64]:
        """Cells of the row called ``name``, shape (columns,)."""
        cells: NDArray[np.float64] = self.cells[self.rows.index(name)]
        return cells

    def column(self, *names: str) -> int:
        """Position of the first of ``names`` found: the two sizes name the same column by words or by code."""
        for name in names:
            if name in self.columns:
                return self.columns.index(name)
        raise InputError(f"no column {' or '.join(names)}: columns are {', '.join(self.columns)}")


@dataclass(frozen=True, eq=False)
class _Accounts:
    """Supply and use of one year: k industries, c = k + 2 commodities, b = k + final buyers; million USD a year.

    ``make`` (c, k) and ``supply`` (c,) are at basic prices, ``use`` (c, b) at purchasers' prices, ``imports`` (c,)
    as valued at the border. ``household`` and ``export`` are columns of ``use``. ``goods``, ``retail`` and
    ``carriage`` (c,) mark commodities that carry margins, and those that are the margins.
    """

    commodities: list[str]
    make: NDArray[np.float64]
    imports: NDArray[np.float64]
    supply: NDArray[np.float64]
    output: NDArray[np.float64]
    use: NDArray[np.float64]
    household: int
    export: int
    goods: NDArray[np.bool_]
    retail: NDArray[np.bool_]
    carriage: NDArray[np.bool_]

    @property
    def wedge(self) -> NDArray[np.float64]:
        """Uses less supply, shape (c,): margins and taxes less subsidies on a commodity; below 0 if it is a margin."""
        difference: NDArray[np.float64] = self.use.sum(axis=1) - self.supply
        return difference


@cache
def _load_bea(size: int) -> InputOutputTable:
    """Industry-by-industry table of ``size`` industries under fixed product sales structures (model D).

    flows = D U with D the market shares of industries in the domestic output of each commodity and U the domestic
    intermediate use at basic prices (Eurostat 2008, ch. 11; Miller & Blair 2009, ch. 5).
    """
    accounts = _read_accounts(size)
    basic, taxes = _basic_prices(accounts)
    import_share = _import_shares(accounts, basic)
    domestic = (1.0 - import_share)[:, np.newaxis] * basic[:, :size]
    produced = accounts.make.sum(axis=1)
    flows = (accounts.make / produced[:, np.newaxis]).T @ domestic
    notes = _bea_notes(accounts, taxes, float(basic[:, :size].sum()), float(domestic.sum()))
    sectors = tuple(accounts.commodities[:size])
    return _finish("us", sectors, flows, accounts.output, notes)


def _bea_notes(accounts: _Accounts, taxes: float, bought: float, domestic: float) -> tuple[str, ...]:
    """What was done to the files; net taxes on goods, all and domestic intermediate use in million USD a year."""
    wedge = accounts.wedge
    retail, carriage = -wedge[accounts.retail].sum(), -wedge[accounts.carriage].sum()
    rounding = np.abs(accounts.make.sum(axis=0) - accounts.output).max()
    prices = (
        f"use table brought from purchasers' to basic prices: {retail:,.0f} of retail margins charged to household "
        f"purchases, {carriage:,.0f} of wholesale and transport margins and {taxes:,.0f} of net taxes on goods spread "
        f"over all purchases of goods ({UNIT})"
    )
    imported = (
        f"imports taken out in proportion: {bought - domestic:,.0f} of {bought:,.0f} {UNIT} of intermediate use, used "
        "goods and noncomparable imports wholly; exports are domestic"
    )
    return (
        "industry-by-industry under fixed product sales structures (Eurostat model D); government counts as industries",
        prices,
        imported,
        f"output is the file's own; cells of its make table miss it by at most {rounding:,.0f} {UNIT} (rounding)",
        "no flow and no final demand came out negative, so nothing was mended",
        "value added (output less flows bought) includes imported inputs and taxes on products",
    )


def _read_sheet(name: str) -> _Sheet:
    """One CSV file of ``data/bea``; '---' means empty."""
    text = (resources.files("ecosim") / "data" / "bea" / name).read_text(encoding="utf-8")
    header, *lines = [line for line in csv.reader(text.splitlines()) if line]
    cells = [[0.0 if cell.strip() in ("", "---") else float(cell) for cell in line[1:]] for line in lines]
    return _Sheet([line[0] for line in lines], header[1:], np.array(cells, dtype=np.float64))


def _read_accounts(size: int) -> _Accounts:
    """Make and use file of ``size`` industries, checked to list industries and commodities in the same order."""
    make, use = _read_sheet(f"make_{size}.csv"), _read_sheet(f"use_{size}.csv")
    count = size + 2  # scrap and noncomparable imports are commodities that no industry is named after
    commodities = use.rows[:count]
    output = make.row("Total industry supply")[:size].copy()
    # The 71-industry use file names its columns by code, the make file by words: equal totals prove equal order.
    if make.rows[:count] != commodities or (output != use.row("Total industry output (basic prices)")[:size]).any():
        raise InputError(f"make_{size}.csv and use_{size}.csv do not list the same commodities and industries")
    # The last column is headed 'Total Industry Output', but holds total supply of the row's commodity.
    supply = make.cells[:count, make.column("Total Industry Output")]
    # Imports are a column of the 15-industry file only; in both files they are what else makes up supply.
    imports = supply - make.cells[:count, :size].sum(axis=1) - make.cells[:count, make.column(_CIF)]
    subtotal = use.column("Total Intermediate", "T001")
    total = use.column("Total use of products", "T019")
    if size == _BEA_SIZES[0]:
        goods = np.array([name in _GOODS_15 for name in commodities])
    else:  # codes: agriculture 1xx, mining 21x, manufacturing 3xx, publishing 511 and films 512 (sold on paper or disc)
        codes = [*use.columns[:size], "3", ""]
        goods = np.array([code[:1] in ("1", "3") or code[:2] == "21" or code in ("511", "512") for code in codes])
    return _Accounts(
        commodities=commodities,
        make=make.cells[:count, :size],
        imports=np.maximum(imports, 0.0),  # rounding leaves some at -1 or -2
        supply=supply,
        output=output,
        use=np.delete(use.cells[:count], [subtotal, total], axis=1),
        household=use.column("Personal consumption expenditures", "F010") - 1,  # the subtotal left of it is gone
        export=use.column("Exports of goods and services", "F040") - 1,
        goods=goods,
        retail=np.array([name in _RETAIL for name in commodities]),
        carriage=np.array([name in _CARRIAGE for name in commodities]),
    )


def _basic_prices(accounts: _Accounts) -> tuple[NDArray[np.float64], float]:
    """Use at basic prices, shape (c, b), whose rows add up to supply; and net taxes taken off goods.

    The files show the difference between purchasers' and basic prices only as a total a commodity (uses less
    supply). Of that of a good, retail margins fall on households alone, each good bearing them in proportion to the
    household part of its difference; the rest (wholesale and transport margins, taxes less subsidies) falls on all
    its buyers in proportion to their purchases. What buyers so pay for margins is use of trade and transport.
    Services bear taxes only, in proportion to purchases. Raises ValueError where retail margins exceed what the
    household purchases of goods can bear.
    """
    use, wedge = accounts.use, accounts.wedge
    retail, carriage, goods = accounts.retail, accounts.carriage, accounts.goods
    bought = use.sum(axis=1)
    per_use = np.divide(1.0, bought, out=np.zeros_like(bought), where=bought > 0.0)  # some retail is margin only
    goods_wedge = np.where(goods, wedge, 0.0)

    bearing = goods_wedge * np.clip(use[:, accounts.household] * per_use, 0.0, 1.0)
    rate = -wedge[retail].sum() / bearing.sum()
    if not 0.0 <= rate <= 1.0:
        raise InputError(f"retail margins are {rate:.3f} times the difference in household purchases of goods")
    on_households = rate * bearing
    on_all = ((goods_wedge - on_households) * per_use)[:, np.newaxis] * use

    basic = use * (accounts.supply * per_use)[:, np.newaxis]
    basic[goods] = (use - on_all)[goods]
    basic[goods, accounts.household] -= on_households[goods]
    basic[retail | carriage] = use[retail | carriage]
    basic[retail, accounts.household] -= wedge[retail]
    basic[carriage] -= np.outer(wedge[carriage], on_all.sum(axis=0) / on_all.sum())
    return basic, float(on_all.sum() + wedge[carriage].sum())


def _import_shares(accounts: _Accounts, basic: NDArray[np.float64]) -> NDArray[np.float64]:
    """Imports per unit of supply that is not exported, shape (c,), in [0, 1]; ``basic`` (c, b) is use.

    The share is 1 where imports are all that exports leave, which is so in two rows. Part of the exports of
    noncomparable imports is not domestic. Used goods are exported and bought by industries out of what other owners
    give up, a negative use, more than out of anyone's production. So neither row is bought from domestic industries.

    The CIF/FOB adjustment lowers a row's supply, so the freight and insurance of residents on imports stays sold
    to final demand: it is earned abroad, as an export is.
    """
    absorbed = accounts.supply - basic[:, accounts.export]
    shares = np.ones_like(absorbed)
    np.divide(accounts.imports, absorbed, out=shares, where=absorbed > accounts.imports)
    return shares
