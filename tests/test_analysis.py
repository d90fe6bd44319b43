"""Analysis of studies: indices, effects and boxes recover what functions with known answers have."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.errors import InputError
from ecosim.study import folder, store
from ecosim.study.analysis import boxes, indices
from ecosim.study.analysis.discovery import discover, interest_of
from ecosim.study.analysis.sample import Axis, Sample, sampled
from ecosim.study.emulator import fit
from ecosim.study.job import ERROR, OK, Row
from ecosim.study.reading import made
from ecosim.study.results import Study

BASE = {"days": 12, "economy": {"kind": "uniform", "firms": 20}, "network": {"kind": "random", "suppliers": 2},
        "shocks": [{"kind": "outage", "when": 2, "severity": 0.5}]}  # fmt: skip


def paths(count):
    """As many places of a scenario as a function has arguments, with the range that each has there."""
    return {f"shocks.{at}.severity": {"low": 0.0, "high": 1.0} for at in range(count)}


def fed(place, function, count, design, replicates=1, keep=None, noise=0.0, factors=None):
    """The folder of a study whose outcomes are those of a function of the unit cube, as if they had been lived."""
    shocks = [{"kind": "outage", "when": 2, "severity": 0.5, "name": f"shock {at}"} for at in range(count)]
    spec = made({
        "scenario": {**BASE, "shocks": shocks}, "factors": factors or paths(count), "design": design,
        "replicates": replicates, "outcomes": ["loss.production_percent"], "series": "none",
    })  # fmt: skip
    folder.prepare(place, spec)
    rng = np.random.Generator(np.random.Philox(5))
    values = function(spec.codes)[:, None] + noise * rng.standard_normal((len(spec.codes), replicates))
    runs = range(values.size) if keep is None else keep
    rows = [Row(run, f"r{run}", OK, outcomes={"loss.production_percent": values.flat[run]}) for run in runs]
    store.commit(place, rows)
    return Study.load(place)


def ishigami(unit):
    """Ishigami & Homma (1990) with a = 7, b = 0.1, on the unit cube."""
    x = math.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices(a=7.0, b=0.1):
    """First-order and total indices in closed form (Saltelli et al. 2008, Global Sensitivity Analysis, p. 179)."""
    v1, v2 = 0.5 * (1 + b * math.pi**4 / 5) ** 2, a**2 / 8
    v13 = b**2 * math.pi**8 * (1 / 18 - 1 / 50)
    total = v1 + v2 + v13
    return [v1 / total, v2 / total, 0.0], [(v1 + v13) / total, v2 / total, v13 / total], v13 / total


G = np.array([0.0, 1.0, 4.5, 9.0])


def g_function(unit):
    """Sobol's g (Saltelli & Sobol' 1995)."""
    return np.prod((np.abs(4 * unit - 2) + G) / (1 + G), axis=1)


def g_indices():
    """Its indices in closed form."""
    parts = 1 / (3 * (1 + G) ** 2)
    total = np.prod(1 + parts) - 1
    return parts / total, parts * np.prod(1 + parts) / (1 + parts) / total


def values(found, index):
    return found.indices[found.indices["index"] == index].set_index("factor")


def within(table, truth, slack=1.5):
    """The truth lies in the intervals; some of them are widened, since one in twenty may miss."""
    half = (table["high"] - table["low"]) / 2
    return (np.abs(table["value"] - truth) <= slack * half + 1e-9).all()


# Indices ----------------------------------------------------------------------------------------------------------


def test_sobol_indices_of_ishigami_lie_in_their_intervals(tmp_path):
    study = fed(tmp_path / "s", ishigami, 3, {"kind": "sobol", "points": 512, "second_order": True})
    found = study.analyse()
    first, total, pair = ishigami_indices()
    assert within(values(found, "S1"), first)
    assert within(values(found, "ST"), total)
    last = values(found, "S2 with shocks.2.severity").loc["shocks.0.severity"]
    assert last["low"] <= pair <= last["high"]
    assert values(found, "ST")["converged"].any()
    assert not found.provisional
    assert found.ranking == ["shocks.0.severity", "shocks.1.severity", "shocks.2.severity"]


def test_sobol_indices_of_the_g_function_lie_in_their_intervals(tmp_path):
    found = fed(tmp_path / "s", g_function, 4, {"kind": "sobol", "points": 512}).analyse()
    first, total = g_indices()
    assert within(values(found, "S1"), first)
    assert within(values(found, "ST"), total)
    assert (values(found, "ST")["high"] - values(found, "ST")["low"] < 0.3).all()


def test_few_points_are_not_converged(tmp_path):
    found = fed(tmp_path / "s", ishigami, 3, {"kind": "sobol", "points": 16}).analyse()
    assert not values(found, "ST")["converged"].any()
    assert any("not converged" in word for word in found.words)


def test_a_half_finished_study_uses_whole_blocks_and_says_what_is_missing(tmp_path):
    design = {"kind": "sobol", "points": 256}
    whole = fed(tmp_path / "whole", g_function, 4, design)
    kept = [run for run in range(256 * 6) if run < 128 * 6 or run % 7]
    found = fed(tmp_path / "half", g_function, 4, design, keep=kept).analyse()
    missing = 256 * 6 - len(kept)
    assert found.provisional
    assert found.to_dict()["runs"]["missing"] == missing > 0
    assert f"{missing:,} of 1,536 runs are missing: all numbers are provisional" in found.words[0]
    assert any("base points lack a run" in word for word in found.words)
    # What is left is exactly the analysis of the base points that are whole.
    sample = sampled(Study.load(tmp_path / "half"))
    blocks, left_out = indices.complete(sample, 6)
    names = {each for each in range(256) if set(range(6 * each, 6 * each + 6)) <= set(kept)}
    assert set(blocks.group) == names
    assert left_out == 256 - len(names)
    full = sampled(whole)
    assert (blocks.mean == full.mean[np.isin(full.group, list(names))]).all()


def test_replicates_that_only_some_points_of_a_block_have_are_not_mixed():
    runs = np.array([[1.0, 10.0], [2.0, np.nan], [3.0, 30.0], [4.0, 40.0]])
    axes = (Axis("x", np.arange(4.0)),)
    blocks, left_out = indices.complete(Sample("y", axes, runs, np.array([0, 0, 1, 1]), 8, 7, 0, 0), 2)
    assert left_out == 0
    assert blocks.mean.tolist() == [1.0, 2.0, 16.5, 22.0]


def test_morris_effects_are_those_of_salib_and_of_a_line(tmp_path):
    from SALib.analyze import morris

    design = {"kind": "morris", "points": 20}
    study = fed(tmp_path / "s", ishigami, 3, design)
    found = study.analyse()
    points = study.design.to_numpy()
    problem = indices.problem(sampled(study).axes)
    theirs = morris.analyze(problem, points, ishigami(points), num_levels=4, seed=1)
    assert values(found, "mu_star")["value"].to_numpy() == pytest.approx(theirs["mu_star"].astype(float))
    assert values(found, "sigma")["value"].to_numpy() == pytest.approx(theirs["sigma"].astype(float))
    line = fed(tmp_path / "line", lambda unit: unit @ [3.0, -2.0, 0.0], 3, design).analyse()
    assert values(line, "mu")["value"].to_numpy() == pytest.approx([3, -2, 0])
    assert values(line, "mu_star")["value"].to_numpy() == pytest.approx([3, 2, 0])
    assert values(line, "mu_star")["converged"].all()


def test_pawn_is_salibs_and_its_chance_tells_what_does_not_matter(tmp_path):
    from SALib.analyze import pawn

    study = fed(tmp_path / "s", lambda unit: ishigami(unit[:, :3]), 4, {"kind": "latin_hypercube", "points": 2000})
    found = values(study.analyse(), "PAWN")
    points = study.design.to_numpy()
    theirs = pawn.analyze(indices.problem(sampled(study).axes), points, ishigami(points[:, :3]), S=10)
    # SALib leaves the largest value out of its last slice.
    assert found["value"].to_numpy() == pytest.approx(theirs["median"], abs=0.01)
    assert (found["value"] > found["chance"])[:2].all()
    assert found["value"].iloc[3] < found["chance"].iloc[3]


def test_pawn_of_a_factor_with_values_looks_at_every_value():
    """SALib's slices are open above, so that the largest of a few values would never be looked at."""
    values_ = np.repeat([0.0, 1.0], 100)
    rng = np.random.Generator(np.random.Philox(1))
    outcome = rng.random(200) + 5 * (values_ == 1)
    sample = Sample("y", (Axis("x", values_),), outcome[:, None], np.arange(200), 200, 200, 0, 0)
    (row,) = indices.pawn(sample)
    assert row["value"] == pytest.approx(0.5)  # all of one half against all points
    assert row["chance"] < 0.2


