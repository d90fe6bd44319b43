"""What a run leaves: frames and figures that can be recomputed, a folder that is whole or not there, true sentences."""

from __future__ import annotations

import dataclasses
import errno
import json
import multiprocessing
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import ecosim
from ecosim import SMB, Ecosystem, InputError, Result, load
from ecosim.report import figure
from ecosim.report.summary import sentences, summarise
from ecosim.result import FAILING_EVENT, FRAMES, Calm, _manifest, collect
from ecosim.who import Who

ROOT = Path(__file__).resolve().parent.parent
TINY = load(ROOT / "configs/tiny.yaml")
MAIN = load(ROOT / "configs/main_street.yaml")
TWO = TINY.with_(
    {
        "name": "two shocks",
        "days": 90,
        "shocks.1": {
            "kind": "outage",
            "name": "strike",
            "who": {"firms": ["Inn", "Brewery", "Cafe"]},
            "when": 33,
            "severity": 0.9,
            "recovery": {"law": "at_once", "days": 1, "start": 4},
        },
    }
)
SCENARIOS = {scenario.name: scenario for scenario in (TINY, MAIN, TWO)}
TABLES = {f"{name}.parquet" for name in (*FRAMES, "lineage", "debts")}
FILES = {"manifest.json", "summary.json", "scenario.yaml", "figure.png", *TABLES}


@pytest.fixture(scope="module")
def results():
    return {name: ecosim.run(scenario) for name, scenario in SCENARIOS.items()}


@pytest.fixture(scope="module")
def saved(results, tmp_path_factory):
    """A saved folder, to be copied and not touched."""
    return results["tiny"].save(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved, tmp_path):
    """A saved folder to spoil."""
    return Path(shutil.copytree(saved, tmp_path / "run"))


@pytest.fixture
def undrawn(monkeypatch):
    """Draw nothing worth the time, where the figure is not the point."""
    monkeypatch.setattr(figure, "draw", lambda *given: Path(given[-1]).write_bytes(b"a figure"))


def without_shocks(**changes):
    return TINY.with_({"shocks": [], **changes})


