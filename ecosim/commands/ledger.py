"""``ecosim ledger``: the balance sheet and the transactions matrix of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def ledger(
    run: Annotated[Path, typer.Argument(help="Folder of a run with finance on.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, exact, for other programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values, an entry a line.")] = False,
) -> None:
    """Print the balance sheet and the transactions matrix of a run's economy; ends with 1 if they do not add up."""
    from rich.console import Console

    from ecosim.report.ledger import Ledger
    from ecosim.result import load_ledger

    tables = Ledger.of(load_ledger(run))
    if json:
        typer.echo(tables.json())
    elif csv:
        typer.echo(tables.long().to_csv(index=False), nl=False)
    else:
        tables.show(Console(highlight=False, width=None if sys.stdout.isatty() else 160))
    if tables.faults():
        raise typer.Exit(1)
