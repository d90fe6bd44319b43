"""What befalls goods: stocks destroyed, deliveries on the road, trade cut off, each against a closed form."""

from __future__ import annotations

import numpy as np
import pytest

from ecosim import Ecosystem, Scenario

#: A mill that serves a bakery, which alone has customers: 64 a day, 10 days in stock, no other inputs.
CHAIN = Scenario(
    days=60,
    economy={"kind": "given", "inventory_days": 10, "smoothing_days": 5},
    network={
        "kind": "imported",
        "firms": [
            {"firm": "Mill", "sector": "Milling", "final_demand": 0.0},
            {"firm": "Bakery", "sector": "Baking", "final_demand": 128.0},
        ],
        "links": [{"supplier": "Mill", "client": "Bakery", "flow": 64.0}],
    },
)


def struck(scenario=CHAIN, **shock):
    """The chain with one shock to the bakery on day 5."""
    who = {} if scenario is not CHAIN else {"who": {"firms": "Bakery"}}
    return Ecosystem(scenario.with_({"shocks": [{"when": 5, **who, **shock}]}))


@pytest.mark.parametrize("severity", [0.25, 1.0])
def test_stocks_are_destroyed_once_and_what_yesterday_used_is_not_counted(severity):
    eco = struck(kind="inventory_destruction", severity=severity)
    eco.run_for(5)
    assert eco.world.links.stock.tolist() == [640.0]
    assert eco.series["goods_destroyed"].iloc[-1] == 0.0
    eco.run_for(1)
    lost = severity * (640.0 - 64.0)  # yesterday's use is gone from the stock before the night
    assert eco.series["goods_destroyed"].iloc[-1] == pytest.approx(lost)
    assert eco.world.links.stock[0] == pytest.approx(640.0 - lost)
    eco.run_for(20)
    assert eco.series["goods_destroyed"].iloc[-1] == pytest.approx(lost)
    # What arrives each morning is enough for the day, so that only the cushion is gone.
    assert (eco.series["total_production"] >= 192.0 * (1 - 1e-12)).all()


@pytest.mark.parametrize("extra", [1.0, 3.0])
def test_goods_take_as_much_longer_as_they_should_and_none_is_lost(extra):
    eco = struck(kind="lead_time", extra_days=extra, days=300).scenario.with_({"days": 300})
    eco = Ecosystem(eco)
    eco.run_for(290)
    # Little's law: what is on the road is what is shipped in the extra days.
    assert eco.series["goods_in_transit"].iloc[-1] == pytest.approx(64.0 * extra, rel=1e-6)
    assert eco.world.firms.production.tolist() == pytest.approx([64.0, 128.0])


def test_what_was_held_up_arrives_when_the_road_is_open_again():
    eco = struck(kind="lead_time", extra_days=4.0, days=6)
    eco.run_for(11)
    assert eco.series["goods_in_transit"].iloc[-1] > 64.0
    eco.run_for(1)
    assert eco.series["goods_in_transit"].iloc[-1] == 0.0


@pytest.mark.parametrize("side", ["purchases", "both"])
def test_trade_that_is_cut_off_stops_production_when_stocks_are_used_up(side):
    eco = struck(kind="link_loss", side=side, days=30)
    eco.run_for(30)
    made = eco.series["total_production"].to_numpy()[1:]
    # From day 5 nothing is sold to the bakery; it has 10 days in stock and what was shipped on day 4.
    assert made[4] == pytest.approx(192.0)
    assert made[5:14] == pytest.approx(np.full(9, 128.0))
    assert made[16:30] == pytest.approx(np.zeros(14))


@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_nothing_comes_through_a_link_that_is_cut(rationing):
    town = Scenario(days=40, economy={"kind": "table", "firms": 80, "rationing": rationing})
    shocks = [
        {"kind": "link_loss", "who": {"share": 0.2}, "when": 3, "days": 20},
        {"kind": "outage", "who": {"share": 0.5}, "when": 4, "severity": 0.7},
    ]
    eco = Ecosystem(town.with_({"shocks": shocks}))
    for _ in range(20):
        eco.step()
        cut = np.concatenate([np.zeros(0, dtype=int), *(rows for rows, left in eco.world.sheet.cuts)])
        assert not eco.world.links.delivered[cut].any()
        firms, links = eco.world.firms, eco.world.links
        shipped = np.bincount(links.supplier, links.delivered, minlength=firms.rows)
        assert firms.consumption + shipped + firms.lost == pytest.approx(firms.production)
    assert len(cut)


def test_a_buyer_with_another_supplier_trades_again():
    town = Scenario(days=40, economy={"kind": "uniform", "firms": 40})
    eco = Ecosystem(town.with_({"shocks": [{"kind": "link_loss", "side": "sales", "who": {"count": 3}, "days": 20}]}))
    eco.run_for(3)
    lost, _ = eco.world.sheet.cuts[0]
    others = np.setdiff1d(np.arange(40), eco.world.memory["link_loss"]["rows"])
    eco.world.links.rewire(lost[:1], others[:1].astype(np.int32))
    eco.run_for(1)
    assert set(eco.world.sheet.cuts[0][0].tolist()) == set(lost[1:].tolist())


def test_goods_that_no_shock_touches_are_not_measured():
    assert not {"goods_destroyed", "goods_in_transit"} & set(Ecosystem(CHAIN).series)


def test_goods_on_the_road_and_destroyed_are_saved(tmp_path):
    shocks = [{"kind": "disaster", "when": 3, "severity": 0.7}, {"kind": "link_loss", "when": 2, "who": {"count": 5}}]
    town = Scenario(days=40, economy={"kind": "table", "firms": 80}, shocks=shocks)
    whole, first = Ecosystem(town), Ecosystem(town)
    whole.run_for(30)
    first.run_for(6)
    first.save(tmp_path / "state.npz")
    second = Ecosystem.restore(tmp_path / "state.npz")
    assert second.world.links.columns["in_transit"].any()
    second.run_for(24)
    assert second.series.equals(whole.series)
    for name in ("stock", "delivered", "ordered"):
        np.testing.assert_array_equal(getattr(second.world.links, name), getattr(whole.world.links, name))
    np.testing.assert_array_equal(second.world.firms.destroyed, whole.world.firms.destroyed)
