"""Policy search: the arithmetic on planted futures, bad files, seals, and a small study end to end."""

from __future__ import annotations

import json
import math
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from study_here import Here

from ecosim import Ecosystem, Scenario
from ecosim.config import ScenarioError
from ecosim.errors import InputError
from ecosim.resilience.twins import respond
from ecosim.study import groups, runner, sweeping
from ecosim.study.outcomes import check, outcomes
from ecosim.study.policy import figures, seal, tables
from ecosim.study.policy.front import best, everything, generations, hypervolume, settled
from ecosim.study.policy.futures import draw
from ecosim.study.policy.measures import (
    cheapest,
    difference,
    effect,
    least_cost,
    needed,
    per_unit,
    quantile,
    regret,
    satisficing,
    shown_to_hold,
)
from ecosim.study.policy.packages import listed, nothing, package, policies
from ecosim.study.policy.page import answer
from ecosim.study.policy.reading import from_yaml, load, made
from ecosim.study.policy.searching import policy, runs
from ecosim.study.policy.spec import Search
from ecosim.study.policy.stage import points
from ecosim.study.spreadsheet import csv

STUDY = """
scenario:
  days: 16
  economy: {kind: uniform, firms: 24}
  network: {kind: random, suppliers: 2}
levers:
  shield:
    policy: {kind: systemic_protection, cost: 0.01}
    levels: {who.top: [6, 12], protection: [0.3, 0.9]}
  nothing_at_all: {kind: systemic_protection, budget: 0}
  after_flood: {kind: strategic_stock, trigger: {after: flood}}
packages: {both: {shield: 2, after_flood: 1}}
uncertainties:
  shocks.flood.severity: {low: 0.3, high: 0.9}
  economy.inventory_days: {low: 3, high: 8}
shocks:
  flood: [{kind: outage, name: flood, when: 2, severity: 0.5, who: {share: 0.5}}]
  gap: [{kind: demand_collapse, name: gap, when: 2, days: 5, severity: 0.5}]
sealed:
  fire: [{kind: inventory_destruction, name: fire, when: 3, severity: 0.9}]
futures: 3
held_out: 2
target: {loss: 1, share: 0.5}
search: {population: 4, generations: 2}
verdict: {replicates: 2, intensities: 5}
"""


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(runner, "Processes", Here)


# The arithmetic -------------------------------------------------------------------------------------------------------


def test_regret_quantiles_and_targets_of_planted_losses():
    loss = np.array([[0.0, 4.0, 2.0, 9.0], [1.0, 1.0, 3.0, 8.0], [5.0, 0.0, 2.0, 8.5]])
    np.testing.assert_array_equal(regret(loss), [[0, 4, 0, 1], [1, 1, 1, 0], [5, 0, 0, 0.5]])
    np.testing.assert_array_equal(quantile(loss, 0.75), [4, 3, 5])
    np.testing.assert_array_equal(quantile(loss, 0.76), [9, 8, 8.5])
    held = satisficing(loss, 4.0)
    assert [one.value for one in held] == [0.75, 0.75, 0.5]
    low, high = stats.binomtest(3, 4).proportion_ci(0.95, "exact")
    assert (held[0].low, held[0].high) == pytest.approx((low, high))
    assert cheapest([1.0, 0.5, 0.1], loss <= 4.0, 0.75) == 1
    assert cheapest([1.0, 0.5, 0.1], loss <= 4.0, 0.5) == 2
    assert cheapest([1.0, 0.5, 0.1], loss <= 4.0, 0.8) is None


def test_what_it_takes_to_show_a_share():
    assert needed(0.95) == 59  # 0.95 ** 59 < 0.05 < 0.95 ** 58
    assert shown_to_hold(59, 59, 0.95)
    assert not shown_to_hold(58, 58, 0.95)
    assert not shown_to_hold(59, 60, 0.95)
    assert not shown_to_hold(0, 60, 0.0)


