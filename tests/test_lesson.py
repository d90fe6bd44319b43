"""Lessons: the format, claims against numbers, the page, the command, and the pages that ship."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

from ecosim import lesson
from ecosim.cli import app
from ecosim.errors import InputError
from ecosim.lesson import claims, words
from ecosim.lesson.layout import HEIGHT, WIDTH, places
from ecosim.lesson.lived import Lived, live
from ecosim.lesson.packed import unpacked
from ecosim.lesson.page import MOST_BYTES, html
from ecosim.lesson.reading import lessons

PAGES = Path(__file__).parents[1] / "docs" / "lessons"
SMALL = """
version: 1
title: A small one
summary: For the tests.
goals: [see it work]
minutes: 5
age: all
teacher: Nothing to add.
scenario: tiny
set:
  days: 30
  shocks:
    - {kind: outage, name: flood, who: {region: Riverside}, when: 3, severity: {kind: uniform, low: 0.6, high: 0.8},
       recovery: {law: at_once, start: 9}}
replicates: 3
shown: 2
levers:
  store: {label: Goods in store, unit: days, path: economy.inventory_days, values: [2, 10], start: 10}
  hit:
    label: Who is hit
    values:
      Riverside: {"shocks.0.who": {region: Riverside}}
      the Bakery: {"shocks.0.who": {firms: Bakery}}
outcomes:
  loss: {label: Lost, path: loss.production_percent, unit: "%"}
  ahead: {label: Ahead, path: gain.ahead, digits: 0}
  bakery: {label: The Bakery, path: gain.Bakery}
steps:
  - kind: bet
    name: more
    title: Bet
    text: The town loses {loss(store=2):.2f} % <b>.
    options:
      - {label: less, when: loss(store=10) < loss(store=2)}
      - {label: more, when: loss(store=10) > loss(store=2)}
  - kind: reveal
    bet: more
    title: Reveal
    at: {store: 10}
    levers: [store]
    along: store
    text: Only {loss(store=10)} %, a difference of {loss(store=10) - loss(store=2):+.1f}.
    claims: loss(store=10) < loss(store=2)
  - {kind: explore, title: Explore, tasks: [Try]}
  - {kind: question, title: Talk, text: "Why?", hint: Because.}
