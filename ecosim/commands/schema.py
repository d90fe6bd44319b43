"""``ecosim schema``: what a scenario may hold, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecosim import terminal


def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Print the JSON schema of a scenario, for editors that check YAML while you type."""
    import json

    from ecosim.config import schema as made

    text = json.dumps(made(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        from ecosim.folders import NewFile

        with NewFile(out, replace=force, otherwise=terminal.ANOTHER) as half:
            half.write_text(text + "\n", encoding="utf-8")
