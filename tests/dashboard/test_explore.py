"""The page Explore, drawn without a browser: levers, figures, branches, and files that are no good."""

import base64
import json
import time
from dataclasses import dataclass

import ipywidgets
import pytest
import solara

from dashboards import jobs, living, session, uploads, worlds
from dashboards.network import NetworkWidget
from dashboards.pages import explore, explore_found
from dashboards.words import figure as shown
from dashboards.worlds import Choice, Now

SMALL = Choice(firms=30, days=60, runs=4)
WAIT = 60  # seconds; the first question starts a process that loads everything


@pytest.fixture(scope="module", autouse=True)
def pool():
    """One worker for all tests here."""
    jobs.start(1)
    yield
    jobs.stop()


@pytest.fixture
def page():
    """The page of a new session."""
    here = session.current()
    here.choice.value, here.baseline.value, here.day.value = SMALL, None, None
    uploads.mine.value, here.params.value = None, {}
    box, rendered = solara.render(explore.Page(), handle_error=False)
    yield box
    rendered.close()


def every(widget):
    """A widget and all that are in it."""
    yield widget
    for child in getattr(widget, "children", None) or []:
        if isinstance(child, ipywidgets.Widget):
            yield from every(child)


def found(page, kind):
    """The first widget of a kind, or None."""
    return next((widget for widget in every(page) if isinstance(widget, kind)), None)


def texts(page):
    """All texts of the page's own elements."""
    own = [text for widget in every(page) for text in getattr(widget, "children", None) or [] if isinstance(text, str)]
    heads = [text for widget in every(page) for head in getattr(widget, "heads", []) for text in head.values()]
    return own + heads + [text for widget in every(page) for text in (_trait(widget, "told"), _trait(widget, "wrong"))]


def _trait(widget, name):
    return getattr(widget, name, None) or ""


