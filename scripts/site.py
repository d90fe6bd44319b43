"""What mkdocs does beside its own: the page of commands, and links that a site cannot show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ecosim import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
RELATIVE = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!\w+:)[^)#\s]+)[^)]*\)")
COMMANDS = "<!-- commands -->"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Write the commands where they belong; let a link to a folder, or out of docs/, become its text.

    What such a link leads to must be there.
    """
    folder = (ROOT / "docs" / page.file.src_uri).parent

    def shown(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(ROOT / "docs") and not target.is_dir():
            return link[0]
        if not target.exists():
            raise FileNotFoundError(f"{page.file.src_uri} links to {link[2]}, which is not there")
        return link[1]

    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, "\n".join(_commands("ecosim", typer.main.get_command(cli.app))))
    return RELATIVE.sub(shown, markdown)


def _commands(name: str, command: Any) -> Iterator[str]:
    """A section for each command: what it does, and a table of what it takes."""
    if hasattr(command, "commands"):
        for inner, each in command.commands.items():
            yield from _commands(f"{name} {inner}", each)
        return
    yield from (f"## {name}", "", *map(str.strip, (command.help or "").splitlines()), "")
    rows = [_row(each) for each in command.params]
    if rows:
        yield from ("| | | default |", "|---|---|---|", *rows, "")


def _row(taken: Any) -> str:
    """Name, help and default of an argument or an option."""
    given = taken.opts[-1] if taken.opts[-1].startswith("-") else (taken.metavar or taken.name).upper()
    help_, default = (taken.help or "").replace("|", "\\|"), taken.default
    told = "" if default in {None, False, True, ""} or callable(default) or default == () else f"`{default}`"
    return f"| `{given}` | {help_} | {told} |"
