"""What a report is before it is written in any format: sections of paragraphs, lists, tables, pictures and listings."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

PIXELS = 160  # an inch of a picture that is printed
LONGEST = 3000  # pixels of its longer side
SHORT = 60  # letters of a cell in which an interval stays whole
#: What matplotlib writes around a picture, and nothing in a page needs.
AROUND = (r"<\?xml.*?\?>", r"<!DOCTYPE.*?>", r"<metadata>.*?</metadata>", r' xmlns(:\w+)?="[^"]*"', r' version="1\.1"')


@dataclass(frozen=True)
class Paragraph:
    """A few sentences. A ``warning`` is set apart."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of text below a ``head``; columns of which most cells are numbers stand to the right."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @cached_property
    def right(self) -> tuple[bool, ...]:
        """Which columns are of numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.head)
        return tuple(_mostly_numbers(column) for column in columns)


@dataclass(frozen=True)
class Listing:
    """Text to be copied as it stands; a ``folded`` one is opened on demand where that is possible."""

    text: str
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure; ``make`` gives it (of matplotlib), ``caption`` says what it shows and what to see in it."""

    caption: str
    make: Callable[[], Any] = field(compare=False)

    @cached_property
    def _figure(self) -> Any:
        return self.make()

    @cached_property
    def width(self) -> int:
        """Width on a screen, pixels of CSS."""
        return round(96 * float(self._figure.get_figwidth()))

    @cached_property
    def svg(self) -> str:
        """The picture as an element of a page: no name of any other place is in it, and its text is text."""
        from matplotlib import rc_context

        with rc_context({"svg.hashsalt": "ecosim", "svg.fonttype": "none"}):
            out = io.StringIO()
            self._figure.savefig(out, format="svg", metadata={"Date": None})
        return _element(out.getvalue())

    @cached_property
    def png(self) -> bytes:
        """The picture for a printed page."""
        out = io.BytesIO()
        longer = max(self._figure.get_size_inches())
        self._figure.savefig(out, format="png", dpi=min(PIXELS, LONGEST / longer), metadata={"Software": None})
        return out.getvalue()

    @cached_property
    def shape(self) -> tuple[float, float]:
        """Width and height, inches."""
        width, height = self._figure.get_size_inches()
        return float(width), float(height)


class Drawn(Picture):
    """A figure that was drawn before, and stands in two files."""

    def __init__(self, caption: str, svg: Path, png: Path) -> None:
        """Read neither yet."""
        super().__init__(caption, lambda: None)
        self.__dict__.update(_svg=svg, _png=png)

    @cached_property
    def svg(self) -> str:
        """The picture as an element of a page."""
        return _element(self.__dict__["_svg"].read_text(encoding="utf-8"))

    @cached_property
    def png(self) -> bytes:
        """The picture for a printed page."""
        found: bytes = self.__dict__["_png"].read_bytes()
        return found

    @cached_property
    def shape(self) -> tuple[float, float]:
        """Width and height, inches."""
        width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)[0]
        return float(width) / 72, float(height) / 72

    @cached_property
    def width(self) -> int:
        """Width on a screen, pixels of CSS."""
        return round(96 * self.shape[0])


def _element(text: str) -> str:
    """A picture of matplotlib's without what is around it, and as wide as there is room."""
    for what in AROUND:
        text = re.sub(what, "", text, flags=re.DOTALL)
    return re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", text.strip(), count=1)


type Block = Paragraph | Points | Table | Listing | Picture


@dataclass(frozen=True)
class Section:
    """A heading with what is below it."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Name of the place within the document."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Document:
    """A report: what it is of, the question, an answer in three sentences, and everything that it rests on."""

    title: str
    kind: str
    question: str
    answer: tuple[str, str, str]
    sections: tuple[Section, ...]
    colophon: str
    """A line with what is needed to find the same result again."""


def section(title: str, *blocks: Block | Iterable[Block] | None) -> Section:
    """A section of blocks, of lists of them, and without those that are None."""
    found: list[Block] = []
    for each in blocks:
        if isinstance(each, Paragraph | Points | Table | Listing | Picture):
            found.append(each)
        elif each is not None:
            found += each
    return Section(title, tuple(found))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of anything that has a text."""
    return Table(caption, tuple(head), tuple(tuple(str(cell) for cell in row) for row in rows))


def unbroken(cell: str) -> str:
    """A cell in which no line breaks within an interval."""
    return (
        re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), cell)
        if len(cell) < SHORT
        else cell
    )


def _mostly_numbers(cells: Sequence[str]) -> bool:
    told = [cell for cell in cells if cell.strip(" –-")]
    return (
        bool(told) and sum(bool(re.match(r"[+−-]?[\d.,]+( ?%|x)?($| \[| \()", cell)) for cell in told) > len(told) / 2
    )
