"""Customers: budgets and shares add up every day, the turned away are served fairly, loyalty follows its equation."""

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.config import Scenario
from ecosim.kernels.customers import redirect, served
from ecosim.model import Ecosystem
from ecosim.shocks.shock import Shock

CALM = {
    **dict.fromkeys(("switching", "win_back", "redirect", "joint_visits", "support", "forgiveness"), 0.0),
    "segments": 1.0,
}


class Rough(Shock):
    """Every day some firms lose means and some customers change their minds, by whatever channel is there."""

    kind: Literal["rough"] = "rough"
    share: float = 0.2
    highest: float = 1.0

    def apply(self, world: Any, rng: Any) -> None:
        every = np.arange(world.firms.rows)
        for at, (channel, highest) in enumerate(
            (("capacity", 1.0), ("demand", self.highest), ("platform", 1.0), ("cloud", 1.0), ("input_cost", 2.0))
        ):
            if channel in world.sheet.channels:
                hit = rng.uniform(world.day, every, 2 * at) < self.share
                world.sheet.multiply(channel, every[hit], highest * rng.uniform(world.day, every, 2 * at + 1)[hit])


class Given(Shock):
    """Certain factors on one channel, every day from the first."""

    kind: Literal["given"] = "given"
    channel: str = "capacity"
    factors: dict[int, float] = {}  # noqa: RUF012  (a field of a model)

    def apply(self, world: Any, rng: Any) -> None:
        world.sheet.multiply(self.channel, np.array(list(self.factors)), np.array(list(self.factors.values())))


def street(
    wants: dict[str, list[float]],
    *shocks: Any,
    days: int = 60,
    regions: int = 1,
    also: tuple[Any, ...] = (),
    **how: Any,
) -> Ecosystem:
    """Shops of some sectors, by their usual sales; each buys a little from one farm, of which there is plenty."""
    shops = [(sector, at, sales) for sector, list_ in wants.items() for at, sales in enumerate(list_)]
    firms = [{"firm": "Farm", "sector": "Farming", "region": "R0", "final_demand": 0.0, "customer": "Town"}]
    firms += [
        {
            "firm": f"{sector} {at}",
            "sector": sector,
            "region": f"R{at % regions}",
            "final_demand": sales,
            "customer": "Town",
        }
        for sector, at, sales in shops
    ]
    links = [{"supplier": "Farm", "client": f"{sector} {at}", "flow": 0.25 * sales} for sector, at, sales in shops]
    return Ecosystem(
        Scenario(
            days=days,
            economy={"kind": "given", "headroom": 0.25, "rationing": 0},
            network={"kind": "imported", "firms": firms, "links": links},
            mechanisms=[{"kind": "customers", **CALM, **how}, *also],
            shocks=list(shocks),
        )
    )


def hit(**factors: float) -> dict[str, Any]:
    """Capacity of some firms by row, such as r1=0.5, from the first day on."""
    return {"kind": Given, "factors": {int(name[1:]): value for name, value in factors.items()}}


def by_market(eco: Ecosystem, values: np.ndarray) -> np.ndarray:
    return np.bincount(eco.world.memory["customers"]["market"], values)


def price_of(eco: Ecosystem) -> np.ndarray:
    firms = eco.world.firms
    return firms.posted_price.copy() if "posted_price" in firms else np.ones(firms.rows)