def until(page, wanted):
    """Wait until something is so."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if there := wanted():
            return there
        time.sleep(0.05)
    pytest.fail(f"not within {WAIT} s; the page says: {texts(page)}")


def lever(page, label):
    """The button or control of a label, or None."""
    for widget in every(page):
        if getattr(widget, "label", "") == label:
            return widget
        for control in json.loads(getattr(widget, "given", "[]")):
            if control["label"] == label:
                return Pulled(widget, control)
    return None


@dataclass
class Pulled:
    """One control of a set."""

    widget: ipywidgets.Widget
    drawn: dict

    def vue_change(self, value):
        """What the browser says of it."""
        self.widget.vue_change([self.drawn["label"], value])


def figure(page):
    """The first of the three figures."""
    return next((widget.heads[0]["number"] for widget in every(page) if hasattr(widget, "heads")), None)


def working(page):
    """What tells how far the answer is."""
    return next(widget for widget in every(page) if getattr(widget, "what", "") == "Living this world")


def test_a_slider_changes_the_figures(page):
    before = until(page, lambda: figure(page))
    assert before == shown(living.answer(SMALL).lost.mean())
    lever(page, "Severity").vue_change(95)
    after = shown(living.answer(SMALL.with_(severity=95)).lost.mean())
    until(page, lambda: figure(page) == after)
    assert after != before
    assert session.current().choice.value.severity == 95


def test_a_slider_takes_no_nonsense(page):
    until(page, lambda: figure(page))
    for given in ("x", None, {"a": 1}):
        lever(page, "Severity").vue_change(given)
    lever(page, "Severity").vue_change(1e9)
    assert session.current().choice.value.severity == 100
    lever(page, "What happens").vue_change("os:system")
    assert session.current().choice.value.shock == "outage"


def test_a_baseline_is_pinned_dashed_and_compared(page):
    until(page, lambda: figure(page))
    lever(page, "Pin as baseline").vue_click(None)
    lever(page, "Severity").vue_change(95)
    told = explore_found.change(living.answer(SMALL.with_(severity=95)), living.answer(SMALL), "lost")
    until(page, lambda: told in texts(page))
    option = json.loads(next(widget.option for widget in every(page) if hasattr(widget, "option")))
    dashed = [one["name"] for one in option["series"] if one["lineStyle"].get("type") == "dashed"]
    assert dashed == ["baseline"]


def test_a_branch_begins_today_and_is_told(page):
    until(page, lambda: found(page, NetworkWidget))
    network = found(page, NetworkWidget)
    network.day = 40
    until(page, lambda: lever(page, "Strike on day 40"))
    lever(page, "Strike on day 40").vue_click(None)
    here = session.current()
    assert here.choice.value == SMALL.branch(Now(40, severity=80.0))
    assert here.baseline.value == SMALL
    until(page, lambda: any("Day 40: outage" in text for text in texts(page)))
    until(page, lambda: any(event["label"] == "what if" for event in network.events))


def test_the_network_shows_the_run_that_is_chosen(page):
    until(page, lambda: found(page, NetworkWidget))
    network, answer = found(page, NetworkWidget), living.answer(SMALL)
    assert network.label == "Run 1 of 4"
    assert network.frames == answer.frames[0]
    lever(page, "Run shown").vue_change("2")
    until(page, lambda: network.label == "Run 3 of 4")
    assert network.frames == answer.frames[2]
    until(page, lambda: network.links == living.scene(SMALL, None, 2, "trade").links)


def test_a_lever_sends_no_network_again(page):
    until(page, lambda: found(page, NetworkWidget))
    network = found(page, NetworkWidget)
    sent = []
    network.observe(lambda change: sent.append(change.name))
    frames = network.frames
    lever(page, "Severity").vue_change(95)
    until(page, lambda: network.frames != frames)
    assert not {"at", "links", "names", "size", "scene"} & set(sent)


def test_a_firm_tells_what_happened(page):
    until(page, lambda: found(page, NetworkWidget))
    found(page, NetworkWidget).selected = 3
    told = living.told(SMALL, None, 0, 3)
    until(page, lambda: told.story[0] in texts(page))
    assert {what for what, _ in told.numbers} <= set(texts(page))


def test_a_bad_upload_leaves_the_page_alive(page):
    before = until(page, lambda: figure(page))
    lever(page, "Use your own …").vue_click(None)
    upload = until(page, lambda: lever(page, "Scenario (YAML)"))
    bad = base64.b64encode(b"economy: {kind: 'os:system'}").decode()
    upload.vue_part({"id": "1", "name": "bad.yaml", "at": 0, "data": bad, "last": True})
    until(page, lambda: any("bad.yaml:1" in text for text in texts(page)))
    upload.vue_part({"id": "2"})
    until(page, lambda: any("did not arrive whole" in text for text in texts(page)))
    lever(page, "Severity").vue_change(95)
    until(page, lambda: figure(page) != before)


def test_an_upload_becomes_the_world(page):
    until(page, lambda: figure(page))
    lever(page, "Use your own …").vue_click(None)
    upload = until(page, lambda: lever(page, "Scenario (YAML)"))
    text = b"days: 30\neconomy: {kind: uniform, firms: 20}\nnetwork: {kind: ring}\n"
    good = base64.b64encode(text).decode()
    upload.vue_part({"id": "1", "name": "mine.yaml", "at": 0, "data": good, "last": True})
    until(page, lambda: any(text.startswith("20 firms, 30 days") for text in texts(page)))
    assert "Yours: mine.yaml" in dict(map(tuple, lever(page, "Ecosystem").drawn["options"])).values()


def test_too_much_is_told_in_place(page):
    until(page, lambda: figure(page))
    session.current().choice.value = Choice(ecosystem="nation", days=730, runs=48)
    until(page, lambda: any("firm-days; this server" in text for text in texts(page)))
    session.current().choice.value = SMALL
    until(page, lambda: not any("firm-days; this server" in text for text in texts(page)))


def test_an_answer_can_be_cancelled(page):
    until(page, lambda: figure(page))
    session.current().choice.value = Choice(ecosystem="main_street", firms=5_000, runs=8)
    until(page, lambda: working(page).busy)
    working(page).vue_stop(None)
    until(page, lambda: any(text.startswith("Stopped.") for text in texts(page)))
    assert jobs.memo.get(jobs.world(session.current().choice.value).key) is None
    session.current().choice.value = SMALL.with_(severity=35.0)
    expected = shown(living.answer(SMALL.with_(severity=35.0)).lost.mean())
    until(page, lambda: figure(page) == expected)


def test_what_is_downloaded_is_what_was_lived():
    answer = living.answer(SMALL)
    table = worlds.to_csv(answer)
    assert len(table) == 4 * 60
    assert table.loc[
        (table["run"] == 2) & (table["day"] == 25), "output_percent_of_undisturbed"
    ].item() == pytest.approx(answer.made[25, 1], abs=1e-4)
    again = worlds.Scenario.from_yaml(worlds.scenario(SMALL).to_yaml())
    assert again == worlds.scenario(SMALL)
