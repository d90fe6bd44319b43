"""Outages: how capacity is lost and comes back, who is hit, and that nothing else changes by a bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.shocks.outage import Outage
from ecosim.shocks.recovery import LAWS, Recovery

UNIFORM = {"kind": "uniform", "firms": 60}
TABLE = {"kind": "table", "firms": 120}


def economy(*shocks: dict[str, Any], days: int = 40, **parts: Any) -> Ecosystem:
    """A small economy that these shocks befall; a kind is added to each."""
    parts.setdefault("economy", UNIFORM)
    return Ecosystem(Scenario(days=days, shocks=[{"kind": "outage", **shock} for shock in shocks], **parts))


def chain(shock: dict[str, Any], days: int, firms: int = 3, **rules: Any) -> Ecosystem:
    """f0 -> f1 -> ...: each buys half of its output's worth from the one before, and only the last has customers.

    Every input is essential, and f0 buys nothing.
    """
    last = firms - 1
    network = {
        "kind": "imported",
        "firms": [
            {"firm": f"f{i}", "sector": f"s{i}", "final_demand": 128.0 if i == last else 0.0} for i in range(firms)
        ],
        "links": [{"supplier": f"f{i}", "client": f"f{i + 1}", "flow": 128.0 * 0.5 ** (last - i)} for i in range(last)],
    }
    return economy(shock, days=days, economy={"kind": "given", **rules}, network=network)


def lost_capacity(eco: Ecosystem, days: int) -> np.ndarray:
    """Share of capacity lost, shape (days, firms), read each evening."""
    lost = []
    for _ in range(days):
        eco.step()
        lost.append(1.0 - eco.world.firms.capacity / eco.world.firms.output)
    return np.array(lost)


# --- recovery ---------------------------------------------------------------------------------------------------------


def closed_form(law: int | None, first: float, day: int, days: float, start: int) -> float:
    """Damage on the ``day``-th day of an outage (0 is its first) after ``day - start`` evenings of recovery."""
    evenings = max(0, day - start)
    if law is None or evenings == 0:
        return first
    if law == 0:
        return max(0.0, first * (1.0 - evenings / days))
    if law == 1:
        return max(0.0, first - evenings / days)
    if law == 2:
        return 0.0
    if law == 3:
        return first * (1.0 - 1.0 / days) ** evenings
    return first * math.exp(-(day - 1) / days)  # from the day of the outage, wherever recovery starts


@settings(max_examples=60)
@given(
    law=st.sampled_from([None, 0, 1, 2, 3, 4]),
    severity=st.floats(0.01, 1.0),
    days=st.floats(1.0, 20.0),
    start=st.integers(0, 5),
    when=st.integers(0, 4),
)
def test_recovery_follows_its_closed_form(law: int | None, severity: float, days: float, start: int, when: int) -> None:
    recovery = None if law is None else {"law": law, "days": days, "start": start}
    eco = chain({"severity": {"f0": severity}, "when": when, "recovery": recovery}, days=25)
    lost = lost_capacity(eco, 25)
    assert not lost[:when].any()
    assert not lost[:, 1:].any()
    expected = [closed_form(law, severity, day, days, start) for day in range(25 - when)]
    np.testing.assert_allclose(lost[when:, 0], expected, rtol=0, atol=1e-12)


def test_help_comes_from_neighbours_who_stand() -> None:
    """Law 5 by hand, on f0 - f1 - f2: firms in order of row, each seeing those before it as they are this evening."""
    eco = chain({"severity": {"f0": 0.8, "f1": 0.5, "f2": 0.2}, "recovery": {"law": 5, "days": 10}}, days=3)
    lost = lost_capacity(eco, 3)
    np.testing.assert_allclose(lost[0], [0.8, 0.5, 0.2], atol=1e-15)
    a = 0.8 * (1 - (1 - 0.5) / 10)  # its only neighbour, f1, is damaged by 0.5
    b = 0.5 * (1 - (1 - (a + 0.2) / 2) / 10)
    c = 0.2 * (1 - (1 - b) / 10)
    assert (a, b, c) == pytest.approx((0.76, 0.474, 0.18948), rel=1e-12)
    np.testing.assert_allclose(lost[1], [0.76, 0.474, 0.18948], atol=1e-15)
    a = 0.76 * (1 - (1 - 0.474) / 10)
    b = 0.474 * (1 - (1 - (a + 0.18948) / 2) / 10)
    np.testing.assert_allclose(lost[2], [a, b, 0.18948 * (1 - (1 - b) / 10)], atol=1e-15)


def test_a_firm_among_the_undamaged_gets_all_help_and_one_among_ruins_none() -> None:
    alone = chain({"severity": {"f1": 0.5}, "recovery": {"law": "damped", "days": 4}}, days=2)
    assert lost_capacity(alone, 2)[1, 1] == pytest.approx(0.5 * (1 - 1 / 4), rel=1e-12)
    ruins = chain({"severity": {"f0": 1.0, "f1": 1.0}, "recovery": {"law": "damped", "days": 4}}, days=2)
    # f0 sees only f1, in ruins; f1 sees f0, in ruins, and f2, which stands.
    np.testing.assert_allclose(lost_capacity(ruins, 2)[1], [1.0, 1.0 - 0.5 / 4, 0.0], atol=1e-15)


def test_laws_have_names() -> None:
    for number, name in enumerate(LAWS):
        assert Recovery(law=name).number == Recovery(law=number).number == number  # type: ignore[arg-type]
        shocks = [{"severity": {"f0": 0.7, "f1": 0.4}, "recovery": {"law": law, "days": 6}} for law in (number, name)]
        one, two = (lost_capacity(chain(shock, days=9), 9) for shock in shocks)
        np.testing.assert_array_equal(one, two)
    with pytest.raises(ValueError, match="law"):
        Recovery(law="magic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="greater than 0"):
        Recovery(days=0)


def test_the_diary_says_who_was_hit_and_when_it_was_over() -> None:
    shock = {"severity": {"f0": 0.5, "f1": 0.0, "f2": 0.1}, "when": 3, "recovery": {"law": "uniform", "days": 5}}
    eco = chain(shock, days=12)
    eco.run_for(12)
    diary = [(e["day"], e["event"], e["rows"].tolist(), e["amount"].tolist()) for e in eco.world.events]
    assert diary == [
        (3, "outage hits", [0, 2], [0.5, 0.1]),
        (4, "outage is over", [2], [0.0]),
        (6, "outage is over", [0], [0.0]),
    ]


# --- nothing else changes ---------------------------------------------------------------------------------------------


def state_of(eco: Ecosystem) -> dict[str, np.ndarray]:
    links = {name: getattr(eco.world.links, name) for name in ("stock", "ordered", "delivered")}
    return {**eco.world.firms.columns, **eco.world.customers.columns, **links}


def same_to_the_bit(one: Ecosystem, two: Ecosystem) -> None:
    pd.testing.assert_frame_equal(one.series, two.series, check_exact=True)
    others = state_of(two)
    for name, column in state_of(one).items():
        np.testing.assert_array_equal(column, others[name], err_msg=name)


INERT = {
    "no severity": {"name": "inert", "severity": 0.0, "who": {"share": 0.5}},
    "severity drawn as nothing": {"name": "inert", "when": 39, "severity": {"kind": "uniform", "high": 0.0}},
    "no severity by name": {"name": "inert", "severity": {"Manufacturing #40": 0.0}},
}
REAL = {"who": {"share": 0.2}, "severity": 0.6, "when": 5}


@pytest.mark.parametrize("inert", INERT)
@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_an_inert_shock_changes_no_bit(inert: str, rationing: int) -> None:
    rules = {**TABLE, "rationing": rationing}
    names = Ecosystem(Scenario(economy=rules)).world.plan
    shock = INERT[inert]
    if isinstance(shock.get("severity"), dict):
        shock = {**shock, "severity": {names.firm_name(40): 0.0}}
    calm, disturbed = economy(economy=rules), economy(shock, economy=rules)
    shocked, both = economy(REAL, economy=rules), economy(REAL, shock, economy=rules)
    for eco in (calm, disturbed, shocked, both):
        eco.run_for(40)
    same_to_the_bit(calm, disturbed)
    same_to_the_bit(shocked, both)
    twin = both.twin()
    twin.run_for(40)
    same_to_the_bit(twin, calm)
    assert shocked.series["total_production"].min() < 0.97 * calm.series["total_production"].min()


# --- composition ------------------------------------------------------------------------------------------------------


def test_overlapping_outages_multiply_never_compound_and_expire() -> None:
    first = {"name": "flood", "severity": {"f0": 0.5, "f1": 0.25}, "when": 2, "recovery": {"law": 0, "days": 8}}
    second = {"name": "strike", "severity": {"f0": 0.4}, "when": 6, "recovery": {"law": 2, "start": 9}}
    parts = [lost_capacity(chain(shock, days=30), 30) for shock in (first, second)]
    together = Scenario(
        **{**chain(first, days=30).scenario.model_dump(), "shocks": [{"kind": "outage", **s} for s in (first, second)]}
    )
    lost = lost_capacity(Ecosystem(together), 30)
    np.testing.assert_allclose(1.0 - lost, (1.0 - parts[0]) * (1.0 - parts[1]), rtol=0, atol=1e-15)
    assert (lost[6, 0], lost[9, 0]) == pytest.approx((1 - 0.75 * 0.6, 1 - 0.9375 * 0.6), rel=1e-12)
    np.testing.assert_allclose(lost[10:16, 0], 0.4, atol=1e-15)  # the flood is over, and the strike as strong as ever
    assert not lost[16:].any()
    assert parts[0][9].any()
    assert not parts[0][10:].any()


def test_a_second_hit_during_recovery_multiplies_with_what_is_left_of_the_first() -> None:
    """The double hit: on day 6 a tenth of the flood's 0.8 is left for each day to go, and the second takes half."""
    flood = {"kind": "outage", "name": "flood", "severity": {"f0": 0.8}, "when": 2, "recovery": {"law": 0, "days": 8}}
    again = {
        "kind": "outage", "name": "again", "who": {"hit_by": "flood"}, "when": {"after": "flood", "days": 4},
        "severity": 0.5, "recovery": {"law": 0, "days": 5},
    }  # fmt: skip
    both = Scenario(**{**chain(flood, days=20).scenario.model_dump(), "shocks": [flood, again]})
    lost = lost_capacity(Ecosystem(both), 20)[:, 0]
    first = [closed_form(0, 0.8, day, 8, 0) if day >= 0 else 0.0 for day in range(-2, 18)]
    second = [closed_form(0, 0.5, day, 5, 0) if day >= 0 else 0.0 for day in range(-6, 14)]
    np.testing.assert_allclose(1.0 - lost, (1.0 - np.array(first)) * (1.0 - np.array(second)), rtol=0, atol=1e-12)
    assert lost[6] == pytest.approx(1.0 - 0.6 * 0.5)


