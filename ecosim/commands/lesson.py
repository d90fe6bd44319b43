"""``ecosim lesson``: a lesson as one HTML file that opens from disk without a network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def lesson(
    named: Annotated[
        str | None,
        typer.Argument(metavar="LESSON", help="YAML file, or the name of a shipped lesson.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All shipped lessons, into the folder --out.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page, NAME.html by default; with --all a folder, lessons by default.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace pages that exist.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; the page is the same.", show_default="all cores")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the pages.")] = False,
) -> None:
    """Make a lesson: every setting of its sliders is lived beforehand, and one HTML file holds it all.

    Without a lesson it lists those that ship with ecosim. A lesson that says what its runs do not show is refused.
    """
    from ecosim.errors import InputError
    from ecosim.lesson.reading import find_lesson, lessons

    if named is None and not every:
        _list()
        return
    if named is not None and every:
        raise InputError(f"--all makes every shipped lesson; leave out {named!r}, or leave out --all")
    if every:
        folder = out or Path("lessons")
        pages = [(path, folder / f"{name}.html") for name, path in lessons().items()]
    else:
        path = find_lesson(str(named))
        pages = [(path, out or Path(f"{_plain(path)}.html"))]
    for _, page in pages:
        _free(page, force=force)
    for path, page in pages:
        _make(path, page, workers, force=force, quiet=quiet)


def _list() -> None:
    from ecosim.lesson.reading import lessons, load

    for name, path in lessons().items():
        made = load(path)
        typer.echo(f"{name:<12} {made.title} ({made.minutes} minutes, {made.level})")


def _plain(path: Path) -> str:
    """Name of a lesson: its file's, without the number of a shipped one."""
    from ecosim.lesson.reading import lessons

    return next((name for name, shipped in lessons().items() if shipped == path), path.stem)


def _free(page: Path, *, force: bool) -> None:
    """Refuse a place that is taken before anything is lived."""
    from ecosim.errors import InputError

    if page.is_dir():
        raise InputError(f"{page}: a folder; name the page, such as {page / 'lesson.html'}")
    if page.exists() and not force:
        raise InputError(f"{page}: exists already; choose another place with --out, or replace it with --force")


def _make(path: Path, page: Path, workers: int | None, *, force: bool, quiet: bool) -> None:
    import sys

    from ecosim.config import placed
    from ecosim.errors import InputError
    from ecosim.folders import NewFile
    from ecosim.lesson import live, load
    from ecosim.lesson.page import html
    from ecosim.lesson.reading import lessons

    started, loaded = time.perf_counter(), load(path)
    again = _plain(path) if path in lessons().values() else path.name
    watched = not quiet and sys.stderr.isatty()

    def progress(done: int, points: int) -> None:
        if watched:
            typer.echo(f"\r{loaded.title} {done} of {points} settings", err=True, nl=done == points)

    try:
        text = html(live(loaded, workers=workers, progress=progress), name=again)
    except InputError as error:
        raise InputError(placed(str(error), path)) from None
    page.parent.mkdir(parents=True, exist_ok=True)
    with NewFile(page, replace=force) as half:
        half.write_text(text, encoding="utf-8", newline="\n")
    size = len(text.encode("utf-8")) / 1000
    seconds = time.perf_counter() - started
    typer.echo(str(page) if quiet else f"{page} ({size:.0f} kB, {loaded.points:,} settings, {seconds:.0f} s)")
