"""Markdown as HTML: pages of our own with all that they have, texts of folders without anything that could act."""

from __future__ import annotations

import html
import re

import markdown

LONGEST = 200_000  # letters of a text
SMALL = 1e-4  # a P value below which nobody asks how small it is


def own(text: str) -> str:
    """A page of our documentation; links to pages that are not here become words."""
    return str(markdown.markdown(re.sub(r"\[([^\]]*)\]\([^)]*\.md[^)]*\)", r"\1", text), extensions=["tables"]))


def reason(text: str) -> str:
    """Why a verdict is what it is, as a sentence: no P value smaller than anybody can mean, and minus signs."""
    told = re.sub(r"\bP (\d[\d.]*(?:e-?\d+)?)(?=[;,]|$)", _p_value, text)
    return re.sub(r"(?<![\w.])-(?=\d)", "−", f"{told[:1].upper()}{told[1:]}.")


def _p_value(found: re.Match[str]) -> str:
    return found[0] if float(found[1]) >= SMALL else f"P below {SMALL:.4f}"


def foreign(text: str) -> str:
    """A text of a folder: headings, lists, tables and stress. Markup, links and pictures in it are shown as written."""
    return str(_plain().convert(html.escape(text[:LONGEST], quote=False)))


ACTS = (
    "link",
    "image_link",
    "reference",
    "image_reference",
    "short_reference",
    "short_image_ref",
    "autolink",
    "automail",
    "html",
)
"""What Markdown makes of a text that could take a reader elsewhere, or load something."""


def _plain() -> markdown.Markdown:
    reader = markdown.Markdown(extensions=["tables"])
    for name in ACTS:
        reader.inlinePatterns.deregister(name)
    reader.preprocessors.deregister("html_block")
    reader.parser.blockprocessors.deregister("reference")
    return reader