def test_strikes_of_one_shock_that_overlap_multiply_and_never_compound() -> None:
    when = {"kind": "sequence", "events": 5, "from": 0, "to": 16, "burstiness": -1}
    shock = {"who": {"firms": "f0"}, "severity": 0.5, "when": when, "recovery": {"law": 2, "start": 9}}
    lost = lost_capacity(chain(shock, days=40), 40)[:, 0]
    under_way = [sum(0 <= day - struck < 10 for struck in (0, 4, 8, 12, 16)) for day in range(40)]
    np.testing.assert_array_equal(1.0 - lost, 0.5 ** np.array(under_way))
    assert max(under_way) == 3
    assert under_way[26:] == [0] * 14


def test_sequences_of_equal_mean_take_as_many_firm_days_in_bursts_where_hits_do_not_overlap() -> None:
    """Equal number and severities: what differs is what falls together, and by how much that takes less in sum."""

    def taken(burstiness: float, span: int) -> float:
        when = {"kind": "sequence", "events": 12, "from": 0, "to": 187, "burstiness": burstiness}
        drawn = {"kind": "uniform", "low": 0.1, "high": 0.9}
        shock = {"who": {"firms": "f0"}, "severity": drawn, "when": when, "recovery": {"law": 2, "start": span - 1}}
        return float(lost_capacity(chain(shock, days=260), 260).sum())

    assert taken(-1.0, 17) == pytest.approx(17 * taken(-1.0, 1), rel=1e-12)  # 17 days apart: none overlaps
    assert taken(0.4, 17) < 0.9 * taken(-1.0, 17)  # 1 - (1 - a)(1 - b) < a + b


