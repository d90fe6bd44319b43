"""Money: payments against a slow plain reference, failures and what they leave, wages that come back as demand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import SMB, Ecosystem, InputError, Scenario, load
from ecosim.config import ScenarioError
from ecosim.mechanisms.finance import OUT_OF_CASH, Finance, stocks
from ecosim.mechanisms.income import Income
from ecosim.money import SECTORS, Commuting

TINY = load(Path(__file__).resolve().parent.parent / "configs/tiny.yaml")
TOWN = Scenario(name="town", days=365).with_({"economy": {"kind": "table", "firms": 150, "headroom": 0.2}})
TWO = Scenario(name="two", days=400).with_(
    {
        "economy": {"kind": "given"},
        "network": {
            "kind": "imported",
            "firms": [
                {"firm": "Mill", "sector": "Milling", "region": "Here", "final_demand": 20, "customer": "People"},
                {"firm": "Bakery", "sector": "Baking", "region": "Here", "final_demand": 100, "customer": "People"},
            ],
            "links": [{"supplier": "Mill", "client": "Bakery", "flow": 40}],
        },
    }
)
PLANS = {scenario.name: Ecosystem(scenario).world.plan for scenario in (TINY, TOWN, TWO)}
MILL, BAKERY = 0, 1
SUMS = ("produced", "ceiling")  # what is not at its value of every day before the first


def alive(scenario, *mechanisms, shocks=(), agents=None):
    """A fresh economy with these mechanisms: names, or names with parameters."""
    parts = [part if isinstance(part, dict) else {"kind": part} for part in mechanisms]
    chosen = scenario.with_({"mechanisms": parts, "shocks": list(shocks)})
    return Ecosystem(chosen, blueprint=PLANS[scenario.name], agents=agents)


def finance(**parameters):
    return {"kind": "finance", **parameters}


def outage(severity, when=0, days=None, **who):
    recovery = None if days is None else {"law": "exponential", "days": days}
    return {"kind": "outage", "who": who, "when": when, "severity": severity, "recovery": recovery}


def crisis(severity=0.95, days=60):
    return outage(severity, when=3, days=days, share=0.4)


def assert_books_agree(eco):
    """Everybody's view of the same money is the same, and no payment has one side only."""
    world = eco.world
    scale = float(world.firms.output.sum())
    firms, money = world.firms, world.money
    assert abs(money.total()) <= 1e-9 * scale
    for item, entry in money.flows.items():
        assert abs(entry.sum()) <= 1e-9 * scale, item
    for item, held in stocks(world).items():
        assert abs(held.sum()) <= 1e-9 * scale, item
    assert firms.cash.min() >= -1e-9 * scale
    assert firms.arrears.min() >= 0
    memory = world.memory["finance"]
    owed = np.bincount(world.links.buyer, world.links.columns["owed"], minlength=firms.rows)
    owed += np.bincount(memory["old_buyer"], memory["old_owed"], minlength=firms.rows)
    np.testing.assert_allclose(firms.payables, owed, rtol=1e-9, atol=1e-9 * scale)
    due = np.bincount(world.links.supplier, world.links.columns["owed"], minlength=firms.rows)
    due += np.bincount(memory["old_supplier"], memory["old_owed"], minlength=firms.rows)
    np.testing.assert_allclose(firms.receivables, due, rtol=1e-9, atol=1e-9 * scale)


