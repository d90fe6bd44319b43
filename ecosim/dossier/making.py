"""From a folder to a file: the report of whatever the folder holds, in the format that is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecosim.artefact import kind_of
from ecosim.folders import NewFile, safe_name

if TYPE_CHECKING:
    from os import PathLike

    from ecosim.dossier.document import Document

type Format = Literal["html", "pdf", "md"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "md")


def made(folder: str | PathLike[str], *, allow_code: bool = False) -> Document:
    """The report of a folder that a command wrote, before it is in any format.

    Raises InputError for a folder that no command wrote, or whose files have changed; with ``allow_code`` its scenario
    may import classes of one's own.
    """
    place = Path(folder)
    document: Document = import_module(f"ecosim.dossier.{kind_of(place).module}").document(place, allow_code=allow_code)
    return document


def rendered(document: Document, kind: Format) -> bytes:
    """A report as a file's content: HTML, PDF or Markdown."""
    if kind == "pdf":
        from ecosim.dossier.pdf import pdf

        return pdf(document)
    from ecosim.dossier.text import html, markdown

    return html(document) if kind == "html" else markdown(document)


def report(
    folder: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    *,
    kind: Format = "html",
    allow_code: bool = False,
    force: bool = False,
) -> Path:
    """Write the report of a folder to one file, and return its path: NAME-report.html here by default.

    Raises InputError as `made` does, and for a file that stands already where it may not be replaced (``force``).
    """
    path = Path(out) if out is not None else Path(f"{safe_name(Path(folder).resolve().name)}-report.{kind}")
    with NewFile(path, replace=force, otherwise="choose another with --out") as half:
        half.write_bytes(rendered(made(folder, allow_code=allow_code), kind))
    return path