def test_an_effect_is_that_of_a_stratified_sample():
    rng = np.random.Generator(np.random.Philox(3))
    types = np.repeat(["a", "b"], 12)
    values = rng.normal(1.0, 2.0, 24) + np.where(types == "a", 50.0, 0.0)
    one, other = values[types == "a"], values[types == "b"]
    welch = stats.ttest_ind(one, -other, equal_var=False)  # the mean of means is half of one - (-other)
    interval = welch.confidence_interval(0.95)
    found = effect(values, types)
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), interval.low / 2, interval.high / 2))
    assert found.p == pytest.approx(welch.pvalue)
    alone = effect(one, types[:12])
    assert alone.p == pytest.approx(stats.ttest_1samp(one, 0).pvalue)
    still = effect(np.zeros(6), np.repeat(["a", "b"], 3))
    assert (still.low, still.high, still.p) == (0.0, 0.0, 1.0)
    assert math.isnan(effect([1.0, 2.0, 3.0], ["a", "a", "b"]).p)


def test_differences_and_ratios():
    one, other = effect([1.0, 3.0, 2.0], ["a"] * 3), effect([0.0, 1.0, 0.5], ["a"] * 3)
    gap, low, high = difference(one, other)
    assert gap == 1.5
    assert (high - low) / 2 == pytest.approx(np.hypot((one.high - one.low) / 2, (other.high - other.low) / 2))
    exact = per_unit([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], ["a"] * 3)
    assert (exact.value, exact.low, exact.high) == pytest.approx((2.0, 2.0, 2.0))
    plain = per_unit(
        [1.0, 2.0, 6.0], [2.0, 2.0, 2.0], ["a"] * 3
    )  # of an equal cost: Student's interval of the mean, scaled
    t = stats.ttest_1samp([0.5, 1.0, 3.0], 0).confidence_interval(0.95)
    assert (plain.low, plain.high) == pytest.approx((t.low, t.high))
    assert math.isnan(per_unit([1.0, 2.0], [0.0, 0.0], ["a"] * 2).value)
    gains, types = np.array([0.1, 0.9, 5.0, 5.2, 5.3]), ["a", "a", "b", "b", "b"]
    # never surer than the effect that it rests on
    told, of = effect(gains, types), per_unit(gains, np.full(5, 4.0), types)
    assert (of.low, of.value, of.high) == pytest.approx((told.low / 4, told.value / 4, told.high / 4))
    assert math.isnan(per_unit([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], ["a", "a", "b"]).value)


def test_least_cost_and_how_sure_it_is():
    types = np.repeat(["a", "b"], 10)
    cost = np.outer([0.0, 1.0, 2.0], np.ones(20))
    loss = np.array([np.full(20, 9.0), np.where(np.arange(20) < 1, 9.0, 1.0), np.full(20, 1.0)])
    found = least_cost(cost, loss, types, most=5.0, share=0.95, seed=1)
    assert (found.package, found.cost, found.low, found.high, found.none) == (1, 1.0, 1.0, 2.0, 0.0)
    # The one bad future is drawn at most once among ten in (0.9^10 + 0.9^9) of resamples.
    assert found.again == pytest.approx(0.9**10 + 0.9**9, abs=0.03)
    never = least_cost(cost[:1], loss[:1], types, most=5.0, share=0.95, seed=1)
    assert (never.package, never.none) == (None, 1.0)
    assert math.isnan(never.cost)


