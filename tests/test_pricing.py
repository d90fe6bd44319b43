"""Prices follow scarcity and costs within bounds, customers answer, and the plain rule is the compiled one."""

import math
from typing import Any, Literal

import numpy as np
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.config import ScenarioError
from ecosim.shocks.shock import Shock

DAILY = {"kind": "pricing", "price_days": 1.0}
LOYAL = {"kind": "customers", "switching": 0.0, "win_back": 0.0, "redirect": 0.0, "segments": 1.0, "joint_visits": 0.0}


class Dear(Shock):
    """What some firms need from outside costs more."""

    kind: Literal["dear"] = "dear"
    rows: tuple[int, ...] = (1,)
    cost: float = 1.2
    days: int = 1000

    def apply(self, world: Any, rng: Any) -> None:
        if world.day < self.days:
            world.sheet.multiply("input_cost", np.array(self.rows), self.cost)


def town(*mechanisms: Any, days: int = 40, **changes: Any) -> Ecosystem:
    """A table economy of which a third is damaged on day 3."""
    agents = changes.pop("agents", None)
    scenario = Scenario(
        days=days,
        economy={"kind": "table", "firms": 120, "headroom": 0.1},
        mechanisms=list(mechanisms),
        shocks=[{"kind": "outage", "who": {"share": 0.3}, "when": 3, "severity": 0.7, "recovery": {"days": 15}}],
    )
    return Ecosystem(scenario.with_(changes), agents=agents)


def two_bakers(*shocks: Any, customers: dict[str, Any] | None = None, **how: Any) -> Ecosystem:
    """A mill, and two bakers who buy half of their output's worth from it."""
    firms = [
        {"firm": "Mill", "sector": "Milling", "final_demand": 0.0, "customer": "Town"},
        {"firm": "Crust", "sector": "Baking", "final_demand": 100.0, "customer": "Town"},
        {"firm": "Crumb", "sector": "Baking", "final_demand": 100.0, "customer": "Town"},
    ]
    links = [{"supplier": "Mill", "client": name, "flow": 50.0} for name in ("Crust", "Crumb")]
    return Ecosystem(
        Scenario(
            days=60,
            economy={"kind": "given", "headroom": 1.0, "rationing": 0},
            network={"kind": "imported", "firms": firms, "links": links},
            mechanisms=[{**LOYAL, **(customers or {})}, {**DAILY, **how}],
            shocks=list(shocks),
        )
    )


def test_the_price_follows_scarcity_within_bounds() -> None:
    eco = two_bakers(response=0.5, cap=1.3, resentment=0.0)
    firms = eco.world.firms
    eco.step()
    assert (firms.posted_price == 1.0).all()
    for short, price in ((20.0, 1.1), (50.0, 1.25), (90.0, 1.3)):
        firms.demand[1] = firms.capacity[1] + short
        eco.world.mechanisms["pricing"].evening(eco.world, eco.world.streams["x"])
        assert firms.posted_price == pytest.approx([1.0, price, 1.0])


def test_weak_demand_brings_a_discount_where_firms_give_one() -> None:
    eco = two_bakers(discount=0.5, floor=0.8)
    firms = eco.world.firms
    eco.step()
    firms.demand[1:] = 90.0, 20.0
    eco.world.mechanisms["pricing"].evening(eco.world, eco.world.streams["x"])
    assert firms.posted_price == pytest.approx([1.0, 0.95, 0.8])


def test_costs_are_passed_on_along_the_chain() -> None:
    """A mill that pays 20 % more charges it the next day, bakers half of that the day after."""
    eco = two_bakers({"kind": Dear, "rows": (0,)}, pass_through=1.0, resentment=1.0)
    firms = eco.world.firms
    seen = []
    for _ in range(3):
        eco.step()
        seen.append(firms.posted_price.tolist())
    assert seen == [pytest.approx([1.2, 1.0, 1.0]), pytest.approx([1.2, 1.1, 1.1]), pytest.approx([1.2, 1.1, 1.1])]
    assert not firms.grievance.any()  # what costs justify is fair
    assert firms.wanted[1:] == pytest.approx(100.0 / 1.1)


def test_a_dearer_baker_loses_customers_by_the_elasticity() -> None:
    eco = two_bakers({"kind": Dear, "rows": (1,)}, elasticity=3.0)
    eco.run_for(2)
    pull = 1.2**-2.0
    spending = 200 * np.array([pull, 1.0]) / (1 + pull)
    assert eco.world.firms.wanted[1:] == pytest.approx(spending / [1.2, 1.0])


def test_gouging_costs_customers_for_longer_than_it_lasts() -> None:
    shares = []
    for resentment in (0.0, 0.5):
        eco = two_bakers(resentment=resentment, response=1.0, elasticity=1.0)
        firms = eco.world.firms
        eco.step()
        for _ in range(5):
            firms.demand[1] = 1000.0
            eco.world.mechanisms["pricing"].evening(eco.world, eco.world.streams["x"])
            assert firms.posted_price[1] == pytest.approx(1.1)
            eco.world.mechanisms["customers"].morning(eco.world, eco.world.streams["x"])
        shares.append(firms.market_share[1])
    assert shares == pytest.approx([0.5, 1 / (1 + math.exp(0.5 * 0.1 * 5))])


def test_prices_are_sticky_as_said() -> None:
    """With a mean duration of d days, a share (1 - 1/d)^t still has the old price after t days."""
    eco = town(LOYAL, {"kind": "pricing", "price_days": 20.0}, shocks=[{"kind": Dear, "rows": tuple(range(120))}])
    old = []
    for _ in range(15):
        eco.step()
        old.append(float((eco.world.firms.posted_price == 1.0).mean()))
    assert old[-1] == pytest.approx(0.95**15, abs=0.12)
    assert all(np.diff(old) <= 0)


