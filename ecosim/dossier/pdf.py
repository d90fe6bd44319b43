"""A document as PDF, on A4, by reportlab: no browser is needed. The same document gives the same bytes."""

from __future__ import annotations

import io
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, Table, unbroken

if TYPE_CHECKING:
    from ecosim.dossier.document import Block

FACES = {"body": "DejaVuSans", "bold": "DejaVuSans-Bold", "mono": "DejaVuSansMono"}
INK, QUIET, LINE, TINT, BLUE, ORANGE = "#1d2329", "#56616b", "#d9dfe4", "#f4f7f9", "#0072b2", "#e69f00"
MARGIN = 48.0  # points
CELL = 6.8  # points, letters of a table
LONGEST_WORD = 24  # letters of a cell's word that a column must have room for
BOLD = 1.25  # how much wider than others the letters of a head are
MOST_LINES = 130  # of what a page on a screen folds away
PARTS = 60  # letters of a hash or a path after which a line may break


def pdf(document: Document) -> bytes:
    """Pages with a number and what the result is known by at the foot."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate, Spacer

    _faces()
    out = io.BytesIO()
    wide = A4[0] - 2 * MARGIN
    pages = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN + 14,
        title=document.title, subject=document.kind, author="ecosim", creator="ecosim", invariant=1,
    )  # fmt: skip
    story: list[Any] = [_text(document.kind, "quiet"), _text(document.title, "title"), *_answer(document, wide)]
    for section in document.sections:
        story.append(_text(section.title, "heading"))
        for block in section.blocks:
            story += [*_flow(block, wide, A4[1] - 2 * MARGIN - 90), Spacer(1, 4)]

    def foot(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont(FACES["body"], 7)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN, MARGIN - 10, document.colophon)
        canvas.drawRightString(A4[0] - MARGIN, MARGIN - 10, str(page.page))
        canvas.restoreState()

    pages.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


@cache
def _faces() -> None:
    """The typeface that comes with matplotlib: it has every sign that a report uses, and goes into the file."""
    import matplotlib as mpl
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    for name in FACES.values():
        registerFont(TTFont(name, Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"))


@cache
def _style(name: str) -> Any:
    from reportlab.lib.styles import ParagraphStyle

    base = ParagraphStyle("text", fontName=FACES["body"], fontSize=9, leading=13.5, textColor=INK, spaceAfter=4)
    more: dict[str, dict[str, Any]] = {
        "text": {},
        "title": {"fontName": FACES["bold"], "fontSize": 17, "leading": 21, "spaceAfter": 10},
        "heading": {
            "fontName": FACES["bold"], "fontSize": 12.5, "leading": 16, "spaceBefore": 14, "spaceAfter": 6,
            "keepWithNext": 1,
        },
        "question": {"fontName": FACES["bold"], "fontSize": 10.5, "leading": 15},
        "quiet": {"textColor": QUIET, "fontSize": 8, "leading": 11},
        "caption": {"textColor": QUIET, "fontSize": 7.8, "leading": 10.5, "keepWithNext": 1},
        "below": {"textColor": QUIET, "fontSize": 7.8, "leading": 10.5, "spaceAfter": 8},
        "warning": {"leftIndent": 9, "borderColor": ORANGE, "borderWidth": 0.8, "borderPadding": 5, "spaceBefore": 12,
                    "spaceAfter": 10},
        "point": {"leftIndent": 11, "bulletIndent": 1, "spaceAfter": 3},
        "cell": {"fontSize": CELL, "leading": 9, "spaceAfter": 0},
        "number": {"fontSize": CELL, "leading": 9, "spaceAfter": 0, "alignment": 2},
        "head": {"fontName": FACES["bold"], "fontSize": CELL, "leading": 9, "spaceAfter": 0},
        "head-number": {"fontName": FACES["bold"], "fontSize": CELL, "leading": 9, "spaceAfter": 0, "alignment": 2},
        "listing": {"fontName": FACES["mono"], "fontSize": 6.6, "leading": 8.8, "backColor": TINT, "borderPadding": 4,
                    "spaceBefore": 4, "spaceAfter": 8},
    }  # fmt: skip
    return ParagraphStyle(name, parent=base, **more[name])


def _text(text: str, style: str = "text", **more: Any) -> Any:
    from reportlab.platypus import Paragraph as Flowing

    return Flowing(escape(text, quote=False).replace("\n", "<br/>"), _style(style), **more)


def _answer(document: Document, wide: float) -> list[Any]:
    from reportlab.platypus import Spacer
    from reportlab.platypus import Table as Grid

    box = Grid([[[_text(document.question, "question"), *map(_text, document.answer)]]], colWidths=[wide])
    box.setStyle([("BACKGROUND", (0, 0), (-1, -1), TINT), ("LINEBEFORE", (0, 0), (0, -1), 3, BLUE),
                  ("LEFTPADDING", (0, 0), (-1, -1), 12), ("TOPPADDING", (0, 0), (-1, -1), 8)])  # fmt: skip
    return [box, Spacer(1, 8)]


def _flow(block: Block, wide: float, high: float) -> list[Any]:
    if isinstance(block, Paragraph):
        return [_text(block.text, "warning" if block.warning else "text")]
    if isinstance(block, Points):
        return [_text(item, "point", bulletText="•") for item in block.items]
    if isinstance(block, Picture):
        return _picture(block, wide, high)
    if isinstance(block, Listing):
        return _listing(block)
    return _table(block, wide)


def _picture(block: Picture, wide: float, high: float) -> list[Any]:
    from reportlab.platypus import Image, KeepTogether

    across, up = block.shape
    scale = min(wide / across, high / up)
    image = Image(io.BytesIO(block.png), width=scale * across, height=scale * up)
    return [KeepTogether([image, _text(block.caption, "below")])]


def _listing(block: Listing) -> list[Any]:
    from reportlab.platypus import XPreformatted

    lines, every = [], block.text.splitlines()
    if block.folded and len(every) > MOST_LINES:
        every = [
            *every[:MOST_LINES],
            f"... and {len(every) - MOST_LINES:,} lines more, which the folder and the HTML report hold",
        ]
    for line in every:
        lines += [line[at : at + 118] for at in range(0, len(line), 118)] or [""]
    caption = [_text(block.caption, "caption")] if block.caption else []
    pieces = ["\n".join(lines[at : at + 70]) for at in range(0, len(lines), 70)]
    return [*caption, *(XPreformatted(escape(piece, quote=False), _style("listing")) for piece in pieces)]


def _table(block: Table, wide: float) -> list[Any]:
    from reportlab.platypus import LongTable

    styles = [("number", "head-number") if right else ("cell", "head") for right in block.right]
    head = [_text(name, style) for name, (_, style) in zip(block.head, styles, strict=True)]
    rows = [
        [_text(_broken(cell), style) for cell, (style, _) in zip(row, styles, strict=True)] for row in block.rows
    ]  # fmt: skip
    grid = LongTable([head, *rows], colWidths=_widths(block, wide), repeatRows=1, hAlign="LEFT")
    grid.setStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, 0), 0.8, QUIET),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE), ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 7), ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ])  # fmt: skip
    return [_text(block.caption, "caption"), grid]


def _broken(cell: str) -> str:
    """A cell in whose longest words, such as hashes, a line may break."""
    return " ".join(_pieces(word) if len(word) > PARTS else word for word in unbroken(cell).split(" "))


def _pieces(word: str) -> str:
    return " ".join(word[at : at + LONGEST_WORD] for at in range(0, len(word), LONGEST_WORD))


def _widths(block: Table, wide: float) -> list[float]:
    """Widths of columns: each has room for its longest word, and what is left goes by how much text there is."""
    columns = list(zip(block.head, *block.rows, strict=True))
    letter = 0.62 * CELL
    least = [
        max(
            letter
            * min(
                LONGEST_WORD, max((len(word) for cell in column[1:] for word in _broken(cell).split(" ")), default=1)
            ),
            BOLD * letter * max(map(len, column[0].split(" "))),
        )
        + 9
        for column in columns
    ]
    wanted = [max(letter * min(90, max(map(len, column))) + 9, low) for column, low in zip(columns, least, strict=True)]
    if sum(wanted) <= wide:
        return wanted
    if sum(least) >= wide:
        return [wide * low / sum(least) for low in least]
    spare = [want - low for want, low in zip(wanted, least, strict=True)]
    share = (wide - sum(least)) / sum(spare)
    return [low + share * more for low, more in zip(least, spare, strict=True)]
