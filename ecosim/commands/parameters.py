"""``ecosim parameters``: every parameter of every mechanism."""

from __future__ import annotations

from typing import Annotated

import typer


def parameters(
    mechanisms: Annotated[
        bool, typer.Option("--mechanisms", help="What each mechanism is and keeps, instead of its parameters.")
    ] = False,
    shocks: Annotated[bool, typer.Option("--shocks", help="What each kind of shock is and whom it reaches.")] = False,
    policies: Annotated[bool, typer.Option("--policies", help="What each policy does, and its parameters.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values for other programs.")] = False,
) -> None:
    """Print every parameter of every mechanism: meaning, unit, default, range and source, as Markdown."""
    from ecosim import parameters as table

    if csv:
        typer.echo(table.parameters().to_csv(index=False), nl=False)
    elif shocks:
        typer.echo(table.shocks_section(), nl=False)
    elif policies:
        typer.echo(table.policies_section(), nl=False)
    else:
        typer.echo(table.mechanisms_page() if mechanisms else table.parameters_page(), nl=False)
