"""What is around every page: the bar with its links, messages, an error in place of a page, the foot."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import solara

from . import controls, crowd, session

_log: Final = logging.getLogger(__name__)
ARRIVAL: Final = 1.0  # seconds after the first drawing in which the browser may still take back where it is sent
FOOT: Final = (
    "<span><strong>A model, not a forecast.</strong> It shows what follows from its assumptions; "
    "the page <em>About</em> says which they are and how far they were tested.</span>"
)


@solara.component_vue("shell.vue")
def _Bar(
    pages: list[dict[str, str]],
    here: str,
    query: str,
    place: str,
    undoable: bool,
    projector: bool,
    badge: str,
    sending: str,
    event_go: Callable[[str], None],
    event_undo: Callable[[Any], None],
    event_project: Callable[[bool], None],
    event_send: Callable[[Any], None],
) -> None:
    """The bar as one element of the browser; it keeps the address, too."""


@solara.component
def Head(pages: list[dict[str, str]]) -> None:
    """The bar. It alone is drawn anew when the choice changes, so a slider costs one small message here."""
    here = session.current()
    router = solara.use_router()
    room, badge = _use_class()
    solara.use_effect(here.remember, [here.choice.value, here.baseline.value])
    path = "/" + router.path.strip("/")
    query = here.address()

    def go(to: str) -> None:
        router.push(f"{to}?{here.address()}")

    def send() -> None:
        if room is None or not crowd.is_teacher(room):
            return
        shown = (here.choice.value, here.baseline.value)
        if path != "/learn" and any(each and each.ecosystem.startswith("own-") for each in shown):
            here.tell("What you uploaded stays in your session, so it was not sent; send a world that ships.")
        else:
            room.push(query, page=path)

    sending = ""
    if room is not None and crowd.is_teacher(room):
        sent = (room.pushed.page, room.pushed.query) == (path, crowd.shared(query))
        sending = "✓ Sent" if sent else "Send to the class"
    _Bar(
        pages=pages,
        here=path,
        query=query,
        place=f"{path} {here.get('learn.lesson')} {here.get('learn.step')}",
        undoable=bool(here.past.value),
        projector=here.projector.value,
        badge=badge,
        sending=sending,
        event_go=go,
        event_undo=lambda *_: here.undo(),
        event_project=lambda on: here.projector.set(bool(on)),
        event_send=lambda *_: send(),
    )


def _use_class() -> tuple[crowd.Room | None, str]:
    """Join the class in the address, go where its teacher sends everybody, and say which class it is."""
    here = session.current()
    router = solara.use_router()
    room = crowd.use_room()
    teacher = room is not None and crowd.is_teacher(room)

    def join() -> Callable[[], None] | None:
        if room is None:
            if here.code.value:
                here.tell(f"There is no class {here.code.value} here; ask for its code, or for the right address.")
            return None
        if teacher:
            return None
        name = crowd.me()
        room.enter(name)
        return lambda: room.leave(name)

    settled, settle = solara.use_state(False)

    def arrive() -> None:
        if room is None:
            return

        def later() -> None:
            time.sleep(ARRIVAL)
            settle(True)

        threading.Thread(target=later, name="ecosim-arrival", daemon=True).start()

    def follow() -> None:
        if settled and room is not None and room.pushed.number and not teacher:
            mine = f"class={room.code}" + ("&projector=1" if here.projector.value else "")
            here.read(f"{room.pushed.query}&{mine}")
            router.push(f"{room.pushed.page}?{here.address()}")

    solara.use_effect(join, [room, teacher])
    solara.use_effect(arrive, [room])
    solara.use_effect(follow, [room and room.pushed.number, teacher, settled])
    if room is None or not teacher:
        return room, "" if room is None else f"Class {room.code}"
    return room, f"{room.code} · {pupils(room.here())}"


def pupils(many: int) -> str:
    """How many there are, in words."""
    return f"{many} pupil" if many == 1 else f"{many} pupils"


@solara.component
def Told() -> None:
    """Messages to the user, until they are closed."""
    here = session.current()
    with solara.v.Html(tag="div", class_="told", attributes={"role": "status", "aria-live": "polite"}):
        for text in here.told.value:
            with solara.v.Html(tag="div", class_="message"):
                solara.Text(text)
        if here.told.value:
            controls.Button("Close", lambda: here.told.set(()))


@solara.component
def Guarded(children: list[solara.Element]) -> None:
    """A page; if it fails, a sentence in its place, and the session goes on."""
    failure, clear = solara.use_exception()
    if failure is None:
        solara.Div(children=children)
    else:
        Failed(failure, clear)  # another kind of element: a Div in the place of a Div would be drawn without end


@solara.component
def Failed(failure: BaseException, clear: Callable[[], None]) -> None:
    """What went wrong, and two ways on."""
    solara.use_effect(lambda: _log.error("a page failed", exc_info=failure), [failure])

    def back() -> None:
        session.current().undo()
        clear()

    with solara.Div(classes=["page", "failed"]):
        solara.v.Html(tag="h1", children=["This page could not be shown"])
        solara.v.Html(tag="p", attributes={"role": "alert"}, children=[f"{type(failure).__name__}: {failure}"])
        with solara.Div(classes=["row"]):
            controls.Button("Undo the last change", back, "primary")
            controls.Button("Try again", clear)


def layout(pages: list[dict[str, str]]) -> Any:
    """The component around all ``pages``, given by ``path`` and ``title``."""

    @solara.component
    def Layout(children: list[solara.Element] = []) -> None:  # noqa: B006 - Solara's own signature of a layout
        router = solara.use_router()
        solara.use_memo(lambda: _follow(router.search), [router.search])
        with solara.Div(classes=["house"]):
            Head(pages)
            with solara.v.Html(tag="main", attributes={"id": "main", "tabindex": "-1"}):
                Told()
                Guarded(children).key(f"page {router.path}")
            solara.HTML(tag="footer", classes=["foot"], unsafe_innerHTML=FOOT)

    return Layout


def _follow(search: str | None) -> None:
    """Take the state from the address, unless the address was written from it."""
    here = session.current()
    if (search or "") != here.address():
        here.read(search)
