"""Explore in Chromium: levers, days, firms and branches by mouse and by keyboard, uploads, addresses, phones."""

import numpy as np
import pytest

from dashboards import living
from dashboards.network import encode
from dashboards.worlds import Choice

from .conftest import audit

SMALL = "/?firms=30&days=60&runs=4"
CHOICE = Choice(firms=30, days=60, runs=4)


@pytest.fixture
def explore(visit):
    """Open Explore at an address and wait until its network is drawn."""

    def open_(path=SMALL, **options):
        page = visit(path, **options)
        page.wait_for_selector(".net[data-ready]")
        return page

    return open_


def head(page):
    """The first figure, with its unit."""
    return " ".join(page.locator(".eco-head-number").first.inner_text().split())


def test_the_network_in_the_browser_is_the_engine_s(explore):
    page, answer = explore(), living.answer(CHOICE)
    got = page.evaluate("""() => { const net = document.querySelector(".net").net;
        return {codes: Array.from(net.codes), names: net.names, pairs: Array.from(net.pairs)}; }""")
    scene = living.scene(CHOICE, None, 0, "trade")
    assert np.array_equal(np.reshape(got["codes"], (60, 30)), encode.decoded(answer.frames[0], 60))
    assert len(got["names"]) == 30
    assert len(got["pairs"]) == 2 * scene.shown_links
    worst = answer.made.mean(axis=1).argmin()
    page.wait_for_function(f"document.querySelector('.net-day').textContent === 'day {worst}'")


NO_WEBGL = """
const drawn = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...how) {
  return kind.startsWith("webgl") ? null : drawn.call(this, kind, ...how);
};
"""


def test_a_machine_without_webgl_sees_the_network_too(explore):
    page = explore(script=NO_WEBGL)
    coloured = """() => { const canvas = document.querySelector(".net").net.canvas;
        const found = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set();
        for (let at = 0; at < found.length; at += 4) if (found[at + 3] > 200) seen.add(found.slice(at, at + 3).join());
        return seen.size; }"""
    assert page.evaluate(coloured) >= 3, "paper, and firms in more than one colour"
    day = page.locator(".net-day").inner_text()
    page.get_by_role("slider", name="Day").first.focus()
    page.keyboard.press("Home")
    page.wait_for_function("old => document.querySelector('.net-day').textContent !== old", arg=day)


def test_a_slider_changes_the_figures_by_keyboard_and_undo_brings_them_back(explore):
    page = explore()
    before = head(page)
    slider = page.get_by_role("slider", name="Severity").first
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "old => document.querySelector('.eco-head-number').innerText.split(/\\s+/).join(' ') !== old", arg=before
    )
    page.wait_for_url("**severity=100**")
    assert slider.get_attribute("aria-valuetext") == "100 % lost"
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(
        "old => document.querySelector('.eco-head-number').innerText.split(/\\s+/).join(' ') === old", arg=before
    )
    assert slider.input_value() == "60"


def test_days_are_scrubbed_and_played_without_the_server(explore):
    page = explore()
    sent = []
    page.wait_for_load_state("networkidle")  # what the page itself asks for must be there
    page.context.set_offline(True)
    page.on("request", lambda asked: sent.append(asked.url))
    days = page.get_by_role("slider", name="Day of the run")
    days.focus()
    page.keyboard.press("Home")
    assert page.locator(".net-day").inner_text() == "day 0"
    page.keyboard.press("ArrowRight")
    assert page.locator(".net-day").inner_text() == "day 1"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.net').net.day > 8")
    page.get_by_role("button", name="Pause").click()
    assert not sent
    page.context.set_offline(False)


def test_a_firm_is_asked_by_keyboard_and_by_name(explore):
    page = explore()
    page.locator(".net-stage").focus()
    page.keyboard.press("Home")
    page.wait_for_selector(".eco-story li")
    told = page.get_by_role("region", name="The firm looked at")
    assert told.locator("li").first.inner_text().startswith(told.locator("h3").inner_text())
    page.get_by_label("Find").fill("#7")
    page.keyboard.press("Enter")
    told.get_by_role("heading", name="Goods #7").wait_for()


def test_what_if_now_strikes_on_the_day_that_is_shown(explore):
    page = explore()
    days = page.get_by_role("slider", name="Day of the run")
    days.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Strike on day 3").click()
    page.wait_for_url("**now=3.outage**")
    page.wait_for_selector(".eco-head-change")
    page.wait_for_function("document.querySelector('.net').net.events.some(e => e.label === 'what if' && e.day === 3)")
    codes = page.evaluate("() => Array.from(document.querySelector('.net').net.codes.slice(0, 3 * 30))")
    assert np.array_equal(np.reshape(codes, (3, 30)), encode.decoded(living.answer(CHOICE).frames[0], 60)[:3])


def test_a_bad_file_is_told_in_place_and_the_page_goes_on(explore):
    page = explore()
    page.get_by_role("button", name="Use your own").click()
    bad = {"name": "bad.yaml", "mimeType": "text/yaml", "buffer": b"days: 9\neconomy: {kind: 'os:system'}\n"}
    page.get_by_label("Scenario (YAML)").set_input_files(bad)
    page.get_by_text("bad.yaml:2").wait_for()
    good = {"name": "good.yaml", "mimeType": "text/yaml", "buffer": b"days: 30\neconomy: {kind: uniform, firms: 20}\n"}
    page.get_by_label("Scenario (YAML)").set_input_files(good)
    page.get_by_text("20 firms, 30 days").wait_for()
    page.wait_for_function("document.querySelector('.net').net.n === 20")


def test_files_are_given(explore):
    page = explore()
    for button, name, begins in (
        ("Scenario (YAML)", "scenario.yaml", b"name: sixty"),
        ("All runs (CSV)", "runs.csv", b"\xef\xbb\xbfrun,day"),
        ("SVG", "output_of_undisturbed.svg", b"<?xml"),
        ("Picture (PNG)", None, b"\x89PNG"),
    ):
        with page.expect_download() as given:
            page.get_by_role("button", name=button, exact=True).click()
        assert name is None or given.value.suggested_filename == name
        assert given.value.path().read_bytes().startswith(begins)


def test_the_table_behind_the_chart_opens_by_keyboard(explore):
    page = explore()
    page.get_by_role("button", name="Table", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".eco-table tbody tr")
    assert page.locator(".eco-table tbody tr").count() == 60


@pytest.mark.parametrize("path", [SMALL, SMALL + "&projector=1&base.severity=95"])
def test_axe_finds_nothing_serious(explore, path):
    page = explore(path)
    page.get_by_role("button", name="Table", exact=True).click()
    page.wait_for_selector(".eco-table tbody tr")
    assert audit(page) == []


def test_a_phone_is_wide_enough(explore):
    page = explore(SMALL + "&base.severity=95")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_ten_thousand_firms_are_drawn_soon_and_cost_little(explore):
    page = explore("/?ecosystem=main_street&shock=given&firms=10000&runs=2&days=60")
    got = page.evaluate("""async () => {
        const net = document.querySelector(".net").net, begun = performance.now();
        await net.newScene(); net.draw(); net.gl.finish();
        const first = performance.now() - begun, sent = ["at", "size", "links", "names", "frames", "struck"];
        return {first, sent: sent.reduce((sum, name) => sum + net.model.get(name).byteLength, 0), firms: net.n};
    }""")
    assert got["firms"] == 10_000
    assert got["sent"] < 1_000_000
    assert got["first"] < 3_000
