"""Where in a file a complaint belongs that comes up only when the economy is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecosim.config.source import parse, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from ecosim.config.source import Step

_PATH = re.compile(
    r"(?P<path>(?:economy|network|mechanisms|shocks|policies|metrics)(?:\.\w+)*)(?:, row (?P<row>[0-9]{1,9}):|:?) "
)


def placed(text: str, file: str | PathLike[str], changed: Iterable[str] = ()) -> str:
    """Put ``file:line:column`` before each line of a text that starts with a path of the scenario in ``file``.

    "network.firms, row 2: ..." is placed at the second entry of that list. Paths that were changed on the command
    line, and texts that name another place, stay as they are.
    """
    lines = text.split("\n")
    paths = [_steps(line, list(changed)) for line in lines]
    if not any(paths):
        return text
    document = parse(read_text(file), str(file))
    return "\n".join(
        "{}:{}:{}: {}".format(file, *document.place(steps), line) if steps else line
        for line, steps in zip(lines, paths, strict=True)
    )


def _steps(line: str, changed: list[str]) -> tuple[Step, ...]:
    """Path that a line of a complaint starts with; nothing where it does not, or where the path was changed."""
    found = _PATH.match(line)
    if found is None:
        return ()
    path = found["path"]
    if any(path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.") for other in changed):
        return ()
    steps: list[Step] = [int(step) if step.isdecimal() else step for step in path.split(".")]
    return (*steps, int(found["row"]) - 1) if found["row"] else tuple(steps)
