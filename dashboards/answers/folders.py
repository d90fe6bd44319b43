"""Folders that a session may look at: those below the one the server was started in, and nothing else.

A folder is data. What it holds is read as tables and text; nothing in it is imported, unpickled or run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    type Kind = Literal["run", "study", "comparison", "atlas", "policy study"]

ENV = "ECOSIM_DASHBOARD_DATA"
"""Names the folder to look below; the one the server was started in where it is not set."""
DEEP = 4  # folders below the root that are looked into
MOST = 200  # that are listed
LOOKED = 5000  # entries of the disk that are looked at, so that a home folder costs no minute
TABLES = (".parquet", ".csv")
#: What tells a folder, by files that must all be there; the first that fits says what it is.
MARKS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("run", ("manifest.json", "series.parquet", "firms.parquet")),
    ("policy study", ("study.json", "page.md", "packages.parquet")),
    ("study", ("manifest.json", "design.parquet", "runs")),
    ("comparison", ("comparison.json", "effects.parquet")),
    ("atlas", ("atlas.json", "tables")),
)
PASSED = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True)
class Found:
    """A folder that can be looked at: its path below the root, and what it is."""

    path: str
    kind: Kind


def root() -> Path:
    """Return the folder that sessions may look below."""
    return Path(os.environ.get(ENV) or Path.cwd()).resolve()


def inside(named: str, below: Path | None = None) -> Path:
    """Folder or file of a name below the root.

    Raises InputError for a name that leads outside, by dots, by an absolute path or by a link, and for one that is not
    there.
    """
    top = root() if below is None else below.resolve()
    told = named[:80]
    outside = InputError(f"{told}: not below the folder the dashboard was started in; start it in a folder above")
    if "\0" in named or "\\" in named or Path(named).is_absolute():
        raise outside
    try:
        place = (top / named).resolve()
        there = place.exists()
    except (OSError, ValueError, RuntimeError):  # longer than a name can be, no name at all, links in a circle
        raise outside from None
    if place != top and top not in place.parents:
        raise outside
    if not there:
        raise InputError(f"{told}: there is nothing of that name below {top.name}; choose one of the list")
    return place


def kind_of(folder: Path) -> Kind | None:
    """What a folder is, by the files it holds; None for one that is nothing of ecosim's."""
    for kind, files in MARKS:
        if all((folder / name).exists() for name in files):
            return kind
    return None


def look(below: Path | None = None) -> list[Found]:
    """Every folder of ecosim's below the root, by path; links are not followed."""
    top = root() if below is None else below
    found = []
    for folder in _walk(top):
        kind = kind_of(folder)
        if kind is not None:
            found.append(Found(folder.relative_to(top).as_posix(), kind))
            if len(found) == MOST:
                break
    return sorted(found, key=lambda each: each.path)


def _walk(top: Path) -> Iterator[Path]:
    """Folders from the root down, level by level, so that near ones are found before deep ones."""
    level, seen = [top], 0
    for _ in range(DEEP + 1):
        below: list[Path] = []
        for folder in level:
            yield folder
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            seen += len(entries)
            if seen > LOOKED:
                return
            below += [
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name not in PASSED
            ]
        level = below


def tables(folder: Path) -> dict[str, Path]:
    """Tables of a folder by name: its own Parquet and CSV files, and those in its folder ``tables``."""
    found: dict[str, Path] = {}
    for place, before in ((folder, ""), (folder / "tables", "tables/")):
        if place.is_dir() and not place.is_symlink():
            found |= {
                before + path.name: path
                for path in sorted(place.iterdir())
                if path.suffix in TABLES and path.is_file() and not path.is_symlink() and not path.name.startswith(".")
            }
    return found