def test_pareto_front_and_hypervolume():
    values = np.array([[0.0, 3.0], [1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [3.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(best(values), [True, True, False, False, True, True])
    # Steps at (0, 3), (1, 1), (3, 0) below the corner (4, 4): 4*1 + 3*2 + 1*1.
    assert hypervolume(values, [4.0, 4.0]) == pytest.approx(11.0)
    assert hypervolume(values, [0.0, 0.0]) == 0.0
    assert hypervolume([[1.0, 1.0, 1.0]], [3.0, 2.0, 2.0]) == pytest.approx(2.0)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=12))
@settings(deadline=None)
def test_the_front_is_what_a_plain_search_finds(values):
    def beaten(one):
        return any(all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in values)

    assert best(values).tolist() == [not beaten(one) for one in values]


def test_a_search_finds_a_planted_front_and_the_same_one_again():
    most, gain = [2, 2, 2, 2], np.array([5.0, 1.0, 3.0, 0.1])

    def objectives(levels):
        on = np.asarray(levels)
        return np.column_stack([on.sum(axis=1), 20.0 - (np.sqrt(on) * gain).sum(axis=1)])

    def searched(seed):
        start, found, volumes = [(0, 0, 0, 0)], [], []
        for levels in generations(most, Search(population=12, generations=12, seed=seed), objectives, start):
            found += levels
            volumes.append(hypervolume(objectives(found), [9.0, 21.0]))
        return found, volumes

    found, volumes = searched(1)
    whole = objectives(everything(most))
    assert volumes[-1] == pytest.approx(hypervolume(whole, [9.0, 21.0]), rel=0.01)
    assert len(set(found)) < len(everything(most))
    assert searched(1)[0] == found
    assert settled([0.5, 0.9, 1, 1, 1, 1, 1.0])
    assert not settled([0.5, 0.9, 1, 1, 1, 1, 1.2])
    assert not settled([1, 1, 1])


def test_a_search_keeps_to_its_budget():
    asked = []

    def objectives(levels):
        asked.append(np.asarray(levels).sum(axis=1))
        return np.column_stack([asked[-1], -asked[-1]])

    list(
        generations([3] * 4, Search(population=8, generations=10), objectives, [], lambda on: np.sum(on, axis=1) - 4.0)
    )
    assert (asked[-1] <= 4).mean() > (asked[0] <= 4).mean()


# Packages, futures, groups --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spec():
    return from_yaml(STUDY)


def test_packages_have_names_levels_and_policies(spec):
    assert [each.name for each in listed(spec)] == [
        "none", "shield 1", "shield 2", "nothing_at_all", "after_flood", "both",
    ]  # fmt: skip
    both = package(spec, [2, 0, 1])
    flood, gap = (policies(spec, both, spec.shocks[kind]) for kind in ("flood", "gap"))
    assert [one["name"] for one in flood] == ["shield", "after_flood"]
    assert flood[0]["protection"] == 0.9
    assert flood[0]["who"]["top"] == 12
    assert [one["name"] for one in gap] == ["shield"]  # what waits for a flood never begins there


def test_leaving_out_what_never_begins_changes_no_bit(spec):
    stock = {"kind": "strategic_stock", "trigger": {"after": "flood"}}
    mild = {"kind": "outage", "name": "flood", "when": 2, "severity": 0.0}  # strikes nobody
    town = spec.base.with_({"shocks": [*spec.shocks["gap"], mild]})
    waits, without = Ecosystem(town.with_({"policies": [stock]})), Ecosystem(town)
    waits.run_for(16)
    without.run_for(16)
    pd.testing.assert_frame_equal(waits.series, without.series, check_exact=True)


def test_futures_are_drawn_for_each_purpose_and_kind(spec):
    training, fresh = draw(spec, "training"), draw(spec, "held_out")
    assert [one.type for one in training] == ["flood"] * 3 + ["gap"] * 3
    assert len({one.seed for one in [*training, *fresh, *draw(spec, "sealed")]}) == 12
    severities = sorted(one.shocks[0]["severity"] for one in training[:3])
    assert [math.floor((each - 0.3) / 0.2) for each in severities] == [0, 1, 2]  # one in each slice
    assert {one.shocks[0]["severity"] for one in training[3:]} == {0.5}
    assert "shocks.flood.severity" not in training[3].shown
    assert draw(spec, "training") == training
    wider = made({**dict(spec), "shocks": {"new": spec.shocks["gap"], **spec.shocks}, "sealed": {}})
    assert draw(wider, "training")[3:] == training


def test_a_stage_lives_each_package_in_each_future_with_one_luck(spec):
    futures = draw(spec, "training")
    study = points(spec, listed(spec)[:3], futures, "s")
    assert len(study.codes) == 18
    seeds = [study.varied["seed"].given[int(code)] for code in study.codes[:, list(study.varied).index("seed")]]
    assert seeds == [one.seed for one in futures] * 3


def test_groups_of_firms():
    firms = pd.DataFrame(
        {
            "sector": ["a", "a", "b.c", "b.c", "a", "a", "a", "a", "a", "a"],
            "output": np.arange(10.0),
            "produced": [1.0] * 10,
            "lost": [1.0, 0, 3.0, 1.0, 0, 0, 0, 0, 0, 0],
            "failed_on": [3, -1, -1, 5, -1, -1, -1, -1, -1, -1],
        }
    )
    found = outcomes(["by.sector.*.lost_percent", "by.size.small.failed_percent"], {}, pd.DataFrame(), firms)
    assert found == {
        "by.sector.a.lost_percent": pytest.approx(100 / 9),
        "by.sector.b.c.lost_percent": pytest.approx(100 * 4 / 6),
        "by.size.small.failed_percent": 40.0,
    }
    assert groups.sizes(firms).tolist() == ["small"] * 5 + ["medium"] * 4 + ["large"]
    assert "did you mean 'sector'" in check("by.sectr.*.lost_percent")
    assert "no figure" in check("by.sector.*.lots")
    assert check("by.sector.*.lost_percent") is None
    assert outcomes(["policies.sum.spent"], {"policies": [{"spent": 2.0}, {"spent": 3.0}]}, pd.DataFrame()) == {
        "policies.sum.spent": 5.0
    }
    assert outcomes(["policies.sum.spent"], {"policies": []}, pd.DataFrame()) == {"policies.sum.spent": 0.0}


# What is wrong with a file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("who.top: [6, 12]", "who.top: [6]", "lists of unlike length"),
        ("protection: [0.3, 0.9]", "protection: [0.3, 7]", "levels.protection"),
        ("{shield: 2, after_flood: 1}", "{shield: 3}", "3 is no level of shield; give one from 0 to 2"),
        ("{shield: 2, after_flood: 1}", "{shild: 1}", "no lever is called so; there are shield"),
        ("{shield: 2, after_flood: 1}", "{}", "doing nothing is looked at anyway"),
        ("after: flood", "after: floood", "no shock, and no lever listed before, is called 'floood'"),
        ("shocks.flood.severity:", "shocks.fire_.severity:", "no shock is called so; there are flood, gap"),
        ("shocks.flood.severity: {low: 0.3", "shocks.flood.severity: {low: 0.95", "the range is empty"),
        ("economy.inventory_days:", "economy.inventory_dys:", "inventory_days"),
        ("economy.inventory_days:", "seed:", "every future has a seed of its own"),
        ("economy.inventory_days:", "policies.0.budget:", "policies are levers"),
        ("kind: strategic_stock", "kind: emergency_grant", "means nothing without finance"),
        ("  fire: [{kind", "  gap: [{kind", "what is sealed must be new"),
        ("name: gap", "name: shield", "'shield' is a lever, too"),
        ("population: 4", "population: 3", "search.population"),
        ("intensities: 5", "intensities: 6", "6 is even"),
        ("futures: 3", "futurs: 3", "did you mean 'futures'"),
        ("loss: 1,", "loss: 900,", "target.loss"),
    ],
)
def test_a_mistake_is_told_with_its_line(old, new, words):
    assert STUDY.count(old) == 1
    text = STUDY.replace(old, new)
    with pytest.raises(ScenarioError) as raised:
        from_yaml(text, name="study.yaml")
    assert words in str(raised.value)
    line = next(at for at, one in enumerate(text.splitlines(), 1) if new.split("\n", maxsplit=1)[0] in one)
    lines = {problem.line for problem in raised.value.problems}
    assert any(abs(found - line) <= 2 for found in lines), (line, str(raised.value))


