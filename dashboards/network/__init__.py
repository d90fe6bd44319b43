"""The network of a run: laid out and encoded here, drawn and scrubbed in the browser (assets/network.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anywidget
import solara
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..worlds import Event
    from .scene import Scene

#: Loads the renderer by its address, so that it crosses no websocket and is kept by the browser.
LOADER: Final = """
const base = document.querySelector("base")?.href ?? location.origin + "/";
const renderer = import(new URL("static/assets/network.js", base).href);
export default { async render(given) { return (await renderer).default.render(given); } };
"""


class NetworkWidget(anywidget.AnyWidget):
    """What is shown of one run; see `scene.Scene` and `encode.Recording` for the bytes."""

    _esm = LOADER
    scene = traitlets.Dict().tag(sync=True)
    at = traitlets.Bytes().tag(sync=True)
    size = traitlets.Bytes().tag(sync=True)
    links = traitlets.Bytes().tag(sync=True)
    names = traitlets.Bytes().tag(sync=True)
    frames = traitlets.Bytes().tag(sync=True)
    struck = traitlets.Bytes().tag(sync=True)
    curve = traitlets.Bytes().tag(sync=True)
    events = traitlets.List().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    day = traitlets.Int(0).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    big = traitlets.Bool(False).tag(sync=True)


def words(scene: Scene) -> str:
    """How much of the network is drawn, in words."""
    if scene.of_cells:
        return (
            f"{scene.firms:,} firms in {scene.nodes:,} cells, sector by region; "
            f"the {scene.shown_links:,} largest flows between them"
        )
    part = "" if scene.shown_links == scene.all_links else f"; the {scene.shown_links:,} largest are drawn"
    return f"{scene.firms:,} firms, {scene.all_links:,} supply links{part}"


@solara.component
def Network(
    scene: Scene,
    frames: bytes,
    struck: bytes,
    curve: bytes,
    events: Sequence[Event],
    label: str,
    day: int = 0,
    selected: int = -1,
    big: bool = False,
    on_day: Callable[[int], None] | None = None,
    on_selected: Callable[[int], None] | None = None,
) -> Any:
    """The network of a run; what did not change is not sent again.

    ``curve`` is the output of each day in percent, as float32; ``selected`` is a row, -1 for none.
    """
    return NetworkWidget.element(
        at=scene.at,
        size=scene.size,
        links=scene.links,
        names=scene.names,
        scene={
            "nodes": scene.nodes,
            "cells": scene.of_cells,
            "groups": [list(group) for group in scene.groups],
            "words": words(scene),
            "key": f"{hash((scene.at, scene.links)):x}",
        },
        struck=struck,
        curve=curve,
        events=[{"day": event.day, "label": event.label, "kind": event.kind} for event in events],
        frames=frames,
        label=label,
        day=day,
        selected=selected,
        big=big,
        on_day=on_day,
        on_selected=on_selected,
    )