def assert_adds_up(eco: Ecosystem, price: np.ndarray) -> None:
    """What must hold on every day; ``price`` is what was charged today."""
    world, firms = eco.world, eco.world.firms
    closed = by_market(eco, firms.alive * world.memory["customers"]["usual"]) == 0
    total = by_market(eco, firms.market_share)
    np.testing.assert_allclose(total[~closed], 1.0, rtol=1e-12)
    links = world.links
    shipped = np.bincount(links.supplier, links.delivered, minlength=firms.rows)
    made = shipped + firms.consumption + firms.lost
    np.testing.assert_allclose(made, firms.production, rtol=1e-9, atol=1e-9 * firms.output.max())
    assert (firms.production <= np.minimum(firms.capacity, firms.ceiling) * (1 + 1e-12)).all()
    assert (links.stock >= 0).all()
    for name in ("production", "consumption", "wanted", "final_demand", "demand"):
        assert (firms.columns[name] >= 0).all(), name
    assert (firms.consumption <= firms.wanted * (1 + 1e-9)).all()
    assert ((firms.fill >= 0) & (firms.fill <= 1 + 1e-12)).all()
    budget = world.customers.budget
    spent = np.bincount(world.plan.customer, price * firms.consumption, len(budget))
    assert spent.sum() <= budget.sum() * (1 + 1e-9)
    if "platforms" not in world.mechanisms:
        assert (spent <= budget * (1 + 1e-9)).all()
        np.testing.assert_allclose(spent + world.customers.saved, budget, rtol=1e-9)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    rationing=st.sampled_from([0, 1, 2, 3]),
    headroom=st.sampled_from([0.0, 0.3]),
    also=st.sampled_from([(), ("platforms",), ("pricing",), ("platforms", "pricing")]),
    highest=st.sampled_from([1.0, 3.0]),
    segments=st.sampled_from([1.0, 4.0]),
)
def test_spending_and_goods_add_up_every_day(
    seed: int, rationing: int, headroom: float, also: tuple[str, ...], highest: float, segments: float
) -> None:
    nimble = {"pricing": {"price_days": 1.0, "response": 2.0, "discount": 1.0}}
    eco = Ecosystem(
        Scenario(
            days=25,
            seed=seed,
            economy={"kind": "table", "firms": 90, "rationing": rationing, "headroom": headroom, "regions": 3},
            mechanisms=[
                {"kind": "customers", "segments": segments, "joint_visits": 0.5},
                *({"kind": kind, **nimble.get(kind, {})} for kind in also),
            ],
            shocks=[{"kind": Rough, "highest": highest}],
        )
    )
    for day in range(25):
        if day in (5, 12):
            eco.world.close(np.arange(day, 60, 7), "test")
        if day == 15:
            eco.world.firms.alive[:40] = 1.0
        price = price_of(eco)
        eco.step()
        assert_adds_up(eco, price)


# Those turned away ----------------------------------------------------------------------------------------------------


def redirect_slowly(firms: dict[str, list[float]], market: list[int], tries: list[float]) -> dict[str, list[float]]:
    """What `redirect` does, market by market: the fullest firms for their market share are settled first."""
    done = {name: list(values) for name, values in firms.items()}
    for g in sorted(set(market)):
        here = [i for i in range(len(market)) if market[i] == g]
        missing = {i: firms["wanted"][i] - firms["consumption"][i] for i in here}
        offered = sum(tries[i] * missing[i] * firms["price"][i] for i in here)
        room = {}
        for i in here:
            left = min(firms["capacity"][i], firms["ceiling"][i]) - firms["production"][i]
            if left > 0 and firms["share"][i] > 0:
                room[i] = left * firms["price"][i]
        placed = rest = min(offered, sum(room.values()))
        weight = sum(firms["share"][i] for i in room)
        given = {}
        for i in sorted(room, key=lambda i: room[i] / firms["share"][i]):
            given[i] = min(room[i], rest * firms["share"][i] / weight)
            rest -= given[i]
            weight -= firms["share"][i]
        for i in here:
            if offered > 0:
                done["wanted"][i] -= tries[i] * missing[i] * placed / offered
        for i, money in given.items():
            for name in ("wanted", "demand", "production", "consumption"):
                done[name][i] += money / firms["price"][i]
    return done


@settings(max_examples=150)
@given(data=st.data(), rows=st.integers(1, 9))
def test_the_turned_away_are_placed_as_by_hand(data: st.DataObject, rows: int) -> None:
    amounts = st.sampled_from([0.0, 0.5, 1.0, 3.0]) | st.floats(0.01, 10.0)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(values, min_size=rows, max_size=rows))

    market = column(st.integers(0, 2))
    tries = column(st.floats(0.0, 1.0))
    wanted, consumption = column(amounts), column(amounts)
    firms = {
        "wanted": [max(pair) for pair in zip(wanted, consumption, strict=True)],
        "consumption": [min(pair) for pair in zip(wanted, consumption, strict=True)],
        "share": column(st.floats(0.01, 1.0)),
        "price": column(st.floats(0.5, 2.0)),
        "capacity": column(amounts),
        "ceiling": column(amounts | st.just(math.inf)),
        "production": column(amounts),
        "demand": column(amounts),
    }
    firms["production"] = [
        min(have) for have in zip(firms["production"], firms["capacity"], firms["ceiling"], strict=True)
    ]
    now = {name: np.array(values) for name, values in firms.items()}
    groups, willing = np.array(market), np.array(tries)
    offered = np.zeros(3)
    nothing, most, loyal = np.zeros(rows), 0.9, 1.0 - willing
    served(now["wanted"], now["consumption"], nothing, nothing, 0.1, now["price"], most, loyal, groups, offered)
    start = np.concatenate(([0], np.cumsum(np.bincount(groups, minlength=3))))
    redirect(
        start, np.argsort(groups, kind="stable"), offered, most, loyal, now["share"], now["price"],
        now["capacity"], now["ceiling"], now["wanted"], now["demand"], now["production"], now["consumption"],
    )  # fmt: skip
    expected = redirect_slowly(firms, market, [most * (1.0 - each) for each in loyal])
    for name, values in now.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-9, atol=1e-9, err_msg=name)
    before = np.bincount(groups, np.array(firms["wanted"]) * now["price"], 3)
    np.testing.assert_allclose(np.bincount(groups, now["wanted"] * now["price"], 3), before, rtol=1e-9, atol=1e-9)


