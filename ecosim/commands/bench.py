"""``ecosim bench``: speed and memory, measured here and now."""

from __future__ import annotations

from typing import Annotated

import typer


def bench(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="startup, day, memory, rationing, esri, country, elsewhere.", show_default="all"),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Day: numbers of firms, separated by commas.", show_default="1000,10000,100000,1000000"),
    ] = None,
    links: Annotated[
        int | None, typer.Option(min=1, max=100, help="Day: suppliers per firm.", show_default="4")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Day: days per measurement.", show_default="chosen by size")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Live the whole year of a million firms; ESRI of 100,000 firms.")
    ] = False,
) -> None:
    """Measure speed and memory here and now: a line for every target, with what it is compared with.

    Takes two or three minutes. An option of the day alone measures only the day.
    """
    from ecosim.bench import show

    numbers = None if sizes is None else _whole_numbers(sizes)
    show(what or (), full=full, sizes=numbers, links=links, days=days)


def _whole_numbers(text: str) -> list[int]:
    from ecosim.errors import InputError

    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 and int(part) >= 2 for part in numbers):
        raise InputError(f"--sizes {text!r}: give numbers of at least 2 separated by commas, such as 1000,10000")
    return [int(part) for part in numbers]
