"""``ecosim doctor``: is everything here that ecosim needs?"""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """Look at Python, libraries, extras, data, room and compiled kernels; ends with 1 if something needed is broken."""
    from ecosim.health import examine, plain

    found = examine()
    if as_json:
        import json

        typer.echo(json.dumps(plain(found), indent=1, ensure_ascii=False))
    else:
        for each in found:
            typer.echo(str(each))
    broken = [each.what for each in found if each.state == "broken"]
    if broken:
        if not as_json:
            typer.echo(f"Broken: {', '.join(broken)}.")
        raise typer.Exit(1)
    if not as_json:
        typer.echo("Nothing that is needed is broken.")
