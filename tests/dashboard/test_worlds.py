"""What a page asks a world for: addresses, scenarios, runs side by side, branches, and what the network is sent."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from dashboards import choice as choices
from dashboards import jobs, living, worlds
from dashboards import memo as memos
from dashboards.network import encode, scene
from dashboards.worlds import Choice, Now
from ecosim import InputError
from ecosim.build import build
from ecosim.rng import Streams

SMALL = Choice(firms=30, days=60, runs=4)


# --- addresses -------------------------------------------------------------------------------------------------------


@given(
    ecosystem=st.sampled_from(sorted(worlds.ECOSYSTEMS)),
    structure=st.sampled_from(sorted(worlds.STRUCTURES)),
    severity=st.integers(0, 20).map(lambda step: 5.0 * step),
    stock=st.none() | st.integers(1, 60).map(float),
    start=st.integers(1, 120),
    policy=st.sampled_from(sorted(worlds.POLICIES)),
    now=st.lists(st.builds(Now, st.integers(0, 300), severity=st.sampled_from([40.0, 80.0])), max_size=3).map(tuple),
)
@settings(max_examples=60, deadline=None)
def test_an_address_says_all_of_a_choice(**chosen):
    choice = Choice(**chosen)
    query = choice.to_query()
    assert all(isinstance(value, str) for value in query.values())
    assert Choice.from_query(json.loads(json.dumps(query))) == choice
    assert not choices.complaints(query)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"ecosystem": "../../etc/passwd"}, "ecosystem"),
        ({"severity": "200"}, "0 to 100"),
        ({"severity": "nan"}, "0 to 100"),
        ({"seed": "1e9"}, "not a number"),
        ({"now": "5.outage.random"}, "day.shock"),
        ({"now": "5.given.random.20.60.30"}, "name a shock"),
        ({"own": "x", "ecosystem": "own-<script>"}, "ecosystem"),
    ],
)
def test_what_an_address_has_wrong_falls_back_and_is_told(query, told):
    assert Choice.from_query(query) == Choice()
    assert told in " ".join(choices.complaints(query))


def test_another_ecosystem_begins_as_it_is_written():
    other = Choice(severity=90.0, seed=7).with_(ecosystem="tiny")
    assert other == Choice(ecosystem="tiny", shock="given", seed=7)
    assert worlds.scenario(other).shocks == ecosim.load("tiny").shocks


@pytest.mark.parametrize("name", sorted(worlds.ECOSYSTEMS))
def test_every_ecosystem_is_there_and_can_be_hit(name):
    for shock in worlds.SHOCKS:
        made = worlds.scenario(Choice(ecosystem=name, shock=shock, who="region", policy="strategic_stock"))
        assert made.policies[0].kind == "strategic_stock"
    assert worlds.firms_of(made) > 0
    assert worlds.scenario(Choice(ecosystem=name, shock="none")).shocks == ()


def test_levers_reach_the_scenario():
    made = worlds.scenario(Choice(stock=7.0, spare=25.0, suppliers=3, structure="star", firms=90, days=70, share=10.0))
    assert (made.economy.inventory_days, made.economy.headroom, made.economy.firms) == (7.0, 0.25, 90)
    assert (made.network.kind, made.network.suppliers, made.days) == ("star", 3, 70)
    assert made.shocks[0].who.share == 0.1


def test_an_economy_that_brings_its_links_says_so():
    with pytest.raises(InputError, match="brings its own links"):
        worlds.scenario(Choice(ecosystem="tiny", structure="star"))
    with pytest.raises(InputError, match="lists its firms"):
        worlds.scenario(Choice(ecosystem="tiny", firms=60))


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choice",
    [
        SMALL,
        SMALL.with_(shock="demand_collapse", who="region"),
        SMALL.with_(shock="infrastructure", structure="modular", who="hubs"),
        SMALL.with_(shock="inventory_destruction", stock=4.0),
        SMALL.with_(shock="cyber_attack", spare=20.0),
        SMALL.with_(policy="systemic_protection", who="hubs", severity=90.0),
        SMALL.with_(policy="strategic_stock"),
        Choice(ecosystem="tiny", shock="given", runs=2),
    ],
)
def test_runs_side_by_side_are_the_runs_by_themselves(choice):
    answer, of = living.answer(choice), worlds.scenario(choice)
    assert worlds.plain(of)
    for run in range(answer.runs):
        eco = ecosim.Ecosystem(of, replicate=run)
        twin = eco.twin()
        made, frames = [], []
        for _ in range(of.days):
            eco.run_for(1)
            twin.run_for(1)
            made.append(eco.world.firms.production.sum() / twin.world.firms.production.sum())
            frames.append(eco.world.firms.production / eco.world.firms.output)
        np.testing.assert_allclose(answer.made[:, run], 100.0 * np.array(made), rtol=1e-9)
        shown = encode.decoded(answer.frames[run], of.days)
        assert np.abs(shown - np.minimum(100.0 * np.array(frames), encode.MOST)).max() <= 0.5 + 1e-9
        assert answer.failed[run] == pytest.approx(100.0 * (eco.world.firms.failed_on >= 0).mean())


def test_the_interval_is_the_t_interval_of_separate_runs():
    from scipy import stats

    answer, of = living.answer(SMALL), worlds.scenario(SMALL)
    lost = []
    for run in range(answer.runs):
        eco = ecosim.Ecosystem(of, replicate=run)
        twin = eco.twin()
        eco.run_for(of.days)
        twin.run_for(of.days)
        lost.append(
            100.0 * (1.0 - eco.series.loc[0:, "total_production"].sum() / twin.series.loc[0:, "total_production"].sum())
        )
    low, high = stats.t.interval(0.95, len(lost) - 1, np.mean(lost), stats.sem(lost))
    told = answer.headline("lost")
    assert (told.value, told.low, told.high, told.n) == pytest.approx((np.mean(lost), low, high, 4))


def test_a_pair_is_compared_run_by_run():
    one, other = living.answer(SMALL.with_(severity=90.0)), living.answer(SMALL)
    told = worlds.paired(one, other, "lost")
    assert told.value == pytest.approx((one.lost - other.lost).mean())
    assert told.high - told.low < one.headline("lost").high - one.headline("lost").low + 1e-9 or told.low > 0
    assert worlds.paired(one, living.answer(SMALL.with_(runs=5)), "lost") is None
    assert worlds.paired(one, living.answer(SMALL.with_(seed=2)), "lost") is None


@pytest.mark.parametrize("day", [1, 33])
def test_the_past_of_a_branch_is_equal_to_the_bit(day):
    before = living.answer(SMALL)
    after = living.answer(SMALL.branch(Now(day, severity=90.0)))
    for name in ("made", "sold", "hurt"):
        one, other = getattr(before, name), getattr(after, name)
        assert np.array_equal(one[:day], other[:day])
        assert not np.array_equal(one[day:], other[day:])
    for one, other in zip(before.frames, after.frames, strict=True):
        assert np.array_equal(encode.decoded(one, 60)[:day], encode.decoded(other, 60)[:day])
    assert ("what if", day) in [(event.label, event.day) for event in after.events]


def test_the_past_of_a_branch_is_equal_with_mechanisms_too():
    world = Choice(ecosystem="default_world", firms=60, days=30, runs=2)
    before, after = living.answer(world), living.answer(world.branch(Now(12, severity=90.0)))
    assert np.array_equal(before.made[:12], after.made[:12])
    assert not np.array_equal(before.made[12:], after.made[12:])


def test_no_shock_loses_nothing():
    calm = living.answer(SMALL.with_(shock="none"))
    assert np.abs(calm.lost).max() < 1e-9
    assert not calm.failed.any()
    assert not calm.by_chance
    assert calm.events == ()


def test_the_same_in_all_runs_is_told_as_such():
    answer = living.answer(Choice(ecosystem="tiny", shock="given", runs=3))
    assert np.ptp(answer.lost) == 0
    assert not answer.by_chance


def test_too_much_for_one_server_is_told_plainly():
    with pytest.raises(InputError, match="firm-days; this server lives at most"):
        living.answer(Choice(ecosystem="nation", days=730, runs=48))
    with pytest.raises(InputError, match="links; this server holds"):
        living.answer(Choice(ecosystem="main_street", firms=100_000, suppliers=40))


def test_a_cancelled_answer_stops():
    def stop(done):
        raise living.Cancelled

    with pytest.raises(living.Cancelled):
        living.answer(SMALL, None, stop)


def test_a_firm_tells_its_story():
    told = living.told(SMALL, None, 1, 3)
    eco = ecosim.Ecosystem(worlds.scenario(SMALL), replicate=1)
    assert told.firm == eco.world.firm_name(3)
    assert told.story[0].startswith(told.firm)
    assert dict(told.numbers)["Usual output"] == f"{eco.world.firms.output[3]:,.0f} a day"


def test_a_session_may_not_ask_for_everything(monkeypatch):
    monkeypatch.setattr(jobs, "SESSION_FIRM_DAYS", 1000)
    jobs._spent.value = ()
    jobs.charge(900)
    with pytest.raises(InputError, match="asked for 900 firm-days in the last ten minutes"):
        jobs.charge(200)
    jobs._spent.value = ()


def test_output_is_back_when_it_stays():
    shares = np.full(60, 100.0)
    assert worlds.back(shares) == 0
    shares[10:20] = 80.0
    assert worlds.back(shares) == 20
    shares[40] = 98.0  # a second shock
    assert worlds.back(shares) == 41
    shares[55] = 98.0  # less than a week before the end
    assert worlds.back(shares) == -1


# --- the memo --------------------------------------------------------------------------------------------------------


def test_the_memo_holds_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(memos, "MOST_BYTES", 10_000)
    memo = memos.Memo()
    for at in range(5):
        memo.put(at, np.zeros(500))
    assert memo.get(0) is None
    assert memo.get(4) is not None
    assert memo.bytes <= 10_000


def test_a_weight_counts_what_an_answer_holds():
    answer = living.answer(SMALL)
    least = answer.made.nbytes * 3 + sum(map(len, answer.frames))
    assert least <= memos.weight(answer) < least + 20_000


# --- the network -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 9), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_what_is_packed_is_unpacked(days, firms, luck):
    made = np.array([[luck.uniform(0, 4) for _ in range(firms)] for _ in range(days)])
    recording = encode.Recording(np.ones(firms), None, np.zeros((days, firms), dtype=np.uint8))
    for day in range(days):
        recording.note(day, made[day])
    assert np.array_equal(encode.decoded(recording.frames(), days), np.minimum(np.rint(100 * made), 254))


def test_who_is_out_of_business_is_told_from_who_makes_nothing():
    codes = encode.codes(np.array([0.0, 0.0, 5.0]), np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    assert codes.tolist() == [encode.CLOSED, 0, encode.MOST]


def test_groups_do_not_overlap_and_hold_their_firms():
    group = np.repeat(np.arange(5), [40, 25, 12, 3, 1])
    x, y, rings = scene.arrange(group, np.linspace(1, 2, len(group)))
    for at, (u, v, radius) in enumerate(rings):
        assert (np.hypot(x[group == at] - u, y[group == at] - v) <= radius + 1e-3).all()
        for other, (p, q, wide) in enumerate(rings):
            assert other == at or np.hypot(u - p, v - q) >= radius + wide - 1e-3


@pytest.mark.parametrize("arranged", sorted(scene.ARRANGED))
def test_a_scene_shows_the_economy_that_is_lived(arranged):
    import zlib

    of = worlds.scenario(Choice(ecosystem="main_street", firms=60))
    plan = build(of.economy, of.network, Streams(of.seed, 2))
    found = living.scene(Choice(ecosystem="main_street", firms=60), None, 2, arranged)
    pairs = np.frombuffer(zlib.decompress(found.links), "<u4").reshape(-1, 2)
    assert sorted(map(tuple, pairs.tolist())) == sorted(zip(plan.supplier.tolist(), plan.buyer.tolist(), strict=True))
    assert zlib.decompress(found.names).decode().split("\n") == list(plan.names)
    places = np.frombuffer(found.at, "<u2").reshape(-1, 2)
    assert len({tuple(place) for place in places.tolist()}) == 60
    count = np.bincount(np.frombuffer(found.group, "<u2"))
    assert (np.diff(count) <= 0).all()
    assert len(found.groups) == len(count)


def test_communities_are_those_of_a_modular_network():
    of = worlds.scenario(Choice(firms=100, structure="modular"))
    plan = build(of.economy, of.network.model_copy(update={"modules": 4, "mixing": 0.02}), Streams(1, 0))
    supplier, buyer = plan.supplier.astype(np.int64), plan.buyer.astype(np.int64)
    found, truth = scene.communities(100, supplier, buyer, plan.flow), np.arange(100) * 4 // 100
    pairs = list(zip(found.tolist(), truth.tolist(), strict=True))
    assert len(set(pairs)) == len(set(found.tolist())) == 4


def test_large_economies_are_shown_as_cells(monkeypatch):
    monkeypatch.setattr(encode, "CELLS_FROM", 50)
    monkeypatch.setattr(scene, "CELLS_FROM", 50)
    monkeypatch.setattr(living, "CELLS_FROM", 50)
    choice = Choice(ecosystem="main_street", firms=90, days=40, runs=2)
    answer, found = living.answer(choice), living.scene(choice, None, 0, "sector")
    of = worlds.scenario(choice)
    eco = ecosim.Ecosystem(of)
    eco.run_for(31)
    cell, key = encode.cells(eco.world.plan)
    shares = 100.0 * np.bincount(cell, eco.world.firms.production) / np.bincount(cell, eco.world.firms.output)
    shown = encode.decoded(answer.frames[0], 40)
    assert found.of_cells
    assert found.nodes == shown.shape[1] == len(key) < 90
    assert np.abs(shown[30] - np.minimum(shares, encode.MOST)).max() <= 0.5 + 1e-9
