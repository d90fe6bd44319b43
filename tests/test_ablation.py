"""The ablation: its arithmetic on made-up runs, and a small real one."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecosim

SCRIPT = Path(__file__).parent.parent / "experiments" / "ablation.py"


@pytest.fixture(scope="module")
def ablation():
    spec = importlib.util.spec_from_file_location("ablation", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ablation"] = module  # worker processes and pickles look it up by name
    spec.loader.exec_module(module)
    yield module
    del sys.modules["ablation"]


def test_gini_in_closed_form(ablation):
    quantiles = (np.arange(200_000) + 0.5) / 200_000
    assert ablation.gini(-np.log1p(-quantiles)) == pytest.approx(0.5, abs=1e-4)
    assert ablation.gini((1 - quantiles) ** (-1 / 3)) == pytest.approx(1 / (2 * 3 - 1), abs=1e-3)
    assert ablation.gini(np.ones(10)) == 0
    assert ablation.gini(np.array([0, 0, 0, 1.0])) == 0.75


def test_variants_switch_what_they_say(ablation):
    world = ecosim.load("default_world")
    found = ablation.variants(world)
    kinds = {name: {part.kind for part in scenario.mechanisms} for name, scenario in found.items()}
    every = {part.kind for part in world.mechanisms}
    assert len(every) == 17
    assert (kinds["core"], kinds["all"]) == (set(), every)
    assert kinds["alone: judgement"] == {"judgement", "finance"}
    assert kinds["without: finance"] == every - {"finance", "judgement", "opportunity"}
    assert len(found) == 2 + 2 * 17


def test_effects_are_paired_differences_with_student_intervals(ablation):
    rows = []
    for seed, shift in ((1, 0.0), (2, 10.0), (3, 20.0)):
        for shock in ablation.SHOCKS:
            for name, value in (("core", 1), ("all", 5), ("alone: finance", 3), ("without: finance", 6 + seed)):
                outcomes = dict.fromkeys(ablation.OUTCOMES, value + shift)
                rows.append({"variant": name, "shock": shock, "seed": seed, **outcomes})
    table = ablation.effects(pd.DataFrame(rows))
    assert len(table) == len(ablation.SHOCKS) * len(ablation.OUTCOMES)
    assert (table["alone"] == 2).all()  # what seeds have in common drops out
    assert (table["alone_ci"] == 0).all()
    assert table["with"].to_numpy() == pytest.approx(-3)
    assert table["with_ci"].to_numpy() == pytest.approx(4.302653 / np.sqrt(3))
    text = ablation.page(pd.DataFrame(rows), table, "how")
    assert "| finance | **+2 ± 0** | **-3 ± 2.5** |" in text  # 2.48: the interval just excludes 0


def test_a_small_run(ablation):
    world = ecosim.load("default_world").with_({"economy.firms": 60, "days": 40, "shocks": []})
    variants = ablation.variants(world)
    chosen = {name: variants[name] for name in ("core", "all", "alone: customers", "without: customers")}
    rows = [row for seed in (1, 2) for task in chosen.items() for row in
            ablation.outcomes((task[0], task[1].with_({"seed": seed})))]  # fmt: skip
    runs = pd.DataFrame(rows)
    assert len(runs) == 2 * len(chosen) * len(ablation.SHOCKS)
    assert np.isfinite(runs[list(ablation.OUTCOMES)]).all(axis=None)
    assert (runs[(runs["variant"] == "core") & (runs["shock"] == "slump")]["loss"] > 0).all()
    assert set(ablation.effects(runs)["mechanism"]) == {"customers"}
