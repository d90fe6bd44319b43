"""The economy's balance sheet and transactions matrix (Godley & Lavoie 2007), from what was measured in a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.money import SECTORS

if TYPE_CHECKING:
    from rich.console import Console

    from ecosim.state import World

#: What is held and owed, with the items that only settle it: in the matrix their place is taken by the stock's change.
INSTRUMENTS = {
    "deposits": (),
    "loans": ("loans", "repayments"),
    "trade credit": ("invoices paid",),
    "arrears": ("arrears paid",),
}
FINANCING = tuple(item for items in INSTRUMENTS.values() for item in items)
#: What is owed without being paid, by the name under which finance adds it up.
ACCRUALS = {"inputs invoiced": "invoiced", "wages and rent put off": "put_off"}
TOLERANCE = 1e-9  # share of the largest entry below which a sum is rounding
SUM = "sum"
ZERO = "-"


def measure(world: World) -> pd.DataFrame | None:
    """Return stocks of the first day and of now, and all that was added up in between; None where finance is off.

    Stocks are counted where they are held: cash on the accounts, invoices link by link for suppliers and firm by firm
    for buyers, loans in the bank's book and in the firms'. So the tables made of them need not add up.
    """
    if world.money is None:
        return None
    from ecosim.mechanisms.finance import stocks

    memory = world.memory["finance"]
    found: list[tuple[str, str, Any]] = []
    for item, held in stocks(world).items():
        found += [("opening", item, memory[f"opening_{item}"]), ("closing", item, held)]
        found += [("written off", item, memory.get(f"written_off_{item}", np.zeros(len(SECTORS))))]
    found += [("flow", item, entry) for item, entry in world.money.flows.items()]
    found += [("accrual", item, memory[name]) for item, name in ACCRUALS.items()]
    frame = pd.DataFrame([entry for *_, entry in found], columns=list(SECTORS))
    frame.insert(0, "item", [item.replace("_", " ") for _, item, _ in found])
    frame.insert(0, "table", [table for table, *_ in found])
    return frame


@dataclass(frozen=True)
class Ledger:
    """Tables made of what `measure` found; all have the `SECTORS` as columns, and a last one with the sum of each row.

    ``opening`` and ``closing`` are balance sheets: assets are positive, debts negative, and net worth, entered with
    the opposite sign, closes each column. Money of the first day stands against government bonds, which the bank holds
    and on which nothing is paid. ``transactions`` has what each sector got (+) and paid (-) in the whole run, and below
    that what it did with the rest: a deposit made is a use of funds (-), a loan taken a source (+). ``worth`` explains
    the change of net worth by saving and by what was written off.
    """

    opening: pd.DataFrame
    closing: pd.DataFrame
    transactions: pd.DataFrame
    worth: pd.DataFrame

    @classmethod
    def of(cls, measured: pd.DataFrame) -> Ledger:
        """Make the tables."""
        parts = {str(name): part.set_index("item")[list(SECTORS)] for name, part in measured.groupby("table")}
        opening, closing, off = parts["opening"], parts["closing"], parts["written off"]
        current = parts["flow"][~parts["flow"].index.isin(FINANCING)]
        accrued = parts["accrual"][parts["accrual"].ne(0).any(axis=1)]
        current = pd.concat([current, accrued])
        used = -(closing - opening - off).rename(index="change in {}".format)
        bonds = pd.DataFrame(0.0, index=["government bonds"], columns=list(SECTORS))
        bonds["government"] = opening["bank"].loc[["deposits"]].to_numpy()
        bonds["bank"] = -bonds["government"]
        sheets = [_closed(pd.concat([bonds, stocks])) for stocks in (opening, closing)]
        worth = pd.DataFrame(
            {"net worth on the first day": opening.sum() + bonds.sum(), "saving": current.sum()}
            | {f"{item} written off": off.loc[item] for item in off.index if off.loc[item].ne(0).any()}
        ).T
        worth.loc["not explained"] = closing.sum() + bonds.sum() - worth.sum()
        worth.loc["net worth at the end"] = closing.sum() + bonds.sum()
        return cls(*(_summed(table) for table in (*sheets, pd.concat([current, used]), worth)))

    def tables(self) -> dict[str, pd.DataFrame]:
        """The four tables by title."""
        return {
            "Balance sheet on the first day": self.opening,
            "Balance sheet at the end": self.closing,
            "Transactions": self.transactions,
            "Net worth": self.worth,
        }

    def faults(self) -> list[str]:
        """Every row or column that should add up to zero and does not, in words."""
        found = []
        for title, table in self.tables().items():
            room = TOLERANCE * float(table[list(SECTORS)].abs().to_numpy().max(initial=0.0))
            # Columns of a balance sheet are closed by net worth, so only those of the transactions can fail.
            columns = [("column", table[list(SECTORS)].sum())] if table is self.transactions else []
            for noun, sums in (("row", table[SUM]), *columns):
                found += [
                    f"{title}: {noun} {name!r} adds up to {value:,.6g}, not 0"
                    for name, value in sums.items()
                    if not abs(value) <= room
                ]
        return found

    def long(self) -> pd.DataFrame:
        """All tables as one, a row for each entry."""
        parts = []
        for title, table in self.tables().items():
            part = table.rename_axis("row").reset_index().melt("row", var_name="column")
            part.insert(0, "table", title)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def json(self) -> str:
        """All tables, row by row, and what does not add up."""
        tables = {title: table.to_dict("index") for title, table in self.tables().items()}
        return json.dumps({"tables": tables, "faults": self.faults()}, indent=2)

    def show(self, console: Console) -> None:
        """Print the tables, in units that keep them readable, and say whether they add up."""
        from rich.table import Table

        largest = max(float(table.abs().to_numpy().max(initial=0.0)) for table in self.tables().values())
        unit, noun = next(
            (scale for scale in ((1e9, "billions of "), (1e6, "millions of "), (1e3, "thousands of "))
             if largest >= 100 * scale[0]),
            (1.0, ""),
        )  # fmt: skip
        for title, table in self.tables().items():
            shown = Table(title=f"{title}, {noun}currency units", title_justify="left", title_style="bold")
            shown.add_column("")
            for name in table.columns:
                shown.add_column(str(name), justify="right")
            room = TOLERANCE * float(table.abs().to_numpy().max(initial=0.0))
            for row in table.itertuples():
                entries = [ZERO if abs(value) <= room else f"{value / unit:,.2f}" for value in row[1:]]
                shown.add_row(str(row.Index), *entries)
            console.print(shown)
        faults = self.faults()
        console.print("Of what a sector has and gets, assets and receipts are positive, debts and payments negative; a")
        console.print("deposit made is a use of money (-), a loan taken a source (+).")
        for fault in faults or ["Every row and every column adds up to zero."]:
            console.print(fault, markup=False, highlight=False)


def _closed(stocks: pd.DataFrame) -> pd.DataFrame:
    """A balance sheet: net worth, with the opposite sign, closes each column."""
    return pd.concat([stocks, pd.DataFrame([-stocks.sum()], index=["less net worth"])])


def _summed(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{SUM: table.sum(axis=1)})