# Figures can be recomputed from the frames ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_summary_can_be_recomputed_from_the_frames(results, name):
    result, scenario = results[name], SCENARIOS[name]
    summary, firms, links, events = result.summary, result.firms, result.links, result.events
    lived = result.series[result.series.index >= 0]
    assert summary["name"] == name
    assert summary["days"] == len(lived) == scenario.days
    assert summary["seed"] == 1
    economy = summary["economy"]
    assert (economy["firms"], economy["links"]) == (len(firms), len(links))
    assert economy["sectors"] == len(set(firms["sector"].astype(str)))
    assert economy["regions"] == len(set(firms["region"].astype(str)))
    assert economy["output_a_day"] == pytest.approx(firms["output"].sum())
    for key, column in (
        ("production", "total_production"),
        ("value_added", "value_added"),
        ("final_consumption", "final_consumption"),
    ):
        lost = sum(lived[f"twin_{column}"]) - sum(lived[column])
        assert summary["loss"][key] == pytest.approx(lost)
        assert summary["loss"][f"{key}_percent"] == pytest.approx(100 * lost / sum(lived[f"twin_{column}"]))
    assert summary["loss"]["production"] == pytest.approx(firms["lost"].sum())
    ratio = lived["total_production"] / lived["twin_total_production"]
    bottom = ratio.idxmin()
    assert summary["bottom"]["day"] == bottom
    assert summary["bottom"]["production_percent_of_twin"] == pytest.approx(100 * ratio.loc[bottom])
    near = (ratio - 1).abs() <= 0.01
    back = next(day for day in ratio.index if day >= bottom and near.loc[day : day + 6].all())
    assert summary["recovered_on"] == back
    assert summary["direct_capacity_lost"] == pytest.approx(sum(lived["capacity_lost"]))
    assert summary["goods_lost"] == pytest.approx(sum(lived["goods_lost"]))
    for told, shock in zip(summary["shocks"], scenario.shocks, strict=True):
        hit = firms.merge(events[events["event"] == f"{shock.label} hits"], on="firm")
        assert (told["name"], told["kind"], told["day"]) == (shock.label, "outage", shock.when)
        assert set(hit["day"]) == {shock.when}
        assert told["firms"] == len(hit)
        assert told["firms_percent"] == pytest.approx(100 * len(hit) / len(firms))
        assert told["output_percent"] == pytest.approx(100 * hit["output"].sum() / firms["output"].sum())
    failed = firms[firms["failed_on"] >= 0]
    hurt = set(events[events["event"].str.endswith(" hits")]["firm"])
    spared = failed[~failed["firm"].isin(hurt)]
    assert summary["failed"]["firms"] == len(failed)
    assert summary["failed"]["percent"] == pytest.approx(100 * len(failed) / len(firms))
    assert summary["failed"]["undamaged"] == len(spared)
    first = spared.sort_values("output", ascending=False, kind="stable").sort_values("failed_on", kind="stable").head(5)
    assert [(item["firm"], item["day"]) for item in summary["failed"]["first_undamaged"]] == list(
        zip(first["firm"], first["failed_on"], strict=True)
    )
    by = firms.assign(sector=firms["sector"].astype(str)).groupby("sector")[["lost", "produced"]].sum()
    share = (100 * by["lost"] / (by["lost"] + by["produced"])).sort_values(ascending=False)
    told = summary["worst_sectors"]
    assert [item["lost_percent"] for item in told] == pytest.approx(share.head(5).tolist())
    for item in told:
        assert share[item["sector"]] == pytest.approx(item["lost_percent"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_twin_stays_at_the_baseline(results, name):
    series = results[name].series
    metrics = [name for name in series if not name.startswith("twin_")]
    assert list(series) == metrics + [f"twin_{name}" for name in metrics]
    assert (series["twin_firms_failing"] == 0).all()
    for column in ("total_production", "value_added", "final_consumption"):
        assert (series[f"twin_{column}"] == series[column].iloc[0]).all()
        assert (series[column].loc[:29] == series[column].iloc[0]).all(), "before the shock"
        assert series[column].loc[30] < series[column].iloc[0]
    assert series.index.tolist() == list(range(-1, SCENARIOS[name].days))
    assert series.notna().all(axis=None)


@pytest.mark.parametrize("name", SCENARIOS)
def test_frames_hold_what_the_economy_did(results, name):
    result, scenario = results[name], SCENARIOS[name]
    eco = Ecosystem(scenario)
    production = []
    for _ in range(scenario.days):
        eco.run_for(1)
        production.append(eco.world.firms.production.copy())
    made = np.array(production)
    firms, table = result.firms, eco.world.firms
    rest = len(made) * table.output
    np.testing.assert_allclose(firms["produced"], made.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(firms["lost"], rest - made.sum(axis=0), atol=1e-9 * rest.max())
    np.testing.assert_allclose(firms["lost_percent"], 100 * (1 - made.sum(axis=0) / rest), atol=1e-9)
    np.testing.assert_allclose(firms["lowest"], (made / table.output).min(axis=0), rtol=1e-12)
    below = made < 0.5 * table.output
    np.testing.assert_array_equal(firms["failed_on"], np.where(below.any(axis=0), below.argmax(axis=0), -1))
    np.testing.assert_array_equal(result.series["firms_failing"].loc[0:], below.sum(axis=1))
    graph = eco.graph()
    assert firms["firm"].tolist() == list(graph)[: len(firms)]
    for column in ("type", "sector", "region", "x", "y", "output", "final_demand"):
        assert firms[column].tolist() == [graph.nodes[firm][column] for firm in firms["firm"]]
    supply = {(a, b): data for a, b, data in graph.edges(data=True) if data["layer"] == "supply"}
    pairs = list(zip(result.links["supplier"], result.links["client"], strict=True))
    assert set(pairs) == set(supply)
    for column in ("product", "importance", "flow", "stock", "ordered", "delivered"):
        assert result.links[column].tolist() == [supply[pair][column] for pair in pairs]
    assert (
        firms["suppliers"].tolist()
        == firms["firm"].map(pd.Series([b for _, b in pairs]).value_counts()).fillna(0).astype(int).tolist()
    )
    assert (
        firms["clients"].tolist()
        == firms["firm"].map(pd.Series([a for a, _ in pairs]).value_counts()).fillna(0).astype(int).tolist()
    )
    events = result.events
    assert events["day"].is_monotonic_increasing
    fell = events[events["event"] == FAILING_EVENT]
    assert dict(zip(fell["firm"], fell["day"], strict=True)) == {
        firm: day for firm, day in zip(firms["firm"], firms["failed_on"], strict=True) if day >= 0
    }
    place = firms.set_index("firm")
    assert events["sector"].tolist() == place["sector"].astype(str).loc[events["firm"]].tolist()
    assert events["region"].tolist() == place["region"].astype(str).loc[events["firm"]].tolist()
    hits = events[events["event"].str.endswith(" hits")].groupby("firm")["amount"].max()
    assert firms.set_index("firm")["damage"].to_dict() == {firm: hits.get(firm, 0.0) for firm in firms["firm"]}


def test_a_run_is_the_same_again_and_says_how_to_repeat_it(results):
    again, other = ecosim.run(TINY), ecosim.run(TINY, rng=7)
    manifest = results["tiny"].manifest
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(results["tiny"], name), check_exact=True)
    assert {**again.manifest, "seconds": 0} == {**manifest, "seconds": 0}
    assert (manifest["seed"], other.manifest["seed"], other.summary["seed"]) == (1, 7, 7)
    assert manifest["scenario_sha256"] == TINY.digest()
    assert manifest["versions"]["mesa"] == "3.5.1"
    assert results["main_street"].manifest["data"][0]["preset"] == "us"
    assert other.manifest["network_sha256"] == manifest["network_sha256"]
    wet = ecosim.run(TINY.with_({"shocks.0.severity": 0.81})).manifest
    assert wet["network_sha256"] == manifest["network_sha256"]
    assert wet["series_sha256"] != manifest["series_sha256"]
    assert wet["scenario_sha256"] != manifest["scenario_sha256"]


def test_a_run_may_be_given_as_a_file_and_tells_its_progress(results):
    told = []
    result = ecosim.run(str(ROOT / "configs/tiny.yaml"), progress=lambda *done: told.append(done))
    pd.testing.assert_frame_equal(result.series, results["tiny"].series, check_exact=True)
    assert told == [(day + 1, 180) for day in range(180)]


def test_classes_of_ones_own_stand_in_the_frame():
    class Bold(SMB):
        """Keeps hardly any stock."""

        def setup(self):
            self.inventory_days = 1.0

        def order(self):
            return super().order()

    eco = Ecosystem(TINY.with_({"days": 40}), agents={Bold: Who(firms=("Inn", "Cafe"))})
    twin = eco.twin()
    for each in (eco, twin):
        each.run_model()
    result = collect(eco, Calm.of(twin), 0.1)
    kinds = result.firms.set_index("firm")["type"].astype(str)
    assert kinds[kinds == "Bold"].index.tolist() == ["Cafe", "Inn"]
    assert set(kinds) == {"SMB", "Supplier", "Bold"}


# Saved and loaded -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_saved_result_is_loaded_as_it_was(results, name, tmp_path, undrawn):
    result = results[name]
    target = result.save(tmp_path / "deep" / "er")
    assert target == tmp_path / "deep" / "er"
    assert {path.name for path in target.iterdir()} == FILES
    assert [path.name for path in target.parent.iterdir()] == ["er"]
    loaded = Result.load(str(target))
    for frame in FRAMES:
        pd.testing.assert_frame_equal(getattr(loaded, frame), getattr(result, frame), check_exact=True)
    assert loaded.scenario == result.scenario
    assert loaded.summary == result.summary
    assert sentences(loaded.summary) == sentences(result.summary)
    assert set(loaded.manifest.pop("files")) == FILES - {"manifest.json"}
    assert loaded.manifest == result.manifest


def test_a_run_without_events_can_be_saved_too(tmp_path, undrawn):
    result = ecosim.run(without_shocks(days=3))
    assert len(result.events) == 0
    loaded = Result.load(result.save(tmp_path / "calm"))
    pd.testing.assert_frame_equal(loaded.events, result.events)


def test_nothing_is_overwritten_without_leave(results, folder, undrawn):
    with pytest.raises(InputError, match="exists already; choose another folder, or overwrite it with --force"):
        results["two shocks"].save(folder)
    assert Result.load(folder).summary["name"] == "tiny"
    results["two shocks"].save(folder, force=True)
    assert Result.load(folder).summary["name"] == "two shocks"
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_notes_beside_a_result_are_never_deleted(results, folder, undrawn):
    (folder / "my_notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"run: holds my_notes\.txt, which no run wrote; move it away"):
        results["two shocks"].save(folder, force=True)
    assert (folder / "my_notes.txt").read_text() == "mine"
    assert Result.load(folder).summary["name"] == "tiny"


def test_notes_that_come_while_a_result_is_replaced_are_kept(results, folder, monkeypatch):
    """The check at the start saw none; the one at the end must."""

    def noting(*given):
        Path(given[-1]).write_bytes(b"a figure")
        (folder / "my_notes.txt").write_text("mine")

    monkeypatch.setattr(figure, "draw", noting)
    with pytest.raises(InputError, match=r"holds my_notes\.txt"):
        results["two shocks"].save(folder, force=True)
    assert (folder / "my_notes.txt").read_text() == "mine"
    assert Result.load(folder).summary["name"] == "tiny"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("force", [False, True])
def test_a_result_that_appears_during_a_save_is_not_lost(results, saved, tmp_path, monkeypatch, force):
    """Two at once: both found the place free, and the other one was quicker."""
    target = tmp_path / "run"

    def overtaken(*given):
        Path(given[-1]).write_bytes(b"a figure")
        shutil.copytree(saved, target)

    monkeypatch.setattr(figure, "draw", overtaken)
    if force:
        results["two shocks"].save(target, force=True)
    else:
        with pytest.raises(InputError, match="exists already"):
            results["two shocks"].save(target)
    assert Result.load(target).summary["name"] == ("two shocks" if force else "tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def saving_at_once(name, folder, force):
    """In another process: draw nothing, wait for the others, save; return what was said."""
    figure.draw = lambda *given: (Path(given[-1]).write_bytes(name.encode()), time.sleep(0.3))[0]
    try:
        return str(ecosim.run(TINY.with_({"days": 31, "name": name})).save(folder, force=force))
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("force", [False, True])
def test_of_processes_that_save_at_once_one_wins_and_none_leaves_anything(tmp_path, force):
    target = tmp_path / "new" / "run"
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        said = list(pool.map(saving_at_once, [f"run {at}" for at in range(8)], [target] * 8, [force] * 8))
    assert said.count(str(target)) == (8 if force else 1), said
    assert all("exists already" in words for words in said if words != str(target))
    assert Result.load(target).summary["name"].encode() == (target / "figure.png").read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("place", ["link", "dangling", "file/run", "x" * 300, "a\0b", "\ud800", "/proc/run", "."])
def test_a_place_that_cannot_be_written_is_told(results, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="choose another folder"):
        results["tiny"].save(place)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("force", [False, True])
def test_the_folder_that_one_is_in_is_not_pulled_away(results, folder, tmp_path, monkeypatch, force):
    if not force:
        (tmp_path / "empty").mkdir()
    here = folder if force else tmp_path / "empty"
    monkeypatch.chdir(here)
    before = here.stat().st_ino
    with pytest.raises(InputError, match="you are in this folder"):
        results["two shocks"].save(".", force=force)
    assert here.stat().st_ino == before


def test_a_save_that_fails_takes_back_the_folders_that_it_made(results, tmp_path, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(figure, "draw", full)
    with pytest.raises(InputError, match=r"run: cannot be written \(No space left on device\); choose another folder"):
        results["tiny"].save(tmp_path / "deep" / "er" / "run")
    assert not list(tmp_path.iterdir())


def test_a_network_that_was_read_from_no_file_names_none():
    assert ecosim.run(TINY.with_({"days": 31})).manifest["imported"] == {}


@pytest.mark.parametrize("what", ["final_demand", "sector", "customer"])
def test_the_digest_of_the_network_covers_who_the_firms_are(what):
    digests = set()
    for changed in (False, True):
        eco = Ecosystem(TINY.with_({"days": 1, "shocks.0.when": 0}))
        eco.run_model()
        plan = eco.world.plan
        array = (plan.customer if what == "customer" else getattr(plan.firms, what)).copy()
        array[0] += changed
        object.__setattr__(plan if what == "customer" else plan.firms, what, array)
        digests.add(_manifest(eco, 0.0)["network_sha256"])
    assert len(digests) == 2


def test_an_empty_folder_may_be_filled(results, tmp_path, undrawn):
    (tmp_path / "empty").mkdir()
    results["tiny"].save(tmp_path / "empty")
    assert Result.load(tmp_path / "empty").summary == results["tiny"].summary


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_never_replaced(results, tmp_path, force):
    (tmp_path / "thesis").write_text("years of work")
    with pytest.raises(InputError, match="a file stands there; choose another folder"):
        results["tiny"].save(tmp_path / "thesis", force=force)
    assert (tmp_path / "thesis").read_text() == "years of work"


@pytest.mark.parametrize("name", ["thesis.tex", "manifest.json"])
def test_a_folder_that_is_no_run_is_not_replaced_even_with_force(results, tmp_path, name, undrawn):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / name).write_text('{"name": "my web page", "start_url": "/"}')
    (precious / "data.csv").write_text("years of work")
    with pytest.raises(InputError, match="not the folder of a run, so --force will not replace it"):
        results["tiny"].save(precious, force=True)
    assert {path.name for path in precious.iterdir()} == {name, "data.csv"}
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError("disk full")])
@pytest.mark.parametrize("there", [False, True])
def test_an_interrupted_save_leaves_things_as_they_were(results, folder, monkeypatch, fault, there):
    target = folder if there else folder.parent / "new"

    def interrupted(*given):
        Path(given[-1]).write_bytes(b"half a figure")
        raise fault

    monkeypatch.setattr(figure, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt if fault is KeyboardInterrupt else InputError):
        results["two shocks"].save(target, force=True)
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert Result.load(folder).summary["name"] == "tiny"


def test_a_save_interrupted_at_the_last_moment_leaves_a_run_in_place(results, folder, monkeypatch, undrawn):
    rename, faults = Path.rename, []

    def interrupted(self, target):
        if Path(target) == folder and not faults:
            faults.append(self)
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        results["two shocks"].save(folder, force=True)
    assert Result.load(folder).summary["name"] == "tiny"
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.json"}))
def test_a_changed_file_is_noticed(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: changed since it was written; run the scenario again"):
        Result.load(folder)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_noticed(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        Result.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": 3}', '{"files": {"../run/summary.json": "0"}}'])
def test_a_damaged_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="run"):
        Result.load(folder)


def test_a_manifest_that_forgets_a_file_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["series.parquet"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(folder / "firms.parquet", folder / "series.parquet")
    with pytest.raises(InputError, match=r"series\.parquet"):
        Result.load(folder)


def test_what_is_no_folder_of_a_run_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match=r"not the folder of a run: manifest\.json is missing"):
            Result.load(path)


def test_a_strangers_folder_runs_no_code(results, folder):
    path = folder / "scenario.yaml"
    path.write_text(path.read_text().replace("kind: outage", "kind: strange_shocks:Sly"))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["scenario.yaml"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"strange_shocks:Sly|scenario\.yaml"):
        Result.load(folder)


# Sentences ------------------------------------------------------------------------------------------------------------


def told(scenario):
    result = ecosim.run(scenario)
    lines = sentences(result.summary)
    for line in lines:
        assert line.endswith(".")
        assert "nan" not in line
        assert "None" not in line
        assert "-0" not in line
    return result, lines


def test_the_story_of_the_town(results):
    assert sentences(results["tiny"].summary) == [
        "30 firms in 29 sectors and 3 regions, joined by 80 supply links, lived 180 days (seed 1).",
        "Day 30: flood hit 9 firms (30.0 %) with 20.1 % of all output.",
        "The bottom came on day 44, with output at 47.9 % of the undisturbed twin's.",
        "From day 76 output was back within 1 % of the twin for a week or more.",
        "Lost against the twin: 6.53 % of output, 6.48 % of value added, 5.41 % of what customers buy.",
        "Damage itself took capacity worth 4.10 days of all output; the loss was 11.76 days, 2.9 times as much, "
        "because harm spread through the network.",
        "Stocks of inputs ended at 44 % of what they were: a second shock would find less cushion.",
        "20 firms (66.7 %) fell below half of the usual output, 11 of them without any damage of their own.",
        "First of these: Grain Farm (Grain farming, Hilltop) on day 31.",
        "Lost the largest shares of their own output: Paper 11.3 %, Brewing 11.3 %, Cheese and butter 11.3 %.",
    ]


def test_two_shocks_are_both_told(results):
    lines = sentences(results["two shocks"].summary)
    assert lines[1].startswith("Day 30: flood hit 9 firms (30.0 %)")
    assert lines[2].startswith("Day 33: strike hit 3 firms (10.0 %)")


def test_without_a_shock_nothing_is_lost():
    result, lines = told(without_shocks(days=20))
    assert lines[1:] == [
        "No shock struck: the economy was left to itself.",
        "Nothing was lost: output stayed at the level of the undisturbed twin.",
    ]
    assert result.summary["recovered_on"] is None
    assert result.summary["worst_sectors"] == []
    assert result.firms["lost"].abs().max() == 0


def test_a_shock_that_takes_nothing():
    _, lines = told(TINY.with_({"shocks.0.severity": 0.0}))
    assert lines[1] == "flood takes nothing: its severity is 0."
    assert lines[2] == "Nothing was lost: output stayed at the level of the undisturbed twin."


def test_a_tiny_shock_is_not_told_as_none_nor_as_a_crisis():
    result, lines = told(TINY.with_({"shocks.0.severity": 1e-6}))
    assert 0 < result.summary["loss"]["production_percent"] < 1e-4
    assert lines[2:] == ["Output stayed at the level of the undisturbed twin, to within 0.05 %."]
    assert not any(line.startswith("From day") for line in lines)
    # A number that is rounded away says the opposite of what it means.
    assert not any("took 0 of capacity" in line for line in lines)
    assert not any("at 100.0 % of" in line for line in lines)
    assert not any(line.startswith("Lost the largest") and " 0.0 %" in line for line in lines)


def test_a_mild_shock_stays_within_a_percent():
    result, lines = told(TINY.with_({"shocks.0.severity": 0.02}))
    assert result.summary["bottom"]["production_percent_of_twin"] > 99
    assert result.summary["recovered_on"] is None
    assert "Output never left the twin's by more than 1 %." in lines
    assert "The bottom came on day 32, with output at 99.4 % of the undisturbed twin's." in lines


def test_a_lasting_shock_is_never_recovered_from():
    result, lines = told(TINY.with_({"shocks.0.recovery": None}))
    assert result.summary["recovered_on"] is None
    assert result.summary["bottom"]["day"] == 179
    assert "Output was not back within 1 % of the twin for a week by the end." in lines
    assert (
        "30 firms (100.0 %) fell below half of the usual output, 21 of them without any damage of their own." in lines
    )


def test_a_run_that_ends_in_the_crisis_is_not_recovered():
    result, lines = told(TINY.with_({"days": 50}))
    assert result.summary["recovered_on"] is None
    assert "Output was not back within 1 % of the twin for a week by the end." in lines


def test_a_run_of_one_day():
    result, lines = told(TINY.with_({"days": 1, "shocks.0.when": 0}))
    assert result.summary["bottom"]["day"] == 0
    assert lines[0].endswith("lived 1 day (seed 1).")


def test_one_firm_is_told_as_one():
    _, lines = told(TINY.with_({"shocks.0.who": {"firms": "Bookstore"}}))
    assert any(line.startswith("Day 30: flood hit 1 firm (3.3 %) with 2.6 %") for line in lines)
    assert not any("1 firms" in line for line in lines)


def test_a_shock_that_hits_nobody_by_chance_is_told_as_that():
    rare = {"share": 1e-9, "together": {"within": "region"}}
    result, lines = told(TINY.with_({"shocks.0.who": rare}))
    assert "flood hits nobody: by chance no firm was struck on any of 180 days." in lines
    assert not any("hit 0 firms" in line for line in lines)
    assert (result.firms["damage"] == 0).all()
    assert len(result.events) == 0


def test_nobody_undamaged_failed():
    result, lines = told(TINY.with_({"shocks.0.who": {}, "shocks.0.severity": 1.0}))
    assert result.summary["failed"]["undamaged"] == 0
    assert result.summary["failed"]["first_undamaged"] == []
    assert (
        "30 firms (100.0 %) fell below half of the usual output, none of them without any damage of their own." in lines
    )
    assert not any(line.startswith("First of these") for line in lines)


def crafted(results, **changes):
    """Sentences of the town's summary with some figures changed."""
    summary = {**results["tiny"].summary, **changes}
    return sentences(json.loads(json.dumps(summary)))


def test_damage_that_stocks_kept_from_spreading(results):
    lines = crafted(results, direct_capacity_lost=300_000.0)
    told = (
        "Damage took capacity worth 19.24 days of all output; the loss was 11.76 days, because stocks and other firms"
    )
    assert f"{told} took over." in lines


def test_spare_capacity_is_part_of_what_was_damaged(results):
    economy = {**results["tiny"].summary["economy"], "headroom": 0.25}
    assert (
        "Damage took capacity, idle reserve included, worth 19.24 days of all output; the loss was 11.76 days, because "
        "spare capacity, stocks and other firms took over."
    ) in crafted(results, economy=economy, direct_capacity_lost=300_000.0)


def test_firms_that_fail_in_the_twin_too_are_not_laid_to_the_shock(results):
    failed = {**results["tiny"].summary["failed"], "firms": 25, "percent": 83.3, "twin": 5, "only_shocked": 20}
    assert (
        "25 firms (83.3 %) fell below half of their usual output at some time, 20 of them only because of the shock "
        "(the twin's did not); 11 of those without any damage of their own."
    ) in crafted(results, failed=failed)


def test_what_the_twin_failed_at_is_read_from_the_frame(results):
    firms = results["tiny"].firms.copy()
    fell = firms["failed_on"] >= 0
    first = firms.index[fell & ~firms["struck"]][0]
    firms.loc[first, "twin_failed_on"] = 3
    failed = summarise(Ecosystem(TINY), results["tiny"].series, firms, (0, 0))["failed"]
    assert (failed["firms"], failed["twin"], failed["only_shocked"], failed["undamaged"]) == (20, 1, 19, 10)


def test_closures_are_told_beside_the_twins(results):
    assert "195 businesses closed, 194 in the undisturbed twin." in crafted(results, closures={"run": 195, "twin": 194})
    assert "1 business closed, 0 in the undisturbed twin." in crafted(results, closures={"run": 1, "twin": 0})
    assert not any("closed" in line for line in crafted(results))


def test_what_was_made_good_is_told_where_it_can_be_seen(results):
    assert any("6.53 % of output (7.03 % less 0.50 % made good later)," in line
               for line in crafted(results, made_good_percent=0.5))  # fmt: skip
    summary = summary_of(results, [1.0, 0.5] + [1.01] * 10)
    assert summary["made_good_percent"] == pytest.approx(100 * 0.1 / 12)


PULSE = {"kind": "pulse", "name": "boycott", "when": 60, "days": 10, "factor": 0.25}


def test_a_pulse_is_told_as_what_it_scales():
    result, lines = told(TINY.with_({"shocks": [{**PULSE, "ease": 5}], "days": 80}))
    assert (
        lines[1]
        == "Day 60 to 69 (boycott): demand at 25 % of the usual for 30 firms (100.0 %), back to the usual by day 75."
    )
    assert "No capacity was damaged." in lines
    assert result.firms["struck"].all()
    assert result.firms["damage"].max() == 0
    assert result.summary["failed"]["firms"] > 0
    assert not any("without any damage" in line or " hit " in line for line in lines)


def test_a_pulse_is_told_as_long_as_the_run_lasts():
    for days, words in ((61, "Day 60: demand"), (65, "Day 60 to 64: demand")):
        _, lines = told(TINY.with_({"shocks": [{**PULSE, "name": ""}], "days": days}))
        assert lines[1] == f"{words} at 25 % of the usual for 30 firms (100.0 %)."


def test_firms_with_a_pulse_on_them_are_not_without_damage_of_their_own():
    pulse = {**PULSE, "who": {"firms": ["Inn", "Cafe"]}, "factor": 0.0}
    result, lines = told(TINY.with_({"shocks.1": pulse, "days": 80}))
    firms = result.firms.set_index("firm")
    assert set(firms.index[firms["struck"]]) == set(firms.index[firms["damage"] > 0]) | {"Inn", "Cafe"}
    fell = firms[(firms["failed_on"] >= 0) & ~firms["struck"]]
    assert any(f"{len(fell)} of them without any damage of their own." in line for line in lines)
    mild = ecosim.run(TINY.with_({"shocks.1": {**pulse, "severity": 0.0}, "days": 80}))
    assert (mild.firms["struck"] == (mild.firms["damage"] > 0)).all()


def test_what_firms_owe_the_bank_is_told_where_there_is_one(results):
    assert not any("the bank" in line for line in sentences(results["tiny"].summary))
    result, lines = told(
        TINY.with_({"mechanisms": [{"kind": "finance", "credit_access": 1.0, "cash_days": 2.0}], "days": 50})
    )
    debt = result.firms["debt"]
    owing = int((debt > 0).sum())
    assert owing > 0
    days = debt.sum() / result.firms["output"].sum()
    noun = "firm" if owing == 1 else "firms"
    assert f"At the end {owing} {noun} ({100 * owing / 30:.1f} %) owed the bank {days:.2g} days of all output." in lines
    _, lines = told(without_shocks(mechanisms=[{"kind": "finance"}], days=5))
    assert lines[-1] == "At the end no firm owed the bank anything."


def test_a_loss_without_any_damage(results):
    assert "No capacity was damaged." in crafted(results, direct_capacity_lost=0.0)


def test_a_gain_is_not_told_as_a_loss_kept_small(results):
    loss = {**results["tiny"].summary["loss"], "production": -500.0, "production_percent": -0.2}
    lines = crafted(results, loss=loss)
    assert not any("loss of output to -500" in line for line in lines)


def summary_of(results, ratio, shocks=None):
    """The summary of the town if its output had been these shares of the twin's."""
    result = results["tiny"]
    series = result.series.iloc[: len(ratio) + 1].copy()
    series.loc[0:, "total_production"] = np.array(ratio) * series["twin_total_production"].loc[0:]
    return summarise(
        Ecosystem(TINY if shocks is None else TINY.with_({"shocks": shocks})), series, result.firms, (0, 0)
    )


def strike(name, when):
    return {"kind": "outage", "name": name, "who": {"firms": "Inn"}, "when": when}


DIP = [1.0, 1.0, 0.5, 0.7, 0.9]
AGAIN = [*DIP, *[1.0] * 10, 0.8, 0.9, *[1.0] * 8]
RELAPSES = {
    "one dip": ([*DIP, *[1.0] * 10], [], None, ["The bottom", "From day 5"]),
    "again": (AGAIN, [], (15, []), ["The bottom", "From day 5", "It rose and fell again, to 80.0 %", "From day 17"]),
    "another shock": (
        AGAIN, [strike("cloud outage", 15)], (15, ["cloud outage"]),
        ["The bottom", "From day 5", "Then the cloud outage of day 15 brought it down again, to 80.0 %", "From day 17"],
    ),
    "a shock while recovering": (AGAIN, [strike("cloud outage", 4)], (15, []), None),
    "a shock after it": (AGAIN, [strike("cloud outage", 18)], (15, []), None),
    "before recovery": ([*DIP, 0.8, 0.9, *[1.0] * 8], [], (5, []), ["The bottom", "It rose and fell", "From day 7"]),
    "never back": (
        [*AGAIN[:15], *[0.8] * 9], [], (15, []),
        ["The bottom", "From day 5", "It rose", "Output was not", "In the last week"],
    ),
    "less than a point": ([1.0, 1.0, 0.95, 1.0, 0.992, *[1.0] * 8], [], None, None),
    "small beside the first": ([*DIP, 0.98, 0.96, *[1.0] * 10], [], None, None),
    "no boom to lose": ([*DIP, *[1.2] * 3, *[1.0] * 10], [], None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", RELAPSES)
def test_a_second_dip_is_told_in_its_time_and_with_what_began_before_it(results, case):
    ratio, later, expected, starts = RELAPSES[case]
    summary = summary_of(results, ratio, [strike("flood", 2), *later])
    relapse = summary["relapse"]
    found = None if relapse is None else (relapse["day"], [shock["name"] for shock in relapse["shocks"]])
    assert found == expected
    lines = sentences(summary)
    begin = next(at for at, line in enumerate(lines) if line.startswith("The bottom"))
    for line, start in zip(lines[begin:], [] if starts is None else [*starts, "Lost against"], strict=False):
        assert line.startswith(start)


RECOVERIES = {
    "at once": ([1.0, 0.5] + [1.0] * 10, 2),
    "after a relapse": ([1.0, 0.5] + [1.0] * 6 + [0.9] + [1.0] * 7, 9),
    "just in time": ([1.0, 0.5] + [1.0] * 7, 2),
    "a day too late": ([1.0, 0.5] + [1.0] * 6, None),
    "through a boom": ([1.0, 0.5] + [1.2] * 10 + [1.005] * 7, 12),
    "never": ([1.0] + [0.5] * 20, None),
    "within a percent all along": ([1.0] + [0.992] * 20, None),
    "slowly": ([1.0, *np.linspace(0.5, 1.0, 60)], 60),
}


@pytest.mark.parametrize("case", RECOVERIES)
def test_recovery_is_the_first_of_seven_days_near_the_twin(results, case):
    ratio, expected = RECOVERIES[case]
    if case == "slowly":
        expected = 1 + int(np.argmax(np.linspace(0.5, 1.0, 60) >= 0.99))
        ratio = [*ratio, *[1.0] * 7]
    assert summary_of(results, ratio)["recovered_on"] == expected


def test_output_that_left_one_percent_upwards_is_not_told_as_never_left(results):
    summary = summary_of(results, [1.0] * 5 + [0.995] + [1.05] * 20)
    assert "Output never left the twin's by more than 1 %." not in sentences(summary)


# The figure -----------------------------------------------------------------------------------------------------------


def draw(result, path):
    figure.draw(result.series, result.firms, result.summary, path)


def ink(path):
    """Share of the picture that is not white, and its size."""
    pixels = imread(path)[..., :3]
    return float((pixels.min(axis=2) < 0.95).mean()), pixels.shape[:2], pixels


@pytest.mark.parametrize("name", ["tiny", "main_street"])
def test_the_figure_is_drawn(results, name, tmp_path):
    draw(results[name], tmp_path / "figure.png")
    share, size, pixels = ink(tmp_path / "figure.png")
    width, height = (int(word) for word in figure.draw.__doc__.split(" of ")[1].split(" pixels")[0].split(" x "))
    assert size == (height, width)
    assert 0.02 < share < 0.5
    for colour in (figure.BLUE, figure.ORANGE, figure.VERMILION):
        wanted = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        assert (np.abs(pixels - wanted).max(axis=2) < 0.05).sum() > 300, colour


@pytest.mark.parametrize(
    "changes",
    [
        {"shocks": []},
        {"shocks.0.severity": 1e-6},
        {"shocks.0.when": 178},
        {"days": 1, "shocks.0.when": 0},
        {"shocks.0.recovery": None},
        {"name": "x" * 200},
        {"name": "loss of $5_ and $^", "shocks.0.name": "a $\\frac$ flood"},
    ],
    ids=["no shock", "tiny", "late", "one day", "lasting", "long name", "dollars"],
)
def test_every_run_can_be_drawn(changes, tmp_path):
    draw(ecosim.run(TINY.with_(changes)), tmp_path / "figure.png")
    share, *_ = ink(tmp_path / "figure.png")
    assert 0.01 < share < 0.5


def drawn(monkeypatch, result):
    """The matplotlib figure that would have been written."""
    from matplotlib.figure import Figure

    kept = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path: kept.append(self))
    draw(result, "nowhere.png")
    return kept[0]


def test_the_figure_shows_the_figures(results, monkeypatch):
    result = results["tiny"]
    output, failing, sectors = drawn(monkeypatch, result).axes
    lines = {line.get_label(): line for line in output.get_lines()}
    lived = result.series.loc[0:]
    share = 100 * lived["total_production"] / lived["twin_total_production"]
    np.testing.assert_allclose(lines["output of all firms"].get_ydata()[:-1], share)
    bought = 100 * lived["final_consumption"] / lived["twin_final_consumption"]
    np.testing.assert_allclose(lines["customers' purchases"].get_ydata()[:-1], bought)
    assert [text.get_text() for text in output.texts] == ["bottom: 47.9 %, day 44", "flood"]
    np.testing.assert_array_equal(failing.get_lines()[0].get_ydata()[:-1], lived["firms_failing"])
    assert failing.get_xlim() == output.get_xlim()
    losers = result.firms.nlargest(8, "lost")[::-1]
    assert [label.get_text() for label in sectors.get_yticklabels()] == losers["firm"].tolist()
    shares = 100 * losers["lost"] / result.firms["lost"].clip(lower=0).sum()
    damaged, spared = (np.array([bar.get_width() for bar in group]) for group in sectors.containers)
    np.testing.assert_allclose(damaged + spared, shares)
    np.testing.assert_array_equal(damaged > 0, losers["damage"] > 0)
    assert all(tick == int(tick) for tick in failing.get_yticks())


def test_the_figure_shows_the_twins_failures_and_how_long_a_pulse_is_felt(monkeypatch):
    crunch = {"kind": "pulse", "name": "crunch", "when": 33, "days": 10, "ease": 5, "channel": "demand"}
    result = ecosim.run(TINY.with_({"shocks.1": crunch, "days": 60}))
    result.series["twin_firms_failing"] = 1
    output, failing, _ = drawn(monkeypatch, result).axes
    calm = next(line for line in failing.get_lines() if line.get_label() == "undisturbed twin")
    assert (calm.get_ydata() == 1).all()
    assert calm.get_color() == figure.GREY
    (span,) = output.patches
    assert (span.get_x(), span.get_width()) == (33, 15)


def test_names_of_shocks_close_together_do_not_overprint(monkeypatch):
    shocks = [strike(f"a long name of shock {when}", when) for when in (20, 20 + 3, 30, 170)]
    shocks[1] = {**shocks[1], "name": "another name"}
    shown = drawn(monkeypatch, ecosim.run(TINY.with_({"shocks": shocks})))
    shown.canvas.draw()
    texts = [text for text in shown.axes[0].texts if "name" in text.get_text()]
    assert len(texts) == 4
    boxes = [text.get_window_extent() for text in texts]
    for at, box in enumerate(boxes):
        assert box.x1 <= shown.bbox.width
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])


def test_names_are_drawn_as_they_are_written(monkeypatch, tmp_path):
    shown = drawn(monkeypatch, ecosim.run(TINY.with_({"shocks.0.name": "from $5 to $10", "days": 40})))
    for text in shown.axes[0].texts:
        assert not text.get_parse_math() or text.get_text().count("$") - text.get_text().count(r"\$") < 2


def test_the_days_shown_are_the_days_lived(monkeypatch):
    output, failing, _ = drawn(monkeypatch, ecosim.run(TINY.with_({"shocks.0.when": 179}))).axes
    for axes in (output, failing):
        assert axes.get_xlim()[1] < 190


def test_where_nothing_was_lost_no_sector_is_said_to_have_lost_most(monkeypatch):
    *_, sectors = drawn(monkeypatch, ecosim.run(without_shocks(days=20))).axes
    assert not sectors.patches


def test_a_result_cannot_be_changed(results):
    with pytest.raises(dataclasses.FrozenInstanceError):
        results["tiny"].series = None


def test_a_day_on_which_run_and_twin_make_nothing_is_no_loss(results):
    result = results["tiny"]
    series = result.series.copy()
    series.loc[40:, ["total_production", "twin_total_production"]] = 0.0
    found = summarise(Ecosystem(TINY), series, result.firms, (0, 0))
    assert found["bottom"]["day"] < 40
    assert found["end_percent_of_twin"] == 100.0
