"""The ledger: tables made of stocks and flows that were measured apart, which add up, and tell when they do not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import ecosim
from ecosim import Ecosystem, InputError, Result, load
from ecosim.cli import app
from ecosim.money import SECTORS
from ecosim.report.ledger import Ledger, measure
from ecosim.result import LEDGER, load_ledger

TINY = load(Path(__file__).resolve().parent.parent / "configs/tiny.yaml")
HARD = TINY.with_(
    {
        "days": 90,
        "mechanisms": [{"kind": "finance", "cash_days": 2.0, "grace_days": 3, "credit_days": 4.0}, {"kind": "income"}],
        "shocks": [
            {"kind": "outage", "who": {"share": 0.4}, "when": 3, "severity": 0.95,
             "recovery": {"law": "exponential", "days": 60}}
        ],
    }
)  # fmt: skip
SMBS, SUPPLIERS, PEOPLE, BANK, STATE, OUTSIDE = SECTORS


@pytest.fixture(scope="module")
def eco():
    lived = Ecosystem(HARD)
    lived.run_for(90)
    return lived


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return ecosim.run(HARD).save(tmp_path_factory.mktemp("ledger") / "hard")


def tables(eco):
    return Ledger.of(measure(eco.world))


def test_rows_and_columns_add_up_after_a_crisis_with_failures(eco):
    ledger = tables(eco)
    assert (eco.world.firms.alive == 0).sum() >= 3
    assert ledger.faults() == []
    for table in (ledger.opening, ledger.closing, ledger.transactions):
        scale = table.abs().to_numpy().max()
        np.testing.assert_allclose(table.sum(axis=0), 0, atol=1e-9 * scale)
        np.testing.assert_allclose(table[list(SECTORS)].sum(axis=1), 0, atol=1e-9 * scale)
    np.testing.assert_allclose(ledger.worth.loc["not explained"], 0, atol=1e-9 * ledger.worth.abs().to_numpy().max())
    assert {"trade credit written off", "loans written off", "arrears written off"} <= set(ledger.worth.index)


def test_entries_are_what_the_economy_holds(eco):
    world, ledger = eco.world, tables(eco)
    role = world.plan.firms.role
    assert ledger.closing.loc["deposits", SMBS] == pytest.approx(world.firms.cash[role == 0].sum())
    assert ledger.closing.loc["deposits", PEOPLE] == pytest.approx(world.customers.savings.sum())
    assert ledger.closing.loc["loans", BANK] == pytest.approx(world.firms.debt.sum(), abs=1e-6)
    owed = world.links.columns["owed"]
    held = owed[role[world.links.supplier] == 1].sum() - owed[role[world.links.buyer] == 1].sum()
    assert ledger.closing.loc["trade credit", SUPPLIERS] == pytest.approx(held)
    sold = ledger.transactions.loc["sales"]
    assert sold[SMBS] + sold[SUPPLIERS] == pytest.approx(-sold[PEOPLE])
    assert ledger.transactions.loc["benefits", STATE] == pytest.approx(-ledger.transactions.loc["benefits", PEOPLE])
    assert (ledger.opening.loc["deposits", [SMBS, PEOPLE]] > 0).all()
    assert ledger.opening.loc["less net worth", BANK] == pytest.approx(0, abs=1e-6)


def test_at_rest_nobody_saves():
    calm = Ecosystem(TINY.with_({"shocks": [], "mechanisms": ["finance", "income"]}))
    calm.run_for(50)
    ledger = tables(calm)
    assert ledger.faults() == []
    np.testing.assert_allclose(ledger.opening, ledger.closing, atol=1e-6)
    changes = [row for row in ledger.transactions.index if row.startswith("change in")]
    np.testing.assert_allclose(ledger.transactions.loc[changes], 0, atol=1e-6)


def spoil_cash(world):
    world.firms.cash[0] += 7.0


def spoil_savings(world):
    world.customers.savings[0] -= 7.0


def spoil_debt(world):
    world.firms.debt[0] += 7.0


def spoil_invoice(world):
    world.links.columns["owed"][5] += 7.0


def spoil_account(world):
    world.money.accounts[1] += 7.0


def spoil_flow(world):
    world.money.flows["sales"][0] += 7.0


def spoil_write_off(world):
    world.memory["finance"]["written_off_loans"][3] += 7.0


def spoil_arrears(world):
    world.firms.arrears[2] += 7.0


@pytest.mark.parametrize(
    "spoil",
    [spoil_cash, spoil_savings, spoil_debt, spoil_invoice, spoil_account, spoil_flow, spoil_write_off, spoil_arrears],
)
def test_a_unit_from_nowhere_is_found(eco, spoil):
    spoilt = Ecosystem(HARD, blueprint=eco.world.plan)
    spoilt.run_for(90)
    spoil(spoilt.world)
    faults = tables(spoilt).faults()
    assert any("column" in fault and "7" in fault for fault in faults), faults


def test_a_run_leaves_its_ledger_and_only_with_finance(folder, tmp_path):
    kept = load_ledger(folder)
    pd.testing.assert_frame_equal(kept, Result.load(folder).ledger)
    assert Ledger.of(kept).faults() == []
    plain = ecosim.run(TINY.with_({"days": 31})).save(tmp_path / "plain")
    assert not (plain / LEDGER).exists()
    assert Result.load(plain).ledger is None
    with pytest.raises(InputError, match=r"plain: finance was off, so nobody has accounts; run it .* finance"):
        load_ledger(plain)


def test_a_ledger_that_was_changed_is_refused(folder, tmp_path):
    copy = Result.load(folder).save(tmp_path / "copy")
    frame = pd.read_parquet(copy / LEDGER)
    frame.loc[0, SMBS] += 1
    frame.to_parquet(copy / LEDGER)
    with pytest.raises(InputError, match=r"ledger\.parquet: changed since it was written"):
        load_ledger(copy)
    (copy / LEDGER).unlink()
    with pytest.raises(InputError, match=r"ledger\.parquet: changed since it was written"):
        load_ledger(copy)


def test_the_command_prints_the_tables(folder, tmp_path):
    printed = CliRunner().invoke(app, ["ledger", str(folder)])
    assert printed.exit_code == 0
    for words in ("Balance sheet at the end", "Transactions, ", "households", "loans written off", "adds up to zero"):
        assert words in printed.output
    exact = json.loads(CliRunner().invoke(app, ["ledger", str(folder), "--json"]).output)
    sold = exact["tables"]["Transactions"]["sales"]
    assert sold[SMBS] + sold[SUPPLIERS] == pytest.approx(-sold[PEOPLE])
    assert exact["faults"] == []
    listed = pd.read_csv(io.StringIO(CliRunner().invoke(app, ["ledger", str(folder), "--csv"]).output))
    assert listed.columns.tolist() == ["table", "row", "column", "value"]
    entry = listed.query("table == 'Transactions' and row == 'sales' and column == @PEOPLE")
    assert entry["value"].item() == pytest.approx(sold[PEOPLE])


def test_what_does_not_add_up_is_said(eco):
    frame = measure(eco.world)
    frame.loc[(frame["table"] == "closing") & (frame["item"] == "loans"), BANK] += 1e6
    ledger = Ledger.of(frame)
    screen = io.StringIO()
    ledger.show(Console(file=screen, width=160))
    assert "Transactions: column 'bank' adds up to" in screen.getvalue()
    assert "adds up to zero" not in screen.getvalue()
