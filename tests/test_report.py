"""Reports: every kind of folder in every format, self-contained, and never stronger than the intervals."""

import io
import json
import re
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from scipy import stats

from ecosim.dossier import claims, document, policy, standing
from ecosim.dossier.claims import MINUS, NO_DIFFERENCE, Effect, compared, places, sentence, signed
from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, section, table
from ecosim.dossier.making import made, rendered, report
from ecosim.dossier.text import html, markdown
from ecosim.errors import InputError
from ecosim.study.policy.page import QUICK
from tests import tiny_folders
from tests.tiny_folders import KINDS


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("folders")
    return {name: tiny_folders.copied(name, place / name) for name in KINDS}


@pytest.fixture(scope="module")
def documents(folders):
    return {name: made(folder) for name, folder in folders.items()}


class Seen(HTMLParser):
    """What a browser would fetch, and which elements are left open."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.ids, self.targets = [], [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            value = found.get(name)
            if value and value.startswith("#"):
                self.targets.append(value[1:])
            elif value and not value.startswith("data:"):
                self.fetched.append(value)
        self.fetched += re.findall(r"url\((?!#|data:)([^)]*)\)", found.get("style") or "")
        self.ids += [found["id"]] if found.get("id") else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


# --- every kind in every format ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_but_itself(documents, kind):
    page = html(documents[kind]).decode()
    seen = Seen()
    seen.feed(page)
    assert seen.fetched == []
    assert seen.open == []
    assert set(seen.targets) <= set(seen.ids)
    for word in ("http:", "https:", "//", "@import", "<script", "<link", "<iframe", "xmlns"):
        assert word not in re.sub(r"<pre>.*?</pre>|data:image/png;base64,[^\"]*", "", page, flags=re.DOTALL), word
    assert re.findall(r"url\((?!#)", page) == []
    assert 'name="viewport"' in page
    assert "@media print" in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_the_same(documents, kind):
    told = documents[kind]
    pages = {name: rendered(told, name) for name in ("html", "pdf", "md")}
    read = PdfReader(io.BytesIO(pages["pdf"]))
    plain = " ".join(page.extract_text() for page in read.pages)
    texts = {
        "html": re.sub(r"<[^>]+>", " ", pages["html"].decode()).replace("&#39;", "'").replace("&gt;", ">"),
        "pdf": plain,
        "md": pages["md"].decode().replace("\\", ""),
    }
    for name, text in texts.items():
        words = re.sub(r"\s+", "", text)
        for each in (told.title, told.question, *told.answer, *(part.title for part in told.sections)):
            assert re.sub(r"\s+", "", each) in words, (name, each)
    assert {"Assumptions", "Limits", "How to reproduce it", "Data and licences", "How far the model is validated"} <= {
        part.title for part in told.sections
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_folder_gives_the_same_bytes(folders, documents, kind):
    again = made(folders[kind])
    for name in ("html", "pdf", "md"):
        assert rendered(documents[kind], name) == rendered(again, name), name


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_how_to_find_the_same_again(folders, documents, kind):
    text = markdown(documents[kind]).decode().replace("\\", "")
    assert f"ecosim verify {folders[kind]}" in text
    assert "MIT licence" in text
    assert "its code" in text
    assert "seed | 4" in text or "seed | 1" in text
    assert "No data were used" in text


def test_figures_are_in_it(documents):
    shown = {
        kind: [b for part in told.sections for b in part.blocks if isinstance(b, Picture)]
        for kind, told in documents.items()
    }
    assert {kind: len(found) for kind, found in shown.items()}.items() >= {
        "run": 4,
        "comparison": 1,
        "atlas": 3,
    }.items()
    for found in (*shown["run"], *shown["comparison"], *shown["sweep"]):
        assert found.svg.startswith("<svg")
        assert found.png.startswith(b"\x89PNG")
        assert found.caption


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_one_file(typed, folders, tmp_path):
    code, out, _ = typed("report", str(folders["run"]))
    assert (code, out) == (0, "Written to run-report.html\n")
    code, out, _ = typed("report", str(folders["run"]), "--out", "told.md")
    assert (code, out) == (0, "Written to told.md\n")
    assert (tmp_path / "told.md").read_text().startswith("# small\n")
    assert typed("report", str(folders["run"]), "--out", "told.md")[0] == 2
    assert typed("report", str(folders["run"]), "--out", "told.md", "--force")[0] == 0
    code, _, err = typed("report", str(folders["run"]), "--format", "docx")
    assert (code, "no format 'docx'; there are html, pdf, md" in err) == (2, True)


def test_other_folders_are_refused_with_what_was_expected(typed, tmp_path):
    code, _, err = typed("report", "nope")
    assert (code, err) == (
        2,
        "error: nope: no such folder; give one written by ecosim run, ecosim compare, ecosim atlas, ecosim sweep or "
        "ecosim policy\n",
    )
    (tmp_path / "empty").mkdir()
    code, _, err = typed("report", "empty")
    assert code == 2
    assert (
        "empty: none of atlas.json, comparison.json, manifest.json, study.json is in it; give a folder written" in err
    )
    for damage in ("{", "[]", "[" * 100_000, '{"series_sha256": "", "versions": 1}'):
        (tmp_path / "empty" / "manifest.json").write_text(damage)
        assert "empty/manifest.json: damaged" in typed("report", "empty")[2]
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "calibration.json").write_text("{}")
    assert "fit: a calibration; give one of its waves, such as fit/wave-1" in typed("report", "fit")[2]
    (tmp_path / "file").write_text("")
    assert "file: a file; give a folder" in typed("report", "file")[2]


def test_explain_and_report_refuse_before_anything_heavy_is_imported(tmp_path):
    import subprocess
    import sys

    for words in (["explain", "nope"], ["report", "nope"], ["verify", "nope"]):
        program = (
            f"import sys; sys.argv = ['ecosim', *{words}]\nfrom ecosim.cli import main\ntry:\n    main()\n"
            "finally:\n    print([name for name in ('numpy', 'pandas', 'numba', 'matplotlib') if name in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "nope: no such folder" in done.stderr
        assert done.stdout.strip() == "[]", words


def test_an_unfinished_atlas_is_refused(tmp_path):
    folder = tiny_folders.copied("atlas", tmp_path / "atlas")
    (folder / "own.lean.ring.fire.parquet").unlink()
    with pytest.raises(InputError, match="1 cells of the atlas are missing"):
        made(folder)


def test_a_damaged_policy_study_is_refused_with_its_file(tmp_path):
    folder = tiny_folders.copied("policy", tmp_path / "policy")
    page = folder / "page.md"
    whole = page.read_text()
    page.write_text(re.sub(r"(?m)^(\|[^|\n]*\|).*\n(\| ?-)", r"\1\n\2", whole, count=1))
    with pytest.raises(InputError, match=r"page\.md: damaged \(rows of unlike length"):
        made(folder)
    page.write_text(whole)
    held = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(held | {"levers": {}}))
    with pytest.raises(InputError, match=r"study\.json: damaged \(no levers"):
        made(folder)


def test_a_changed_file_is_told(tmp_path):
    folder = tiny_folders.copied("run", tmp_path / "run")
    manifest = folder / "manifest.json"
    manifest.write_text(re.sub(r'"code": "\w+"', '"code": "another"', manifest.read_text()))
    text = markdown(made(folder)).decode()
    assert "> The code of ecosim was another then" in text


# --- null results -----------------------------------------------------------------------------------------------------


def test_a_run_without_a_loss_says_so(tmp_path):
    calm = made(tiny_folders.run(tmp_path / "calm", shocks=[]))
    assert calm.question == "How does small live 20 days in which nothing strikes?"
    assert "no loss could be told apart from none" in calm.answer[0]
    assert "no interval is given" in calm.answer[2]
    assert "% less" not in " ".join(calm.answer)


def test_two_of_the_same_are_told_as_the_same(tmp_path):
    told = made(tiny_folders.comparison(tmp_path / "same", {"days": 20}))
    assert "stocked and lean respond alike in each of 8 replicates." in told.answer[1]
    assert "no label could be shown" in told.answer[0]


def test_a_difference_by_chance_alone_is_not_told_as_one(tmp_path):
    """Two scenarios that differ in nothing but whom the fire strikes: what differs is luck."""
    from ecosim.dossier import comparison
    from ecosim.resilience import compare

    lean = tiny_folders.world(name="lean")
    other = lean.with_({"name": "other", "shocks.0.who": {"share": 0.3, "firms": None, "region": None}})
    found = compare({"lean": lean, "other": other}, replicates=6, intensities=5)
    rng = np.random.Generator(np.random.Philox(5))
    for name in ("d", "e"):
        noise = rng.normal(0.0, 0.01, found.responses["other"].d.shape)
        object.__setattr__(
            found.responses["other"], name, getattr(found.responses["lean"], name) + noise - noise.mean(axis=0)
        )
    from ecosim.resilience.comparison import of_responses

    told = of_responses(found.responses, found.scenarios, (), {})
    words = comparison.answer(told)
    assert f"{NO_DIFFERENCE} in output" in words[1].lower()
    assert "is not ruled out" in words[1]
    assert "loses no more" not in words[1]
    assert " higher " not in words[1]
    assert " lower " not in words[1]


def test_a_sweep_in_which_nothing_matters_says_so(tmp_path):
    factors = {"shocks.0.recovery.start": [0, 1], "economy.smoothing_days": [6, 6.0001]}
    calm = tiny_folders.world(shocks=[{**tiny_folders.FIRE, "severity": 0.0}])
    told = made(tiny_folders.study(tmp_path / "flat", scenario=calm, factors=factors))
    assert "no factor could be shown to matter" in told.answer[1]


def test_a_sweep_in_which_a_factor_matters_names_it(documents):
    assert (
        documents["sweep"].answer[1].startswith("Shocks.0.severity")
        or "shocks.0.severity" in documents["sweep"].answer[1]
    )
    assert "no factor could be shown" not in documents["sweep"].answer[1]


def test_assumptions_are_told_of_all_that_is_compared_and_in_words():
    plain = tiny_folders.world(name="plain")
    rich = plain.with_({"mechanisms": [{"kind": "recovery", "drag": 2.0}], "economy.inventory_days": 30})
    told = standing.assumptions(plain, others={"rich": rich.with_({"name": "rich"})})
    points = next(block for block in told.blocks if isinstance(block, Points)).items
    assert any(item.startswith("plain: No mechanism is on") for item in points)
    assert any(item.startswith("rich: Firms and people do more") and "recovery" in item for item in points)
    days = f"{plain.economy.inventory_days:g}"
    assert (
        f"rich differs from plain in: with the mechanisms recovery; economy: inventory_days 30 (not {days})." in points
    )
    spread = rich.with_({"mechanisms.0.rebuild_cost": {"median": 20, "sigma": 0.5, "by": {"retail": 25}}})
    (settings,) = [row[2] for row in standing.settings(spread).rows if row[1] == "recovery"]
    assert settings == "drag 2; rebuild_cost 20 (lognormal, sigma 0.5) (retail 25)"
    as_usual = rich.with_({"mechanisms.0.rebuild_cost": type(rich.mechanisms[0]).model_fields["rebuild_cost"].default})
    (settings,) = [row[2] for row in standing.settings(as_usual).rows if row[1] == "recovery"]
    assert settings == "drag 2"
    (other,) = standing.differences(plain, plain.with_({"network": {"kind": "ring"}}))
    assert other == f"network ring (not {plain.network.kind})"
    assert standing.differences(rich, plain)[0] == "without the mechanisms recovery"


def test_a_quick_policy_study_says_first_that_it_says_nothing():
    _, intro, _ = policy.read(f"# it\n\n{QUICK}\n\nOne package.\n")
    answer = policy.answer((Paragraph("It saves a lot."),), intro)
    assert answer[0].startswith("The quick form: ")
    assert answer[0].endswith("says nothing of any policy. It saves a lot.")
    assert policy.answer((Paragraph("It saves a lot."),))[0] == "It saves a lot."


def test_a_policy_study_is_told_as_its_page_tells_it(documents):
    told = documents["policy"]
    assert NO_DIFFERENCE in told.answer[0]
    blocks = [block for part in told.sections for block in part.blocks]
    assert Paragraph("1 training futures are left out, because a run failed in them.", warning=True) in blocks
    rows = next(block for block in blocks if isinstance(block, document.Table) and "spent" in block.head)
    assert rows.rows == (("grants 1", "+0.04 [+0.01, +0.06]", "+0.02 [-0.2, +0.2]"),)
    assert rows.right == (False, True, True)
    assert any(
        "taxes" in item for block in told.sections[-2].blocks if isinstance(block, Points) for item in block.items
    )


def test_the_atlas_tells_no_order_that_ranks_do_not_bear(documents):
    told = " ".join(documents["atlas"].answer)
    assert NO_DIFFERENCE in told or "stands first" in told
    assert "4 paired replicates" in told


# --- claims -----------------------------------------------------------------------------------------------------------

bounded = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 6))


@given(st.lists(bounded, min_size=3, max_size=12), st.integers(1, 6))
def test_a_claim_is_never_stronger_than_its_interval(values, among):
    mean, sd, n = float(np.mean(values)), float(np.std(values, ddof=1)), len(values)
    half = claims.spread(sd, n)
    effect = Effect(mean, mean - half, mean + half, n, among)
    told = compared(effect, "loss", "points", "a", "b")
    claimed = " higher with " in told or " lower with " in told
    assert claimed == effect.shown
    if claimed:
        assert effect.low > 0 or effect.high < 0
        assert (" higher " in told) == (effect.value > 0)
        if sd > 1e-9:
            assert stats.ttest_1samp(values, 0.0).pvalue * among <= 0.05 + 1e-9
    elif not effect.none:
        assert told.startswith(NO_DIFFERENCE)
        assert "95 % interval" in told


def test_p_values_are_those_of_a_t_test():
    values = np.array([0.3, 0.8, 0.1, 0.9, 0.4])
    half = claims.spread(values.std(ddof=1), 5)
    effect = Effect(values.mean(), values.mean() - half, values.mean() + half, 5, among=3)
    assert effect.p == pytest.approx(3 * stats.ttest_1samp(values, 0.0).pvalue, rel=1e-9)


def test_what_is_shown_alone_may_not_be_among_many():
    alone = Effect(1.0, 0.05, 1.95, 10)
    assert alone.shown
    many = Effect(1.0, 0.05, 1.95, 10, among=8)
    assert not many.shown
    assert "once 8 comparisons are allowed for" in compared(many, "loss", "points", "a", "b")


def test_numbers_are_told_as_exactly_as_they_are_known():
    assert [places(width) for width in (20.0, 2.0, 0.3, 0.02, 0.0)] == [0, 0, 1, 2, 2]
    assert signed(-0.25, 1) == f"{MINUS}0.2"
    assert signed(-0.004, 2) == "0.00"
    assert str(Effect(-1.4, -2.5, -0.3, 60)) == f"{MINUS}1.4 (95 % interval {MINUS}2.5 to {MINUS}0.3, n = 60)"
    assert sentence("lean is it", name="lean") == "lean is it."
    assert sentence("for all") == "For all."


# --- the document -----------------------------------------------------------------------------------------------------


def test_text_is_text_in_every_format():
    nasty = "<b>*a* & | `x` # $1 ½ − „“"
    told = Document(
        nasty, "a test", nasty, (nasty, nasty, nasty),
        (
            section(
                "Things",
                Paragraph(nasty), Paragraph(nasty, warning=True), Points((nasty,)), Listing("a\n  <b>\n" + "x" * 300),
                table(nasty, ("what", "size"), [(nasty, "1,234.5 %"), ("y" * 200, f"{MINUS}3 [{MINUS}4, 5]")]),
            ),
        ),
        "colophon",
    )  # fmt: skip
    page = html(told).decode()
    assert "default-src 'none'" in page, "nor does what a picture of a folder may hold"
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert r"\<b>\*a\* & \| \`x\` \# $1" in markdown(told).decode()
    linked = Document(f"[l]({nasty}", "a test", "", ("", "", ""), (), "colophon")
    assert markdown(linked).decode().startswith(r"# [l]\(\<b>\*a\*")
    text = PdfReader(io.BytesIO(rendered(told, "pdf"))).pages[0].extract_text()
    assert "<b>*a* & | `x` # $1 ½ − „“" in text


def test_columns_of_numbers_stand_to_the_right():
    one = table("", ("a", "b", "c", "d"), [("x", "1", "-0.5 %", "3 x of"), ("y", "–", "+1 [0, 2]", "1")])
    assert one.right == (False, True, True, False)


def test_pictures_of_one_page_do_not_mix_up_their_parts():
    figure = mpl.figure.Figure()
    figure.subplots().plot([0, 1], [0, 1], marker="o")
    picture = Picture("a line", lambda: figure)
    assert "xmlns" not in picture.svg
    assert "<metadata" not in picture.svg
    assert picture.svg == Picture("a line", lambda: figure).svg
    assert (picture.width, picture.shape) == (614, (6.4, 4.8))


def test_a_page_of_markdown_is_read_as_it_is_written():
    title, intro, parts = policy.read(tiny_folders.PAGE)
    assert title == "a policy study"
    assert len(intro) == 2
    assert list(parts) == ["The answer", "For each unit spent", "What this rests on"]


def test_report_from_python(folders, tmp_path):
    assert report(folders["run"], tmp_path / "r.pdf", kind="pdf") == tmp_path / "r.pdf"
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
