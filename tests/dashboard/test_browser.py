"""Every page in Chromium without a network: nothing asked elsewhere (see `visit`), axe-core, keyboard, sizes, state."""

import re

import pytest

from dashboards.app import PAGES, path

from .conftest import audit

PATHS = [path(page) for page in PAGES]
SMALL = {"width": 360, "height": 740}

# What has the focus: its name as a screen reader would say it, and whether a sighted person sees where the focus is.
FOCUSED = """() => {
  const now = document.activeElement, style = getComputedStyle(now), box = now.getBoundingClientRect();
  const labels = now.labels ? [...now.labels].map((label) => label.innerText) : [];
  const ids = (now.getAttribute("aria-labelledby") || "").split(" ");
  const by = ids.map((id) => document.getElementById(id)?.innerText);
  const names = [now.getAttribute("aria-label"), ...by, ...labels, now.innerText, now.title, now.alt];
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none";
  const html = now.outerHTML.slice(0, 160);
  return { tag: now.tagName, name: names.find((text) => text) || "", seen: outlined && box.width > 0, html };
}"""


@pytest.mark.parametrize("at", PATHS)
def test_a_page_passes_axe_alone_on_a_phone_and_on_a_projector(visit, at):
    page = visit(at)
    page.wait_for_timeout(500)
    assert audit(page) == []
    assert page.locator("h1").count() == 1
    assert page.title().endswith("· ecosim")
    page.get_by_role("button", name="Projector").click()
    page.wait_for_selector("html.projector")
    assert audit(page) == []
    page.set_viewport_size(SMALL)
    page.wait_for_timeout(200)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, "a page scrolls sideways only inside its tables and charts"
    assert audit(page) == []


@pytest.mark.parametrize("at", PATHS)
def test_the_keyboard_reaches_everything_that_can_be_used_and_shows_where_it_is(visit, at):
    page = visit(at)
    page.wait_for_timeout(500)
    usable = page.locator("a[href]:visible, button:enabled:visible, input:enabled:visible, select:enabled:visible")
    expected = usable.count()
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(min(expected + 10, 150)):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now["tag"] == "BODY":
            break
        reached.append(now)
    assert reached[0]["name"] == "Skip to the page"
    assert [now["html"] for now in reached if not now["seen"] and now["tag"] != "MAIN"] == []
    assert [now["html"] for now in reached if not now["name"].strip() and now["tag"] != "MAIN"] == []
    assert len(reached) >= min(expected, 150) - radios(page)


def radios(page):
    """Of a group of radio buttons, Tab reaches one."""
    return page.locator("input[type=radio]:enabled:visible").count() + page.locator("[tabindex='-1']:visible").count()


def test_the_skip_link_and_the_pages_work_from_the_keyboard(visit):
    page = visit("/about")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="Data", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/data"))
    page.wait_for_function("document.activeElement.id === 'main'")
    assert page.get_by_role("link", name="Data", exact=True).get_attribute("aria-current") == "page"


def test_the_landmarks_are_there_once(visit):
    page = visit()
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1, role
    assert "A model, not a forecast" in page.get_by_role("contentinfo").inner_text()


def test_the_state_goes_along_to_another_page_and_back_and_is_read_again(visit):
    page = visit("/about?seed=7&structure=star&learn.step=2")
    page.get_by_role("link", name="Data", exact=True).click()
    page.wait_for_url("**/data?structure=star&seed=7&learn.step=2")
    page.go_back()
    page.wait_for_url("**/about?structure=star&seed=7&learn.step=2")
    page.reload()
    page.wait_for_selector("#main h1")
    page.wait_for_url("**/about?structure=star&seed=7&learn.step=2")


def test_what_is_wrong_in_an_address_is_told_in_the_page(visit):
    page = visit("/about?seed=many&structure=star")
    told = page.get_by_role("status").filter(has_text="seed=many")
    told.wait_for()
    page.wait_for_url("**/about?structure=star")
    told.get_by_role("button", name="Close").click()
    told.wait_for(state="detached")


def test_the_projector_is_in_the_address(visit):
    page = visit("/about?projector=1")
    page.wait_for_selector("html.projector")
    page.get_by_role("button", name="Projector").click()
    page.wait_for_selector("html:not(.projector)")
    page.wait_for_url(re.compile("/about$"))


def test_two_browsers_share_nothing(visit):
    one, two = visit("/about?seed=11&structure=star"), visit("/about?seed=22")
    one.get_by_role("button", name="Projector").click()
    one.wait_for_url("**projector=1**")
    two.get_by_role("link", name="Data", exact=True).click()
    two.wait_for_url("**/data?seed=22")
    assert two.locator("html.projector").count() == 0
    assert "seed=11" in one.url
    assert one.url.split("?")[0].endswith("/about")


def test_a_class_that_does_not_exist_is_told(visit):
    page = visit("/about?class=NOPE")
    page.get_by_text("There is no class NOPE here").wait_for()
    assert page.locator(".badge").count() == 0


def test_the_teacher_is_known_by_the_link_which_does_not_stay_in_the_address(visit, dashboard):
    teacher = visit(dashboard.teacher)
    secret = dashboard.teacher.rpartition("/")[2]
    teacher.get_by_text("TEST-1 · 0 pupils").wait_for()
    assert secret not in teacher.url
    assert secret not in teacher.evaluate("document.cookie")
    pupil = visit("/learn?class=test-1")
    pupil.get_by_text("Class TEST-1", exact=True).wait_for()
    assert pupil.get_by_role("button", name="Send to the class").count() == 0
    badge = teacher.locator(".badge")
    badge.filter(has_text="1 pupil").wait_for()
    pupil.context.close()
    badge.filter(has_text="0 pupils").wait_for()


def test_print_leaves_the_bar_out(visit):
    page = visit("/about")
    page.emulate_media(media="print")
    assert not page.locator("header.bar").is_visible()
    assert page.locator("h1").is_visible()
