"""``ecosim report``: one file that says what a folder holds, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, comparison, atlas, sweep or policy study.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="html|pdf|md", help="What to write.", show_default="by the ending of --out, else html"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; NAME-report.html here by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report.")] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the folder's scenario import classes of your own.")
    ] = False,
) -> None:
    """Write a report: question, answer with its uncertainty, figures, costs, assumptions, and how to reproduce it.

    It is one file that needs no network, and the same folder gives the same bytes.
    """
    from ecosim.artefact import kind_of

    kind_of(folder)  # before anything that takes seconds to import
    chosen = _format(kind, out)
    from ecosim.dossier.making import report as written

    typer.echo(f"Written to {written(folder, out, kind=chosen, allow_code=allow_code, force=force)}")  # type: ignore[arg-type]


def _format(kind: str | None, out: Path | None) -> str:
    from ecosim.errors import InputError, hint

    known = {"html": "html", "htm": "html", "pdf": "pdf", "md": "md", "markdown": "md"}
    asked = kind if kind is not None else (out.suffix.removeprefix(".") if out is not None else "") or "html"
    if asked.lower() not in known:
        where = "--format" if kind is not None else f"--out {out}"
        raise InputError(f"{where}: no format {asked!r}; {hint(asked, ('html', 'pdf', 'md'))}")
    return known[asked.lower()]
