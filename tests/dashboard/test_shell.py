"""What is around every page, drawn without a browser."""

import logging

import pytest
import solara
from ipyvue import VueTemplate
from solara.autorouting import RenderPage

from dashboards import app, session, shell


@pytest.fixture(autouse=True)
def fresh():
    """A session as it begins, before and after a test."""
    session.current().read("")
    yield
    session.current().read("")
    session.current().told.value = ()


def drawn(element):
    """Draw an element; all the text in it, and its render context."""
    box, context = solara.render(element, handle_error=False)
    return context, lambda: "\n".join(texts(box))


def press(context, label):
    """Press the button of that label."""
    [button] = [one for one in context.find(VueTemplate).widgets if getattr(one, "label", "") == label]
    button.vue_click(None)


def texts(widget):
    """Every text in a widget and below."""
    for child in getattr(widget, "children", None) or []:
        if isinstance(child, str):
            yield child
        else:
            yield from texts(child)
    for name in ("unsafe_innerHTML", "title"):
        if isinstance(getattr(widget, name, None), str):
            yield getattr(widget, name)


def test_a_page_that_fails_is_told_in_its_place_and_can_be_tried_again(caplog):
    broken = solara.reactive(True)

    @solara.component
    def Page():
        if broken.value:
            raise RuntimeError("the wheel came off")
        solara.Text("it runs")

    with caplog.at_level(logging.CRITICAL):
        context, text = drawn(shell.Guarded([Page()]))
        assert "This page could not be shown" in text()
        assert "RuntimeError: the wheel came off" in text()
        broken.value = False
        press(context, "Try again")
        assert "it runs" in text()
        assert "could not be shown" not in text()
        context.close()


def test_messages_stay_until_they_are_closed():
    context, text = drawn(shell.Told())
    session.current().tell("the file is not a table")
    assert "the file is not a table" in text()
    press(context, "Close")
    assert "the file" not in text()
    context.close()


def test_the_address_is_read_before_the_page_is_drawn_the_first_time():
    seen = []

    @solara.component
    def Page():
        seen.append((session.current().choice.value.seed, session.current().get("data.folder")))

    layout = shell.layout([{"path": "/", "title": "One"}])
    routes = [solara.Route("/", component=Page, layout=layout, label="One")]
    context, _ = drawn(
        solara.RoutingProvider(children=[RenderPage()], routes=routes, pathname="/?seed=9&data.folder=x")
    )
    assert seen[0] == (9, "x")
    context.close()


def test_there_are_seven_pages_at_seven_addresses_with_one_layout_around_them():
    assert [app.path(page) for page in app.PAGES] == ["/", "/compare", "/atlas", "/policy", "/learn", "/data", "/about"]
    assert [route.path for route in app.routes] == ["/", "compare", "atlas", "policy", "learn", "data", "about"]
    assert [route.layout is not None for route in app.routes] == [True] + 6 * [False]
    assert all(page.TITLE and page.ICON.startswith("mdi-") for page in app.PAGES)
