"""Platforms: who is on one, what an outage takes and who gets it, and that sales are moved and never made."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import Ecosystem, InputError, Scenario
from ecosim.shocks.shock import Shock

EVERYONE = {"membership": 1.0, "divide_size": 0.0, "divide_region": 0.0}


class Down(Shock):
    """One platform, or one cloud, works only in part."""

    kind: Literal["down"] = "down"
    channel: str = "platform"
    which: int = 0
    works: float = 0.0

    def apply(self, world: Any, rng: Any) -> None:
        rows = np.flatnonzero(world.firms.columns[self.channel] == self.which)
        world.sheet.multiply(self.channel, rows, self.works)


class Gloom(Shock):
    """Everybody's customers in some regions want less, or random ones everywhere."""

    kind: Literal["gloom"] = "gloom"
    region: int = -1
    factor: float = 0.5

    def apply(self, world: Any, rng: Any) -> None:
        every = np.arange(world.firms.rows)
        if self.region < 0:
            world.sheet.multiply("demand", every, rng.uniform(world.day, every))
        else:
            world.sheet.multiply("demand", every[world.plan.firms.region == self.region], self.factor)


def town(*mechanisms: Any, shocks: Any = (), days: int = 20, firms: int = 300, **economy: Any) -> Ecosystem:
    return Ecosystem(
        Scenario(
            days=days,
            economy={"kind": "table", "firms": firms, "headroom": 0.5, "rationing": 0, **economy},
            mechanisms=list(mechanisms),
            shocks=list(shocks),
        )
    )


def test_membership_is_as_said_and_concentrated() -> None:
    eco = town({"kind": "platforms", "membership": 0.4, "platforms": 3}, firms=4000)
    firms, part = eco.world.firms, eco.world.mechanisms["platforms"]
    on = [len(part.members(eco.world, which)) for which in range(3)]
    assert sum(on) / 4000 == pytest.approx(0.4, abs=0.03)
    assert np.array(on) / sum(on) == pytest.approx(np.array([6, 3, 2]) / 11, abs=0.04)
    assert ((firms.platform_share > 0) == (firms.platform >= 0)).all()
    assert ((firms.search_reach == 2.0) == (firms.platform >= 0)).all()
    in_cloud = np.concatenate([part.users(eco.world, which) for which in range(5)])
    assert len(in_cloud) / 4000 == pytest.approx(0.45, abs=0.03)
    assert ((firms.cloud_share > 0) == np.isin(np.arange(4000), in_cloud)).all()
    with pytest.raises(InputError, match="no platform 3; there are 0 to 2"):
        part.members(eco.world, 3)


@pytest.mark.parametrize("divide", [0.0, 1.0])
def test_large_firms_are_more_often_on_a_platform_where_there_is_a_divide(divide: float) -> None:
    eco = town({"kind": "platforms", "membership": 0.4, "divide_size": divide, "divide_region": 0.0}, firms=4000)
    plan, member = eco.world.plan.firms, eco.world.firms.platform >= 0
    large = np.zeros(4000, bool)
    for sector in range(len(plan.sector_names)):
        rows = np.flatnonzero(plan.sector == sector)
        large[rows] = plan.size[rows] > np.median(plan.size[rows])
    ratio = member[large].mean() / member[~large].mean()
    assert ratio == pytest.approx(3.0 if divide else 1.0, rel=0.15)
    assert member.mean() == pytest.approx(0.4, abs=0.03)


def test_regions_differ_in_access_where_there_is_a_divide() -> None:
    eco = town({"kind": "platforms", "membership": 0.5, "divide_size": 0.0, "divide_region": 1.0}, firms=4000)
    by_region = [
        float((eco.world.firms.platform[eco.world.plan.firms.region == region] >= 0).mean()) for region in range(6)
    ]
    assert max(by_region) - min(by_region) > 0.2


def test_an_outage_takes_platform_sales_of_all_members_at_once() -> None:
    """What finds the firm's own channel is sold; what does not is unmet, and nobody else is touched."""
    eco = town(
        {"kind": "platforms", "platforms": 2, "platform_share": 0.4, "direct": 0.25, **EVERYONE},
        shocks=[{"kind": Down, "works": 0.1}],
    )
    before = eco.world.firms.consumption.copy()
    eco.step()
    firms = eco.world.firms
    hit = firms.platform == 0
    assert 0 < hit.sum() < len(hit)
    lost = 0.4 * 0.9 * 0.75 * hit
    np.testing.assert_allclose(firms.consumption, before * (1 - lost), rtol=1e-12)
    np.testing.assert_allclose(firms.wanted, before, rtol=1e-12)
    assert eco.world.customers.unmet.sum() == pytest.approx((before * lost).sum())
    np.testing.assert_array_equal(firms.final_demand, eco.world.plan.firms.final_demand)
    assert firms.search_reach == pytest.approx(np.where(hit, 1.1, 2.0))


def test_rivals_on_other_platforms_serve_those_whom_an_outage_keeps_away() -> None:
    down = [{"kind": Down}]
    alone, beside = (
        town({"kind": "platforms", "platforms": 2, **EVERYONE}, *also, shocks=down)
        for also in ((), ({"kind": "customers"},))
    )
    alone.step()
    beside.step()
    other = alone.world.firms.platform == 1
    assert beside.world.firms.consumption[other].sum() > 1.01 * alone.world.firms.consumption[other].sum()
    assert beside.world.customers.unmet.sum() < 0.8 * alone.world.customers.unmet.sum()


