"""``ecosim schema``: what a scenario, or a study, may hold, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecosim import terminal


def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
    study: Annotated[bool, typer.Option("--study", help="Of a study instead of a scenario.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Print the JSON schema of a scenario or a study, for editors that check YAML while you type."""
    import json

    if study:
        from ecosim.study.editors import schema as made
    else:
        from ecosim.config import schema as made

    text = json.dumps(made(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        from ecosim.folders import NewFile

        with NewFile(out, replace=force, otherwise=terminal.ANOTHER) as half:
            half.write_text(text + "\n", encoding="utf-8")
