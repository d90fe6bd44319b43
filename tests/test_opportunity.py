"""Opportunity: capacity that changes hands is conserved, paid for, kept for a while, and built anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.mechanisms.opportunity import Opportunity
from ecosim.model import Ecosystem


def economy(*others: str, firms: int = 120, shocks: Any = (), **level: Any) -> Ecosystem:
    return Ecosystem(
        Scenario(
            days=800,
            economy={"kind": "table", "firms": firms, "headroom": 0.2},
            mechanisms=[{"kind": kind} for kind in ("finance", "autonomy", *others)]
            + [{"kind": "opportunity", **level}],
            shocks=list(shocks),
        )
    )


def closing(eco: Ecosystem, rows: list[int]) -> None:
    eco.step()
    eco.world.close(np.array(rows), "test")


def of_sector(eco: Ecosystem) -> np.ndarray:
    """Rows of the sector with the most firms, largest first."""
    sector = eco.world.plan.firms.sector
    return np.flatnonzero(sector == np.bincount(sector).argmax())


def test_an_undisturbed_economy_stays_exactly_at_rest() -> None:
    eco = economy()
    eco.run_for(365)
    firms = eco.world.firms
    assert np.array_equal(firms.production, firms.output)
    assert not eco.world.events


def test_capacity_moves_within_the_sector_against_money_and_none_is_lost() -> None:
    eco = economy(wait_days=5, keep_days=100_000.0)
    firms, sector = eco.world.firms, eco.world.plan.firms.sector
    members = of_sector(eco)
    rows = members[[3, 6]].tolist()
    usual = firms.potential.copy()
    closing(eco, rows)
    eco.run_for(4)
    assert not firms.acquired.any()
    eco.step()
    bought = firms.acquired.copy()
    buyers = np.flatnonzero(bought > 0)
    assert len(buyers)
    assert set(sector[buyers].tolist()) == {sector[members[0]]}
    assert firms.potential.sum() == pytest.approx(usual.sum(), rel=1e-6)  # two days' scrap at most
    assert set(np.flatnonzero(bought < 0).tolist()) == set(rows)
    assert np.all(firms.potential[rows] >= 0.2 * usual[rows] * (1 - 1e-9))
    assert np.all(bought[buyers] <= 0.2 * usual[buyers] * (1 + 1e-9))
    money = eco.world.money
    assert money is not None
    sold = -bought[rows]
    sales = [event for event in eco.world.events if event["event"] == "sells capacity"]
    assert sum(event["amount"].sum() for event in sales) == pytest.approx(sold.sum())
    assert abs(money.flows["capacity bought"].sum()) < 1e-6
    assert abs(money.total()) < 1e-9 * firms.cash.sum()


def test_buyers_pay_what_sellers_get_at_the_stated_price_and_keep_their_reserve() -> None:
    eco = economy(wait_days=1, reserve=0.7)
    world, members = eco.world, of_sector(eco)
    firms, part = world.firms, world.mechanisms["opportunity"]
    closing(eco, members[[2]].tolist())
    firms.shut_days[members[2]] = 5.0
    cash, potential = firms.cash.copy(), firms.potential.copy()
    part._sell_off(world)
    moved, paid = firms.potential - potential, cash - firms.cash
    price = 0.28 * 365.0 * firms.value_added_share[members[2]]
    buyers = moved > 0
    assert buyers.sum() > 1
    assert paid == pytest.approx(moved * price)
    assert moved.sum() == pytest.approx(0.0, abs=1e-6 * potential.sum())
    assert np.all(firms.cash[buyers] >= 0.7 * firms.cash_target[buyers] * (1 - 1e-12))
    offered = 0.8 * potential[members[2]]
    assert -moved[members[2]] <= offered * (1 + 1e-12)


def test_a_herd_buys_nothing_in_a_slump_and_contrarians_do() -> None:
    slump = {"kind": "outage", "when": 1, "severity": 0.9, "recovery": None}
    bought = []
    for contrarian in (0.0, 1.0):
        eco = economy(shocks=[slump], wait_days=1, contrarian=contrarian, reserve=0.1)
        closing(eco, of_sector(eco)[[2, 5]].tolist())
        eco.run_for(3)
        bought.append(np.maximum(eco.world.firms.acquired, 0.0).sum())
    assert bought[0] == 0.0 < bought[1]


def test_options_run_out_and_a_new_owner_builds_what_is_missing() -> None:
    eco = economy(wait_days=2, keep_days=40.0, build_days=30.0, reserve=0.1)
    firms, row = eco.world.firms, int(of_sector(eco)[4])
    usual = firms.potential.copy()
    closing(eco, [row])
    eco.run_for(6)
    start = firms.acquired[firms.acquired > 0].sum()
    assert firms.acquired[row] < 0
    part = eco.world.mechanisms["opportunity"]
    before = firms.acquired.copy()
    part._scrap(firms.columns, np.flatnonzero(before > 0))
    assert firms.acquired[before > 0] == pytest.approx(before[before > 0] * (1 - 1 / 40.0))
    firms.alive[row] = 1.0
    missing = -firms.acquired[row]
    eco.step()
    assert 0 < missing + firms.acquired[row] <= usual[row] / 30.0 * (1 + 1e-9)
    eco.run_for(600)
    assert eco.world.money is not None
    assert eco.world.money.flows["capacity built"][2] > 0
    assert firms.potential == pytest.approx(usual + firms.acquired)
    assert firms.acquired[firms.acquired > 0].sum() < 0.01 * start


def test_buyers_next_door_take_over_the_place_in_the_market() -> None:
    eco = economy("customers", wait_days=3, firms=300)
    world = eco.world
    firms, market = world.firms, world.memory["customers"]["market"]
    home = np.bincount(market, minlength=market.max() + 1).argmax()
    members = np.flatnonzero(market == home)
    closing(eco, [int(members[0])])
    eco.run_for(2)
    before, potential = firms.market_share.copy(), firms.potential.copy()
    firms.cash[members[1::2]] = 0.0  # only some can buy
    firms.shut_days[members[0]] = 10.0
    world.mechanisms["opportunity"]._sell_off(world)
    taken = np.where(market == home, firms.acquired.clip(0.0), 0.0)
    assert 0 < (taken > 0).sum() < len(members) - 1
    sold = -firms.acquired[members[0]] / potential[members[0]]
    usual = world.plan.firms.final_demand
    gap = sold * usual[members[0]] / usual[members].sum()
    expected = np.where(market == home, (1.0 - gap) * before + gap * taken / taken.sum(), before)
    assert firms.market_share == pytest.approx(expected)
    assert np.bincount(market, firms.market_share)[home] == pytest.approx(1.0)


def test_a_saved_run_continues_to_the_bit(tmp_path: Any) -> None:
    eco = economy("turnover", wait_days=2)
    closing(eco, of_sector(eco)[[2, 5]].tolist())
    eco.run_for(10)
    assert eco.world.firms.acquired.any()
    eco.save(tmp_path / "run.npz")
    again = Ecosystem.restore(tmp_path / "run.npz")
    for each in (eco, again):
        each.run_for(30)
    for name, column in eco.world.firms.columns.items():
        assert np.array_equal(column, again.world.firms.columns[name]), name


def test_opportunity_needs_money_and_levels_in_range() -> None:
    with pytest.raises(InputError, match="opportunity means nothing without finance"):
        Ecosystem(Scenario(economy={"kind": "uniform", "firms": 20}, mechanisms=[{"kind": "opportunity"}]))
    with pytest.raises(ValidationError, match="out of range"):
        Opportunity(price=2.0)
    with pytest.raises(ValidationError, match="out of range"):
        Opportunity(contrarian=-0.1)
