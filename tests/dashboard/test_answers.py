"""What the pages show, without a browser: folders, tables, atlas, comparisons, policies, lessons, texts."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.answers import about, atlas, cells, comparing, figures, folders, lessons, policies, prose, table
from dashboards.answers.comparing import Ours
from dashboards.answers.table import Sieve
from dashboards.charts import Line
from dashboards.network.encode import decoded
from dashboards.words import signed
from ecosim import lesson as lesson_of
from ecosim.errors import InputError
from ecosim.lesson.layout import HEIGHT, WIDTH
from ecosim.resilience import classify, dominance

# --- folders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path):
    """A folder with a run below it, and something secret beside it."""
    top = tmp_path / "top"
    run = top / "runs" / "one"
    run.mkdir(parents=True)
    for name in ("manifest.json", "series.parquet", "firms.parquet"):
        (run / name).write_text("{}")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "table.csv").write_text("a\n1\n")
    return top


def test_folders_are_found_below_the_root(house):
    assert folders.look(house) == [folders.Found("runs/one", "run")]


@pytest.mark.parametrize("named", ["../secret", "runs/../../secret", "/etc", "runs\\..\\..", "a\0b", ".." * 300 + "/x"])
def test_nothing_outside_the_root_is_reached(house, named):
    with pytest.raises(InputError, match=r"not below the folder|nothing of that name"):
        folders.inside(named, house)


def test_a_link_that_leads_outside_is_refused_and_not_listed(house):
    (house / "way_out").symlink_to(house.parent / "secret")
    with pytest.raises(InputError, match="not below the folder"):
        folders.inside("way_out", house)
    (house / "runs" / "one" / "link.csv").symlink_to(house.parent / "secret" / "table.csv")
    assert "link.csv" not in folders.tables(house / "runs" / "one")
    assert all("way_out" not in found.path for found in folders.look(house))


@given(st.text(max_size=30))
def test_any_name_stays_inside_or_is_refused(named):
    top = Path(__file__).parent
    try:
        place = folders.inside(named, top)
    except InputError:
        return
    assert place == top or top in place.parents


# --- tables --------------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame({"firm": ["Mill", "Inn", "=cmd()"], "lost": [1.5, np.nan, -2.0], "ok": [True, False, True]})


@pytest.mark.parametrize(
    ("sieve", "rows"),
    [
        (Sieve("firm", "contains", "I"), [0, 1]),
        (Sieve("firm", "is", "mill"), [0]),
        (Sieve("firm", "is not", "mill"), [1, 2]),
        (Sieve("lost", "at least", "0"), [0]),
        (Sieve("lost", "at most", "1,000"), [0, 2]),
        (Sieve("lost", "at most", "0"), [2]),
        (Sieve("lost", "is", "1.5"), [0]),
        (Sieve("lost", "is empty"), [1]),
        (Sieve("ok", "is", "true"), [0, 2]),
    ],
)
def test_a_sieve_keeps_what_passes(sieve, rows):
    assert table.sift(FRAME, [sieve]).index.tolist() == rows


def test_sieves_hold_together():
    assert table.sift(FRAME, [Sieve("ok", "is", "true"), Sieve("lost", "at most", "0")]).index.tolist() == [2]


def test_a_sieve_that_cannot_be_is_told():
    with pytest.raises(InputError, match="'much' is no number"):
        table.sift(FRAME, [Sieve("lost", "at least", "much")])
    with pytest.raises(InputError, match="no such column"):
        table.sift(FRAME, [Sieve("gone", "is", "1")])


def test_rows_are_ordered_with_the_empty_ones_last():
    assert table.ordered(FRAME, "lost").index.tolist() == [2, 0, 1]
    assert table.ordered(FRAME, "lost", falling=True).index.tolist() == [0, 2, 1]
    mixed = pd.DataFrame({"x": pd.Series([2, "b", 1], dtype=object)})
    assert len(table.ordered(mixed, "x")) == 3


def test_cells_are_short_and_plain():
    assert table.page(FRAME, 0, 2) == [["Mill", "1.5", "yes"], ["Inn", "", "no"]]
    assert table.page(FRAME, 1, 2) == [["=cmd()", "-2", "yes"]]
    assert table.shown(1234567.0) == "1,234,567"
    assert table.shown(2999999.9999) == "3,000,000"
    assert len(table.shown("x" * 9999)) == table.LONGEST


def test_a_file_that_is_no_table_is_told(tmp_path):
    bad = tmp_path / "x.parquet"
    bad.write_bytes(b"PAR1 not")
    with pytest.raises(InputError, match=r"x\.parquet: cannot be read"):
        table.read(bad)


def test_a_file_that_is_too_large_is_refused(tmp_path):
    big = tmp_path / "x.csv"
    with big.open("wb") as file:
        file.truncate(table.LARGEST + 1)
    with pytest.raises(InputError, match="more than the 300 MB"):
        table.read(big)
    wide = pd.DataFrame(np.zeros((200_001, 500), dtype=np.uint8))
    wide.columns = [f"c{at}" for at in range(500)]
    wide.to_parquet(tmp_path / "wide.parquet")
    assert (tmp_path / "wide.parquet").stat().st_size < 1_000_000
    with pytest.raises(InputError, match="100,000,500 cells, more than the 100,000,000 shown here"):
        table.read(tmp_path / "wide.parquet")


def test_many_points_are_thinned():
    frame = pd.DataFrame({"x": np.arange(20_001.0), "y": np.arange(20_001.0)})
    x, y = table.thinned(frame, "x", "y")
    assert len(x) <= table.MOST_POINTS
    assert (x == y).all()


# --- atlas ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def view():
    """The atlas that ships."""
    return atlas.shipped()


def test_the_shipped_atlas_has_every_cell_of_its_map(view):
    spec = view.spec
    for which, habit in (("own", "lean"), ("equal", "buffered"), ("rewired", "lean")):
        grid = view.grid(which, "consumption", habit)
        assert [row[0]["structure"] for row in grid] == list(spec.structures)
        assert all([cell["shock"] for cell in row] == list(spec.shocks) for row in grid)


def test_a_cell_says_its_label_in_letter_colour_and_words(view):
    cell = view.grid("own", "consumption", "lean")[0][0]
    row = view.row("own", "consumption", "lean", cell["structure"], cell["shock"])
    letter, face, _, _ = atlas.LABELS[row["label"]]
    assert cell["letter"].rstrip("+") == letter
    assert cell["face"] == face
    assert row["label"] in cell["said"]
    assert cell["number"] == atlas.percent(row["gain"])


def test_the_mean_of_a_curve_is_the_gain_of_its_verdict(view):
    for row in view.verdicts.iloc[:: len(view.verdicts) // 20].to_dict("records"):
        keys = tuple(row[name] for name in ("table", "measure", "habit", "structure", "shock"))
        curve = view.curve(*keys)
        assert curve["d"].mean() == pytest.approx(100 * row["gain"], abs=1e-3)
        assert curve["d"].min() == pytest.approx(100 * row["worst"], abs=1e-3)
        assert (curve["d_low"] <= curve["d"] + 1e-12).all()


def test_a_verdict_is_never_told_without_its_numbers(view):
    open_ = view.verdicts[view.verdicts["label"] == "INCONCLUSIVE"].iloc[0].to_dict()
    told = {name: value for name, value, _ in atlas.numbers(open_)}
    assert {"G", "worst d", "smallest H", "n", "more needed"} <= set(told)
    assert told["n"] == "240"


def test_how_many_more_is_told_in_words():
    assert atlas.more(120.0) == "about 120 more"
    assert "no number would tell" in atlas.more(float("nan"))


def test_what_is_no_cell_or_no_atlas_is_told(view, tmp_path):
    with pytest.raises(InputError, match="no such cell"):
        view.row("own", "consumption", "lean", "gone", "town")
    with pytest.raises(InputError, match="no tables of an atlas yet"):
        atlas.opened(tmp_path)
    (tmp_path / "verdicts.csv").write_text("table,label\nown,WONDERFUL\n")
    (tmp_path / "curves.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match="missing"):
        atlas.opened(tmp_path)


@pytest.mark.parametrize(("share", "told"), [(-0.0951, "−9.5"), (-0.0001, "0.0"), (0.0, "0.0"), (1.5, "150")])
def test_percent_has_a_true_minus_and_no_minus_before_nothing(share, told):
    assert atlas.percent(share) == told


def test_a_run_of_a_cell_is_lived(view):
    run = cells.live(view.scenario("lean", "star", "hubs").with_({"days": 30}).to_yaml())
    assert len(run.made) == 30
    assert min(run.made) < 100
    assert run.events[0].day == 5


def test_a_run_takes_no_class_of_a_stranger():
    with pytest.raises(InputError, match="os:system"):
        cells.live("economy: {kind: 'os:system'}")


def test_the_nearest_choice_has_the_buffers_of_the_habit(view):
    choice = cells.nearest(view, "buffered", "star", "hubs")
    assert (choice.structure, choice.stock, choice.spare, choice.who, choice.share) == (
        "star",
        15.0,
        25.0,
        "hubs",
        20.0,
    )
    assert cells.nearest(view, "lean", "ring", "hubs") is None  # Explore has no rings
    assert type(choice).from_query(choice.to_query()) == choice


# --- compare -------------------------------------------------------------------------------------------------------

SMALL = comparing.Question(
    (Ours("random"), Ours("star"), Ours("random", "buffered")), "outage", replicates=24, intensities=5
)


def test_worlds_are_named_by_what_tells_them_apart():
    assert SMALL.names() == ("random, lean", "star, lean", "random, buffered")
    assert comparing.Question().names() == ("random", "star")


def test_an_address_gives_the_question_back():
    question = replace(SMALL, intensities=comparing.INTENSITIES, seed=7)
    assert comparing.Question.from_params(question.to_params()) == question
    assert comparing.Question().to_params() == {}
    bad = {"worlds": "random.lean.none~gone.lean.none", "shock": "x", "replicates": "1e9", "seed": "-1"}
    assert comparing.Question.from_params(bad) == comparing.Question()


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (comparing.Question((Ours(),)), "choose from two to 4"),
        (comparing.Question((Ours(), Ours())), "Two worlds are the same"),
        (comparing.Question((Ours(), Ours(policy="supplier_matching")), measure="production"), "no sourcing"),
        (comparing.Question((Ours(), Ours(policy="strategic_stock"))), "everything made"),
    ],
)
def test_what_makes_no_comparison_is_told(question, told):
    assert told in question.refuse()
    with pytest.raises(InputError, match=told):
        comparing.answer(question)


def test_a_comparison_says_what_the_parts_say():
    told = []
    found = comparing.answer(SMALL, told.append)
    lived = comparing._as_blocks(SMALL, None)
    base, star = (lived[name].of for name in found.names[:2])
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert found.curves["star, lean"]["mean"] == pytest.approx(100 * star.d.mean(axis=0))
    apart = dominance(base.x, star.d, base.d)
    assert found.gaps["star, lean"]["mean"] == pytest.approx(100 * apart.difference)
    effect = next(row for row in found.effects if (row["world"], row["outcome"]) == ("star, lean", "G"))
    assert effect["effect"] == pytest.approx((star.d - base.d).mean())
    alone = classify(star.x, star.d, star.e)
    row = next(row for row in found.verdicts if row["world"] == "star, lean")
    assert (row["gain"], row["worst"], row["n"]) == pytest.approx((alone.gain, alone.worst, 24))
    assert "Holm over 3" in found.correction


def test_a_comparison_agrees_with_the_atlas(view):
    question = comparing.Question((Ours("random"), Ours("star")), "hubs", replicates=240, intensities=9)
    found = comparing.answer(replace(question, replicates=24))
    for name, curve in found.curves.items():
        published = view.curve("own", "consumption", "lean", name, "hubs")
        # The first 24 of the atlas' 240 replicates: their mean lies near that of all.
        assert curve["mean"][-1] == pytest.approx(published["d"].iloc[-1], abs=12)
        assert curve["mean"][4] == pytest.approx(published["d"].iloc[4], abs=1)


def test_a_policy_begins_with_the_shock_and_is_compared_by_what_is_made():
    question = comparing.Question(
        (Ours("random"), Ours("random", policy="strategic_stock")), "outage", "production", replicates=2, intensities=5
    )
    aided = question.scenarios()[question.names()[1]]
    assert aided.policies[0].trigger.after == "outage"
    found = comparing.answer(question)
    assert found.curves["stocks subsidised"]["mean"][0] == 0.0  # without a shock it never begins


def test_effects_are_told_with_sign_unit_and_interval():
    row = {"outcome": "d", "first": -0.683, "other": -0.152, "effect": 0.531, "low": 0.507, "high": 0.555}
    assert comparing.effect_row(row) == (
        "response at full strength",
        "−68.3 %",
        "−15.2 %",
        "+53.1 points",
        "[+50.7, +55.5]",
    )
    assert signed(-0.01) == "0.0"


# --- policies ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town():
    """A town with two levers, lived twice."""
    budgets = (("emergency_grant", 0.3), ("systemic_protection", 0.2))
    return policies.answer(policies.Question(budgets, replicates=2))


def test_a_package_costs_no_more_than_its_budgets(town):
    assert town.package.spent.high > 0
    assert town.package.spent.value <= 0.5 + 1e-9


def test_what_customers_got_adds_up(town):
    gap = np.array(town.daily["package"]) - np.array(town.daily["none"])
    assert gap.sum() / 100 == pytest.approx(town.package.consumption.value, abs=1e-9)
    assert np.sum(np.array(town.daily["calm"]) - np.array(town.daily["none"])) / 100 == pytest.approx(town.lost.value)


def test_groups_of_each_kind_are_all_firms(town):
    for of in ("size", "region", "sector"):
        assert sum(group.firms for group in town.groups if group.of == of) == pytest.approx(policies.FIRMS, abs=9)


def test_no_lever_changes_nothing():
    bare = policies.answer(policies.Question(replicates=2))
    assert bare.package.spent.value == bare.package.consumption.value == bare.package.output.value == 0.0
    assert bare.gainers == (0.0, 0.0)


def test_an_unknown_lever_is_told():
    with pytest.raises(InputError, match="no such lever"):
        policies.Question((("magic", 1.0),)).scenario({"magic": 1.0})


def package(name, spent, gained, avoided=(0.0, 0.0, 0.0)):
    """A package of some cost and gain."""
    flat = policies.Effect(0.0, 0.0, 0.0)
    return policies.Package(
        name,
        policies.Effect(spent, spent, spent),
        policies.Effect(gained, gained, gained),
        flat,
        flat,
        policies.Effect(*avoided),
    )


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(-1, 1)), min_size=1, max_size=12))
def test_the_front_is_what_nobody_beats(points):
    some = tuple(package(str(at), *point) for at, point in enumerate(points))
    front = policies.front(some)
    assert front
    for one in some:
        beaten = any(
            o.spent.value <= one.spent.value and o.consumption.value >= one.consumption.value
            and (o.spent.value, o.consumption.value) != (one.spent.value, one.consumption.value)
            for o in some
        )  # fmt: skip
        assert (one.name in front) != beaten


@pytest.mark.parametrize(
    ("spent", "avoided", "answer"),
    [
        (0.9, (40.0, 31.0, 50.0), "yes"), (0.9, (33.0, 15.0, 51.0), "perhaps"),
        (0.9, (10.0, 5.0, 15.0), "no"), (1.5, (40.0, 31.0, 50.0), "no"),
    ],
)  # fmt: skip
def test_the_challenge_is_judged_by_the_interval(spent, avoided, answer):
    assert policies.reached(package("x", spent, 0.1, avoided)) == answer


def test_a_ratio_is_that_of_the_sums():
    gained, lost = np.array([1.0, 0.0, 2.0]), np.array([4.0, 4.0, 2.0])
    found = policies.ratio(gained, lost)
    assert found.value == pytest.approx(30.0)
    assert found.low < 30.0 < found.high
    assert policies.ratio(gained, np.zeros(3)).value == 0.0


# --- lessons, texts, charts ----------------------------------------------------------------------------------------


def test_six_lessons_come_along_each_with_bets_and_notes():
    known = lessons.known()
    assert len(known) >= 6
    for lesson in known.values():
        kinds = [step.kind for step in lesson.steps]
        assert "bet" in kinds
        assert "reveal" in kinds
        assert "question" in kinds
        assert lesson.teacher


def test_a_lesson_is_read_from_its_page_and_drawn_as_there():
    shown, lesson = lessons.printed("cascade"), lessons.known()["cascade"]
    assert shown is lessons.printed("cascade")
    assert len(shown.first) == lesson.points
    assert set(shown.right) == {step.name for step in lesson.steps if step.kind == "bet"}
    assert lessons.one_file("cascade").startswith(b"<!doctype html>")
    run = shown.first[lesson.points // 2]
    scene = lessons.scene(run.town)
    at = np.frombuffer(scene.at, "<u2").reshape(-1, 2) / 65_535
    assert scene.nodes == len(run.town.names) == len(at)
    assert at[:, 0] == pytest.approx(run.town.at[:, 0] / WIDTH, abs=1e-4)
    assert 0.5 - at[:, 1] == pytest.approx((run.town.at[:, 1] - HEIGHT / 2) / WIDTH, abs=1e-4)
    assert np.array_equal(decoded(lessons.frames(run), lesson.base.days), run.firms)


def test_a_page_that_is_stale_is_no_page(monkeypatch):
    def stale(name):
        raise InputError("made from another lesson")

    monkeypatch.setattr(lesson_of, "shipped", stale)
    assert lessons.printed.__wrapped__("cascade") is None


def test_own_bets_are_found_by_their_labels():
    lesson = lessons.known()["cascade"]
    step = next(step for step in lesson.steps if step.kind == "bet")
    said = {step.name: step.options[1].label}
    assert lessons.answers(lesson, said.get) == {step.name: 1}
    assert lessons.answers(lesson, lambda _: "something else") == {}


def test_bets_are_counted_in_the_order_of_the_options():
    step = next(step for step in lessons.known()["cascade"].steps if step.kind == "bet")
    first, second, *_ = (option.label for option in step.options)
    assert lessons.tally(step, {second: 3, "something else": 9})[:2] == [(first, 0), (second, 3)]


def test_the_validation_of_the_documentation_is_read():
    published, world = about.validation()
    assert published.met[1] >= 60
    assert world.met[0] == world.met[1] - len(world.missed)
    assert all(len(row) == len(each.columns) for each in (published, world) for row in each.rows)


def test_every_parameter_has_a_source():
    assert (about.parameters()["source"] != "").all()
    assert (about.policy_parameters()["source"] != "").sum() > 30


def test_sections_are_found():
    assert about.section("# A\n## One\nx\n## Two\ny\n", "One") == "x"
    assert about.section("# A\n", "One") == ""


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[go](javascript:alert(1))", "![x](http://evil/x.png)",
        "<img src=x onerror=alert(1)>", "[a]: javascript:alert(1)\n\n[a][a]", "<javascript:alert(1)>",
        "[x][a]\n\n  [a]: http://evil", "[n [m](javascript:1)](javascript:2)",
    ],
)  # fmt: skip
def test_a_text_of_a_folder_can_do_nothing(text):
    made = prose.foreign(f"# {text}\n\n{text}\n\n| {text} |\n|---|\n| {text} |\n")
    assert set(re.findall(r"<\s*(\w+)", made)) <= {"h1", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert not re.findall(r"<[^>]*=", made)  # no attribute


def test_a_reason_is_a_sentence_that_claims_no_smaller_p_than_anybody_can_mean():
    text = "concave at x = 112.5 (H = -2.56 %), P 5.7e-179; unrecovered at x = 7, P 0.03; ruin in 2 of 9, P 0"
    assert prose.reason(text) == (
        "Concave at x = 112.5 (H = −2.56 %), P below 0.0001; unrecovered at x = 7, P 0.03; ruin in 2 of 9, "
        "P below 0.0001."
    )
    assert prose.reason("underpowered: 4 replicates") == "Underpowered: 4 replicates."


def test_a_text_of_a_folder_keeps_headings_and_tables():
    assert "<h2>One</h2>" in prose.foreign("## One\n")
    assert "<table>" in prose.foreign("| a | b |\n|---|---|\n| 1 | <b> |\n")


def test_curves_differ_in_mark_and_dash_as_well_as_in_colour():
    lines = [Line(name, [0, 1, 2], [0, -1, -3], [-1, -2, -4], [1, 0, -2]) for name in "abcd"]
    drawn = [series for series in figures.curves(lines, "x")["series"] if series["showSymbol"]]
    for what in ("symbol", "color"):
        assert len({series[what] for series in drawn}) == 4
    assert len({str(series["lineStyle"]["type"]) for series in drawn}) == 4


def test_a_front_is_drawn_from_the_cheapest_on():
    option = figures.points([("g", [("b", 2.0, 3.0), ("a", 1.0, 1.0)])], "cost", ["b", "a"])
    assert option["series"][-1]["data"] == [[1.0, 1.0], [2.0, 3.0]]