class Asks(ecosim.SMB):
    """Decides by the stock rule, in Python."""

    def price(self) -> float:
        return super().price()


@pytest.mark.parametrize("days", [1.0, 6.0])
def test_the_rule_in_words_is_the_compiled_one(days: float) -> None:
    """Every firm asks the plain rule whenever it may change its price, and no bit of the run changes."""
    how = {"kind": "pricing", "price_days": days, "response": 0.7, "discount": 0.3}
    shocks = [
        {"kind": "outage", "who": {"share": 0.3}, "when": 3, "severity": 0.7},
        {"kind": Dear, "rows": tuple(range(0, 120, 7)), "days": 12},
    ]
    plain = town({"kind": "customers"}, how, shocks=shocks)
    asked = town({"kind": "customers"}, how, shocks=shocks, agents={Asks: ecosim.who.Who()})
    for _ in range(30):
        plain.step()
        asked.step()
        for name in ("posted_price", "wanted", "production", "market_share"):
            np.testing.assert_array_equal(plain.world.firms.columns[name], asked.world.firms.columns[name])
    assert np.ptp(plain.world.firms.posted_price) > 0.05
    agent = plain.agent(7)
    assert ecosim.agents.Firm.price(agent) > 0


class Haggler(ecosim.SMB):
    """Charges what it likes."""

    wish: Any = 1.4

    def price(self) -> Any:
        return self.wish


def test_a_class_of_ones_own_sets_its_price() -> None:
    eco = town({"kind": "customers"}, DAILY, agents={Haggler: ecosim.who.Who(count=2)}, shocks=[])
    eco.step()
    assert sorted(eco.world.firms.posted_price)[-3:] == [1.0, 1.4, 1.4]


def test_a_class_of_ones_own_may_change_its_price_as_rarely_as_others() -> None:
    """Asked only on the evenings of its draw: prices of firms that all want another stay as long as anybody's."""
    eco = town(LOYAL, {"kind": "pricing", "price_days": 20.0}, agents={Haggler: ecosim.who.Who()}, shocks=[])
    old = []
    for _ in range(15):
        eco.step()
        old.append(float((eco.world.firms.posted_price == 1.0).mean()))
    assert old[-1] == pytest.approx(0.95**15, abs=0.12)


class Dearer(ecosim.SMB):
    """Charges a tenth more than others would in its place."""

    def price(self) -> float:
        return 1.1 * super().price()


@pytest.mark.parametrize("days", [1.0, 20.0])
def test_a_mark_up_on_the_plain_price_does_not_grow(days: float) -> None:
    """Ten per cent above the plain wish are that for ever, and not ten per cent on the old price each time."""
    how = {"kind": "pricing", "price_days": days}
    shocks = [{"kind": "outage", "who": {"share": 0.3}, "when": 3, "severity": 0.7, "recovery": {"days": 15}}]
    eco = town({"kind": "customers"}, how, agents={Dearer: ecosim.who.Who(count=5)}, shocks=shocks)
    firms, own = eco.world.firms, eco.world.choices.rows("price")
    changes = 0
    for _ in range(200):
        before = firms.posted_price.copy()
        eco.step()
        for row in own:
            changed = firms.posted_price[row] != before[row]
            if days == 1.0 or changed:
                wish = ecosim.agents.Firm.price(eco.agent(row))
                assert firms.posted_price[row] == pytest.approx(1.1 * wish, rel=1e-11)
            changes += changed
    assert changes >= 5
    assert 1.05 < firms.posted_price[own].min() <= firms.posted_price.max() < 1.1 * 1.1 * 1.1


def test_a_mark_up_on_the_plain_price_rests_on_costs() -> None:
    """A baker whose mill charges 20 % more asks 1.1 x (1 + 0.5 x 0.2) = 1.21, on every day."""
    scenario = two_bakers({"kind": Dear, "rows": (0,)}, resentment=0.0).scenario
    eco = Ecosystem(scenario, agents={Dearer: ecosim.who.Who(firms="Crust")})
    eco.run_for(3)
    for _ in range(20):
        eco.step()
        assert eco.world.firms.posted_price == pytest.approx([1.2, 1.21, 1.1], rel=1e-12)


@pytest.mark.parametrize("answer", [0, -1.0, math.nan, math.inf, "dear", None])
def test_a_price_that_is_none_is_refused(answer: Any) -> None:
    cls = type("Odd", (Haggler,), {"wish": answer})
    eco = town({"kind": "customers"}, DAILY, agents={cls: ecosim.who.Who(count=1)})
    with pytest.raises(InputError, match=r"Odd\.price\(\) of .* on day 0 returned .*; return a finite price above 0"):
        eco.step()


def test_dearer_inputs_are_paid_to_the_outside() -> None:
    eco = town({"kind": "finance"}, LOYAL, DAILY, shocks=[{"kind": Dear, "rows": (4,), "cost": 1.1}])
    eco.step()
    money = eco.world.money
    assert money is not None
    assert money.flows["dearer inputs"][-1] == pytest.approx(0.1 * eco.world.firms.production[4])
    assert money.total() == pytest.approx(0.0, abs=1e-6)


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(InputError, match="pricing means nothing without customers; add"):
        town(DAILY)
    fine = town({"kind": "customers"}).scenario
    with pytest.raises(ScenarioError, match=r"cap and floor are both 1.*give a cap above 1"):
        fine.with_({"mechanisms": [{"kind": "customers"}, {**DAILY, "cap": 1.0, "floor": 1.0}]})