def test_all_mistakes_are_told_at_once():
    text = STUDY.replace("futures: 3", "futures: 1").replace("population: 4", "population: 1")
    with pytest.raises(ScenarioError) as raised:
        from_yaml(text)
    assert len(raised.value.problems) == 2
    with pytest.raises(ScenarioError, match="a policy study has at least"):
        from_yaml("# nothing\n")
    with pytest.raises(InputError, match="no such file"):
        load("nowhere.yaml")


def test_days_of_work_are_refused_before_they_begin(spec, tmp_path):
    large = made({**dict(spec), "futures": 100_000, "replicates": 100_000, "verdict": None})
    with pytest.raises(
        InputError, match=r"runs will take about .* hours on 1 workers; say that you mean it with --yes"
    ):
        policy(large, out=tmp_path / "s", workers=1)
    assert not (tmp_path / "s").exists()
    assert runs(large)["listed packages"] == 6 * 2 * 100_000 * 100_000


# End to end -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "Processes", Here)
        said = []
        result = policy(from_yaml(STUDY), out=tmp_path_factory.mktemp("policy") / "s", workers=1, told=said.append)
    return result, said


def test_a_study_says_how_much_it_will_be_and_leaves_tables_a_page_and_figures(found):
    result, said = found
    assert said[0].startswith("policy: at most ")
    names = {path.name for path in result.folder.iterdir()}
    assert {"page.md", "pareto.png", "effects.png", "winners.png", "study.json"} <= names
    for name, frame in result.tables.items():
        assert {f"{name}.csv", f"{name}.parquet"} <= names
        pd.testing.assert_frame_equal(pd.read_parquet(result.folder / f"{name}.parquet"), frame)
    assert json.loads((result.folder / "study.json").read_text())["name"] == "policy"


