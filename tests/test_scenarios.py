"""The ready scenarios: each loads, is built on the default world, and lives through a short form of itself."""

from __future__ import annotations

import numpy as np
import pytest

import ecosim
from ecosim.found import shipped

READY = (
    "pandemic_year", "regional_flood", "key_supplier_bankruptcy", "cloud_outage", "credit_crunch", "recession",
    "energy_price_spike", "cyber_wave", "tourism_collapse", "hub_store_closing", "slow_burn", "double_hit",
)  # fmt: skip
SMALL = {"economy.firms": 90, "days": 70}


def scenario(name):
    """A ready scenario in its short form."""
    return ecosim.load(name).with_(SMALL)


@pytest.mark.parametrize("name", READY)
def test_it_is_the_default_world_with_something_happening(name):
    world, ready = ecosim.load("default_world"), ecosim.load(name)
    assert ready.name == name
    assert ready.with_({"name": world.name, "shocks": world.model_dump()["shocks"]}) == world
    assert shipped()[name].read_text(encoding="utf-8").startswith("# ")
    assert ready.shocks


@pytest.mark.parametrize("name", READY)
def test_its_short_form_runs(name):
    short = scenario(name)
    eco = ecosim.Ecosystem(short)
    eco.run_for(40)
    struck = {event["event"].rpartition(" ")[0] for event in eco.world.events if event["event"].endswith(" hits")}
    on_time = {shock.label for shock in short.shocks if isinstance(shock.when, int) and shock.when < 40}
    assert struck >= on_time
    assert np.isfinite(eco.series.to_numpy()).all()


def test_two_floods_harm_more_than_one():
    one, two = (ecosim.Ecosystem(scenario(name)) for name in ("regional_flood", "double_hit"))
    for eco in (one, two):
        eco.run_for(70)
    same = slice(None, 50)  # the second flood comes on day 51
    assert one.series.loc[same].equals(two.series.loc[same])
    assert two.series["total_production"].sum() < one.series["total_production"].sum()
    assert two.series["goods_destroyed"].iloc[-1] > one.series["goods_destroyed"].iloc[-1] > 0