def test_salib_that_is_missing_is_said(tmp_path, monkeypatch):
    study = fed(tmp_path / "s", g_function, 4, {"kind": "sobol", "points": 8})
    monkeypatch.setitem(__import__("sys").modules, "SALib.analyze.sobol", None)
    with pytest.raises(InputError, match=r"pip install 'ecosim\[analysis\]'"):
        study.analyse()


# Effects ----------------------------------------------------------------------------------------------------------


def test_main_effects_of_a_full_design_are_paired(tmp_path):
    """The luck of a replicate, the same at all points, is no part of an effect's interval."""
    factors = {"shocks.0.severity": [0.0, 0.5, 1.0], "shocks.1.severity": [0.0, 1.0]}
    shared = np.array([0.0, 100.0, -50.0])
    study = fed(tmp_path / "s", lambda codes: codes[:, 0], 2, "full", 3, factors=factors)
    store.compact(study.folder)
    table = sampled(study)
    paired = Sample(**{**vars(table), "runs": table.runs + shared})
    from ecosim.study.analysis.effects import main_effects

    effects = main_effects(paired, "full").set_index(["factor", "value"])["effect"]
    low = main_effects(paired, "full")["low"].to_numpy()
    assert effects["shocks.0.severity"].to_numpy() == pytest.approx([-1, 0, 1])
    assert effects["shocks.1.severity"].to_numpy() == pytest.approx([0, 0], abs=1e-9)
    assert low == pytest.approx(effects.to_numpy(), abs=1e-9)


