"""``ecosim data``: the input-output tables that ship with ecosim."""

from __future__ import annotations

from typing import Annotated

import typer


def data_list() -> None:
    """List the tables that ship with ecosim, with their sources and terms."""
    from rich.console import Console
    from rich.table import Table

    from ecosim.calibration.tables import available

    table = Table("preset", "industries", "country", "year")
    entries = available()
    for entry in entries:
        table.add_row(entry.preset, str(entry.industries), entry.country, entry.year)
    console = Console(highlight=False)
    console.print(table)
    for source, terms in dict.fromkeys((entry.source, entry.terms) for entry in entries):
        presets = ", ".join(dict.fromkeys(entry.preset for entry in entries if entry.source == source))
        console.print(f"{presets}: {source}. Terms: {terms}.", markup=False)


def data_show(
    preset: Annotated[str, typer.Argument(help="Preset, as printed by `ecosim data list`.")],
    industries: Annotated[int | None, typer.Option(help="Detail, where a table comes in several.")] = None,
) -> None:
    """Show a table: output, share of inputs and of final demand by sector, and how it was balanced."""
    from rich.console import Console
    from rich.table import Table

    from ecosim.calibration.tables import describe, load_table

    found = load_table(preset, industries)
    table = Table("sector", title=f"{preset}: {found.industries} industries, {found.unit}")
    for name in ("output", "% of output", "inputs / output", "final demand / output"):
        table.add_column(name, justify="right")
    for row in describe(found).itertuples():
        shares = (f"{row.output_percent:.2f}", f"{row.input_share:.3f}", f"{row.final_demand_share:.3f}")
        table.add_row(str(row.Index), f"{row.output:,.0f}", *shares)
    console = Console()
    console.print(table)
    for line in (f"Source: {found.source}", f"Terms: {found.terms}", f"Cite: {found.citation}", *found.notes):
        console.print(line, markup=False, highlight=False)
