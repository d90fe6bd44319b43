"""``ecosim new``: a scenario to start from, or a package for parts of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTERS = Path(__file__).parent.parent / "starters"
ENDING = ".template"


def new(
    name: Annotated[str, typer.Argument(help="What it is called; of a package, what Python imports it as.")],
    plugin: Annotated[
        bool, typer.Option("--plugin", help="A package with a shock, a network, a mechanism, a policy and a metric.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="File of the scenario, or folder of the package; NAME.yaml or NAME by default.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file of a scenario; a package is never replaced.")
    ] = False,
) -> None:
    """Write a scenario with a comment on each line to start from, or with --plugin a package with passing tests."""
    if plugin:
        _package(name, out or Path(name))
    else:
        _scenario(name, out or Path(f"{name}.yaml"), force)


def _scenario(name: str, target: Path, force: bool) -> None:
    from ecosim.errors import InputError
    from ecosim.folders import NewFile, safe_name

    if safe_name(name) != name:
        raise InputError(f"{name!r}: not a name for a file; letters, digits, - and _, such as {safe_name(name)}")
    text = (STARTERS / f"scenario.yaml{ENDING}").read_text(encoding="utf-8")
    with NewFile(target, replace=force, otherwise=terminal.ANOTHER) as half:
        half.write_text(text.replace("NAME", name), encoding="utf-8")
    typer.echo(f"{target} is a scenario of 300 firms and a flood; change a line, and: ecosim run {target}")


def _package(name: str, target: Path) -> None:
    from ecosim.errors import InputError
    from ecosim.folders import NewFolder

    _refuse_unfit(name)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(f"{target}: exists already, and may hold work of yours; {terminal.ANOTHER}")
    files = dict(_files(name))
    with NewFolder(target, {path.parts[0] for path in files}, otherwise=terminal.ANOTHER) as folder:
        with folder.told():
            for path, text in files.items():
                (folder.half / path).parent.mkdir(parents=True, exist_ok=True)
                (folder.half / path).write_text(text, encoding="utf-8")
        shown = folder.publish()
    typer.echo(f"{shown} is a package with one part of each kind, named in YAML as {name}.shock:Sundays and so on.")
    typer.echo(f"Try it: cd {shown}; python -m pytest; ecosim run scenario.yaml. Its README.md says how it goes on.")


def _refuse_unfit(name: str) -> None:
    """Raise InputError for what Python could not import, or would import from elsewhere."""
    import keyword
    import re
    import sys
    from importlib.util import find_spec

    from ecosim.errors import InputError

    plain = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "my_parts"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        mend = plain if re.fullmatch(r"[a-z]\w*", plain) and not keyword.iskeyword(plain) else "my_parts"
        raise InputError(f"{name!r}: no name for a package; small letters, digits and _, such as {mend}")
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise InputError(f"{name!r}: Python imports something else by that name; choose another, such as my_{name}")


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """Path and text of each file of the package."""
    from importlib.metadata import version

    folder = STARTERS / "plugin"
    for path in sorted(folder.rglob(f"*{ENDING}")):
        inside = path.relative_to(folder).as_posix().removesuffix(ENDING).replace("PACKAGE", name)
        text = path.read_text(encoding="utf-8").replace("PACKAGE", name).replace("VERSION", version("ecosim"))
        yield Path(inside), text