def test_rivals_with_spare_means_serve_a_share_of_the_turned_away() -> None:
    eco = street({"Baking": [100.0, 60.0, 40.0], "Books": [50.0]}, hit(r1=0.5), redirect=0.4)
    eco.step()
    firms = eco.world.firms
    turned = 100.0 - 0.5 * 1.25 * 100.0
    assert firms.consumption[1:] == pytest.approx([62.5, 60 + 0.4 * turned * 0.6, 40 + 0.4 * turned * 0.4, 50.0])
    assert eco.world.customers.unmet[0] == pytest.approx(0.6 * turned)
    assert firms.wanted.sum() == pytest.approx(250.0)


def test_customers_of_a_brand_go_nowhere_else() -> None:
    eco = street({"Baking": [100.0, 60.0]}, hit(r1=0.5), redirect=1.0, switching_cost=1.0)
    eco.step()
    assert eco.world.firms.consumption[2] == 60.0
    assert eco.world.customers.unmet[0] == pytest.approx(37.5)


def test_what_customers_did_not_ask_for_they_do_not_take() -> None:
    """Rule 2 hands customers more than they want when clients who ordered nothing leave goods over."""
    eco = street({"Baking": [100.0]})
    firms = eco.world.firms
    eco.step()
    firms.consumption[1] = 130.0
    eco.world.mechanisms["customers"].trade(eco.world, None)
    assert (firms.consumption[1], firms.lost[1]) == (100.0, 30.0)


# Loyalty --------------------------------------------------------------------------------------------------------------


def test_loyalty_drifts_by_the_replicator_equation() -> None:
    eco = street({"Baking": [100.0, 60.0]}, hit(r1=0.4), switching=0.05, intimacy=0.2, fill_days=1.0)
    firms = eco.world.firms
    for _ in range(10):
        share, fill = firms.market_share.copy(), firms.fill.copy()
        eco.step()
        mean = share @ fill
        new = share * np.exp(0.05 * 0.8 * (fill - mean))
        np.testing.assert_allclose(firms.market_share, new / new[1:].sum(), rtol=1e-12)
    assert firms.market_share[1] < 100 / 160
    assert firms.final_demand[1:] == pytest.approx(160 * firms.market_share[1:])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"intimacy": 0.9}, {"intimacy": 0.1}),
        ({"forgiveness": 1.0, "community_focus": 1.0}, {"forgiveness": 0.0, "community_focus": 1.0}),
    ],
    ids=["intimacy", "forgiveness"],
)
def test_what_keeps_customers_when_goods_are_short(better: dict[str, float], worse: dict[str, float]) -> None:
    shares = []
    for how in (better, worse):
        eco = street({"Baking": [100.0, 60.0]}, hit(r1=0.4), switching=0.05, **how)
        eco.run_for(40)
        shares.append(eco.world.firms.market_share[1])
    assert shares[0] > 1.03 * shares[1]


def test_lost_customers_come_back_and_sooner_to_those_who_know_them() -> None:
    """Alone, the return is exponential in the logarithm of the ratio of two shares."""
    ratios = []
    for personalisation in (0.0, 1.0):
        eco = street({"Baking": [100.0, 100.0]}, days=100, win_back=0.01, personalisation=personalisation)
        eco.world.firms.market_share[1:] = 0.2, 0.8
        eco.run_for(50)
        share = eco.world.firms.market_share
        ratios.append(math.log(share[2] / share[1]) / math.log(4.0))
    assert ratios == pytest.approx([0.99**50, 0.98**50])