def test_a_permanent_outage_stays_as_it_is() -> None:
    lost = lost_capacity(chain({"severity": {"f0": 0.3}, "recovery": None}, days=200), 200)
    np.testing.assert_array_equal(lost[:, 0], lost[0, 0])


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [{"share": 0.3}, {"count": 7}, {"region": "Riverside", "share": 0.5}], ids=str)
@pytest.mark.parametrize("rules", [UNIFORM, TABLE], ids=lambda rules: rules["kind"])
def test_the_same_firms_are_hit_whatever_the_network(rules: dict[str, Any], who: dict[str, Any]) -> None:
    hit = [
        economy({"who": who}, economy=rules, network={"kind": kind, "suppliers": suppliers}).world.memory["outage"]
        for kind, suppliers in (("ring", 3), ("scale_free", 5), ("reconstructed", 2))
    ]
    for other in hit[1:]:
        np.testing.assert_array_equal(hit[0]["rows"], other["rows"])
    other_name = economy({"who": who, "name": "flood"}, economy=rules).world.memory["flood"]
    assert not np.array_equal(hit[0]["rows"], other_name["rows"])
    eco = economy({"who": who}, economy=rules)
    rows = eco.world.memory["outage"]["rows"]
    firms = eco.world.plan.firms
    possible = np.arange(len(firms))
    if "region" in who:
        possible = np.flatnonzero(firms.region == firms.region_names.index("Riverside"))
    assert np.isin(rows, possible).all()
    assert len(np.unique(rows)) == len(rows) == who.get("count", round(who.get("share", 0) * len(possible)))


