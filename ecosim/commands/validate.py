"""``ecosim validate``: the model beside what is known."""

from __future__ import annotations

from typing import Annotated

import typer


def validate(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Validate this alone: default-world. Repeatable.", show_default="everything"),
    ] = None,
    firms: Annotated[int, typer.Option(min=60, help="Firms of the default world.")] = 2000,
    years: Annotated[int, typer.Option(min=1, max=100, help="Years that it lives in peace.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Its seed.")] = 1,
) -> None:
    """Compare the model with what is known: expected, measured, tolerance; fails where one is missed."""
    from ecosim.report.validation import show
    from ecosim.validation import SUBJECTS

    unknown = [name for name in only or [] if name not in SUBJECTS]
    if unknown:
        from ecosim.errors import InputError

        raise InputError(f"--only {unknown[0]}: nothing of that name is validated; there is {', '.join(SUBJECTS)}")
    missed = 0
    for name in only or SUBJECTS:
        missed += show(name, SUBJECTS[name](firms=firms, years=years, seed=seed))
    if missed:
        raise typer.Exit(1)