def test_a_lever_that_does_nothing_is_no_difference(found):
    result, _ = found
    effects = result.tables["effects"]
    null = effects[effects["package"] == "nothing_at_all"]
    assert (null["effect"] == 0.0).all()
    assert (null["p"] == 1.0).all()
    assert set(null["claim"]) == {"no difference could be shown"}
    assert "| nothing_at_all | +0 [+0, +0] | 1 | changed nothing in any of these futures |" in result.page()
    winners = result.tables["winners"]
    assert set(winners.loc[winners["package"] == "nothing_at_all", "claim"]) == {"no difference could be shown"}


def test_effects_are_those_of_runs_side_by_side(found):
    """The table against worlds lived here, one by one, without the store."""
    result, _ = found
    spec = result.spec
    shield = package(spec, [2, 0, 0])
    gains, costs = [], []
    for future in draw(spec, "training"):
        world = spec.base.with_({**future.changes, "seed": future.seed, "shocks": future.shocks})
        lost = []
        for levels in ([], policies(spec, shield, future.labels)):
            eco = Ecosystem(world.with_({"policies": levels}))
            eco.run_for(world.days)
            lost.append(eco.series["final_consumption"].loc[0:].sum())
        calm = Ecosystem(world.with_({"shocks": []}))
        calm.run_for(world.days)
        gains.append(100 * (lost[1] - lost[0]) / calm.series["final_consumption"].loc[0:].sum())
        costs.append(eco.world.memory["policy: shield"]["amount"].sum() / eco.world.output_at_rest)
    effects = result.tables["effects"].set_index(["package", "futures", "type", "outcome"])
    row = effects.loc[("shield 2", "training", "all", "consumption")]
    assert row["effect"] == pytest.approx(np.mean(gains), rel=1e-9)
    assert row["effect"] > 0
    value = result.tables["value"].set_index(["package", "futures", "type"]).loc[("shield 2", "training", "all")]
    assert value["spent"] == pytest.approx(np.mean(costs), rel=1e-9)
    overview = result.tables["packages"].set_index("package")
    assert overview.loc["none", "cost"] == 0.0
    assert overview.loc["shield 2", "cost"] == pytest.approx(np.mean(costs), rel=1e-9)


def test_claims_of_what_was_found_rest_on_fresh_futures(found):
    result, _ = found
    effects = result.tables["effects"]
    training = set(effects.loc[effects["futures"] == "training", "package"])
    assert training == {each.name for each in listed(result.spec)} - {"none"}
    assert result.chosen.name in set(effects.loc[effects["futures"] == "held_out", "package"])
    assert "**none of those tried does**" in result.page()
    seeds = result.tables["futures"].groupby("purpose")["seed"].agg(set)
    assert not seeds["training"] & seeds["held_out"]
    table = result.tables["held_out"]
    gap = table["saved_training"] - table["saved_held_out"]
    np.testing.assert_allclose(table["shrinkage"], gap)


def test_the_same_call_goes_on_and_ends_with_the_same_tables(found, tmp_path, monkeypatch):
    result, _ = found
    monkeypatch.setattr(figures, "draw", lambda found, folder: None)
    lived = []
    give = Here.give

    def killed(self, jobs):
        lived.append(len(jobs))
        if sum(lived) > 45:
            raise KeyboardInterrupt
        give(self, jobs)

    monkeypatch.setattr(Here, "give", killed)
    with pytest.raises(KeyboardInterrupt):
        policy(from_yaml(STUDY), out=tmp_path / "s", workers=1)
    monkeypatch.setattr(Here, "give", give)
    again = policy(from_yaml(STUDY), out=tmp_path / "s", workers=1)
    assert set(again.tables) == set(result.tables)
    for name, frame in result.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame, check_exact=True)
    assert again.page() == result.page()