def test_a_cloud_that_fails_takes_capacity_of_all_its_users() -> None:
    eco = town(
        {"kind": "platforms", "cloud_users": 0.6, "cloud_share": 0.5},
        shocks=[{"kind": Down, "channel": "cloud", "which": 1, "works": 0.2}],
    )
    eco.step()
    firms = eco.world.firms
    users = eco.world.mechanisms["platforms"].users(eco.world, 1)
    assert len(users) > 5
    left = np.ones(firms.rows)
    left[users] = 1 - 0.5 * 0.8
    np.testing.assert_allclose(firms.capacity, firms.potential * left, rtol=1e-12)


def test_reach_spreads_a_local_slump_over_the_members() -> None:
    """All on one platform that sells everything anywhere: every firm of a sector loses the same share."""
    how = {"kind": "platforms", "platforms": 1, "platform_share": 1.0, "reach": 1.0, **EVERYONE}
    eco = town(how, shocks=[{"kind": Gloom, "region": 0, "factor": 0.2}])
    eco.step()
    firms, plan = eco.world.firms, eco.world.plan.firms
    usual = plan.final_demand
    here = np.where(plan.region == 0, 0.2, 1.0)
    for sector in range(len(plan.sector_names)):
        rows = (plan.sector == sector) & (usual > 0)
        if rows.any():
            level = (usual * here)[rows].sum() / usual[rows].sum()
            np.testing.assert_allclose(firms.wanted[rows], usual[rows] * level, rtol=1e-9)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 1000),
    customers=st.booleans(),
    share=st.floats(0.1, 1.0),
    works=st.sampled_from([0.0, 0.5, 1.0]),
    finance=st.booleans(),
)
def test_platforms_move_sales_and_make_none(
    seed: int, customers: bool, share: float, works: float, finance: bool
) -> None:
    """Wants add up to what shocks leave of them, goods to what is made, and money to nothing."""
    mechanisms = [{"kind": "platforms", "platform_share": share, "reach": 1.0, "membership": 0.7}]
    mechanisms += [{"kind": "customers"}] * customers + [{"kind": "finance"}] * finance
    eco = town(*mechanisms, shocks=[{"kind": Gloom}, {"kind": Down, "works": works}], firms=90, regions=3)
    world, firms = eco.world, eco.world.firms
    for day in range(12):
        eco.step()
        if not customers:
            left = world.plan.firms.final_demand * world.sheet.multipliers["demand"]
            assert firms.wanted.sum() == pytest.approx(left.sum(), rel=1e-9)
        shipped = np.bincount(world.links.supplier, world.links.delivered, minlength=firms.rows)
        made = shipped + firms.consumption + firms.lost
        np.testing.assert_allclose(made, firms.production, rtol=1e-9, atol=1e-9 * firms.output.max())
        assert firms.consumption.sum() <= world.customers.budget.sum() * (1 + 1e-9)
        assert (firms.wanted >= 0).all()
        if world.money is not None:
            assert world.money.total() == pytest.approx(0.0, abs=1e-6)
            assert all(abs(flow.sum()) < 1e-6 for flow in world.money.flows.values())
        if day == 6:
            world.close(np.arange(0, 90, 5), "test")


def test_communities_pay_each_other_for_what_they_buy_elsewhere() -> None:
    how = {"kind": "platforms", "platforms": 1, "platform_share": 1.0, "reach": 1.0, "fee": 0.0, **EVERYONE}
    eco = town(how, {"kind": "finance"}, shocks=[{"kind": Gloom, "region": 0, "factor": 0.2}])
    plain = town(shocks=[{"kind": Gloom, "region": 0, "factor": 0.2}])
    eco.step()
    plain.step()
    world, people = eco.world, eco.world.customers
    before = people.savings.copy()
    world.mechanisms["platforms"]._between(world)  # once more, to see what it moves
    received = people.savings - before
    near = np.bincount(world.plan.customer, world.firms.consumption)
    bought = np.bincount(world.plan.customer, plain.world.firms.consumption)
    assert received[0] > 0.1 * bought[0]
    np.testing.assert_allclose(near - received, bought, rtol=1e-9)


def test_fees_beyond_the_usual_are_paid_and_a_cap_lowers_them() -> None:
    class Cap(Shock):
        kind: Literal["cap"] = "cap"

        def apply(self, world: Any, rng: Any) -> None:
            world.sheet.multiply("platform_fee", np.arange(world.firms.rows), 0.5)

    how = {"kind": "platforms", "fee": 0.2, "platform_share": 0.5, **EVERYONE}
    usual = town(how, {"kind": "finance"})
    capped = town(how, {"kind": "finance"}, shocks=[{"kind": Cap}])
    usual.step()
    capped.step()
    assert usual.world.money is not None
    assert "platform fees" not in usual.world.money.flows
    assert capped.world.money is not None
    sales = capped.world.firms.consumption.sum()
    assert capped.world.money.flows["platform fees"][-1] == pytest.approx(-0.5 * 0.2 * 0.5 * sales)


def test_a_fee_without_money_is_refused() -> None:
    with pytest.raises(InputError, match=r"mechanisms\.0\.fee: nobody holds money while finance is off; add"):
        town({"kind": "platforms", "fee": 0.3})
