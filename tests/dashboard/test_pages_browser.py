"""The pages in Chromium: the keyboard alone, what axe-core finds, the width of a phone, what comes back from work."""

import pytest

from .conftest import audit

PAGES = {
    "/compare?compare.replicates=24": "Compare",
    "/atlas?atlas.cell=random%7Chubs": "Atlas",
    "/policy": "Policy",
    "/learn": "Learn",
    "/learn?learn.lesson=cascade": "What is a cascade?",
    "/data": "Data",
    "/about": "About the model",
}


def wide(page):
    """How many pixels of a page stick out to the right."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_is_found_and_a_phone_is_wide_enough(visit, path):
    page = visit(path)
    assert page.inner_text("#main h1") == PAGES[path]
    assert audit(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert wide(page) <= 0


def test_the_map_is_walked_by_arrow_keys_and_enter_opens_a_cell(visit):
    page = visit("/atlas")
    page.locator(".atlas-map button").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    said = page.evaluate("document.activeElement.textContent")
    assert said.startswith("scale free, outages, one town")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Scale free, outages, one town").wait_for()
    assert "atlas.cell=scale_free%7Ctown" in _address(page)
    assert page.locator(".atlas-map button[aria-pressed=true]").count() == 1


def _address(page):
    page.wait_for_function("location.search.includes('atlas.cell')")
    return page.url


def test_a_run_of_a_cell_is_lived(visit):
    page = visit("/atlas?atlas.cell=random%7Chubs")
    page.get_by_role("button", name="Live one run of it").click()
    page.get_by_text("run 1 at full strength").first.wait_for()


def test_worlds_are_compared_and_a_third_is_added(visit):
    page = visit("/compare?compare.replicates=24")
    page.get_by_role("heading", name="Who is better").wait_for()
    assert page.locator(".world .verdict").count() == 2
    page.get_by_role("button", name="Add a world").click()
    page.get_by_label("World C").wait_for()
    page.wait_for_function("document.querySelectorAll('.world .verdict').length === 3")
    page.get_by_role("button", name="Remove C").click()
    page.wait_for_function("document.querySelectorAll('.world').length === 2")


def test_a_bet_is_placed_by_the_keyboard_and_kept(visit):
    page = visit("/learn?learn.lesson=cascade&learn.step=2")
    page.locator(".bets input").first.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_text("Your bet is placed").wait_for()
    assert page.locator(".bets input").nth(1).is_checked()


def test_parameters_are_searched(visit):
    page = visit("/about")
    page.get_by_label("Search").fill("payment_days")
    page.keyboard.press("Enter")
    page.get_by_text("Page 1 of 1").wait_for()


def test_sessions_look_at_their_own_cells(visit):
    one, other = visit("/atlas"), visit("/atlas")
    one.locator(".atlas-map button").first.click()
    one.locator(".facts").wait_for()
    assert other.locator(".facts").count() == 0