def test_one_at_a_time_effects_are_against_the_base(tmp_path):
    factors = {"shocks.0.severity": [0.2, 0.9], "shocks.1.severity": [0.1, 0.6]}
    study = fed(
        tmp_path / "s", lambda c: np.nan_to_num(c[:, 0], nan=5) + 10 * np.nan_to_num(c[:, 1], nan=5), 2,
        "one_at_a_time", 4, factors=factors,
    )  # fmt: skip
    effects = study.analyse().effects.set_index(["factor", "value"])["effect"]
    assert effects["shocks.0.severity", 0.9] == pytest.approx(1 - 5)
    assert effects["shocks.1.severity", 0.1] == pytest.approx(10 * (0 - 5))
    assert effects["shocks.0.severity", 0.5] == 0  # the base itself


def test_intervals_of_main_effects_hold_the_truth(tmp_path):
    study = fed(tmp_path / "s", lambda u: 4 * u[:, 0] + u[:, 1], 2, {"kind": "latin_hypercube", "points": 400})
    table = study.analyse().effects
    first = table[table["factor"] == "shocks.0.severity"]
    truth = 4 * (first["value"] - 0.5)
    assert ((first["low"] <= truth) & (truth <= first["high"])).mean() >= 0.75


def test_an_emulator_foretells_and_knows_how_well():
    rng = np.random.Generator(np.random.Philox(3))
    unit, new = rng.random((80, 3)), rng.random((300, 3))
    noise = np.full(80, 0.05**2)
    emulator = fit(unit, g(unit) + 0.05 * rng.standard_normal(80), noise)
    mean, variance = emulator.at(new)
    assert emulator.predictivity > 0.95
    assert np.corrcoef(mean, g(new))[0, 1] > 0.98
    assert 0.85 < (np.abs(mean - g(new)) < 1.96 * np.sqrt(variance)).mean() <= 1
    assert 0.7 < emulator.surprises.std() < 1.4


