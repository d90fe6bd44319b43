"""The pages of the dashboard and what is around them; Solara starts here."""

from __future__ import annotations

import solara

from . import shell
from .pages import about, atlas, compare, data, explore, learn, policy

PAGES = (explore, compare, atlas, policy, learn, data, about)


def path(page: object) -> str:
    """Where a page is: the first is at the root."""
    name: str = getattr(page, "__name__", "").rpartition(".")[2]
    return "/" if page is PAGES[0] else f"/{name}"


Layout = shell.layout([{"path": path(page), "title": page.TITLE} for page in PAGES])
routes = [
    solara.Route(
        path(page).strip("/") or "/",
        component=page.Page,
        label=f"{page.TITLE} · ecosim",
        layout=Layout if page is PAGES[0] else None,  # the first one's is around all of them
    )
    for page in PAGES
]