def test_a_folder_of_another_study_is_refused(found):
    result, _ = found
    other = made({**dict(result.spec), "futures": 4, "verdict": None, "sealed": {}})
    with pytest.raises(InputError, match="holds another study"):
        policy(other, out=result.folder, workers=1)


# The seal -------------------------------------------------------------------------------------------------------------


def test_a_seal_is_opened_once_and_never_silently_again(spec, tmp_path):
    record = tmp_path / "r.json"
    one, other = package(spec, [1, 0, 0]), package(spec, [2, 0, 0])
    assert seal.broken(record, spec, [one]) == []
    first = seal.read(record)
    assert [(opened.type, opened.chosen) for opened in first] == [("fire", "shield 1")]
    assert seal.broken(record, spec, [one]) == []  # the same choice may look again
    assert seal.read(record) == first
    assert seal.broken(record, spec, [other]) == first
    changed = made({**dict(spec), "futures": 4})
    assert len(seal.broken(record, changed, [one])) == 2
    renamed = made({**dict(spec), "sealed": {"blaze": spec.sealed["fire"]}})
    assert seal.broken(record, renamed, [other])  # by what it holds, not by its name
    record.write_text("{")
    with pytest.raises(InputError, match="not a record of openings"):
        seal.broken(record, spec, [one])


def test_the_page_says_that_a_seal_was_broken(found, monkeypatch):
    result, _ = found
    monkeypatch.setattr(figures, "draw", lambda found, folder: None)
    assert "Opened once, after the choice was made" in result.page()
    record = result.folder.with_name(f"{result.folder.name}.sealed.json")
    assert [one.type for one in seal.read(record)] == ["fire"]
    text = STUDY.replace("futures: 3", "futures: 2").replace("loss: 1,", "loss: 99,")  # nothing need be done
    text = text.replace("verdict: {replicates: 2, intensities: 5}", "verdict: null")
    text = text.replace("population: 4, generations: 2", "algorithm: none")
    changed = from_yaml(text)
    changed._seal = record
    said = []
    again = policy(changed, out=result.folder.with_name("again"), workers=1, told=said.append)
    assert "**The seal was broken before**" in again.page()
    assert any("opened before for another choice" in line for line in said)
    assert again.tables["sealed"]["opened_before"].all()
    assert again.chosen.name == again.tables["least_cost"]["package"][0] == "none"
    assert again.tables["least_cost"]["cost"][0] == 0.0
    assert "nothing did better than doing nothing by the rule of choice" in again.page()


# Verdicts and their twin ----------------------------------------------------------------------------------------------


def test_what_a_policy_does_in_peace_is_no_response_to_stress():
    town = Scenario(
        days=30,
        economy={"kind": "uniform", "firms": 20, "headroom": 0.25},
        network={"kind": "random", "suppliers": 2},
        shocks=[{"kind": "outage", "name": "hit", "when": 15, "severity": 0.5, "who": {"share": 0.5}}],
        policies=[{"kind": "strategic_stock", "extra": 2.0}],
    )
    found = respond(town, replicates=2, intensities=5)
    assert (found.d[:, 0] == 0.0).all()
    stocked, bare = Ecosystem(town.with_({"shocks": []})), Ecosystem(town.with_({"shocks": [], "policies": []}))
    stocked.run_for(30)
    bare.run_for(30)
    made_more = stocked.series["total_production"].sum() / bare.series["total_production"].sum()
    assert abs(made_more - 1) > 0.01  # it fills the shelves in peace, too
    full = Ecosystem(town)
    full.run_for(30)
    expected = full.series["total_production"].loc[0:].sum() / stocked.series["total_production"].loc[0:].sum() - 1
    assert found.d[0, -1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("saves", "Recommended: **"),
        ("harms", "It is not recommended: in the mean, doing nothing loses less"),
        ("no difference could be shown", "That is no recommendation: whether it helps at all is open"),
    ],
)
def test_only_what_saves_in_fresh_futures_is_recommended(found, claim, told):
    result, _ = found
    changed = result.tables["effects"].assign(claim=claim)
    page = replace(result, tables={**result.tables, "effects": changed}).page()
    assert told in page
    assert ("Recommended: **" in page) == (claim == "saves")


