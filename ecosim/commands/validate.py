"""``ecosim validate``: the model beside what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecosim.validation import Subject

KNOWN = "What is known of misses is in docs/validation.md and docs/published_results.md."


def validate(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Validate this alone: a name of --list. Repeatable.", show_default="everything"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small and in seconds; leaves out what has no quick form.")
    ] = False,
    names: Annotated[bool, typer.Option("--list", help="Say what can be validated, and measure nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, exact, for other programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values, a check a line.")] = False,
    firms: Annotated[int, typer.Option(min=60, help="Firms of the default world.")] = 2000,
    years: Annotated[int, typer.Option(min=1, max=100, help="Years that it lives in peace.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Its seed.")] = 1,
) -> None:
    """Compare the model with what is known: expected, measured, tolerance; ends with 1 where one is missed.

    Published and closed-form results, through the engine where the model allows it (column "tests"), and the default
    world beside data. Everything at full size takes some minutes.
    """
    from ecosim.validation import SUBJECTS

    chosen = _chosen(only, SUBJECTS, quick=quick)
    if names:
        for subject in chosen:
            typer.echo(f"{subject.name:16} {subject.story}{'' if subject.quick is not None else ' (no quick form)'}")
        return
    world = {"firms": firms, "years": years, "seed": seed}
    missed = _told(chosen, world, quick=quick, as_json=json) if json or csv else _shown(chosen, world, quick=quick)
    if missed:
        raise typer.Exit(1)


def _chosen(only: list[str] | None, known: dict[str, Subject], *, quick: bool) -> list[Subject]:
    from ecosim.errors import InputError, hint

    for name in only or []:
        if name not in known:
            raise InputError(f"--only {name}: nothing of that name is validated; {hint(name, known)}")
        if quick and known[name].quick is None:
            raise InputError(f"--only {name}: it has no quick form; drop --quick")
    return [known[name] for name in only or known if not quick or known[name].quick is not None]


def _measured(subject: Subject, world: dict[str, int], *, quick: bool) -> list[Any]:
    return subject.checks(quick=quick, **(world if subject.name == "default-world" else {}))


def _shown(chosen: list[Subject], world: dict[str, int], *, quick: bool) -> int:
    from time import perf_counter

    from ecosim.report.validation import show

    missed, every, begun = 0, 0, perf_counter()
    for subject in chosen:
        started = perf_counter()
        checks = _measured(subject, world, quick=quick)
        missed += show(f"{subject.name}: {subject.story} [{perf_counter() - started:.1f} s]", checks)
        every += len(checks)
    typer.echo(f"{every} checks, {missed} missed, in {perf_counter() - begun:.0f} s.{f' {KNOWN}' if missed else ''}")
    return missed


def _told(chosen: list[Subject], world: dict[str, int], *, quick: bool, as_json: bool) -> int:
    import csv
    import json
    import sys

    from ecosim.report.validation import FIELDS, rows

    found = [row for subject in chosen for row in rows(subject.name, _measured(subject, world, quick=quick))]
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        table = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
        table.writeheader()
        table.writerows(found)
    return sum(row["judged"] and not row["passed"] for row in found)
