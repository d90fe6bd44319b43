"""``ecosim odd``: the model, or a scenario, described by the ODD protocol's elements that the code knows best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def odd(
    scenario: Annotated[
        str | None, typer.Argument(help="YAML file, or the name of a shipped scenario; the whole model by default.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the parts into this Markdown page, between its marks, instead.")
    ] = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the scenario import classes of your own.")
    ] = False,
) -> None:
    """Print state variables, channels, the day in order, submodels and values as Markdown, for an ODD protocol.

    Of a scenario: only what it switches on, with its own values, to put into the supplement of a paper.
    """
    import ecosim
    from ecosim.odd import parts

    chosen = None if scenario is None else ecosim.load(scenario, allow_code=allow_code)
    found = parts(chosen)
    if page is not None:
        _write(page, found)
        return
    for name, text in found.items():
        typer.echo(f"## {name.capitalize()}\n\n{text}\n")


def _write(page: Path, found: dict[str, str]) -> None:
    """Fill in the page, which stays as it is where anything goes wrong."""
    from ecosim.errors import InputError
    from ecosim.folders import NewFile
    from ecosim.odd import fill_in

    try:
        filled = fill_in(page.read_text(encoding="utf-8"), found)
    except UnicodeDecodeError as error:
        raise InputError(f"{page}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except InputError as error:
        raise InputError(f"{page}: {error}") from None
    with NewFile(page, replace=True) as half:
        half.write_text(filled, encoding="utf-8")