def test_more_of_the_same_draw_contains_fewer() -> None:
    """Firms are drawn by their own numbers, so a larger share hits those of a smaller one, and more."""
    few, many = (economy({"who": {"share": share}}).world.memory["outage"]["rows"] for share in (0.1, 0.6))
    assert set(few) < set(many)


def test_a_firms_luck_does_not_depend_on_who_else_could_be_drawn() -> None:
    eco = economy({"who": {"count": 30}})
    firms = eco.world.plan.firms
    rows = eco.world.memory["outage"]["rows"]
    near = rows[firms.region[rows] == firms.region_names.index("Riverside")]
    assert 1 < len(near) < (firms.region == firms.region_names.index("Riverside")).sum()
    some = economy({"who": {"region": "Riverside", "count": len(near)}}).world.memory["outage"]["rows"]
    np.testing.assert_array_equal(some, near)


def test_the_largest_are_hit() -> None:
    eco = economy({"who": {"top": 4}}, {"name": "hubs", "who": {"top": 4, "by": "clients"}}, network={"kind": "star"})
    world = eco.world
    rows = world.memory["outage"]["rows"]
    assert world.firms.output[rows].min() >= np.delete(world.firms.output, rows).max()
    rows = world.memory["hubs"]["rows"]
    clients = np.bincount(world.links.supplier, minlength=60)
    assert clients[rows].min() >= np.delete(clients, rows).max()


@pytest.mark.parametrize(
    ("shock", "text"),
    [
        (
            {"who": {"region": "Riversid"}},
            "shocks.0.who.region: no region is named 'Riversid'; did you mean 'Riverside'?",
        ),
        (
            {"who": {"region": "Atlantis"}},
            "shocks.0.who.region: no region is named 'Atlantis'; there are Riverside, Old",
        ),
        ({"who": {"sector": "God"}}, "shocks.0.who.sector: no sector is named 'God'; did you mean 'Goods'?"),
        ({"who": {"firms": "Goods #61"}}, "shocks.0.who.firms: no firm is named 'Goods #61'; did you mean 'Goods #6"),
        ({"who": {"firms": ["Goods #1", "Zz"]}}, "shocks.0.who.firms: no firm is named 'Zz'; there are Goods #1, "),
        ({"severity": {"Zz": 0.5}}, "shocks.0.severity: no firm is named 'Zz'; there are Goods #1, "),
        ({"who": {"type": "Supplier"}}, "shocks.0.who: no firm meets all of {'type': 'Supplier'}; drop a condition"),
        ({"who": {"count": 61}}, "shocks.0.who.count: 61 is more than the 60 firms there are to choose from"),
        ({"who": {"top": 99}}, "shocks.0.who.top: 99 is more than the 60 firms there are to choose from"),
    ],
)
def test_a_choice_of_nobody_is_refused_with_its_place(shock: dict[str, Any], text: str) -> None:
    scenario = Scenario(economy=UNIFORM, network={"kind": "ring"}, shocks=[{"kind": "outage", **shock}])
    with pytest.raises(InputError) as refused:
        Ecosystem(scenario)
    assert str(refused.value).startswith(text)