"""


@pytest.fixture(scope="module")
def small() -> Lived:
    return live(lesson.from_yaml(SMALL), workers=1)


def made(old: str = "", new: str = "") -> lesson.Lesson:
    assert old in SMALL
    return lesson.from_yaml(SMALL.replace(old, new, 1), name="own.yaml")


# --- the format ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minutes: 5", "minutes: soon", "own.yaml:6:10: minutes: 'soon' is text"),
        ("goals: [see it work]", "goal: [see it work]", "own.yaml:5:1: goal: unknown key; did you mean 'goals'?"),
        ("values: [2, 10]", "values: [2, 0]", "levers.store.start: 10 is not among the values; take one of 2, 0"),
        ("start: 10}", "start: 11}", "levers.store.start: 11 is not among the values; take one of 2, 10"),
        ("path: economy.inventory_days, ", "", "levers.store.path: missing; say where in the scenario"),
        ("values: [2, 10]", "values: [0, 10]", "levers.store.values.0: economy.inventory_days: "),
        ("economy.inventory_days", "economy.inventory", "unknown key"),
        ("kind: question", "kind: quiz", "steps.3.kind: 'quiz' is no kind of step; give one of text, bet"),
        ("bet: more", "bet: les", "steps.1.bet: no bet before this step is called 'les'; there are more"),
        ("along: store", "along: stroe", "steps.1.along: there is no 'stroe'; did you mean 'store'?"),
        ("at: {store: 10}", "at: {store: 3}", "steps.1.at: store: 3 is not among its values, 2, 10"),
        ("levers: [store]", "levers: [stor]", "own.yaml:40:14: steps.1.levers.0: there is no 'stor'"),
        ("{loss(store=10)} %", "{los(store=10)} %", "there is no outcome 'los'; did you mean 'loss'?"),
        ("{loss(store=10)} %", "{loss(store=3)} %", "store: 3 is not among its values"),
        ("{loss(store=10)} %", "{loss(10)} %", "name the lever, for example loss(store=...)"),
        ("{loss(store=10)} %", "{loss.__class__} %", "only outcomes, numbers, + - * / and < > can stand there"),
        ("{loss(store=10)} %", "{loss(} %", "cannot be read"),
        ("claims: loss(store=10) < loss(store=2)", "claims: loss(store=10)", "claims nothing; compare two figures"),
        ("claims: loss(store=10) < loss(store=2)", "claims: 1 < 2", "names no outcome; there are loss, ahead, bakery"),
        ("shown: 2", "shown: 4", "shown: 4 is more than the 3 replicates"),
        ("replicates: 3", "replicates: 0", "replicates: 0 is too small"),
        ("version: 1", "version: 2", "version"),
        ("path: loss.production_percent", "path: series.stock", "write series.COLUMN.STATISTIC"),
        ("scenario: tiny", "scenario: tyni", "scenario: tyni: no such file"),
        ("days: 30", "days: none", "set.days: "),
    ],
)
def test_mistakes_are_told_with_place_and_mend(old: str, new: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        made(old, new)
    assert told in str(caught.value)
    assert re.match(r"own\.yaml:\d+:\d+: ", str(caught.value))


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        lesson.from_yaml(SMALL.replace("start: 10}", "start: 11}").replace("minutes: 5", "minutes: 1"))
    assert len(str(caught.value).splitlines()) == 2


def test_a_lesson_that_is_too_large_is_refused() -> None:
    days = ", ".join(str(day) for day in range(1, 31))
    before, after = SMALL[: SMALL.index("  hit:\n")], SMALL[SMALL.index("outcomes:\n") :]
    when = f"  when: {{label: When, path: shocks.0.when, values: [{days}]}}\n"
    with pytest.raises(InputError, match="900 settings in all; 500 are the most"):
        lesson.from_yaml(before.replace("[2, 10]", f"[{days}]") + when + after)


def test_levers_change_the_scenario_and_points_are_numbered() -> None:
    spec = made()
    assert (spec.shape, spec.points) == ((2, 2), 4)
    for number, at in enumerate(spec.places()):
        named = {name: lever.names[place] for (name, lever), place in zip(spec.levers.items(), at, strict=True)}
        assert spec.point(named) == number
    assert spec.point({}) == spec.point({"store": 10, "hit": "Riverside"}) == 2
    changed = spec.scenario_at((0, 1))
    assert changed.economy.inventory_days == 2
    assert changed.shocks[0].who.firms == "Bakery"
    assert changed.days == 30


# --- claims and texts ------------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=20).filter(lambda values: np.ptp(values) > 1e-3),
)
def test_intervals_are_students(values: list[float]) -> None:
    low, high = claims.interval(np.array(values))
    expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert np.allclose((low, high), expected)


def test_a_claim_holds_only_where_the_paired_interval_is_on_its_side(small: Lived) -> None:
    figures = {"loss": np.array([[1.0, 5.0, 9.0], [0.0, 0, 0], [0.9, 4.9, 8.9], [1.1, 4.9, 9.0]])}
    lived = dataclasses.replace(small, figures=figures)

    def holds(text: str) -> bool:
        claims.check(text, lived.lesson, compares=True)
        return claims.holds(text, lived.lesson, lived.runs)

    assert holds("loss(store=10) < loss(store=2)")  # 0.1 less in every run, though the runs differ by 8
    assert not holds("loss(store=2) < loss(store=10)")
    assert not holds('loss(store=10, hit="the Bakery") < loss(store=2)')  # no difference shown
    assert not holds('loss(store=10, hit="the Bakery") > loss(store=2)')
    assert holds("-0.2 < loss(store=10) - loss(store=2) < 0")
    assert not holds("loss(store=10) < loss(store=2) > 100")
    assert holds("usual(loss(store=2)) > 4.9")
    assert holds("most(loss(store=2)) > 8.9")
    assert holds("least(loss(store=2)) * 2 + 1 / 2 < 2.6")
    assert not holds("loss(store=2) < loss(store=2)")


def test_figures_are_means_written_as_people_do(small: Lived) -> None:
    runs = small.runs("loss", small.lesson.point({"store": 2}))
    assert words.filled("{loss(store=2):.3f}", small) == f"{runs.mean():.3f}"
    assert words.filled("{loss(store=2)}", small) == f"{runs.mean():.1f}"
    assert words.filled("{0 - loss(store=2):+.1f}", small).startswith("−")
    assert words.filled("{loss(store=2) - loss(store=2):+.1f}", small) in {"0.0", "+0.0"}
    assert words.filled("{1000000 + 0 * loss():,.0f}", small) == "1,000,000"


def test_marks_are_html_and_everything_else_is_text() -> None:
    text = "One **two**\nthree <script> & *four*.\n\nList:\n- a\n  b\n- c\n\n- d"
    assert words.marked_up(text) == (
        "<p>One <strong>two</strong> three &lt;script&gt; &amp; <em>four</em>.</p>"
        "<p>List:</p><ul><li>a b</li><li>c</li></ul><ul><li>d</li></ul>"
    )


def test_what_the_runs_do_not_show_is_refused(small: Lived) -> None:
    def page(old: str, new: str) -> str:
        return html(dataclasses.replace(small, lesson=made(old, new)))

    with pytest.raises(
        InputError, match=r"steps.1.claims: the runs do not show that loss\(store=10\) > loss\(store=2\)"
    ):
        page("claims: loss(store=10) < loss(store=2)", "claims: loss(store=10) > loss(store=2)")
    with pytest.raises(InputError, match=r"steps\.0\.options: the runs show 2 options of bet 'more'; one must hold"):
        page("when: loss(store=10) > loss(store=2)", "when: loss(store=10) < loss(store=2)")
    with pytest.raises(InputError, match=r"steps\.0\.options: the runs show no option of bet 'more'"):
        page("when: loss(store=10) < loss(store=2)", "when: loss(store=10) > 100")


# --- runs and page ---------------------------------------------------------------------------------------------------


def test_figures_are_those_of_a_run(small: Lived) -> None:
    from ecosim.model import Ecosystem
    from ecosim.paired import live_calmly
    from ecosim.result import compared

    spec = small.lesson
    eco = Ecosystem(spec.scenario_at((0, 0)), replicate=1)
    eco.run_for(30)
    series, firms, summary = compared(eco, live_calmly(eco.twin(), 30))
    assert small.runs("loss", 0)[1] == summary["loss"]["production_percent"]
    bakery = firms.set_index("firm").loc["Bakery"]
    assert small.runs("bakery", 0)[1] == pytest.approx(-bakery["lost_percent"])
    assert small.runs("ahead", 0)[1] == (firms["lost_percent"] < -0.5).sum()
    watched = small.watched[0][1]
    assert np.allclose(
        watched.course, 100 * series["total_production"].loc[0:] / series["twin_total_production"].loc[0:]
    )
    assert watched.firms[-1].tolist() == np.rint(100 * eco.world.firms.production / eco.world.firms.output).tolist()
    assert set(np.flatnonzero(watched.struck)) == set(np.flatnonzero(firms["struck"]))
    assert watched.events == ((3, "flood hits"), (13, "flood is over"))
    assert (small.course[:, 1] <= small.course[:, 0] + 1e-9).all()
    assert (small.course[:, 0] <= small.course[:, 2] + 1e-9).all()


def test_businesses_stand_apart_and_inside(small: Lived) -> None:
    at = places(small.watched[0][0].town)
    assert ((at >= 0) & (at <= [WIDTH, HEIGHT])).all()
    gap = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2)) + 1e9 * np.eye(len(at))
    assert gap.min() > 35


def test_the_same_lesson_gives_the_same_bytes_with_more_processes(small: Lived) -> None:
    again = live(lesson.from_yaml(SMALL), workers=2)
    assert html(small) == html(again)


def test_a_page_is_read_back(small: Lived) -> None:
    page = html(small)
    again = unpacked(page, small.lesson, Path("own.html"))
    assert html(dataclasses.replace(again, figures=small.figures)) == page
    for outcome, figures in small.figures.items():
        assert again.figures[outcome] == pytest.approx(figures, rel=1e-6, abs=1e-9)
    assert np.abs(again.course - small.course).max() <= 0.05 + 1e-9
    for runs, before in zip(again.watched, small.watched, strict=True):
        for one, other in zip(runs, before, strict=True):
            assert np.array_equal(one.firms, other.firms)
            assert np.array_equal(one.struck, other.struck)
            assert one.events == other.events
            assert one.town.names == other.town.names
            assert one.town.size == pytest.approx(other.town.size / other.town.size.max(), abs=0.02)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The town loses", "The town lost"),
        ("values: [2, 10], start: 10", "values: [2, 10], start: 2"),
        ("{region: Riverside}}", "{region: Hillside}}"),
        ("low: 0.6", "low: 0.5"),
        ("digits: 0", "digits: 1"),
    ],
)
def test_a_page_of_another_lesson_is_refused(small: Lived, old: str, new: str) -> None:
    page = html(small).replace(small.lesson.digest(), made(old, new).digest())
    with pytest.raises(InputError, match=r"own.html: made from another lesson than 'A small one' .* --out own.html"):
        unpacked(page, small.lesson, Path("own.html"))
    with pytest.raises(InputError, match=r"x.html: no page of a lesson"):
        unpacked("<html></html>", small.lesson, Path("x.html"))


def test_a_page_that_did_not_come_along_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="casade: no lesson of that name comes with ecosim; did you mean 'cascade'"):
        lesson.shipped("casade")
    monkeypatch.setattr("ecosim.lesson.packed.__file__", str(tmp_path / "ecosim" / "lesson" / "packed.py"))
    with pytest.raises(InputError, match="did not come along; make it with: ecosim lesson cascade"):
        lesson.shipped("cascade")


def test_a_page_asks_nobody_for_anything(small: Lived) -> None:
    page = html(small)
    assert "<b>." not in page
    no_external_reference(page)
    assert len(page.encode()) < 200_000


def no_external_reference(page: str) -> None:
    assert not re.search(
        r"(?:src|href|action|xlink:href|poster|data)\s*=\s*[\"'](?!#|data:,)", page.split("<script", 1)[0]
    )
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", page, re.IGNORECASE)
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page
    for asking in ("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(", "localStorage"):
        assert asking not in page


def test_a_page_that_grew_too_large_is_refused(small: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecosim.lesson.page.MOST_BYTES", 10_000)
    with pytest.raises(InputError, match="more than 10,000; take fewer values, days or firms"):
        html(small)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(SMALL, encoding="utf-8")
    told = CliRunner().invoke(app, ["lesson", "own.yaml", "--workers", "1"])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("own.html (")
    first = Path("own.html").read_bytes()
    assert b"<code>ecosim lesson own.yaml</code>" in first
    again = CliRunner().invoke(app, ["lesson", "own.yaml"])
    assert "own.html: exists already" in str(again.exception)
    CliRunner().invoke(app, ["lesson", "own.yaml", "--force", "--quiet", "--workers", "1"], catch_exceptions=False)
    assert Path("own.html").read_bytes() == first
    listed = CliRunner().invoke(app, ["lesson"]).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(lesson.names())
    wrong = CliRunner().invoke(app, ["lesson", "casade"])
    assert "give the YAML file of a lesson, or one of cascade" in str(wrong.exception)
    both = CliRunner().invoke(app, ["lesson", "cascade", "--all"])
    assert "--all makes every shipped lesson" in str(both.exception)


# --- the lessons that ship -------------------------------------------------------------------------------------------


def test_six_lessons_ship() -> None:
    assert lesson.names() == ("cascade", "buffers", "hubs", "two_shocks", "autonomy", "lucky")
    for name in lesson.names():
        spec = lesson.load(name)
        kinds = [step.kind for step in spec.steps]
        assert kinds.count("bet") == kinds.count("reveal") >= 2
        assert {"text", "explore", "question"} <= set(kinds)
        assert sum(len(step.claims) for step in spec.steps) >= 4


@pytest.mark.parametrize("name", lessons())
def test_a_shipped_page_says_what_its_numbers_show(name: str) -> None:
    """A stale page fails here: make it anew with ``ecosim lesson --all --out docs/lessons --force``."""
    page, lived = lesson.page_of(name).read_text(encoding="utf-8"), lesson.shipped(name)
    no_external_reference(page)
    assert len(page.encode()) < MOST_BYTES
    assert len(words.proven(lived)) >= 2  # every claim holds, and every bet has one right option
    for step in lived.lesson.steps:
        for text in step.texts:
            if text:
                assert words.told(text, lived) in page


def test_shipped_pages_are_small_together() -> None:
    assert sum(path.stat().st_size for path in PAGES.glob("*.html")) < 4_000_000


def test_the_winner_of_the_newspaper_is_the_best_of_its_run() -> None:
    lived = lesson.shipped("lucky")
    point = lived.lesson.point({"storm": 40})
    assert lived.runs("bookbinder", point)[0] == lived.runs("best", point)[0]


@pytest.mark.parametrize("name", lessons())
def test_a_shipped_page_holds_what_a_run_gives_today(name: str) -> None:
    """The first run of one setting is lived again."""
    from ecosim.lesson.lived import _live_point

    lived = lesson.shipped(name)
    spec = lived.lesson.model_copy(update={"replicates": 1, "shown": 1})
    point = spec.points // 2
    again = _live_point(spec, point, spec.scenario_at(spec.places()[point]), {})[1][:, 0]
    before = [lived.runs(outcome, point)[0] for outcome in spec.outcomes]
    assert again == pytest.approx(before, rel=1e-4, abs=1e-4)
