"""The atlas: its file, its cells, what is made of them, and that it goes on where it was killed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import ecosim.resilience.atlas_cells as cells_of
from ecosim.cli import app
from ecosim.config import ScenarioError
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.resilience.atlas_cells import Cell
from ecosim.resilience.atlas_explain import COVARIATES, inflations, slope_of
from ecosim.resilience.atlas_ranks import ranked, resamples
from ecosim.resilience.atlas_run import Atlas, atlas
from ecosim.resilience.atlas_spec import AtlasSpec, from_yaml, load
from ecosim.resilience.atlas_structures import cost, scale_to
from ecosim.resilience.blocks import BlockEconomy

FILES = ("antifragile", "sealed")
TEXT = """
version: 1
economy: {kind: uniform, firms: 24, inputs: 2, regions: 2, size_spread: 1.0}
suppliers: 3
days: 40
replicates: 6
intensities: 5
structures:
  random: {kind: random}
  star: {kind: star}
  hierarchy: {kind: hierarchy, tiers: 3}
shocks:
  outage: {of: [{kind: outage, when: 2, who: {count: 6}, recovery: {law: proportional, days: 10}}]}
  twice:
    of:
      - {kind: outage, name: one, when: 2, who: {count: 3}, recovery: {law: proportional, days: 10}}
      - {kind: outage, name: two, when: 9, who: {count: 3}, recovery: {law: proportional, days: 10}}
habits:
  lean: {inventory_days: 2, headroom: 0.05}
  buffered: {inventory_days: 9, headroom: 0.2}
