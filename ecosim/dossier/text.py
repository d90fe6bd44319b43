"""A document as text: one HTML page that needs nothing but itself, or plain Markdown."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, Table, unbroken

if TYPE_CHECKING:
    from jinja2 import Environment

LONG_WORD = 40  # letters, from which a word may be broken anywhere
BLOCKS = {"paragraph": Paragraph, "points": Points, "table": Table, "listing": Listing, "picture": Picture}


def html(document: Document) -> bytes:
    """One page with its style and its pictures in it."""
    css = (resources.files("ecosim") / "dossier" / "page.css").read_text(encoding="utf-8")
    page = _environment(escaped=True).get_template("page.html.jinja").render(document=document, css=css)
    return re.sub(r"\n{2,}", "\n", page).encode()


def markdown(document: Document) -> bytes:
    """Plain text with headings, lists and tables; pictures are named by what they show."""
    page = _environment(escaped=False).get_template("page.md.jinja").render(document=document)
    page = re.sub(r"(?m)^(\|.*)\n\n(?=\|)", r"\1\n", page)  # rows of a table follow one another
    page = re.sub(r"(?m)^(\|.*\S) +$", r"\1", page)
    return (re.sub(r"\n{3,}", "\n\n", page).strip() + "\n").encode()


def _environment(*, escaped: bool) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ecosim.dossier", ""), autoescape=escaped, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.tests.update({name: _is(kind) for name, kind in BLOCKS.items()})
    made.filters.update({"plain": _plain, "cell": _cell, "indented": _indented, "kind": _kind, "unbroken": unbroken})
    return made


def _is(kind: type) -> Any:
    return lambda block: isinstance(block, kind)


def _plain(text: str) -> str:
    """Text whose stars, tags and links are no Markdown."""
    return re.sub(r"([\\`*_<#]|(?<=\])\()", r"\\\1", text)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("\n", " ")


def _kind(cell: str, right: bool) -> str:
    """Class of a cell: to the right, in which an interval may stand on a line of its own, or of long words."""
    names = [*(["right"] if right else []), *(["interval"] if right and "[" in cell else [])]
    names += ["long"] if any(len(word) > LONG_WORD for word in cell.split()) else []
    return f' class="{" ".join(names)}"' if names else ""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
