"""Published and closed-form results: their scripts in the quick form, their formulas, and that they can fail."""

import functools
import math
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from ecosim.validation import SUBJECTS, acemoglu, buffer_chain, bullwhip, leontief
from ecosim.validation.bullwhip import Forecaster
from ecosim.validation.cohen import attack_on_random_graph, breaking_point, random_loss
from ecosim.validation.cramer_lundberg import ruin, ruin_by_day
from ecosim.validation.eisenberg_noe import clearing
from ecosim.validation.elliott import PUBLISHED, Web, above, cliff, needed
from ecosim.validation.gabaix import herfindahl_root
from ecosim.validation.gibrat import tail_exponent
from ecosim.validation.watts import PHI, cascade, random_graph
from ecosim.validation.watts import through_engine as watts_engine
from ecosim.validation.worlds import plan_of, world_of

SCRIPTS = sorted((Path(__file__).parent.parent / "experiments" / "published").glob("*.py"))


# --- the scripts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_in_their_quick_form(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(script), "--quick"])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(script), run_name="__main__")
    told = capsys.readouterr().out
    assert done.value.code == 0, told
    assert " yes " in told


def test_every_subject_but_the_default_world_has_a_script():
    assert {path.stem.replace("_", "-") for path in SCRIPTS} | {"default-world"} == set(SUBJECTS)


# --- they can fail ----------------------------------------------------------------------------------------------------


def missed(checks):
    return [check.what for check in checks if not check.passed]


def spoil(monkeypatch, module, **rules):
    """Let a subject live in a world with other rules."""
    place = sys.modules[f"ecosim.validation.{module}"]
    monkeypatch.setattr(place, "world_of", lambda *plan, **given_: world_of(*plan, **{**given_, **rules}))


def test_leontief_is_missed_where_rationing_loses_goods(monkeypatch):
    spoil(monkeypatch, "leontief", rationing=2)
    assert len(missed(leontief(firms=30, days=1200))) == 4  # all but the economy at rest


def test_the_chain_is_missed_where_nobody_plans_beyond_a_standstill(monkeypatch):
    spoil(monkeypatch, "buffer_chain", agents={})
    assert len(missed(buffer_chain(days=90))) == 2


def test_acemoglu_is_missed_by_another_share_of_labour(monkeypatch):
    monkeypatch.setattr(sys.modules["ecosim.validation.acemoglu"], "LABOUR", 0.5 + 1e-6)
    stale = functools.partial(sys.modules["ecosim.validation.acemoglu"]._norm, 20)
    assert stale(None) == pytest.approx(20**-0.5)
    monkeypatch.setattr(sys.modules["ecosim.validation.acemoglu"], "_norm", lambda firms, hub: 1.01 * stale(hub))
    assert missed(acemoglu(firms=20, days=50))[0].startswith("ring: norm")


def test_the_bullwhip_is_missed_by_a_longer_forecast(monkeypatch):
    class Slower(Forecaster):
        def expect(self):
            return float(self.output)

    spoil(monkeypatch, "bullwhip", agents={Slower: None})
    assert missed(bullwhip(days=600))


# --- closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m_n", PUBLISHED)
def test_the_cliff_is_where_the_curve_is_lowest(m_n):
    x_c, rho_c = cliff(*m_n)
    assert needed(rho_c, *m_n) == x_c
    for other in (0.99 * rho_c, 1.01 * rho_c):
        assert needed(other, *m_n) > x_c
    rho = above(x_c + 0.01, *m_n)
    assert rho > rho_c
    assert needed(rho, *m_n) == pytest.approx(x_c + 0.01, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.4, 1.0))
def test_producing_firms_are_the_largest_set_that_feeds_itself(seed, x):
    web = Web.drawn(30, 2, 2, x, seed)
    alive = set(range(30))
    while True:
        fed = {
            i for i in alive
            if all(any(web.works[i, k, j] and int(web.supplier[i, k, j]) in alive for j in range(2)) for k in range(2))
        }  # fmt: skip
        if fed == alive:
            break
        alive = fed
    assert set(np.flatnonzero(web.producing()).tolist()) == alive


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.0, 6.0))
def test_a_cascade_is_the_rule_node_by_node(seed, z):
    graph = random_graph(40, z, np.random.default_rng(seed))
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    dense, failed = graph.toarray(), {seed % 40}
    while True:
        more = {
            i for i in range(40)
            if i not in failed and dense[i].sum() and dense[i][list(failed)].sum() / dense[i].sum() >= PHI
        }  # fmt: skip
        if not more:
            break
        failed |= more
    assert set(np.flatnonzero(cascade(graph, seed % 40)).tolist()) == failed


