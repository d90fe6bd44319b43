"""``ecosim verify``: what was lived again is the same to the bit, and the first thing that differs is told."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_here import Here

import ecosim
from ecosim import provenance
from ecosim.errors import InputError
from ecosim.lineage.picture import write as write_pictures
from ecosim.lineage.story import Story
from ecosim.rerun.difference import of_tables, of_values
from ecosim.rerun.verifying import verify
from ecosim.resilience.atlas_run import read
from ecosim.resilience.counterfactual import take_away
from ecosim.result import Result
from ecosim.study import runner
from ecosim.study.policy.reading import from_yaml
from ecosim.study.policy.searching import policy
from tests import tiny_folders


@pytest.fixture
def run(tmp_path):
    return tiny_folders.copied("run", tmp_path / "run")


def changed(path, column, row, value):
    """Write another number into a Parquet file, and leave everything else as it is."""
    held = pq.read_table(path)
    frame = held.to_pandas()
    frame.loc[frame.index[row], column] = value
    pq.write_table(pa.Table.from_pandas(frame).replace_schema_metadata(held.schema.metadata), path)


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_is_what_it_says_it_is(run):
    found = verify(run)
    assert found.same
    assert found.warnings == ()
    tables = {"series.parquet", "firms.parquet", "links.parquet", "events.parquet", "lineage.parquet", "summary.json"}
    assert tables <= set(found.findings.compared)


def test_one_changed_number_is_found_with_its_place(typed, run):
    column = pd.read_parquet(run / "series.parquet")["total_production"]
    day = 7
    changed(run / "series.parquet", "total_production", day + 1, np.nextafter(column.loc[day], np.inf))
    code, out, _ = typed("verify", str(run))
    assert code == 1
    assert "differs: series.parquet, column total_production, row 8 (day 7): " in out
    assert f"{np.nextafter(column.loc[day], np.inf)!r}".removeprefix("np.float64(").rstrip(")") in out
    assert f"{column.loc[day]!r}".removeprefix("np.float64(").rstrip(")") in out
    assert out.rstrip().endswith(f"{run} is not what living it again gives.")


def test_a_changed_name_or_summary_or_picture_is_found(run):
    firms = pd.read_parquet(run / "firms.parquet")
    firms["firm"] = firms["firm"].replace(firms["firm"].iloc[3], "Somebody else")
    firms.to_parquet(run / "firms.parquet")
    summary = json.loads((run / "summary.json").read_text())
    summary["loss"]["production_percent"] += 1.0
    (run / "summary.json").write_text(json.dumps(summary))
    (run / "figure.png").write_bytes(b"another picture")
    told = [str(each) for each in verify(run).findings.differences]
    assert any(
        text.startswith("firms.parquet, column firm, row 3 (firm Somebody else): 'Somebody else'") for text in told
    )
    assert any(text.startswith("summary.json, column loss.production_percent: ") for text in told)
    assert any(text.startswith("figure.png: SHA-256") for text in told)
    assert len(told) == 3


def test_another_scenario_is_found(run):
    text = (run / "scenario.yaml").read_text()
    (run / "scenario.yaml").write_text(text.replace("severity: 0.8", "severity: 0.7"))
    told = [str(each) for each in verify(run).findings.differences]
    assert told[0].startswith("scenario.yaml, column SHA-256: ")
    assert any(text.startswith("series.parquet") for text in told)


def test_a_table_that_is_gone_or_damaged_is_told(run):
    (run / "links.parquet").write_bytes(b"nothing")
    assert any("links.parquet: damaged" in str(each) for each in verify(run).findings.differences)
    (run / "links.parquet").unlink()
    with pytest.raises(InputError, match=r"links\.parquet is missing"):
        verify(run)


def test_recorded_days_are_lived_again_too(typed, tmp_path):
    (tmp_path / "small.yaml").write_text(tiny_folders.world().to_yaml())
    assert typed("run", "small.yaml", "--record", "production", "--lineage", "5", "--out", "kept", "--quiet")[0] == 0
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text())
    assert manifest["command"][:3] == ["ecosim", "run", "small.yaml"]
    code, out, _ = typed("verify", "kept")
    assert (code, "daily.parquet" in out) == (0, True), out


def test_other_versions_are_told(run, monkeypatch):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["versions"]["numpy"] = "1.0"
    manifest["code"] = "another"
    (run / "manifest.json").write_text(json.dumps(manifest))
    found = verify(run)
    assert found.same
    assert found.warnings[0].startswith("numpy was 1.0 then, and is ")
    assert found.warnings[1].startswith("The code of ecosim was another then")
    assert found.sentences()[0].startswith("warning: numpy")


def test_firms_of_ones_own_class_cannot_be_lived_again(run):
    firms = pd.read_parquet(run / "firms.parquet")
    firms["type"] = "Hoarder"
    firms.to_parquet(run / "firms.parquet")
    with pytest.raises(InputError, match="follow Hoarder, a class that was given in Python"):
        verify(run)


# --- files that a run read --------------------------------------------------------------------------------------------


@pytest.fixture
def replayed(tmp_path):
    table = tmp_path / "strikes.csv"
    table.write_text("day,severity\n3,0.5\n")
    fire = {**tiny_folders.FIRE, "when": {"replay": str(table)}}
    folder = tiny_folders.run(tmp_path / "run", shocks=[fire])
    return folder, table


def test_a_changed_input_file_is_told_by_verify(replayed):
    folder, table = replayed
    assert verify(folder).warnings == ()
    table.write_text("day,severity\n4,0.5\n")
    found = verify(folder)
    assert not found.same
    assert found.warnings[0].startswith(f"{table} has changed since: its SHA-256 was ")
    assert found.sentences()[-1].endswith("the warnings above may be the reason.")


def test_explain_check_refuses_a_changed_input_file(replayed):
    folder, table = replayed
    take_away(Result.load(folder), firms=1)
    table.write_text("day,severity\n4,0.5\n")
    with pytest.raises(InputError, match=r"strikes\.csv has changed since the run was made .* put the file back"):
        take_away(Result.load(folder), firms=1)


# --- comparisons, atlases, sweeps, policy studies ---------------------------------------------------------------------


def test_a_comparison(tmp_path):
    folder = tiny_folders.copied("comparison", tmp_path / "it")
    found = verify(folder, every=True)
    assert found.same
    assert found.findings.left_out == ""
    assert {"8 of 8 replicates of lean", "effects.parquet"} <= set(found.findings.compared)
    changed(folder / "dominance.parquet", "low", 2, 0.5)
    responses = pq.read_table(folder / "responses_2.parquet")
    frame = responses.to_pandas()
    frame.loc[3, "d"] = frame.loc[3, "d"] + 1e-9
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(responses.schema.metadata),
                   folder / "responses_2.parquet")  # fmt: skip
    found = verify(folder)
    told = [str(each) for each in found.findings.differences]
    assert told[0].startswith("responses_2.parquet, column d, row 3 (replicate 0): ")
    assert any(text.startswith("dominance.parquet, column low, row 2: 0.5 in the folder") for text in told)
    assert "3 of 8 replicates of lean" in found.findings.compared
    assert "--all" in found.findings.left_out


def test_an_atlas(tmp_path):
    folder = tiny_folders.copied("atlas", tmp_path / "it")
    assert read(folder).spec.digest() == json.loads((folder / "atlas.json").read_text())["atlas"]
    assert verify(folder, every=True).same
    held = pq.read_table(folder / "own.lean.ring.fire.parquet")
    frame = held.to_pandas()
    frame.loc[4, "gini"] += 0.5
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(held.schema.metadata),
                   folder / "own.lean.ring.fire.parquet")  # fmt: skip
    (told,) = verify(folder, every=True).findings.differences
    assert str(told).startswith("own.lean.ring.fire.parquet, column gini, row 4 (replicate 0): ")


def test_a_sweep(tmp_path):
    folder = tiny_folders.copied("sweep", tmp_path / "it")
    found = verify(folder)
    assert found.same
    assert "5 of 18 runs" in found.findings.compared
    assert verify(folder, every=True).findings.compared[-1] == "18 of 18 runs"
    (file,) = (folder / "runs").glob("*.parquet")
    held = pq.read_table(file)
    at = held.column_names.index("outcome.failed.percent")
    values = held["outcome.failed.percent"].to_pylist()
    values[0] += 1.0
    pq.write_table(held.set_column(at, "outcome.failed.percent", pa.array(values, pa.float64())), file)
    told = [str(each) for each in verify(folder, every=True).findings.differences]
    run = held["run"].to_pylist()[0]
    assert len(told) == 1
    assert told[0].startswith(f"runs, column failed.percent, row 0 (run {run}): ")


STUDY = """
name: tiny
scenario: {days: 12, economy: {kind: uniform, firms: 16}, network: {kind: random, suppliers: 2}}
levers:
  shield: {policy: {kind: systemic_protection, cost: 0.01}, levels: {who.top: [4, 8]}}
  stock: {kind: strategic_stock, trigger: {after: flood}}
