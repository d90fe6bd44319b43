"""``ecosim explain``, its pictures, and the check of the named cause by living again."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import lru_cache

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import InputError
from ecosim.lineage.cascade import Cascade
from ecosim.lineage.causes import CAUSES
from ecosim.lineage.layout import laid_out
from ecosim.lineage.picture import COLOURS, FILES, GROUPS, MOST, OF_FIRM, _by_cause, _short, write
from ecosim.lineage.story import Story
from ecosim.resilience.counterfactual import take_away


@lru_cache
def tiny():
    return ecosim.run("tiny")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return str(tiny().save(tmp_path_factory.mktemp("runs") / "tiny"))


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_story_of_a_firm_goes_back_to_the_shock(typed, saved):
    code, out, err = typed("explain", saved, "--firm", "Grocer")
    assert (code, err) == (0, "")
    said = out.splitlines()
    assert said[0].startswith("Grocer (Groceries, High Street) lost ")
    assert any("Grocer was short of Brewing from Brewery" in line for line in said)
    assert any(line.strip().startswith("<- days 30 to ") and "struck by flood (capacity)" in line for line in said)
    assert said[-1] == "It all began with: flood (100.0 %)."


def test_the_worst_firm_is_picked(typed, saved):
    frame = tiny().firms
    worst = frame.loc[frame["lost"].idxmax(), "firm"]
    _, out, _ = typed("explain", saved, "--firm", "worst")
    assert out.startswith(f"{worst} (")


def test_the_whole_cascade_has_its_tables_and_its_tree(typed, saved):
    code, out, _ = typed("explain", saved)
    assert code == 0
    cascade = Cascade.of(tiny())
    assert out.startswith("29 firms lost ")
    assert "by distance from where it began" in out
    assert "by what bound the firm" in out
    assert "by the way it took" in out
    assert "firms through which most harm of others passed" in out
    first = cascade.conduits()["firm"].iloc[0]
    assert f"{first}: was struck by flood (capacity)" in out


def test_an_unknown_firm_and_a_run_without_causes_are_refused(typed, saved, tmp_path):
    code, _, err = typed("explain", saved, "--firm", "Grocers")
    assert code == 2
    assert "no firm is named 'Grocers'" in err
    assert "Grocer" in err.split("named 'Grocers'")[1]
    bare = ecosim.run("tiny", lineage="off").save(tmp_path / "bare")
    code, _, err = typed("explain", str(bare))
    assert code == 2
    assert "--lineage full" in err


def test_a_run_that_harmed_nobody_is_told_as_such(typed, tmp_path):
    calm = ecosim.run(ecosim.load("tiny").with_({"shocks": []}), lineage="full")
    folder = calm.save(tmp_path / "calm")
    code, out, _ = typed("explain", str(folder), "--out", str(tmp_path / "why"))
    assert code == 0
    assert "there is no harm to follow" in out
    assert {path.name for path in (tmp_path / "why").iterdir()} == set(FILES)


def test_pictures_and_data_are_written_whole_or_not_at_all(typed, saved, tmp_path):
    folder = tmp_path / "why"
    code, out, _ = typed("explain", saved, "--firm", "Grocer", "--out", str(folder))
    assert code == 0
    assert f"Written to {folder}" in out
    assert {path.name for path in folder.iterdir()} == {*FILES, *OF_FIRM}
    cascade = Cascade.of(tiny())
    entries = pd.read_parquet(folder / "entries.parquet")
    assert entries["loss"].sum() == pytest.approx(cascade.loss)
    assert {"parent", "generation", "root", "root_firm", "path"} <= set(entries)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "conduits.parquet"), cascade.conduits())
    graph = nx.read_graphml(folder / "cascade.graphml")
    assert set(graph.edges) == set(cascade.graph().edges)
    assert graph.nodes["Grocer"]["loss"] == pytest.approx(cascade.graph().nodes["Grocer"]["loss"])
    assert graph.nodes["Brewery"]["struck"] is True
    code, _, err = typed("explain", saved, "--out", str(folder))
    assert code == 2
    assert "exists already" in err
    assert typed("explain", saved, "--out", str(folder), "--force")[0] == 0
    assert {path.name for path in folder.iterdir()} == set(FILES)  # what is there belongs to this explanation
    (folder / "notes.txt").write_text("mine")
    code, _, err = typed("explain", saved, "--out", str(folder), "--force")
    assert code == 2
    assert "notes.txt" in err


# --- the pictures -----------------------------------------------------------------------------------------------------


def test_the_pictures_name_firms_losses_and_shocks(tmp_path):
    folder = write(Story(tiny()), tmp_path / "why", firm="Grocer")
    tree = "".join(ET.parse(folder / "tree.svg").getroot().itertext())
    assert "29 of 29 firms that lost output" in tree
    assert "Grocer  17," in tree
    assert "left out" not in tree
    assert "flood" in "".join(ET.parse(folder / "timeline.svg").getroot().itertext())
    assert "Brewery" in "".join(ET.parse(folder / "firm.svg").getroot().itertext())
    assert all((folder / name).stat().st_size > 10_000 for name in ("tree.png", "timeline.png", "firm.png"))


def test_a_large_cascade_shows_the_largest_and_says_how_many_are_left_out():
    result = ecosim.run(ecosim.load("main_street").with_({"economy.firms": 200, "days": 90}))
    story = Story(result)
    nodes, edges = laid_out(story.cascade, MOST)
    losses = story.cascade.entries.groupby("firm", observed=True)["loss"].sum()
    assert len(nodes) == MOST
    assert sorted(node.loss for node in nodes.values()) == pytest.approx(sorted(losses.nlargest(MOST)))
    assert {*edges["giver"], *edges["firm"]} <= set(nodes)
    places = {(node.generation, round(node.row, 6)) for node in nodes.values()}
    assert len(places) == MOST  # no two on top of each other
    from ecosim.lineage.picture import tree

    said = " ".join(text.get_text() for text in tree(story).texts)
    assert f"{MOST} of {len(losses):,} firms that lost output; {len(losses) - MOST:,} firms with smaller losses" in said


def test_the_area_of_the_timeline_is_the_loss():
    cascade = Cascade.of(tiny())
    _, by_day = _by_cause(cascade.entries, 180)
    assert np.sum([sums[:180] for sums in by_day]) == pytest.approx(cascade.loss)


def test_every_cause_has_a_colour_and_long_names_keep_their_number():
    assert set(GROUPS.values()) <= set(COLOURS)
    assert {CAUSES[number] for number in (1, 3, 6, 7, 8, 11)} <= set(COLOURS)
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert _short("Finance, insurance, real estate, rental, and leasing #1078").endswith("… #1078")
    assert len(_short("x" * 99)) <= 26


# --- the check --------------------------------------------------------------------------------------------------------


def test_the_named_cause_alone_brings_the_loss_and_another_does_not():
    agreement = take_away(tiny(), firms=6)
    table = agreement.table
    assert len(table) == 6
    assert table["alone"].between(0.9, 1.1).all()
    assert (table["placebo"] != table["origin"]).all()
    assert table["placebo_alone"].median() < 0.5
    assert "6 firms'" in agreement.sentences()[0]


def test_without_another_shock_the_loss_goes_with_its_cause():
    alone = ecosim.run(ecosim.load("tiny").with_({"shocks.0.who": {"firms": "Brewery"}}))
    agreement = take_away(alone, firm="Grocer")
    row = agreement.table.iloc[0]
    assert (row["origin"], row["placebo"]) == ("Brewery", "")
    assert row["gone"] == pytest.approx(1.0)
    assert row["alone"] == pytest.approx(1.0)
    assert np.isnan(row["placebo_gone"])
    assert "Grocer's loss" in agreement.sentences()[0]


def test_a_struck_firm_has_no_other_origin_to_take_away(typed, saved):
    _, out, _ = typed("explain", saved, "--firm", "Brewery", "--check", "1")
    assert out.splitlines()[-1].startswith("No loss is laid to another firm that was struck")


def test_a_shock_that_keeps_no_list_cannot_be_lifted(monkeypatch):
    result = ecosim.run("tiny")
    monkeypatch.setattr("ecosim.shocks.hit.Hit.prepare", lambda *_: None)
    with pytest.raises(InputError, match="derive its class from"):
        take_away(result, firms=1)
