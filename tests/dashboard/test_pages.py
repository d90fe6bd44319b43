"""Each page drawn without a browser: with an answer, without one, and with addresses and folders that are wrong."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import solara
from ipywidgets import Widget

from dashboards import crowd, jobs, session
from dashboards.answers import atlas, comparing, folders, lessons, policies
from dashboards.pages import about, compare, data, learn, learn_world, policy
from dashboards.pages import atlas as atlas_page
from dashboards.words import exact

PAGES = (about, atlas_page, compare, data, learn, policy)


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """A session of its own, a folder of its own, and nobody at work: what is known is known, the rest is waited for."""
    monkeypatch.setenv(folders.ENV, str(tmp_path))
    monkeypatch.setattr(jobs, "use_questions", known)
    session.current().read("")
    jobs.memo.clear()
    KNOWN.clear()
    yield
    session.current().read("")
    crowd.close_rooms()


KNOWN = {}


def known(questions):
    """Stands in for the hook that asks workers."""
    answers = tuple(KNOWN.get(question.args) for question in questions)
    return jobs.Asked(answers=answers, busy=None in answers, late=None in answers, progress=0.5)


def drawn(page, address=""):
    """Every widget of a page, and a function that closes it."""
    session.current().read(address)
    box, context = solara.render(page.Page(), handle_error=False)
    return box, context


SILENT = {"template", "layout", "comm", "keys", "css", "methods", "data", "components", "scoped", "events", "options_"}


def walk(box):
    """Every widget below a box, and every text in them but what is the same for all."""
    widgets, said, waiting = {}, [], [box]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Widget):
            if one.model_id not in widgets:
                widgets[one.model_id] = one
                names = [name for name in one.trait_names(sync=True) if name not in SILENT and name[0] != "_"]
                waiting += [getattr(one, name) for name in names]
        elif isinstance(one, dict):
            waiting += list(one.values())
        elif isinstance(one, list | tuple):
            waiting += list(one)
        elif isinstance(one, str):
            said.append(one)
    return list(widgets.values()), said


def words(box):
    """All text that a page shows, names of its elements included."""
    return "\n".join(walk(box)[1])


def shown(page, address=""):
    """Text of a page at an address."""
    box, context = drawn(page, address)
    text = words(box)
    context.close()
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_a_page_draws_its_heading_and_has_no_template_in_it(page):
    text = shown(page)
    assert page.TITLE in text or "About the model" in text
    assert page.ICON.startswith("mdi-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_a_bad_address_never_ends_a_page(page):
    name = page.__name__.rpartition(".")[2]
    bad = "&".join(
        f"{name}.{key}=%3Cscript%3E..%2F..%2Fetc"
        for key in (
            "folder",
            "table",
            "cell",
            "worlds",
            "shock",
            "step",
            "lesson",
            "study",
            "emergency_grant",
            "measure",
        )
    )
    assert shown(page, bad)


def test_compare_shows_verdicts_only_with_their_numbers():
    question = comparing.Question(replicates=24, intensities=comparing.INTENSITIES)
    KNOWN[(question,)] = comparing.answer(question)
    text = shown(compare, "compare.replicates=24")
    assert "FRAGILE" in text or "INCONCLUSIVE" in text
    for name in ("worst d", "smallest H", "paired replicates", "95 % interval"):
        assert name in text
    assert "random" in text


def test_compare_tells_what_makes_no_comparison_and_asks_nobody():
    text = shown(compare, "compare.worlds=random.lean.none~random.lean.none")
    assert "Two worlds are the same" in text


def test_compare_shows_how_far_it_is():
    box, context = drawn(compare)
    working = [(one.what, one.percent) for one in walk(box)[0] if getattr(one, "busy", False)]
    context.close()
    assert working == [("Living the worlds", 50)]


def test_a_cell_of_the_atlas_shows_what_its_label_rests_on():
    text = shown(atlas_page, "atlas.cell=star%7Chubs")
    row = atlas.shipped().row("own", "consumption", "lean", "star", "hubs")
    assert row["label"] in text
    assert f"{atlas.percent(row['gain'])} % [" in text
    assert "Live one run of it" in text


def test_an_own_atlas_without_tables_is_told(tmp_path):
    (tmp_path / "mine" / "tables").mkdir(parents=True)
    (tmp_path / "mine" / "atlas.json").write_text("{}")
    assert "no tables of an atlas yet" in shown(atlas_page, "atlas.folder=mine")


def test_policy_keeps_assumptions_apart_from_levers_and_counts_the_budget():
    text = shown(policy, "policy.emergency_grant=0.4&policy.systemic_protection=0.7")
    assert "1.1 of 1 day of output" in text
    assert "0.1 more than the purse holds" in text
    assert "Assumptions" in text


def test_policy_shows_the_challenge_and_who_gains(monkeypatch):
    question = policies.Question((("systemic_protection", 0.2),), replicates=2)
    found = policies.answer(question)
    monkeypatch.setattr(policy, "Question", lambda *_: question)
    KNOWN[(question,)] = found
    text = shown(policy)
    assert "Challenge: avoid 30 %" in text
    assert "Who gains, who loses" in text
    assert "Money is the government's" in text
    assert "Of that, the package avoids" in text
    harmful = replace(found, package=replace(found.package, avoided=policies.Effect(-28.0, -38.0, -17.0)))
    KNOWN[(question,)] = harmful
    text = shown(policy)
    assert "The package adds to that" in text
    assert "95 % interval 17 to 38" in text
    assert "Customers lose more with the package than without it." in text


def test_a_policy_study_is_opened_and_its_words_can_do_nothing(tmp_path):
    study = tmp_path / "found"
    study.mkdir()
    (study / "study.json").write_text("{}")
    (study / "page.md").write_text("# The answer\n\n<script>alert(1)</script>\n")
    pd.DataFrame(
        {"package": ["none", "grants"], "cost": [0.0, 0.3], "loss": [2.0, 1.0], "front": [True, True]}
    ).to_parquet(study / "packages.parquet")
    winners = {"package": ["grants"], "futures": ["held_out"], "grouping": ["region"], "group": ["Riverside"]}
    claim = {"claim": ["no difference could be shown"]}
    pd.DataFrame(winners | {"effect": [0.1], "low": [0.01], "high": [0.2]} | claim).to_parquet(
        study / "winners.parquet"
    )
    text = shown(policy, "policy.study=found")
    assert "The answer" in text
    assert "<script>" not in text
    assert "Riverside" in text
    assert "no gain and no loss could be shown" in text  # though the interval, for itself, leaves out 0


def test_an_unfinished_policy_study_is_told(tmp_path):
    (tmp_path / "found").mkdir()
    assert "page.md is missing" in shown(policy, "policy.study=found")


def test_lessons_are_listed_and_reveals_are_there_at_once():
    text = shown(learn)
    for lesson in lessons.known().values():
        assert lesson.title in text
    text = shown(learn, "learn.lesson=cascade")
    assert "This is a small town" in text
    assert "Step 1 of" in text
    text = shown(learn, "learn.lesson=cascade&learn.step=3")
    assert "95 % interval" in text
    assert "The town, day by day" in text
    assert "This lesson as one file" in text


def test_a_lesson_without_a_page_is_read_while_its_runs_are_lived(monkeypatch):
    printed = lessons.printed("cascade")
    monkeypatch.setattr(lessons, "printed", lambda name: None)
    text = shown(learn, "learn.lesson=cascade")
    assert "This is a small town" in text
    assert "Living the town" in text
    assert "This lesson as one file" not in text
    assert "The town, day by day" not in shown(learn, "learn.lesson=cascade&learn.step=3")
    KNOWN[("cascade",)] = printed
    assert "The town, day by day" in shown(learn, "learn.lesson=cascade&learn.step=3")


def test_runs_that_are_alike_have_no_interval():
    same, apart = np.full(12, 20015.0), np.array([1.0, 2.0, 3.0])
    assert learn_world.spread(same, 20015.0, 20015.0, 0) == "The same in all 12 runs."
    assert "95 % interval 1 to 3" in learn_world.spread(apart, 1.2, 2.8, 0)
    assert learn_world.spread(np.array([0.5849, 0.5851]), 0.585, 0.585, 2) == "Nearly the same in all 2 runs."
    assert "95 % interval 1.9 to 2.1" in learn_world.spread(apart, 1.9, 2.1, 0)
    assert [exact(value, 0) for value in (120090, -3.2, -0.2)] == ["120,090", "−3", "0"]


def test_the_events_of_a_chart_are_those_of_its_setting():
    lesson, shown = lessons.known()["two_shocks"], lessons.printed("two_shocks")
    at = {"floods": "both floods", "gap": 45, "store": 10}
    assert [each[1] for each in learn_world.began(shown.first[lesson.point(at)])] == [
        "first flood hits", "second flood hits",
    ]  # fmt: skip
    [only] = learn_world.began(shown.first[lesson.point(at | {"floods": "only the second flood"})])
    assert only == (67, "second flood hits")


def test_bets_come_back_as_numbers_to_the_class():
    room = crowd.open_room("ABC")
    lesson = lessons.known()["cascade"]
    step = next(step for step in lesson.steps if step.kind == "bet")
    for pupil, option in (("a", 0), ("b", 0), ("c", 1)):
        room.bet(pupil, f"cascade.{step.name}", step.options[option].label)
    assert lessons.tally(step, room.histogram(f"cascade.{step.name}"))[:2] == [
        (step.options[0].label, 2),
        (step.options[1].label, 1),
    ]


@pytest.fixture
def run(tmp_path):
    """A folder that looks like a run."""
    place = tmp_path / "runs" / "one"
    place.mkdir(parents=True)
    series = pd.DataFrame(
        {"total_production": [5.0, 4.0], "twin_total_production": [5.0, 5.0]}, index=pd.RangeIndex(2, name="day")
    )
    series.to_parquet(place / "series.parquet")
    pd.DataFrame({"firm": ["<b>Mill</b>", "Inn"], "lost": [1.0, 2.0]}).to_parquet(place / "firms.parquet")
    (place / "manifest.json").write_text(json.dumps({"seed": 7}))
    (place / "summary.json").write_text(json.dumps({"days": 2, "loss": {"production_percent": 10.0}}))
    return place


def test_a_run_is_looked_at(run):
    text = shown(data, "data.folder=runs%2Fone")
    assert "total_production by day" in text
    assert "10 %" in text
    assert "Page 1 of 1; 2 of 2 rows" in text


def test_text_of_a_file_stays_text(run):
    box, context = drawn(data, "data.folder=runs%2Fone&data.table=firms.parquet")
    made = [str(each.unsafe_innerHTML) for each in walk(box)[0] if "unsafe_innerHTML" in each.trait_names()]
    assert "<b>Mill</b>" in words(box)  # in a table, whose cells Vue writes as text
    context.close()
    assert all("Mill" not in text for text in made)


@pytest.mark.parametrize("file", ["series.parquet", "summary.json", "manifest.json"])
def test_a_damaged_run_is_told_in_its_place(run, file):
    (run / file).write_bytes(b"\0\xff damaged")
    text = shown(data, "data.folder=runs%2Fone")
    assert "cannot be read" in text


def test_a_folder_outside_is_refused(run):
    assert "not below the folder" in shown(data, "data.folder=..%2F..")
    assert "nothing that ecosim wrote" in shown(data, "data.folder=."), "whatever lies beside is not told"


def test_a_study_under_way_says_how_far_it_is(tmp_path):
    from time import time

    study = tmp_path / "sweep"
    (study / "runs").mkdir(parents=True)
    for name in ("manifest.json", "design.parquet"):
        (study / name).write_text("{}")
    far = {"done": 3, "total": 60, "failed": 1, "workers": 2, "rate": None, "seconds_left": None, "at": time() - 3600}
    (study / "progress.json").write_text(json.dumps(far))
    text = shown(data, "data.folder=sweep")
    assert "Nobody is at work on it: 3 of 60 runs, 1 failed" in text
    assert "damaged" in text  # its table is told in its place


def test_about_shows_the_misses_and_the_equations():
    text = shown(about)
    assert "Missed: sales of customers whose supplier was struck" in text
    assert "Pcap = P0" in text
    assert "that its magnitudes are those of a real town is mostly not" in " ".join(text.split())
    assert "1 more measured and not judged" in text
    assert "forecast" in text
    assert len(about.matching(about.about.parameters(), "cash_days finance")) >= 1


def test_every_select_has_a_label():
    for page in PAGES:
        box, context = drawn(page)
        named = [one for one in walk(box)[0] if {"kind", "label"} <= set(one.trait_names())]
        assert all(one.label for one in named)
        assert named or page is data
        context.close()