equal_cost: buffered
rewired: [lean]
looked_at: 1
nulls: 2
"""


@pytest.fixture(scope="module")
def spec() -> AtlasSpec:
    return from_yaml(TEXT)


@pytest.fixture(scope="module")
def made(spec: AtlasSpec, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas(spec, out=tmp_path_factory.mktemp("atlas") / "it")


# --- the file --------------------------------------------------------------------------------------------------------


def test_the_default_atlas_is_as_large_as_promised() -> None:
    default = load()
    assert len(default.structures) >= 12
    assert len(default.shocks) >= 8
    assert len(default.habits) == 3
    assert default.replicates >= 240
    assert default.intensities == 9
    assert default.equal_cost in default.habits


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{kind: star}", "{kind: stair}", r"atlas.yaml:10:16: structures.star.kind: unknown kind of network 'stair'"),
        ("suppliers: 3", "supplier: 3", r"atlas.yaml:4:1: supplier: unknown key"),
        ("{kind: star}", "{kind: star, suppliers: 7}", "structures.star.suppliers: 7 differs"),
        ("intensities: 5", "intensities: 6", "intensities: 6 is even"),
        ("equal_cost: buffered", "equal_cost: rich", "equal_cost: no habit is called 'rich'; there are lean, buffered"),
        ("rewired: [lean]", "rewired: [lean, fat]", "rewired.1: no habit is called 'fat'"),
        ("headroom: 0.05}", "headroom: 0.05, mechanisms: [{kind: income}]}", "income reaches beyond"),
        ("headroom: 0.05}", "headroom: 0.05, mechanisms: [{kind: sourcing}]}", "local_share: 0.5 lets replicates meet"),
        ("{kind: outage, when: 2, who: {count: 6}", "{kind: regulation, when: 2, who: {count: 6}", "of.0"),
        ("name: two", "name: one", "two are called 'one'"),
        ("  star: {", "  a/b: {", "structures: 'a/b' cannot name a file"),
        ("  star: {", "  ..: {", r"structures: '..' cannot name a file"),
    ],
)
def test_mistakes_are_told(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(ScenarioError, match=told):
        from_yaml(TEXT.replace(old, new, 1), name="atlas.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file; give the YAML file .* or one of antifragile, default, sealed"):
        load(tmp_path / "none.yaml")


def test_the_digest_is_of_what_changes_numbers(spec: AtlasSpec) -> None:
    titled = TEXT.replace("lean: {", "lean: {title: short of everything, ")
    assert from_yaml(titled, title="other").digest() == spec.digest()
    assert from_yaml(TEXT.replace("replicates: 6", "replicates: 7")).digest() != spec.digest()
    assert from_yaml(TEXT.replace("inventory_days: 2", "inventory_days: 3")).digest() != spec.digest()


# --- cells -----------------------------------------------------------------------------------------------------------


def test_a_cell_is_what_replicates_say_one_by_one(spec: AtlasSpec, made: Atlas) -> None:
    """The slow way: each replicate and intensity an ecosystem of its own, and its twin at rest."""
    cell = Cell("own", "lean", "star", "twice")
    found = made.responses(cell)
    scenario = spec.scenario("star", "lean", "twice")
    for replicate in (0, 3):
        for k in (0, 2, 4):
            eco = Ecosystem(scenario, replicate=replicate)
            for shock in scenario.shocks:
                entries = eco.world.memory[shock.label]  # type: ignore[attr-defined]
                entries["first"] = entries["first"] * k / 4
            rest = spec.days * eco.world.firms.output.sum(), spec.days * eco.world.firms.final_demand.sum()
            eco.run_for(spec.days)
            sold = eco.series["final_consumption"].loc[0:]
            assert found.outcomes["d_production"][replicate, k] == pytest.approx(
                eco.world.firms.produced.sum() / rest[0] - 1, abs=1e-12
            )
            assert found.d[replicate, k] == pytest.approx(sold.sum() / rest[1] - 1, abs=1e-12)
            assert found.e[replicate, k] == pytest.approx(sold.iloc[-4:].sum() / rest[1] * 10 - 1, abs=1e-12)
            assert found.outcomes["firms_failing"][replicate, k] == (eco.world.firms.failed_on >= 0).sum()
    assert found.d[:, -1].mean() < -0.01
    assert (found.d[:, 0] == 0).all()


def test_intensity_is_in_firm_days(made: Atlas) -> None:
    found = made.responses(Cell("own", "lean", "random", "outage"))
    # Six firms, damage 1, 0.9, ..., 0.1 on eleven days in turn.
    assert found.x[-1] == pytest.approx(6 * 5.5)
    assert np.allclose(found.outcomes["firm_days"], found.x)


def test_shocks_strike_the_same_firms_in_every_structure(made: Atlas) -> None:
    taken = [made.responses(Cell("own", "lean", name, "outage")).x for name in made.spec.structures]
    assert all(np.array_equal(taken[0], other) for other in taken[1:])


def test_same_firms_same_flow_in_every_structure(spec: AtlasSpec) -> None:
    totals = []
    for name in spec.structures:
        plan = cells_of.economies(spec, name).parts[0]
        totals.append((plan.firms.final_demand.sum(), plan.flow.sum()))
        assert np.array_equal(plan.firms.final_demand, np.full(24, 1000.0))
    assert np.allclose(totals, totals[0], rtol=1e-9)


def test_every_label_comes_with_its_numbers(made: Atlas) -> None:
    table = made.table
    assert len(table) == (2 * 2 * 2 + 2) * 3 * 2  # tables x habits x shocks (and rewired) x structures x measures
    assert set(table["label"]) <= {"FRAGILE", "INCONCLUSIVE"}  # with 6 replicates nothing else can be said
    needed = ["gain", "worst", "min_curvature", "jensen_gap", "recovery_full", "failing_full", "equity_full", "cost"]
    assert table[needed].notna().all(axis=None)
    assert table["correction"].eq("Holm over 3 structures").all()
    assert (table["worst"] <= table["gain"] + 1e-12).all()


def test_at_equal_cost_everybody_pays_the_same(spec: AtlasSpec, made: Atlas) -> None:
    table = made.table
    equal = table[table["table"] == "equal"]
    assert np.allclose(equal["cost"], equal["cost"].iloc[0], rtol=0.02)
    own = table[table["table"] == "own"]
    assert own.groupby("habit")["cost"].mean()["lean"] < 0.7 * own.groupby("habit")["cost"].mean()["buffered"]
    scale = made.scale("equal", "lean", "star")
    parts = cost(spec, "star", "lean", cells_of.economies(spec, "star"), scale)
    assert sum(parts.values()) == pytest.approx(equal["cost"].iloc[0], rel=1e-6)
    # A habit that costs that much already is the same cell.
    assert made.lived_as(Cell("equal", "buffered", "star", "outage")).table == "own"


def test_costs_have_closed_forms(spec: AtlasSpec) -> None:
    parts = cost(spec, "random", "lean", cells_of.economies(spec, "random"))
    # Half of output is inputs: one day of need, one day beyond it; 5 % of capacity to spare.
    assert parts["needed_stock"] == pytest.approx(0.25 / 365 * 0.5)
    assert parts["stock"] == pytest.approx(0.25 / 365 * 0.5)
    assert parts["spare_capacity"] == pytest.approx(0.15 * 0.05)
    assert parts["spare_links"] == parts["practice"] == 0.0
    assert scale_to(parts, sum(parts.values())) == pytest.approx(1.0)
    assert scale_to(parts, parts["needed_stock"]) == pytest.approx(0.0, abs=1e-12)


def test_spare_links_cost_what_they_stand_by_for(spec: AtlasSpec) -> None:
    text = TEXT.replace(
        "headroom: 0.2}",
        "headroom: 0.2, mechanisms: [{kind: sourcing, local_share: 1.0, attachment: 1.0, link_survival: 1.0, "
        "suppliers_per_input: 3.0}]}",
    )
    other = from_yaml(text)
    of = cells_of.economies(other, "random")
    eco = BlockEconomy(other.scenario("random", "buffered"), of)
    assert (eco.world.links.flow == 0).sum() > 0
    found = cost(other, "random", "buffered", of)["spare_links"]
    # Three suppliers for two products: one has two suppliers and gets a third, the other one and gets two; each spare
    # stands by for a sixth of output.
    assert found == pytest.approx(0.01 * 3 * (0.5 / 3), rel=0.02)


# --- going on --------------------------------------------------------------------------------------------------------


def test_it_goes_on_where_it_was_killed(spec: AtlasSpec, made: Atlas, tmp_path: Path, monkeypatch: Any) -> None:
    lived: list[Cell] = []
    real = cells_of.respond

    def until_killed(spec: AtlasSpec, cell: Cell, *rest: Any) -> Any:
        if len(lived) == 5:
            raise KeyboardInterrupt
        lived.append(cell)
        return real(spec, cell, *rest)

    monkeypatch.setattr(cells_of, "respond", until_killed)
    with pytest.raises(KeyboardInterrupt):
        atlas(spec, out=tmp_path / "it")
    kept = sorted(path.name for path in (tmp_path / "it").glob("*.parquet"))
    assert kept == sorted(cell.file for cell in lived)
    again: list[Cell] = []
    monkeypatch.setattr(cells_of, "respond", lambda spec, cell, *rest: again.append(cell) or real(spec, cell, *rest))
    counted: list[tuple[int, int]] = []
    found = atlas(spec, out=tmp_path / "it", progress=lambda done, total: counted.append((done, total)))
    assert counted[0] == (5, 24)
    assert counted[-1] == (24, 24)
    assert not set(again) & set(lived)
    pd.testing.assert_frame_equal(found.table, made.table)


def test_two_processes_find_the_same(spec: AtlasSpec, made: Atlas, tmp_path: Path) -> None:
    found = atlas(spec, out=tmp_path / "it", workers=2)
    pd.testing.assert_frame_equal(found.table, made.table)


def test_folders_of_others_are_refused(spec: AtlasSpec, made: Atlas, tmp_path: Path) -> None:
    other = spec.model_copy(update={"seed": 2})
    with pytest.raises(InputError, match="holds cells of another atlas"):
        atlas(other, out=made.folder)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="exists and holds no atlas"):
        atlas(spec, out=tmp_path)
    for text in ("{", "[1]", "3"):
        (tmp_path / "atlas.json").write_text(text)
        with pytest.raises(InputError, match=r"atlas.json: damaged"):
            atlas(spec, out=tmp_path)


# --- what is made of it ----------------------------------------------------------------------------------------------


def test_ranks_rest_on_paired_replicates(made: Atlas) -> None:
    one = made.ranks
    assert set(one["structure"]) == set(made.spec.structures)
    column = one[(one["table"] == "own") & (one["shock"] == "outage") & (one["measure"] == "consumption")]
    for _, rows in column.groupby("habit"):
        assert sorted(rows["rank"]) == [1.0, 2.0, 3.0]
        assert (rows.sort_values("rank")["gain"].diff().dropna() <= 0).all()
        assert ((rows["rank_low"] <= rows["rank"]) & (rows["rank"] <= rows["rank_high"])).all()
    weights = resamples(1, 6, 50)
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert ranked(np.array([0.1, 0.3, 0.3])).tolist() == [3.0, 1.5, 1.5]


def test_a_slope_is_found_where_there_is_one_and_not_where_there_is_none() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=12)
    values = (values - values.mean()) / values.std(ddof=1)
    clear = slope_of(values, 0.1 * values)
    assert clear["slope"] == pytest.approx(0.1)
    assert clear["r2"] == pytest.approx(1.0)
    assert clear["p"] < 0.001
    low = [slope_of(values, rng.normal(size=12), 199, seed)["p"] <= 0.1 for seed in range(300)]
    assert 0.05 < np.mean(low) < 0.16


def test_collinear_covariates_are_told() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 400))
    one, other = ((each - each.mean()) / each.std(ddof=1) for each in (one, other))
    apart = inflations({"one": one, "other": other})
    assert apart["one"] == pytest.approx(1.0, abs=0.05)
    # r = 0.6 gives 1 / (1 - 0.36)
    mixed = 0.6 * one + 0.8 * (other - one * (one @ other) / (one @ one))
    assert inflations({"one": one, "mixed": mixed})["one"] == pytest.approx(1 / 0.64, rel=0.05)
    assert inflations({"one": one, "same": one})["one"] == float("inf")


def test_the_command_writes_tables_and_maps(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT, encoding="utf-8")
    asked = ["atlas", str(tmp_path / "mine.yaml"), "--quick", "--out", str(tmp_path / "it"), "--workers", "1"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "INCONCLUSIVE" in done.output
    assert "n = 4 in each cell" in done.output
    assert "more replicates would probably do" in done.output
    tables = tmp_path / "it" / "tables"
    undecided = (pd.read_csv(tables / "verdicts.csv")["label"] == "INCONCLUSIVE").sum()
    page = (tables / "page.md").read_text(encoding="utf-8")
    section = page.split("## INCONCLUSIVE, and how many more replicates would probably do")[1].split("##")[0]
    assert section.count("\n| ") - 1 == undecided > 0
    for name in ("verdicts", "ranks", "structures", "explained", "patterns"):
        assert len(pd.read_csv(tables / f"{name}.csv")) > 0, name
    for name in ("map_own_consumption", "map_own_production", "map_equal_consumption", "map_equal_production", "ranks"):
        assert (tables / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_parquet(tables / "curves.parquet")) == 2 * 5 * len(pd.read_csv(tables / "verdicts.csv")) / 2
    explained = pd.read_csv(tables / "explained.csv")
    assert set(explained["covariate"]) <= set(COVARIATES)
    assert (explained["p_bh"] >= explained["p"]).all()
    known = json.loads((tmp_path / "it" / "structure.star.json").read_text())
    assert known["network"]["clients_gini"] > 0.8


def test_the_search_for_antifragility_freezes_before_it_opens_what_is_sealed(spec: AtlasSpec, made: Atlas) -> None:
    path = Path(__file__).parent.parent / "experiments" / "antifragile.py"
    found = importlib.util.spec_from_file_location("antifragile", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    pairs = module.finalists(made, 2)
    assert len(pairs) == 2
    least = made.table.groupby(["habit", "structure", "measure"])["p_antifragile"].mean().min()
    assert pairs["p"].iloc[0] == least
    test = module.sealed(spec, pairs, quick=False)
    assert set(test.habits) == set(pairs["habit"])
    assert set(pairs["structure"]) <= set(test.structures)
    seen, hidden = ({part.kind for shock in load(name).shocks.values() for part in shock.of} for name in FILES)
    assert not seen & hidden
    channels = [
        {channel for shock in load(name).shocks.values() for part in shock.of for channel in part.may_write()}
        for name in FILES
    ]
    assert not channels[0] & channels[1]
    assert "INCONCLUSIVE" in module.told(made.table, "as it is")