def g(unit):
    return np.sin(5 * unit[:, 0]) + 2 * unit[:, 1] ** 2


def test_left_out_residuals_are_those_of_fitting_again_without_the_point():
    from ecosim.study import emulator as module

    rng = np.random.Generator(np.random.Philox(4))
    unit, known = rng.random((12, 2)), np.full(12, 0.01)
    y = g(unit)
    chosen = np.log([0.7, 0.9, 1.3, 0.02])
    whole = module._with(chosen, unit, y, known, 0.0, 1.0)
    for out in range(12):
        rest = np.arange(12) != out
        again = module._with(chosen, unit[rest], y[rest], known[rest], 0.0, 1.0)
        mean, variance = again.at(unit[[out]])
        assert whole._residuals[1][out] == pytest.approx(y[out] - mean[0])
        assert whole._variances[out] == pytest.approx(variance[0] + 0.01 + 0.02)


# Boxes ------------------------------------------------------------------------------------------------------------


def corner(points=600, seed=2, flip=0.0):
    """Points of which those in a corner are of interest, but for a share that is flipped."""
    rng = np.random.Generator(np.random.Philox(seed))
    unit = rng.random((points, 3))
    kind = np.array(["a", "b", "c"], dtype=object)[rng.integers(3, size=points)]
    inside = (unit[:, 0] > 0.6) & (unit[:, 1] < 0.5) & (kind != "b")
    target = inside ^ (rng.random(points) < flip)
    axes = (*(Axis(f"x{at}", unit[:, at]) for at in range(3)), Axis("kind", kind))
    return Sample("y", axes, target[:, None].astype(float), np.arange(points), points, points, 0, 0), inside


@pytest.mark.parametrize("flip", [0.0, 0.05])
def test_peeling_and_the_tree_find_the_corner(flip):
    sample, inside = corner(flip=flip)
    found, words = discover(sample, interest_of(sample, 0.5, None))
    assert not words or flip
    method, box = found.boxes[0]
    assert method == "PRIM"
    assert set(box.limits) == {"x0", "x1", "kind"}
    assert box.limits["x0"].low == pytest.approx(0.6, abs=0.06)
    assert box.limits["x1"].high == pytest.approx(0.5, abs=0.06)
    assert set(box.limits["kind"].values) == {"a", "c"}
    assert found.table.iloc[0]["held_out_coverage"] > 0.8 - 5 * flip
    assert found.table.iloc[0]["held_out_density"] > 0.85
    assert found.table.iloc[0]["confirmed"]
    best = max((box for method, box in found.boxes if method == "CART"), key=lambda b: (b.holds(sample.axes)).sum())
    assert inside[best.holds(sample.axes)].mean() > 0.9


def test_boxes_of_pure_chance_are_rarely_confirmed():
    """Held-out points protect: about one in twenty studies of noise may confirm a box, not more."""
    wrong, seen, unseen = 0, [], []
    for seed in range(40):
        rng = np.random.Generator(np.random.Philox(seed))
        unit = rng.random((150, 4))
        axes = tuple(Axis(f"x{at}", unit[:, at]) for at in range(4))
        sample = Sample("y", axes, rng.random((150, 1)), np.arange(150), 150, 150, 0, 0)
        found, _ = discover(sample, interest_of(sample, None, None), seed)
        if found is not None:
            seen += found.table["density"].tolist()
            unseen += found.table["held_out_density"].dropna().tolist()
            wrong += bool(found.table["confirmed"].any())
    assert np.mean(seen) > 0.5  # boxes that look like something, where there is nothing
    assert np.mean(unseen) == pytest.approx(0.25, abs=0.07)
    assert wrong <= 6  # P of more at 5 %: 0.3 %