uncertainties: {economy.inventory_days: {low: 3, high: 8}}
shocks:
  flood: [{kind: outage, name: flood, when: 2, severity: 0.5, who: {share: 0.5}}]
  gap: [{kind: demand_collapse, name: gap, when: 2, days: 5, severity: 0.5}]
sealed: {fire: [{kind: inventory_destruction, name: fire, when: 3, severity: 0.9}]}
futures: 3
held_out: 2
target: {loss: 1, share: 0.5}
search: {population: 4, generations: 1}
verdict: {replicates: 3, intensities: 5}
"""


@pytest.fixture(scope="module")
def lived_policy(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "Processes", Here)
        return policy(from_yaml(STUDY), out=tmp_path_factory.mktemp("policy") / "it", workers=1).folder


@pytest.fixture
def studied(lived_policy, tmp_path):
    return Path(shutil.copytree(lived_policy, tmp_path / "studied"))


def told_of(folder):
    return [str(each) for each in verify(folder).findings.differences]


def written(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_a_policy_study_is_lived_again_and_its_tables_follow_from_its_runs(studied):
    before = written(studied)
    found = verify(studied)
    assert found.same, found.sentences()
    assert found.warnings == ()
    names = {path.stem for path in studied.glob("*.parquet")}
    assert {"packages", "effects", "value", "winners", "verdicts", "sealed", "least_cost"} <= names
    assert {*names, "page.md", "listed: 5 of 24 runs"} <= set(found.findings.compared)
    assert written(studied) == before  # nothing is written to it
    every = verify(studied, every=True)
    assert every.same, every.sentences()
    assert "listed: 24 of 24 runs" in every.findings.compared


def test_a_changed_table_of_a_policy_study_is_found_in_each_of_its_forms(studied):
    effect = pd.read_parquet(studied / "effects.parquet")["effect"]
    changed(studied / "effects.parquet", "effect", 3, np.nextafter(effect[3], np.inf))
    value = (studied / "value.csv").read_text().splitlines()
    (studied / "value.csv").write_text("\n".join([*value[:2], value[2].replace("0", "1", 1), *value[3:]]))
    page = (studied / "page.md").read_text()
    (studied / "page.md").write_text(page.replace("could be shown", "was shown"))
    told = told_of(studied)
    assert len(told) == 3, told
    assert told[0].startswith("effects.parquet, column effect, row 3: ")
    assert told[1].startswith("value.csv, line 3: ")
    assert told[2].startswith("page.md, line ")


def test_a_changed_run_of_a_policy_study_shows_in_its_tables_though_it_is_not_lived_again(studied):
    file = next((studied / "runs" / "listed" / "runs").rglob("*.parquet"))
    held = pq.read_table(file)
    runs = held["run"].to_pylist()
    row = next(at for at, run in enumerate(runs) if run not in {0, 6, 12, 17, 23})
    for name in ("loss.final_consumption_percent", "loss.production_percent"):
        at = held.schema.get_field_index(f"outcome.{name}")
        values = held[f"outcome.{name}"].to_pylist()
        values[row] += 0.5
        held = held.set_column(at, f"outcome.{name}", pa.array(values, pa.float64()))
    pq.write_table(held, file)
    told = told_of(studied)
    assert not any(text.startswith("runs, ") for text in told), told
    assert any(text.startswith(("effects.parquet, column ", "runs/")) for text in told), told


def test_another_search_than_the_one_that_was_lived_is_found(studied):
    held = json.loads((studied / "study.json").read_text())
    (studied / "study.json").write_text(json.dumps(held | {"seed": 2}))
    assert told_of(studied)[0].startswith("runs/listed/manifest.json, column study_sha256: ")
    (studied / "study.json").write_text(json.dumps(held))
    shutil.rmtree(studied / "runs" / "held_out")
    assert told_of(studied) == ["runs/held_out: missing in the folder, lived next by the search when lived again"]


def test_changed_responses_of_a_verdict_are_found(studied):
    (file,) = (studied / "verdicts").glob("none-flood-*.parquet")
    changed(file, "d", 1, 0.25)
    assert [text for text in told_of(studied) if text.startswith("verdicts.parquet, column ")]


def test_a_policy_study_that_is_damaged_or_unfinished_says_so(studied):
    (studied / "study.json").write_text('{"name": "x", "uncertainties": {}}')
    with pytest.raises(InputError, match=r"study\.json: the study cannot be read again \(scenario: Field required\)"):
        verify(studied)
    (studied / "page.md").unlink()
    with pytest.raises(InputError, match="the study is not finished"):
        verify(studied)


# --- what differs first -----------------------------------------------------------------------------------------------


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=20), st.data())
def test_any_other_bit_is_found_and_nothing_else_is(values, data):
    frame = pd.DataFrame({"a": range(len(values)), "b": values})
    assert of_tables("t", frame, frame.copy()) is None
    at = data.draw(st.integers(0, len(values) - 1))
    other = frame.copy()
    other.loc[at, "b"] = 0.0 if np.isnan(values[at]) else np.nan
    found = of_tables("t", frame, other)
    assert (found.column, found.row) == ("b", f"row {at}")


def test_the_sign_of_zero_and_the_last_bit_are_told_apart():
    one, other = pd.DataFrame({"a": [0.0]}), pd.DataFrame({"a": [-0.0]})
    assert str(of_tables("t", one, other)) == "t, column a, row 0: 0.0 in the folder, -0.0 when lived again"
    other = pd.DataFrame({"a": [1]})
    assert "bits" not in str(of_tables("t", pd.DataFrame({"a": [2]}), other))
    assert of_tables("t", pd.DataFrame({"a": [1.0]}), other) is not None


def test_missing_columns_and_rows_are_told():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert str(of_tables("t", frame, frame[["a"]])) == "t, column b: there in the folder, missing when lived again"
    assert str(of_tables("t", frame, frame.head(1))) == "t: 2 rows in the folder, 1 rows when lived again"
    assert of_tables("t", frame, frame.astype({"b": "category"})) is None


def test_values_of_json():
    here = {"a": [1, {"b": float("nan")}], "c": None}
    assert of_values("s", here, {"a": [1, {"b": float("nan")}], "c": None}) is None
    assert str(of_values("s", here, {"a": [1, {"b": 2.0}], "c": None})) == (
        "s, column a.1.b: nan in the folder, 2.0 when lived again"
    )
    assert str(of_values("s", {"a": 1}, {"a": 1, "d": 2})) == "s, column d: nothing in the folder, 2 when lived again"
    assert of_values("s", {"a": 1}, {"a": True}) is not None


# --- provenance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", tiny_folders.KINDS)
def test_every_folder_says_where_it_comes_from(tmp_path, kind):
    made = provenance.of(tiny_folders.copied(kind, tmp_path / kind))
    assert made["code"] == provenance.code_version()
    assert made["versions"]["ecosim"] == ecosim.__dict__.get("__version__", made["versions"]["ecosim"])
    assert {"seed", "command", "platform", "data"} <= set(made)
    assert made["command"] is None  # made from Python
    if kind not in {"atlas"}:
        digests = made["scenario_sha256"]
        assert all(
            re.fullmatch("[0-9a-f]{64}", each)
            for each in (digests.values() if isinstance(digests, dict) else [digests])
        )


def test_data_come_with_their_terms_and_their_hashes():
    (data,) = provenance.record(ecosim.load("main_street"), seed=1)["data"]
    assert data["preset"] == "us"
    assert "public domain" in data["terms"]
    assert data["files"] == {name: provenance.data_sums()[name] for name in ("bea/make_15.csv", "bea/use_15.csv")}


def test_an_explanation_says_of_which_run_it_is(run, tmp_path):
    folder = write_pictures(Story(Result.load(run)), tmp_path / "why")
    said = json.loads((folder / "provenance.json").read_text())
    manifest = json.loads((run / "manifest.json").read_text())
    assert said["run"]["series_sha256"] == manifest["series_sha256"]
    assert said["scenario_sha256"] == manifest["scenario_sha256"]


def test_files_that_a_scenario_names_are_noted(tmp_path):
    table = tmp_path / "strikes.csv"
    table.write_text("day,severity\n3,0.5\n")
    named = tiny_folders.world(shocks=[{**tiny_folders.FIRE, "when": {"replay": str(table)}}])
    assert provenance.record(named, seed=1)["imported"] == {str(table): provenance.sha256(table)}


def test_a_class_that_the_scenario_names_is_lived_again_where_the_folder_is_trusted(tmp_path, monkeypatch, typed):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("hoarding.py").write_text("import ecosim\n\nclass Hoarder(ecosim.SMB):\n    pass\n")
    Path("own.yaml").write_text(
        "{days: 12, economy: {kind: uniform, firms: 20, agents: [{type: 'hoarding:Hoarder', who: {share: 0.2}}]}, "
        "network: {kind: ring}, shocks: []}\n"
    )
    assert typed("run", "own.yaml", "--out", "lived", "--quiet")[0] == 0
    code, _, told = typed("verify", "lived")
    assert code == 2
    assert told.rstrip().endswith("--allow-code")
    assert typed("verify", "lived", "--allow-code")[0] == 0