def test_a_firm_of_the_engine_fails_with_one_of_five_suppliers_and_lives_with_one_of_six():
    for degree, fails in ((5, True), (6, False)):
        ends = np.array([(0, other) for other in range(1, degree + 1)])
        both = np.concatenate((ends, ends[:, ::-1]))
        star = sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(degree + 1, degree + 1))
        assert bool(watts_engine(star, 1, 1000)[0]) is fails


def test_percolation_in_closed_form():
    assert random_loss(5.0) == 0.75
    # A lattice of cliques of two nodes never percolates; a star dies with its hub.
    assert attack_on_random_graph(4.0) == pytest.approx(0.3616, abs=1e-4)
    assert attack_on_random_graph(2.0) < attack_on_random_graph(4.0) < attack_on_random_graph(6.0)
    graph = random_graph(4000, 4.0, np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(4000)
    assert breaking_point(graph, order, np.linspace(0.79, 0.85, 5)) == pytest.approx(0.75, abs=0.05)


def test_ruin_by_day_becomes_ruin_where_accidents_are_rare():
    assert ruin(0.2, 5.0, 1.0) == pytest.approx(math.exp(-1 / 1.2) / 1.2)
    gaps = [abs(ruin_by_day(0.2, 5.0, 1.0, chance) - ruin(0.2, 5.0, 1.0)) for chance in (0.5, 0.05, 0.005)]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]
    assert gaps[2] < 0.002


def test_clearing_by_hand():
    """A owes B 10 and has 4; B owes C 6, C owes A 1; all have nothing else: A pays 5, B pays 5, C pays 1."""
    share = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    paid = clearing(share, np.array([10.0, 6.0, 1.0]), np.array([4.0, 0.0, 0.0]))
    assert paid == pytest.approx([5.0, 5.0, 1.0], abs=1e-12)


def test_tails_and_concentration_in_closed_form():
    quantiles = (np.arange(100_000) + 0.5) / 100_000
    assert tail_exponent((1.0 - quantiles) ** (-1 / 2.5), 0.05) == pytest.approx(2.5, rel=0.01)
    assert herfindahl_root(np.ones(25)) == pytest.approx(0.2)
    assert herfindahl_root(np.array([5.0, 0.0])) == 1.0


def test_a_small_world_rests():
    plan = plan_of([3.0, 2.0], supplier=[0, 1, 0], buyer=[1, 0, 0], flow=[1.0, 0.5, 0.25], product=[0, 1, 0])
    eco = world_of(plan)
    assert eco.world.firms.output.tolist() == [4.25, 2.5]
    eco.run_for(50)
    assert eco.world.firms.production.tolist() == [4.25, 2.5]
    assert eco.world.plan.product.tolist() == [0, 1, 0]  # sorted by buyer, then product


# --- structures, in kind ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def structures():
    return runpy.run_path(str(SCRIPTS[0].parent.parent / "structures.py"))


def test_intervals_are_students_and_differences_paired(structures):
    runs = pd.DataFrame(
        [
            {"question": "q", "variant": variant, "seed": seed, "loss": seed * 10.0 + more}
            for seed in (1, 2, 3)
            for variant, more in (("first", 0.0), ("second", 4.0))
        ]
    )
    table = structures["summary"](runs).set_index("variant")
    assert table.loc["second", ["mean", "gap", "gap_ci"]].tolist() == [24.0, 4.0, 0.0]
    assert table.loc["first", "ci"] == pytest.approx(4.302653 * 10 / np.sqrt(3))
    assert "| second | 24 ± 25 (+4 ± 0) |" in structures["tables"](structures["summary"](runs))
    assert structures["interval"](pd.Series([2.0]))[0] == 2.0


def test_each_structure_experiment_measures_what_it_says(structures):
    size = {**structures["QUICK"], "firms": 60, "days": 30, "small": 45, "swaps": 5, "table": 60}
    for name, experiment in structures["EXPERIMENTS"].items():
        rows = list(experiment(1, size))
        assert len({(row["question"], row["variant"]) for row in rows}) == len(rows), name
        assert all(row == again for row, again in zip(rows[:1], experiment(1, size), strict=False)), name


def test_swaps_keep_what_everybody_sells(structures):
    row = next(iter(structures["rewiring"](3, {**structures["QUICK"], "small": 45, "days": 10})))
    assert abs(row["total output, change in %"]) < 1e-9
    assert row["cut of mean ESRI, %"] >= 0.0
    assert row["a firm's output, mean change in %"] < 10.0 * row["swaps made"] / 45 + 1e-9
