"""What can be pressed and pulled: native elements with a name, a value and a unit that a screen reader tells.

A set of levers is one element of the browser: pulling one is one message, and nothing is drawn anew for the others.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import solara

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

THROTTLE = 120
"""Milliseconds between two messages of a slider that is being pulled."""


@dataclass(frozen=True)
class Control:
    """One of a set: how it is drawn, and what hears of a new value. Labels in a set differ."""

    drawn: dict[str, Any]
    take: Callable[[Any], None]


@solara.component_vue("controls.vue")
def _Controls(given: str, event_change: Callable[[Any], None], throttle: int = THROTTLE) -> None:
    """Sliders and lists under their titles; the browser draws them and sends little."""


def Controls(controls: Sequence[Control | str]) -> Any:
    """Some controls as one element; a text among them is a title."""
    drawn = [one.drawn if isinstance(one, Control) else {"kind": "title", "label": one} for one in controls]

    def changed(given: Any) -> None:
        label, value = given if isinstance(given, list) and len(given) == 2 else (None, None)
        for one in controls:
            if isinstance(one, Control) and one.drawn["label"] == label:
                one.take(value)

    return _Controls(given=json.dumps(drawn, separators=(",", ":")), event_change=changed)


@solara.component_vue("button.vue")
def _Button(
    label: str,
    event_click: Callable[[Any], None],
    event_taken: Callable[[Any], None] | None = None,
    kind: str = "plain",
    tip: str = "",
    disabled: bool = False,
    pressed: bool | None = None,
    payload: dict[str, str] | None = None,
) -> None:
    """A native button; ``payload`` is a file for the person, in base 64."""


def slider(
    label: str,
    value: float,
    on_value: Callable[[float], None],
    low: float,
    high: float,
    step: float = 1,
    unit: str = "",
    tip: str = "",
    disabled: bool = False,
) -> Control:
    """A native slider with its value and unit; while it is pulled it sends at most every `THROTTLE` ms.

    Whole steps give whole numbers.
    """

    def moved(given: Any) -> None:
        try:
            number = min(max(float(given), low), high)
        except (TypeError, ValueError):
            return
        on_value(round(number) if float(step).is_integer() else number)

    ends = {"low": low, "high": high, "step": step, "unit": unit}
    return Control({"label": label, "kind": "range", "value": value, "tip": tip, "disabled": disabled, **ends}, moved)


def choice(
    label: str,
    value: str,
    on_value: Callable[[str], None],
    options: Mapping[str, str],
    tip: str = "",
    disabled: bool = False,
) -> Control:
    """A native list to choose from: ``options`` is value to title. What is not among them is not passed on."""

    def picked(given: Any) -> None:
        if given in options:
            on_value(given)

    given = {"options": list(options.items()), "tip": tip, "disabled": disabled}
    return Control({"label": label, "kind": "select", "value": value, **given}, picked)


def Slider(*args: Any, **kwargs: Any) -> Any:
    """A `slider` by itself."""
    return Controls((slider(*args, **kwargs),))


def Select(*args: Any, **kwargs: Any) -> Any:
    """A list to choose from (`choice`) by itself."""
    return Controls((choice(*args, **kwargs),))


def Button(
    label: str,
    on_click: Callable[[], None],
    kind: str = "plain",
    tip: str = "",
    disabled: bool = False,
    pressed: bool | None = None,
) -> Any:
    """A native button: kind plain, primary or quiet; ``pressed`` makes it one that stays down."""
    return _Button(
        label=label, event_click=lambda _: on_click(), kind=kind, tip=tip, disabled=disabled, pressed=pressed
    )


@solara.component
def Download(label: str, data: Callable[[], bytes], filename: str, mime: str, kind: str = "plain") -> None:
    """A button that makes a file when it is pressed, and gives it to the person; nothing is sent before."""
    payload, set_payload = solara.use_state(None)
    wanted, set_wanted = solara.use_state(0)

    def make() -> None:
        if wanted:
            set_payload({"data": base64.b64encode(data()).decode(), "name": filename, "mime": mime})

    solara.use_thread(make, dependencies=[wanted])
    _Button(
        label=label, event_click=lambda _: set_wanted(wanted + 1), event_taken=lambda _: set_payload(None), kind=kind,
        payload=payload,
    )  # fmt: skip