@pytest.mark.parametrize(
    ("shock", "text"),
    [
        ({"who": {"share": 0.5, "count": 3}}, "share and count exclude each other; keep one"),
        ({"who": {"share": 0.0}}, "greater than 0"),
        ({"severity": 1.5}, "1.5 is not a share of capacity; give a number from 0 to 1"),
        ({"severity": {"a": -0.1}}, "-0.1 is not a share of capacity; give a number from 0 to 1"),
        ({"severity": {}}, "severity names no firm; give a share for at least one"),
        ({"severity": {"a": 0.1}, "who": {"count": 1}}, "severity names the firms, so who cannot choose others; drop"),
    ],
)
def test_an_outage_that_cannot_be_is_refused(shock: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match="Outage") as refused:
        Outage.model_validate(shock)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("names", "at"), [(("", ""), "outage"), (("flood", "flood"), "flood"), (("outage", ""), "outage")]
)
def test_two_shocks_need_two_names(names: tuple[str, str], at: str) -> None:
    text = f"shocks.1.name: {at!r} is taken by shocks.0; give it another name"
    scenario = Scenario(economy=UNIFORM, shocks=[{"kind": "outage", "name": name} for name in names])
    with pytest.raises(InputError) as refused:
        Ecosystem(scenario)
    assert str(refused.value) == text


# --- buffers in a chain -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cover", [1, 3, 6])
@pytest.mark.parametrize("firms", [2, 3, 5])
@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_a_chain_stands_for_the_sum_of_its_buffers(firms: int, cover: int, rationing: int) -> None:
    """Each firm goes on for as many days as it has cover once nothing arrives, and then stops the next.

    On day t of it, a firm has n - t days of use in the morning, so it makes all on days 0 to n - 1 and nothing on day
    n: firm k stops on day k n, for ever, since the head never comes back. Flows are powers of two: this is exact.
    """
    days = firms * cover + 3
    eco = chain({"severity": {"f0": 1.0}, "recovery": None}, days, firms, inventory_days=cover, rationing=rationing)
    for day in range(days):
        eco.step()
        made = eco.world.firms.production / eco.world.firms.output
        expected = [float(day < k * cover) for k in range(firms)]
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-12, err_msg=f"day {day}")


@pytest.mark.parametrize("cover", [2, 5, 10])
def test_an_outage_shorter_than_the_cover_costs_the_client_nothing_and_a_longer_one_everything(cover: int) -> None:
    """D days at the head. With D < n, the client still has n - D >= 1 days of use when goods arrive: nothing is lost.

    With D = n it stops for a day, on day n, and then plans for what it made the day before (nothing), orders nothing,
    and stops every other day. With D > n it has made nothing by the time the head is back, plans for nothing, orders
    nothing, and both are still for ever: the published expectation has no way out of zero. So the loss jumps at
    the cover, and is not (D - n) days of output.
    """
    horizon = 4 * cover + 11
    for outage in (1, cover - 1, cover, cover + 1, 2 * cover):
        shock = {"severity": {"f0": 1.0}, "recovery": {"law": "at_once", "start": outage - 1}}
        eco = chain(shock, horizon, 2, inventory_days=cover)
        made = []
        for _ in range(horizon):
            eco.step()
            made.append(float(eco.world.firms.production[1] / eco.world.firms.output[1]))
        stopped = np.zeros(horizon, bool)
        if outage == cover:
            stopped[cover::2] = True
        elif outage > cover:
            stopped[cover:] = True
        np.testing.assert_allclose(made, 1.0 - stopped, rtol=0, atol=1e-12, err_msg=f"outage of {outage} days")