def test_points_of_one_block_stay_on_one_side():
    sample, _ = corner(120)
    grouped = Sample(**{**vars(sample), "group": np.arange(120) // 6})
    from ecosim.study.analysis.discovery import _learning

    learn = _learning(grouped, 1)
    assert learn.reshape(-1, 6).all(axis=1).sum() + (~learn).reshape(-1, 6).all(axis=1).sum() == 20
    assert (~learn).mean() == pytest.approx(1 / 3, abs=0.03)


@given(st.integers(0, 2**32 - 1), st.integers(20, 120), st.integers(1, 4))
def test_each_peel_lies_in_the_last_and_is_denser(seed, points, count):
    rng = np.random.Generator(np.random.Philox(seed))
    axes = tuple(Axis(f"x{at}", np.round(rng.random(points), int(rng.integers(1, 4)))) for at in range(count))
    target = rng.random(points) < 0.4
    if not target.any():
        return
    steps = boxes.peeled(axes, target)
    for one, other in pairwise(steps):
        inner, outer = other.holds(axes), one.holds(axes)
        assert (inner <= outer).all()
        assert boxes.fewest(points) <= inner.sum() < outer.sum()
        assert target[inner].mean() > target[outer].mean()
    leaves = [box.holds(axes) for box in boxes.leaves(axes, target)]
    assert all(not (a & b).any() for at, a in enumerate(leaves) for b in leaves[at + 1 :])


# The command ------------------------------------------------------------------------------------------------------


def test_the_command_tells_and_writes(typed, tmp_path, monkeypatch):
    fed(tmp_path / "s", g_function, 4, {"kind": "latin_hypercube", "points": 60}, 2, noise=0.1)
    code, out, _ = typed("analyse", "s", "--out", "a")
    assert code == 0
    assert "loss.production_percent at 60 points, 120 of 120 runs" in out
    assert "PAWN" in out
    assert out.endswith("Written to a\n")
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"indices.csv", "effects.csv", "analysis.json", "indices.png", "effects.svg", "surface.png"} <= names
    assert (tmp_path / "a" / "indices.png").read_bytes()[:4] == b"\x89PNG"
    code, out, _ = typed("analyse", "s", "--json")
    assert json.loads(out) == json.loads((tmp_path / "a" / "analysis.json").read_text())
    assert json.loads(out)["noise_share"] == pytest.approx(0.01 / 2 / sampled(Study.load("s")).mean.var(), rel=0.3)
    assert typed("analyse", "s", "--out", "a")[0] == 2
    monkeypatch.setattr("ecosim.study.analysis.figures.draw", lambda found, place: None)  # once is enough
    assert typed("analyse", "s", "--out", "a", "--force")[0] == 0
    assert not (tmp_path / "a" / "indices.png").exists()
    assert json.loads((tmp_path / "a" / "analysis.json").read_text()) == json.loads(out)
    assert len(pd.read_csv(tmp_path / "a" / "indices.csv")) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--outcome", "loss.production_percnt"), "did you mean 'loss.production_percent'?"),
        (("--above", "1", "--below", "2"), "give one of the two"),
    ],
)
def test_what_the_command_refuses(typed, tmp_path, words, said):
    fed(tmp_path / "s", g_function, 4, {"kind": "latin_hypercube", "points": 40})
    code, _, err = typed("analyse", "s", *words)
    assert code == 2
    assert said in err


def test_a_study_without_runs_or_variation_is_said(tmp_path):
    study = fed(tmp_path / "s", lambda unit: 0 * unit[:, 0], 2, {"kind": "latin_hypercube", "points": 40})
    with pytest.raises(InputError, match="no outcome varies"):
        study.analyse()
    place = tmp_path / "t"
    folder.prepare(place, made({"scenario": BASE, "factors": paths(1), "outcomes": ["loss.production_percent"]}))
    with pytest.raises(InputError, match="no run succeeded so far"):
        Study.load(place).analyse()
    store.commit(place, [Row(0, "r0", ERROR, "no")])
    with pytest.raises(InputError, match="no run succeeded so far"):
        Study.load(place).analyse()