def test_a_closed_shop_leaves_its_customers_to_the_others_and_starts_small_when_it_opens() -> None:
    eco = street({"Baking": [100.0, 60.0, 40.0], "Books": [50.0]}, win_back=0.02, newcomer_share=0.1)
    firms = eco.world.firms
    eco.world.close(np.array([1, 4]), "test")
    eco.step()
    assert firms.market_share[1:] == pytest.approx([0.0, 0.6, 0.4, 0.0])
    assert firms.final_demand[1:] == pytest.approx([0.0, 120.0, 80.0, 0.0])
    assert eco.world.customers.saved[0] == pytest.approx(250 - 75 - 50)  # that is all the two bakers can make
    firms.alive[:] = 1.0
    eco.step()
    small = 0.1 * 0.5
    assert firms.market_share[1] == pytest.approx(small / (1 + small), rel=0.02)
    assert firms.market_share[4] == 1.0
    before = firms.market_share[1]
    eco.run_for(20)
    assert firms.market_share[1] > 1.3 * before


# Budgets, districts, segments, support --------------------------------------------------------------------------------


def test_wants_follow_the_budget_of_the_day() -> None:
    eco = street({"Baking": [100.0, 60.0], "Books": [40.0]})
    eco.world.customers.add("spending", 150.0)
    eco.step()
    assert eco.world.firms.consumption[1:] == pytest.approx([75.0, 45.0, 30.0])
    assert eco.world.customers.saved[0] == 0.0


def test_nobody_spends_more_than_the_budget() -> None:
    surge = {"kind": Given, "channel": "demand", "factors": {1: 3.0}}
    eco = street({"Baking": [100.0, 60.0], "Books": [40.0]}, surge)
    eco.step()
    scale = 200 / (300 + 60 + 40)
    assert eco.world.firms.wanted[1:] == pytest.approx([300 * scale, 60 * scale, 40 * scale])


def test_a_closed_district_keeps_visitors_at_home() -> None:
    """Each shop feels how much of the rest of its own district is closed; the money is saved."""
    eco = street(
        {"Baking": [100.0, 60.0], "Books": [40.0, 50.0], "Toys": [10.0, 90.0]},
        hit(r1=0.25),
        regions=2,
        joint_visits=0.4,
    )
    eco.step()
    firms = eco.world.firms
    visits = 1 - 0.4 * 75 / np.array([100 + 10, 100 + 40])  # books and toys in the baker's district
    assert firms.wanted[1:] == pytest.approx([100.0, 60.0, 40 * visits[0], 50.0, 10 * visits[1], 90.0])
    assert eco.world.customers.saved[0] == pytest.approx(350 - firms.consumption.sum())


def test_segments_share_a_shock_to_demand_and_keep_its_sum() -> None:
    slump = {"kind": Given, "channel": "demand", "factors": {1: 0.0, 2: 0.8}}
    wanted = []
    for segments in (1.0, 4.0):
        eco = street({"Baking": [100.0, 60.0], "Books": [40.0]}, slump, segments=segments)
        eco.step()
        wanted.append(eco.world.firms.wanted[1:].copy())
    assert wanted[0] == pytest.approx([0.0, 48.0, 40.0])
    mean = 88 / 200
    assert wanted[1] == pytest.approx(np.array([100, 60, 40]) * (0.25 * np.array([0, 0.8, 1]) + 0.75 * mean))
    assert wanted[1].sum() == pytest.approx(88.0)


def test_a_community_stands_by_a_shop_that_was_hit() -> None:
    """Spending moves to it while it is remembered, and it is taken from its rivals."""
    eco = street({"Baking": [100.0, 60.0]}, hit(r1=0.9), support=1.0, community_focus=1.0)
    eco.step()
    pull = 1 + 0.1 * 0.9
    assert eco.world.firms.wanted[1] == pytest.approx(160 * 100 * pull / (100 * pull + 60))
    assert eco.world.firms.wanted.sum() == pytest.approx(160.0)


def test_newcomers_do_not_starve_clients() -> None:
    """Under rule 2, customers beyond the usual ones wait behind clients who order the usual."""
    eco = street({"Baking": [100.0, 60.0]})
    eco.world.firms.market_share[1:] = 0.5, 0.5
    seen = []
    sell = eco._sell

    def watched() -> None:
        seen.append((eco.world.firms.final_demand.copy(), eco.world.firms.wanted.copy()))
        sell()

    eco._sell = watched  # type: ignore[method-assign]
    eco.step()
    usual, wanted = seen[0]
    assert usual[1:] == pytest.approx([80.0, 60.0])
    assert wanted[1:] == pytest.approx([80.0, 80.0])
    assert eco.world.firms.final_demand[1:] == pytest.approx([80.0, 80.0])
