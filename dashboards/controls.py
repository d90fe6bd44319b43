"""What can be pressed and pulled: native elements with a name, a value and a unit that a screen reader tells."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import solara

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

THROTTLE = 120
"""Milliseconds between two messages of a slider that is being pulled."""


@solara.component_vue("controls.vue")
def _Control(
    label: str,
    kind: str,
    value: Any,
    event_change: Callable[[Any], None],
    low: float = 0,
    high: float = 1,
    step: float = 1,
    unit: str = "",
    tip: str = "",
    options: list[tuple[str, str]] | None = None,
    disabled: bool = False,
    throttle: int = THROTTLE,
) -> None:
    """A slider or a list to choose from; the browser draws it and sends little."""


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


def Slider(
    label: str,
    value: float,
    on_value: Callable[[float], None],
    low: float,
    high: float,
    step: float = 1,
    unit: str = "",
    tip: str = "",
    disabled: bool = False,
) -> Any:
    """A native slider with its value and unit; while it is pulled it sends at most every `THROTTLE` ms.

    Whole steps give whole numbers.
    """

    def moved(given: Any) -> None:
        try:
            number = min(max(float(given), low), high)
        except (TypeError, ValueError):
            return
        on_value(round(number) if float(step).is_integer() else number)

    return _Control(
        label=label, kind="range", value=value, event_change=moved, low=low, high=high, step=step, unit=unit, tip=tip,
        disabled=disabled,
    )  # fmt: skip


def Select(
    label: str,
    value: str,
    on_value: Callable[[str], None],
    options: Mapping[str, str],
    tip: str = "",
    disabled: bool = False,
) -> Any:
    """A native list to choose from: ``options`` is value to title. What is not among them is not passed on."""

    def picked(given: Any) -> None:
        if given in options:
            on_value(given)

    return _Control(
        label=label, kind="select", value=value, event_change=picked, options=list(options.items()), tip=tip,
        disabled=disabled,
    )  # fmt: skip


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
