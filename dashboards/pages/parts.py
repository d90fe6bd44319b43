"""What several pages are made of: tables with a name, fields, verdicts in colour and letter, and work under way."""

from __future__ import annotations

import html
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import solara

from ecosim.compiling import COMPILES

from ..answers.atlas import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..jobs import Asked


def stacked[**P](draw: Callable[P, None]) -> Callable[P, Any]:
    """A component whose parts stand one below the other; Solara would put several into a box with a look of its own."""

    @wraps(draw)
    def stack(*args: P.args, **kwargs: P.kwargs) -> None:
        with solara.Div(classes=["stack"]):
            draw(*args, **kwargs)

    return cast("Callable[P, Any]", solara.component(stack))


@solara.component_vue("table.vue")
def _Table(
    columns: list[dict[str, Any]],
    rows: list[list[str]],
    label: str,
    empty: str = "Nothing.",
    headed: bool = True,
    tall: bool = False,
    wraps: bool = False,
    marked: list[int] | None = None,
    sorted: str | None = None,
    falling: bool = False,
    event_sort: Callable[[str], None] | None = None,
) -> None:
    """A table as one element of the browser; text in it is text, whatever a file says."""


def Table(
    label: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Iterable[int] = (),
    **how: Any,
) -> Any:
    """A table whose name a screen reader tells; ``numbers`` are the places of columns that stand to the right."""
    right = set(numbers)
    named = [{"name": name, "label": name, "num": at in right} for at, name in enumerate(columns)]
    how.setdefault("marked", [])
    return _Table(columns=named, rows=[list(row) for row in rows], label=label, **how)


@solara.component_vue("field.vue")
def _Field(label: str, value: str, event_put: Callable[[str], None], hint: str = "") -> None:
    """A line of text, sent when it is left or Enter is pressed."""


def Field(label: str, value: str, on_value: Callable[[str], None], hint: str = "") -> Any:
    """A native text field with a label."""
    return _Field(label=label, value=value, event_put=lambda text: on_value(str(text)[:200]), hint=hint)


@solara.component_vue("map.vue")
def Map(
    label: str,
    rows: list[str],
    columns: list[str],
    cells: list[list[dict[str, Any]]],
    chosen: str,
    event_pick: Callable[[dict[str, str]], None],
) -> None:
    """The map of an atlas: a button for each cell, reached by the arrow keys."""


@solara.component
def Words(tag: str, text: str, classes: Sequence[str] = (), **attributes: str) -> None:
    """An element with a text, which is never read as markup. A component, so that the same words are not sent again."""
    solara.v.Html(tag=tag, class_=" ".join(classes), attributes=attributes, children=[text])


def Head(title: str, lead: str) -> None:
    """Heading of a page and the sentence below it."""
    Words("h1", title)
    Words("p", lead, ["lead"])


def Alert(text: str) -> Any:
    """What is wrong, in the place where it went wrong, told to a screen reader at once."""
    return Words("p", text, ["alert"], role="alert")


def Note(text: str) -> Any:
    """A small remark."""
    return Words("p", text, ["note"])


def Verdict(label: str) -> Any:
    """A label in its colour, with its letter and its word."""
    letter, face, ink, _ = LABELS[label]
    return solara.HTML(
        tag="span",
        classes=["verdict"],
        unsafe_innerHTML=f'<span class="mark" style="background:{face};color:{ink}" aria-hidden="true">{letter}</span>'
        f"{html.escape(label)}",
    )


def Legend() -> Any:
    """All labels, and what they mean."""
    parts = [
        f'<span class="verdict"><span class="mark" style="background:{face};color:{ink}">{letter}</span>'
        f"{label.lower()}: {said}</span>"
        for label, (letter, face, ink, said) in LABELS.items()
    ]
    return solara.HTML(tag="div", classes=["legend"], unsafe_innerHTML="".join(parts))


def Facts(facts: Iterable[tuple[str, str, str]]) -> Any:
    """Names with their values, and below each what it is."""
    said = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}<small>{html.escape(meaning)}</small></dd>"
        for name, value, meaning in facts
    )
    return solara.HTML(tag="dl", classes=["facts"], unsafe_innerHTML=said)


@solara.component_vue("working.vue")
def _Working(
    what: str,
    told: str,
    busy: bool,
    percent: int,
    compiles: str,
    wrong: str,
    event_stop: Callable[[Any], None],
    event_again: Callable[[Any], None],
) -> None:
    """Work under way as one element of the browser, which stays when there is none."""


def Working(asked: Asked, what: str, told: str = "", *, at_once: bool = False) -> Any:
    """How far some work is, with a button that stops it; what went wrong, with one that tries again.

    Work that is soon done is not shown, unless ``at_once``; ``told`` stands there when there is none.
    """
    return _Working(
        what=what,
        told=told,
        busy=asked.late or (at_once and asked.busy),
        percent=round(100 * asked.progress) if asked.busy else 0,
        compiles=COMPILES if asked.compiling else "",
        wrong=asked.error,
        event_stop=lambda _: asked.cancel(),
        event_again=lambda _: asked.again(),
    )