# At rest --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [TINY, TOWN], ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("mechanisms", [("finance",), ("income",), ("finance", "income")], ids="+".join)
def test_nothing_moves_at_rest(scenario, mechanisms):
    eco = alive(scenario, *mechanisms)
    world = eco.world
    before = {name: column.copy() for name, column in world.firms.columns.items() if name not in SUMS}
    people = {name: column.copy() for name, column in world.customers.columns.items()}
    owed = {name: column.copy() for name, column in world.links.columns.items()}
    for _ in range(365):
        eco.step()
    for name, column in before.items():
        np.testing.assert_allclose(world.firms.columns[name], column, rtol=1e-12, err_msg=name)
    for name, column in people.items():
        np.testing.assert_allclose(world.customers.columns[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
    for name, column in owed.items():
        np.testing.assert_allclose(world.links.columns[name], column, rtol=1e-12, err_msg=name)


def test_a_firm_that_makes_a_loss_at_rest_is_kept_up_by_its_owners():
    plan = PLANS["two"]
    poor = replace(plan, firms=replace(plan.firms, final_demand=np.array([20.0, 30.0])))
    eco = Ecosystem(TWO.with_({"mechanisms": [finance(wage_share=0.7, rent_share=0.3)]}), blueprint=poor)
    firms = eco.world.firms
    assert firms.output[BAKERY] - 40 == pytest.approx(-10)
    cash = firms.cash.copy()
    assert firms.wage_bill[BAKERY] == 0
    eco.run_for(200)
    np.testing.assert_allclose(firms.cash, cash, rtol=1e-12)
    assert eco.world.money.flows["owners' contributions"][0] == pytest.approx(200 * 10)
    np.testing.assert_allclose(eco.world.customers.savings, 42 * 50, rtol=1e-9)


def test_cash_buffers_have_the_sourced_quarters():
    names = ("Baking", "Food services and drinking places", "Real estate")
    firms = 60_000
    sector = np.arange(firms) % 3
    zeros = np.zeros(firms, dtype=int)
    told = {"sector": sector, "sector_names": names, "role": zeros, "region": zeros, "region_names": ("Here",)}
    told |= {"__len__": lambda self: firms}
    world = SimpleNamespace(
        plan=SimpleNamespace(firms=type("Firms", (), told)()), streams=Ecosystem(TINY).world.streams
    )
    days = Finance().per_firm(world, "cash_days")
    medians = [np.median(days[sector == code]) for code in range(3)]
    np.testing.assert_allclose(medians, [27, 16, 47], rtol=0.03)
    np.testing.assert_allclose(np.quantile(days[sector == 0], [0.25, 0.75]), [13, 62], rtol=0.07)
    wide = Finance().cash_days.model_copy(update={"sigma": 0.3})  # another spread keeps the sourced medians
    days = Finance(cash_days=wide).per_firm(world, "cash_days")
    np.testing.assert_allclose([np.median(days[sector == code]) for code in range(3)], [27, 16, 47], rtol=0.03)
    assert np.median(Finance(cash_days=40.0).per_firm(world, "cash_days")) == 40


# A plain reference ----------------------------------------------------------------------------------------------------


def sum_by_firm(world, owing):
    """What each firm is owed, less what it owes, where ``owing`` is so link by link."""
    net = [0.0] * world.firms.rows
    for e, amount in enumerate(owing):
        net[world.links.supplier[e]] += amount
        net[world.links.buyer[e]] -= amount
    return net


def settled_plainly(part, world, before):
    """One day's settlement of firms that stay open, with loops and dictionaries, from the state before it."""
    cash, owed, debt, arrears, stress, distress = (before[name].copy() for name in before)
    firms, links, plan = world.firms, world.links, world.plan
    n = firms.rows
    loans = wages = 0.0
    share = [0.0] * n
    open_bills = [sum(owed[e] for e in range(links.ptr[i], links.ptr[i + 1])) for i in range(n)]
    for i in range(n):
        cash[i] += firms.consumption[i]
        value_added = max(0.0, firms.output[i] - sum(plan.flow[plan.ptr[i] : plan.ptr[i + 1]]))
        kept = 1 - part.resourcefulness * stress[i]
        activity = firms.production[i] / firms.output[i]
        wage = part.wage_share * value_added * (part.rigid_wages * kept + (1 - part.rigid_wages) * activity)
        rent = part.rent_share * value_added * kept
        interest = debt[i] * part.interest_rate / 365
        due = open_bills[i] / part.payment_days
        short = max(0.0, wage + rent + arrears[i] + interest + due - cash[i])
        late = min(due, part.late_payment * short)
        drawn = min(short - late, max(0.0, firms.credit_line[i] - debt[i]))
        cash[i] += drawn
        debt[i] += drawn
        for_people = wage + rent + arrears[i]
        total = for_people + interest + due - late
        fraction = min(1.0, cash[i] / for_people)
        wages += wage * fraction
        cash[i] -= for_people * fraction
        arrears[i] = for_people * (1 - fraction)
        capitalised = max(0.0, interest - cash[i])
        cash[i] -= interest - capitalised
        debt[i] += capitalised
        to_suppliers = min(due - late, cash[i])
        cash[i] -= to_suppliers
        share[i] = to_suppliers / open_bills[i] if open_bills[i] else 0.0
        missing = arrears[i] + capitalised + due - late - to_suppliers
        gap = part.tolerated_gap
        distress[i] = distress[i] + 1 if missing > gap * total else 0
        loans += drawn + capitalised
    for i in range(n):
        for e in range(links.ptr[i], links.ptr[i + 1]):
            cash[links.supplier[e]] += owed[e] * share[i]
            owed[e] += links.delivered[e] - owed[e] * share[i]
    usual, now = (sum_by_firm(world, owing) for owing in (plan.flow * part.payment_days, owed))
    for i in range(n):
        excess = max(0.0, cash[i] - firms.cash_target[i])
        back = min(debt[i], excess)
        debt[i] -= back
        cash[i] -= back + max(0.0, excess - back - max(0.0, usual[i] - now[i]))
    return {"cash": cash, "owed": owed, "debt": debt, "arrears": arrears, "distress": distress}, loans, wages


def test_the_settlement_is_that_of_a_plain_reference():
    eco = alive(TINY, finance(cash_days=3.0, grace_days=1000, credit_access=0.6), shocks=[crisis()])
    world, part = eco.world, eco.world.mechanisms["finance"]
    firms, owed = world.firms, world.links.columns["owed"]
    troubled = 0
    for _ in range(60):
        holds = (firms.cash, owed, firms.debt, firms.arrears, firms.cash_stress, firms.distress)
        before = dict(zip(("cash", "owed", "debt", "arrears", "stress", "distress"), map(np.copy, holds), strict=True))
        before["stress"] = np.clip(1 - firms.cash / (0.8 * firms.cash_target), 0, 1)
        lent = -world.money.flows.get("loans", np.zeros(6))[3]
        eco.step()
        after, loans, wages = settled_plainly(part, world, before)
        for name, values in after.items():
            now = owed if name == "owed" else firms.columns[name]
            np.testing.assert_allclose(now, values, rtol=1e-9, atol=1e-7, err_msg=f"{name}, day {eco.day}")
        assert -world.money.flows.get("loans", np.zeros(6))[3] - lent == pytest.approx(loans, abs=1e-6)
        assert firms.wages.sum() == pytest.approx(wages)
        troubled += int((firms.distress > 0).sum())
    assert troubled > 20
    assert firms.debt.max() > 0
    assert firms.arrears.max() > 0


@settings(max_examples=25, deadline=None)
@given(
    severity=st.floats(0.0, 1.0),
    cash_days=st.floats(1.0, 40.0),
    payment_days=st.floats(1.0, 60.0),
    shares=st.tuples(st.floats(0.0, 0.6), st.floats(0.0, 0.4)),
    habits=st.tuples(*[st.floats(0.0, 1.0)] * 5),
    grace_days=st.integers(1, 30),
    income=st.booleans(),
)
def test_books_agree_every_day_whatever_the_parameters(
    severity, cash_days, payment_days, shares, habits, grace_days, income
):
    late, resourceful, boot, budget, rigid = habits
    part = finance(
        cash_days=cash_days, payment_days=payment_days, wage_share=shares[0], rent_share=shares[1], late_payment=late,
        resourcefulness=resourceful, bootstrapping=boot, budgeting=budget, rigid_wages=rigid, grace_days=grace_days,
    )  # fmt: skip
    eco = alive(TINY, part, *(["income"] if income else []), shocks=[crisis(severity)])
    for _ in range(60):
        eco.step()
        assert_books_agree(eco)


# Failure --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cash_days", "line", "grace"), [(10.0, 0.0, 5), (3.5, 0.0, 1), (4.0, 6.0, 21)])
def test_a_firm_without_revenue_lasts_as_long_as_its_cash_and_credit(cash_days, line, grace):
    """The mill buys nothing: with rigid wages its costs are the same every day, and only old invoices still come in."""
    part = finance(
        cash_days=cash_days, credit_days=line, grace_days=grace, rigid_wages=1.0, resourcefulness=0.0, late_payment=0.0,
        payment_days=1.0, interest_rate=0.0, wage_share=0.6, rent_share=0.2, **({"credit_access": 1.0} if line else {}),
    )  # fmt: skip
    eco = alive(TWO, part, shocks=[outage(1.0, firms=["Mill"])])
    costs = 0.8 * 60
    # The invoice of the day before is paid on the first evening; what is above the target then goes to the owners.
    available = cash_days * costs - costs + min(40.0, costs) + line * 60
    lasts = 1 + math.floor(available / costs + 1e-9)  # days on which all is paid, the first included
    while eco.world.firms.alive[MILL] and eco.day < 300:
        eco.step()
    assert eco.day == lasts + grace - 1
    assert [event["event"] for event in eco.world.events if MILL in event["rows"]][-1] == f"closes: {OUT_OF_CASH}"


def broke(**changes):
    """A bakery that stands still and owes, until the day it is closed; and what everybody had the evening before."""
    part = finance(cash_days={"median": 5.0, "by": {"Milling": 900.0}}, grace_days=3, credit_access=1.0) | changes
    eco = alive(TWO, part, shocks=[outage(1.0, firms=["Bakery"])])
    while eco.world.firms.alive[BAKERY] and eco.day < 300:
        held = {name: eco.world.firms.columns[name].copy() for name in ("payables", "debt", "arrears", "cash")}
        flows = {item: entry.copy() for item, entry in eco.world.money.flows.items()}
        eco.step()
    return eco, held, flows


def test_what_a_failed_firm_owes_is_lost_to_the_last_unit():
    eco, held, flows = broke()
    world, memory = eco.world, eco.world.memory["finance"]
    assert world.plan.firms.role.tolist() == [1, 0]
    paid = flows["invoices paid"] - world.money.flows["invoices paid"]
    lent = flows["loans"] - world.money.flows["loans"]
    loss = held["payables"][BAKERY] - paid[0] + world.links.delivered[0]
    event = next(event for event in world.events if event["event"] == "loses unpaid invoices")
    assert event["rows"].tolist() == [MILL]
    assert event["amount"][0] == pytest.approx(loss)
    debt = held["debt"][BAKERY] + lent[SECTORS.index("bank")]
    assert world.firms.claim[BAKERY] == pytest.approx(debt)
    assert memory["written_off_loans"][SECTORS.index("bank")] == pytest.approx(-debt)
    assert memory["written_off_arrears"][SECTORS.index("households")] < -held["arrears"][BAKERY] < 0
    assert world.links.columns["owed"][0] == world.firms.debt[BAKERY] == world.firms.arrears[BAKERY] == 0
    assert_books_agree(eco)


def test_what_clients_still_pay_to_a_failed_firm_goes_to_the_bank_and_then_to_its_owners():
    part = finance(cash_days={"median": 1.0, "by": {"Baking": 900.0}}, grace_days=1, credit_access=1.0, credit_days=3.0)
    eco = alive(TWO, part, shocks=[outage(1.0, firms=["Mill"])])
    world = eco.world
    while world.firms.alive[MILL] and eco.day < 100:
        eco.step()
    claim, coming = world.firms.claim[MILL], world.firms.receivables[MILL]
    drawn = world.money.flows["drawings"][2]
    assert 0 < claim < coming
    recovered = 0.0
    while world.firms.claim[MILL] > 0 and eco.day < 200:
        eco.step()
        recovered = world.money.flows["recoveries"][3]
        assert_books_agree(eco)
    assert recovered == pytest.approx(claim)
    eco.step()
    assert world.money.flows["drawings"][2] > drawn
    assert world.money.flows["recoveries"][3] == recovered


def test_a_firm_that_gives_up_in_good_time_pays_everybody():
    eco = alive(TWO, finance(cash_days=60.0))
    world = eco.world
    eco.run_for(5)
    world.close(np.array([BAKERY]), "retires")
    owed = world.firms.payables[BAKERY]
    eco.run_for(400)
    memory = world.memory["finance"]
    assert not memory["written_off_trade_credit"].any()
    assert owed > 1000
    assert world.firms.payables[BAKERY] < 0.01
    assert world.firms.cash[BAKERY] == pytest.approx(world.firms.payables[BAKERY], abs=1e-6)
    assert_books_agree(eco)


def test_an_entrant_gets_start_up_capital_from_its_owners():
    eco, *_ = broke()
    world = eco.world
    eco.run_for(30)
    savings = float(world.customers.savings.sum())
    world.firms.alive[BAKERY] = 1.0
    assert "start-up capital" not in world.money.flows
    world.sheet.open("nothing", "")
    cash = world.firms.cash[BAKERY]
    eco.step()
    given = world.money.flows["start-up capital"]
    assert -given[2] == pytest.approx(world.firms.cash_target[BAKERY] - cash)
    assert given.sum() == 0
    assert world.firms.claim[BAKERY] == 0
    assert world.customers.savings.sum() < savings
    eco.step()
    assert world.money.flows["start-up capital"][2] == given[2]
    assert_books_agree(eco)


def test_a_firm_that_is_not_full_grown_has_costs_and_cash_of_its_size():
    eco = alive(TWO, finance(rigid_wages=0.6))
    firms = eco.world.firms
    firms.add("scale", [1.0, 0.4])
    eco.step()
    assert firms.wages[BAKERY] == pytest.approx(firms.wage_bill[BAKERY] * (0.6 * 0.4 + 0.4))
    role = eco.world.plan.firms.role
    assert role[MILL] != role[BAKERY]
    rent = -eco.world.money.flows["rent"][role[BAKERY]]
    assert rent == pytest.approx(0.4 * firms.rent_bill[BAKERY])
    assert firms.cash[BAKERY] == pytest.approx(0.4 * firms.cash_target[BAKERY])  # the rest was drawn
    eco.step()
    assert firms.cash_stress[BAKERY] == 0
    assert firms.cash[MILL] == pytest.approx(firms.cash_target[MILL])
    assert_books_agree(eco)


@pytest.mark.parametrize(("scale", "lives"), [(0.3, True), (1.0, False)])
def test_with_few_customers_a_small_firm_lives_where_a_large_one_fails(scale, lives):
    few = {"kind": "pulse", "who": {"firms": ["Bakery"]}, "factor": 0.3, "when": 0, "days": 300, "channel": "demand"}
    cash = {"median": 5.0, "by": {"Milling": 900.0}}
    eco = alive(TWO, finance(cash_days=cash, payment_days=1.0, credit_access=0.0), shocks=[few])
    firms = eco.world.firms
    firms.add("scale", [1.0, scale])
    eco.run_for(100)
    assert firms.alive[BAKERY] == lives
    if lives:  # wages 36 (0.7 x 0.3 + 0.3 x 0.3) and rent 12 x 0.3 leave 3.6 of the 18 that it adds to its inputs
        assert firms.wages[BAKERY] == pytest.approx(10.8)
        assert firms.cash[BAKERY] == pytest.approx(0.3 * firms.cash_target[BAKERY], rel=0.1)


def test_an_entrant_gets_the_capital_of_its_scale():
    eco, *_ = broke()
    world = eco.world
    eco.run_for(30)
    world.firms.add("scale", [1.0, 0.4])
    world.firms.alive[BAKERY] = 1.0
    cash = world.firms.cash[BAKERY]
    eco.step()
    assert -world.money.flows["start-up capital"][2] == pytest.approx(0.4 * world.firms.cash_target[BAKERY] - cash)


def test_owners_put_in_no_more_than_they_have():
    eco, *_ = broke()
    world = eco.world
    eco.run_for(30)
    world.money.pay("gift", "households", "outside", world.customers.savings - 150.0)
    world.firms.alive[BAKERY] = 1.0
    eco.step()
    given = -world.money.flows["start-up capital"][2]
    assert given == pytest.approx(150.0 - world.firms.consumption.sum())
    assert 0 < given < world.firms.cash_target[BAKERY] - 1
    assert_books_agree(eco)


def test_a_row_taken_over_on_the_evening_of_its_end_counts_as_new():
    eco = alive(TWO, "finance")
    world = eco.world
    world.firms.add("entered_on", -1.0)
    eco.run_for(3)
    world.money.pay("fire", "firms", "outside", np.array([0.0, 500.0]))
    world.firms.entered_on[BAKERY] = 2.0
    eco.step()
    assert world.money.flows["start-up capital"].sum() == pytest.approx(0, abs=1e-9)
    assert -world.money.flows["start-up capital"][2] == pytest.approx(500)


def test_bankruptcies_come_sooner_with_less_cash_and_less_credit():
    closed = {}
    for name, part in {
        "usual": {},
        "poor": {"cash_days": 4.0},
        "funded": {"cash_days": 4.0, "emergency_days": 60.0},
        "shut out": {"cash_days": 4.0, "credit_access": 0.0},
        "served": {"cash_days": 4.0, "credit_access": 1.0},
    }.items():
        eco = alive(TINY, finance(**part), shocks=[crisis()])
        eco.run_for(150)
        closed[name] = int((eco.world.firms.alive == 0).sum())
    assert closed["funded"] < closed["poor"]
    assert closed["usual"] < closed["poor"]
    assert closed["served"] < closed["shut out"]


@pytest.mark.parametrize("mechanisms", [("finance",), ("finance", "income")], ids="+".join)
def test_a_crisis_goes_on_to_the_bit_after_it_was_saved(mechanisms, tmp_path):
    parts = [
        finance(cash_days=2.0, grace_days=2, credit_access=0.5) if kind == "finance" else kind for kind in mechanisms
    ]
    eco = alive(TINY, *parts, shocks=[crisis()])
    eco.run_for(30)
    links = eco.world.links
    links.rewire(np.array([3]), np.array([7], dtype=np.int32))
    eco.run_for(5)
    assert len(eco.world.memory["finance"]["old_owed"]) == 1
    assert (eco.world.firms.alive == 0).any()
    eco.save(tmp_path / "eco.npz")
    other = Ecosystem.restore(tmp_path / "eco.npz")
    for each in (eco, other):
        each.run_for(40)
    for table in ("firms", "customers", "links"):
        for name, column in getattr(eco.world, table).columns.items():
            np.testing.assert_array_equal(getattr(other.world, table).columns[name], column, err_msg=name)
    for item, entry in eco.world.money.flows.items():
        np.testing.assert_array_equal(other.world.money.flows[item], entry, err_msg=item)
    for name, held in eco.world.memory["finance"].items():
        np.testing.assert_array_equal(other.world.memory["finance"][name], held, err_msg=name)


# What it listens to ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "item", "share"), [("wages", "wages", 0.5), ("rent", "rent", 0.25), ("invoices", "invoices paid", 0.0)]
)
def test_channels_scale_what_is_paid(channel, item, share):
    eco = alive(TWO, finance(cash_days=50.0))
    world, paid = eco.world, []
    morning = eco._phases["morning"]
    for factor in (1.0, share):
        eco._phases["morning"] = [
            *morning, (lambda world, rng, by=factor: world.sheet.multiply(channel, np.arange(2), by), None)
        ]  # fmt: skip
        before = np.abs(world.money.flows.get(item, np.zeros(6))).sum()
        eco.step()
        paid.append(np.abs(world.money.flows[item]).sum() - before)
    assert paid[1] == pytest.approx(share * paid[0])
    assert_books_agree(eco)


def test_a_crunch_stops_new_loans_and_calls_none_back():
    eco = alive(TWO, finance(cash_days=1.0, credit_access=1.0), shocks=[outage(1.0, firms=["Mill"])])
    world = eco.world
    eco.run_for(15)
    debt = world.firms.debt[MILL]
    assert debt > 0
    eco._phases["morning"].append((lambda world, rng: world.sheet.multiply("credit", np.arange(2), 0.0), None))
    eco.step()
    interest = debt * 0.07 / 365
    assert world.firms.debt[MILL] == pytest.approx(debt + interest)  # not paid, so added


def test_a_firm_without_cash_orders_less_cover_and_pays_less_rent():
    part = {"resourcefulness": 0.5, "bootstrapping": 0.4, "cash_days": 20.0, "alarm": 1.0}
    eco, calm = (alive(TWO, finance(**part)) for _ in range(2))
    firms = eco.world.firms
    eco.world.money.pay("fire", "firms", "outside", np.array([0.0, 0.5 * firms.cash[BAKERY]]))
    for each in (eco, calm):
        each.step()
    assert firms.cash_stress[BAKERY] == pytest.approx(0.5)
    less = 0.4 * 0.5 * 15 / 6 * 40
    assert eco.world.links.ordered[0] == pytest.approx(calm.world.links.ordered[0] - less)
    rent = [-each.world.money.flows["rent"][:2].sum() for each in (eco, calm)]
    assert rent[1] - rent[0] == pytest.approx(0.5 * 0.5 * 0.2 * 60)


def test_a_firm_is_not_alarmed_by_everyday_ups_and_downs():
    eco = alive(TWO, finance(cash_days=20.0))
    firms = eco.world.firms
    eco.world.money.pay("fire", "firms", "outside", np.array([0.19, 0.4]) * firms.cash_target)
    eco.step()
    np.testing.assert_allclose(firms.cash_stress, [0, 1 - 0.6 / 0.8])


def test_owners_leave_in_the_firm_what_invoices_will_tie_up_again():
    eco = alive(TWO, finance(cash_days=30.0), shocks=[outage(1.0, firms=["Bakery"])])
    world = eco.world
    eco.run_for(25)
    waiting = 30 * 40 - world.firms.receivables[MILL]
    assert waiting > 300
    assert 0 < world.firms.cash[MILL] - world.firms.cash_target[MILL] <= waiting


def test_owners_without_a_budget_draw_on_while_cash_lasts():
    drawn = []
    for budgeting in (1.0, 0.25, 0.0):
        eco = alive(TWO, finance(budgeting=budgeting, cash_days=20.0, resourcefulness=0.0, bootstrapping=0.0))
        eco.world.money.pay("fire", "firms", "outside", np.array([0.0, 5 * eco.world.firms.costs[BAKERY]]))
        eco.step()
        drawn.append(-eco.world.money.flows["drawings"][:2].sum())
    usual = 0.2 * 60
    np.testing.assert_allclose(np.array(drawn) - drawn[0], [0, 0.75 * usual, usual], atol=1e-9)


def test_goods_are_invoiced_at_the_posted_price():
    eco = alive(TWO, finance(cash_days=100.0))
    world = eco.world
    world.firms.add("posted_price", [1.5, 1.0])
    eco.step()
    assert world.money.flows["sales"][2] == pytest.approx(-(1.5 * 20 + 100))
    assert world.links.columns["owed"][0] == pytest.approx(30 * 40 - 40 + 1.5 * 40)
    assert world.firms.revenue[MILL] == pytest.approx(1.5 * 60)
    assert world.firms.costs[BAKERY] == pytest.approx(1.5 * 40 + 0.8 * 60)


def test_a_supplier_that_is_left_is_still_paid():
    eco = alive(TINY, "finance")
    world, links = eco.world, eco.world.links
    eco.run_for(2)
    link = int(np.flatnonzero(links.supplier == world.plan.rows_by_name["Old Mill"])[0])
    old, buyer, new = int(links.supplier[link]), int(links.buyer[link]), world.plan.rows_by_name["Grain Farm"]
    owed = links.columns["owed"][link]
    links.rewire(np.array([link]), np.array([new], dtype=np.int32))
    eco.step()
    memory = world.memory["finance"]
    assert (memory["old_buyer"].tolist(), memory["old_supplier"].tolist()) == ([buyer], [old])
    assert memory["old_owed"][0] == pytest.approx(owed * (1 - 1 / 30))
    assert links.columns["owed"][link] == pytest.approx(links.delivered[link])
    usual = sum_by_firm(world, 30 * links.flow)
    np.testing.assert_allclose(memory["working_capital"], usual)
    assert_books_agree(eco)
    eco.run_for(400)
    assert len(memory["old_owed"]) == 0
    assert_books_agree(eco)


# The decision ---------------------------------------------------------------------------------------------------------


def test_every_firm_borrows_what_the_plain_rule_says():
    eco = alive(TINY, finance(cash_days=2.0, grace_days=1000, credit_access=0.7), shocks=[crisis()])
    firms, checked = eco.world.firms, []

    def compare(world, needs):
        rule = np.array([eco.agent(row).borrow(float(needs[row])) for row in range(firms.rows)])
        before = firms.debt.copy()
        type(part)._borrow(part, world, needs)
        np.testing.assert_array_equal(firms.debt, before + rule)
        checked.append((rule > 0).sum())

    part = eco.world.mechanisms["finance"]
    object.__setattr__(part, "_borrow", compare)
    try:
        eco.run_for(40)
    finally:
        object.__delattr__(part, "_borrow")
    assert sum(checked) > 20


class Proud(SMB):
    """Never asks the bank."""

    def borrow(self, need):
        return 0.0


class Greedy(SMB):
    """Asks for more than there is."""

    def borrow(self, need):
        return self.credit_limit - self.debt + 1.0


def test_a_class_of_your_own_decides_what_to_borrow():
    shock, part = outage(1.0, firms=["Bakery"]), finance(cash_days=2.0, credit_access=1.0)
    usual, proud = (alive(TWO, part, shocks=[shock], agents=agents) for agents in (None, {Proud: None}))
    for eco in (usual, proud):
        eco.run_for(10)
    assert usual.world.firms.debt[BAKERY] > 0
    assert proud.world.firms.debt[BAKERY] == 0
    with pytest.raises(InputError, match=r"Greedy\.borrow\(\) of 'Bakery'.* a finite amount from 0 to .* credit line"):
        alive(TWO, part, shocks=[shock], agents={Greedy: None}).run_for(10)


# Wages come back as demand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accounts", [False, True], ids=["alone", "with finance"])
def test_spending_follows_lost_wages_as_the_formula_says(accounts):
    part = {"kind": "income", "spending_share": 0.6, "replacement_rate": 0.4, "adjustment_days": 10.0}
    mechanisms = [{**part, "precaution": 0.0}, finance(cash_days=900.0, resourcefulness=0.0)] if accounts else [part]
    eco = alive(TWO, *mechanisms, shocks=[outage(0.5, firms=["Mill", "Bakery"])])
    world, budget = eco.world, 120.0
    gap = 0.0
    for _ in range(50):
        eco.step()
        activity = world.firms.production / world.firms.output
        lost = float((0.6 * 60 * 0.3 * (1 - activity)).sum())
        gap += (0.6 * 0.6 * lost - gap) / 10
        assert world.customers.lost_wages[0] == pytest.approx(lost)
        assert world.customers.benefits[0] == pytest.approx(0.4 * lost)
        assert world.customers.spending[0] == pytest.approx(budget - gap)
    assert gap > 1
    eco.step()
    np.testing.assert_allclose(world.firms.final_demand, np.array([20, 100]) * (1 - gap / budget))
    if accounts:
        paid = world.money.flows["benefits"]
        assert paid[2] == -paid[4] > 0
        assert_books_agree(eco)


@pytest.mark.parametrize("mechanisms", [("income",), ("finance", "income")], ids="+".join)
def test_people_buy_as_before_when_wages_are_back(mechanisms):
    soon = {"kind": "income", "habit_days": 60.0, "contribution_days": 60.0} if "finance" in mechanisms else "income"
    parts = [finance(cash_days=200.0) if name == "finance" else soon for name in mechanisms]
    eco = alive(TINY, *parts, shocks=[outage(0.6, when=3, days=5, share=0.5)])
    world = eco.world
    eco.run_for(25)
    assert (world.customers.spending < world.customers.budget).any()
    eco.run_for(1500)
    np.testing.assert_allclose(world.customers.spending, world.customers.budget, rtol=1e-6)
    np.testing.assert_allclose(world.firms.final_demand, world.plan.firms.final_demand, rtol=1e-6)


def test_a_firm_that_is_not_full_grown_pays_less_where_no_accounts_are_kept():
    eco = alive(TWO, {"kind": "income", "rigid_wages": 0.6})
    firms = eco.world.firms
    firms.add("scale", [1.0, 0.4])
    eco.step()
    np.testing.assert_allclose(firms.wages / firms.wage_bill, [1.0, 0.6 * 0.4 + 0.4])


def test_spending_follows_savings_as_the_formula_says():
    part = {"kind": "income", "precaution": 0.3, "habit_days": 50.0, "adjustment_days": 10.0, "contribution_days": 20.0}
    eco = alive(TWO, part, finance(cash_days=900.0))
    people, money = eco.world.customers, eco.world.money
    eco.run_for(5)
    assert people.spending[0] == people.budget[0] == 120
    money.pay("loss", "households", "outside", 0.75 * people.savings)
    usual, spending, owed = 42 * 120.0, 120.0, 0.0
    for _ in range(40):
        eco.step()
        owed, back = owed + people.benefits[0] - owed / 20, owed / 20
        held = people.savings[0] - people.benefits[0] + back  # what these change tonight is felt tomorrow
        aim = (120.0 - 0.48 * (people.lost_wages[0] - people.benefits[0])) * (held / usual) ** 0.3
        spending += (aim - spending) / 10
        usual += (held - usual) / 50
        assert people.spending[0] == pytest.approx(spending)
        assert people.usual_savings[0] == pytest.approx(usual)
    assert people.spending[0] < 100
    assert eco.world.memory["income"]["advanced"][0] == pytest.approx(owed)
    assert money.flows["benefits"][4] + money.flows["contributions"][4] == pytest.approx(-owed)
    assert_books_agree(eco)


def test_people_who_lose_savings_get_used_to_what_they_have():
    eco = alive(TWO, {"kind": "income", "habit_days": 40.0}, finance())
    people, money = eco.world.customers, eco.world.money
    money.pay("loss", "households", "outside", 0.5 * people.savings)
    found = []
    for _ in range(1200):
        eco.step()
        found.append(people.spending[0] / 120.0)
    assert min(found) < 0.97
    assert found[-1] == pytest.approx(1.0, abs=1e-4)
    assert people.savings[0] < 0.8 * 42 * 120  # the money is gone for good
    assert np.abs(np.diff(found)).max() < 0.005  # little by little


def test_without_precaution_people_live_as_usual_until_nothing_is_left():
    lived = []
    for precaution in (0.0, 0.22):
        part = {"kind": "income", "precaution": precaution, "spending_share": 0.0}
        eco = alive(TWO, part, finance(cash_days=900.0))
        people, spending = eco.world.customers, []
        for _ in range(260):
            eco.step()
            drain = np.minimum(0.2 * people.budget, people.savings)
            eco.world.money.pay("loss", "households", "outside", drain)
            spending.append(float(people.spending[0]) / 120.0)
        lived.append(np.array(spending))
    careless, careful = lived
    assert (careless[:60] == 1.0).all()
    assert np.diff(careless).min() < -0.15  # until the last coin
    assert careful[60] < 0.97
    assert np.diff(careful).min() > 0.5 * np.diff(careless).min()  # little by little, though the drain never ends


@pytest.mark.parametrize("days", [1.0, 42.0])
def test_people_spend_no_more_than_they_have(days):
    eco = alive(TOWN, finance(savings_days=days), "income", shocks=[outage(0.9, when=3, days=60, share=0.5)])
    people = eco.world.customers
    bound = 0
    for _ in range(120):
        eco.step()
        assert people.savings.min() >= -1e-6 * people.budget.min()
        assert np.all(people.spending <= people.savings * (1 + 1e-9) + 1e-6 * people.budget)
        bound += np.sum(people.spending >= people.savings * (1 - 1e-9))
    assert (bound > 0) == (days < 42)


def test_a_days_savings_are_enough_at_rest():
    plan = PLANS["two"]
    poor = replace(plan, firms=replace(plan.firms, final_demand=np.array([20.0, 30.0])))
    parts = [finance(wage_share=0.7, rent_share=0.3, savings_days=1.0), {"kind": "income"}]
    eco = Ecosystem(TWO.with_({"mechanisms": parts}), blueprint=poor)
    eco.run_for(200)
    np.testing.assert_allclose(eco.world.customers.savings, 50, rtol=1e-9)
    assert np.array_equal(eco.world.customers.spending, eco.world.customers.budget)


def test_each_community_earns_what_it_spends_at_rest():
    made, spent = np.array([50.0, 10.0, 0.0, 40.0]), np.array([20.0, 30.0, 5.0, 45.0])
    earned = Commuting.at_rest(made, spent).earned(made)
    np.testing.assert_allclose(earned, spent, rtol=1e-14)


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"wage_share": 0.8, "rent_share": 0.3}, "wage_share 0.8 and rent_share 0.3 are more than all"),
        ({"credit_days": 0, "credit_access": 0.5}, "credit_access: there is no credit line to have with credit_days 0"),
        ({"cash_days": 0.5}, "0.5 is out of range; give 1 to 1000"),
        ({"savings_days": 0.5}, "0.5 is out of range; give 1 to 10000"),
        ({"grace_days": 0}, "0 is out of range; give 1 to 1000"),
        ({"late_payment": {"median": 2.0}}, "2.0 is out of range; give 0 to 1"),
        ({"credit": 3}, "credit"),
    ],
)
def test_finance_refuses_what_cannot_be(part, said):
    with pytest.raises(ScenarioError, match=r"(?s)mechanisms.*" + said.replace("(", r"\(")):
        TINY.with_({"mechanisms": [finance(**part)]})


def test_income_refuses_wages_that_finance_pays():
    part = {"kind": "income", "wage_share": 0.5}
    alive(TINY, part)
    with pytest.raises(InputError, match=r"mechanisms\.0\.wage_share: finance pays the wages .* of finance"):
        alive(TINY, part, "finance")
    assert Income(rigid_wages=0.2).check(frozenset({"income"})) is None
    with pytest.raises(InputError, match=r"mechanisms\.0\.precaution: nothing is paid where finance is off; add"):
        alive(TINY, {"kind": "income", "precaution": 0.5})