def test_the_quick_form_says_on_its_page_that_it_says_nothing(found):
    result, _ = found
    assert "quick form" not in result.page()
    quick = replace(result, spec=result.spec.quick())
    assert "says nothing of any policy" in quick.page()
    assert "says nothing of any policy" in answer(quick)


def test_a_seal_on_what_was_chosen_by_is_refused():
    flood = STUDY[STUDY.index("  flood: [") :].splitlines()[0].strip()
    fire = STUDY[STUDY.index("  fire: [") :].splitlines()[0].strip()
    same = flood.replace("flood: [", "fire: [").replace("name: flood", "name: fire")
    with pytest.raises(ScenarioError, match=r"sealed\.fire: the same as shocks\.flood but for its name"):
        from_yaml(STUDY.replace(fire, same))
    from_yaml(STUDY.replace(fire, same.replace("severity: 0.5", "severity: 0.6")))


def test_a_table_holds_no_formula_and_the_same_numbers(tmp_path):
    frame = pd.DataFrame({"=name": ["=1+1", "-2.5e-3", "- a", "plain", None], "x": [0.1, -1 / 3, 3.0, np.nan, -0.0]})
    (tmp_path / "a.csv").write_text(csv(frame))
    back = pd.read_csv(tmp_path / "a.csv")
    assert list(back.columns) == ["'=name", "x"]
    assert back["'=name"].tolist()[:4] == ["'=1+1", "-2.5e-3", "'- a", "plain"]
    assert back["x"].equals(frame["x"])


def test_verdicts_never_come_without_their_numbers(found):
    result, _ = found
    rows = result.tables["verdicts"]
    assert set(rows["type"]) == {"flood", "gap"}
    judged = rows[rows["label"] != ""]
    assert (judged["n"] == 2).all()
    assert judged[["gain", "worst", "min_curvature", "jensen_gap", "gain_low", "gain_high"]].notna().all().all()
    unsure = judged[judged["label"] == "INCONCLUSIVE"]
    assert len(unsure)
    assert "more are needed" in result.page()


# Words ----------------------------------------------------------------------------------------------------------------


def test_claims_follow_the_corrected_test():
    frame = pd.DataFrame({"p": [0.01, 0.04, 0.03, np.nan], "effect": [1.0, -1.0, 1.0, 1.0], "family": list("aaba")})
    frame["p_holm"] = tables.corrected(frame["p"], frame["family"])
    np.testing.assert_allclose(frame["p_holm"], [0.02, 0.04, 0.03, np.nan])
    assert tables.claims(frame) == ["saves", "harms", "saves", "no difference could be shown"]


def test_the_shipped_study_is_sound():
    spec = load("policy")
    assert nothing(spec).name == "none"
    assert spec.quick().futures == 2
    assert spec.target.share == 0.95


@pytest.mark.slow
def test_the_experiment_runs_and_fills_its_page(tmp_path, monkeypatch, capsys):
    script = Path(__file__).parent.parent / "experiments" / "policy_main_street.py"
    docs = tmp_path / "docs"
    docs.mkdir()
    page = docs / "policy_main_street.md"
    page.write_text("# Head\n\n<!-- measured -->\nold\n<!-- end of what was measured -->\n\nTail\n")
    asked = ["x", "--quick", "--out", str(tmp_path / "o"), "--docs", str(docs)]
    monkeypatch.setattr(sys, "argv", asked)
    monkeypatch.setattr(sweeping, "NEWS", 0.05)
    runpy.run_path(str(script), run_name="__main__")
    text = page.read_text()
    assert text.startswith("# Head")
    assert text.endswith("Tail\n")
    assert "old" not in text
    assert "### Who is harmed" in text
    assert text in capsys.readouterr().out or "beyond money" in text
    table = pd.read_csv(tmp_path / "o" / "policy_main_street.csv")
    assert set(table["type"]) == {"all", "flood", "cloud_outage"}
    assert (table["spent"] <= 0.2 + 1e-9).all()
    assert (docs / "figures" / "policy_main_street.svg").is_file()


def test_a_missing_optimiser_is_told_before_anything_is_lived(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymoo", None)
    with pytest.raises(InputError, match=r"pip install 'ecosim\[analysis\]'"):
        policy("policy", out=tmp_path / "found")
    assert not (tmp_path / "found").exists()
