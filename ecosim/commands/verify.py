"""``ecosim verify``: is a folder what living it again gives?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

CODE = ("names Python code", "would run code")  # what a refused class is told with


def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, comparison, atlas, sweep or policy study.")],
    every: Annotated[
        bool, typer.Option("--all", help="Live all of a sweep, comparison, atlas or policy study again, not a sample.")
    ] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the folder's scenario import classes of your own.")
    ] = False,
) -> None:
    """Live a folder again from its scenario, seed and data, and compare every table; ends with 1 if one differs.

    It compares bit by bit, and says what differs first and which version or file is not as it was.
    """
    from ecosim.artefact import kind_of
    from ecosim.config import ScenarioError
    from ecosim.errors import InputError

    kind_of(folder)  # before anything that takes seconds to import
    from ecosim.rerun.verifying import verify as verified

    def tell(what: str) -> None:
        if sys.stderr.isatty():
            typer.echo(what, err=True)

    try:
        found = verified(folder, every=every, allow_code=allow_code, progress=tell)
    except ScenarioError as error:
        if allow_code or not any(words in str(error) for words in CODE):
            raise
        raise InputError(f"{error}\nIf you trust the folder, let it run its code: --allow-code") from None
    for line in found.sentences():
        typer.echo(line)
    if not found.same:
        raise typer.Exit(1)
