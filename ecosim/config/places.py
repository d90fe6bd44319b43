"""Where in a file a complaint belongs that comes up only when the economy is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecosim.config.source import parse, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from ecosim.config.source import Step

_PATH = re.compile(r"(?P<path>(?:economy|network|mechanisms|shocks|policies|metrics)(?:\.\w+)*):? ")


def placed(text: str, file: str | PathLike[str], changed: Iterable[str] = ()) -> str:
    """Put ``file:line:column`` before a text that starts with a path of the scenario in ``file``.

    Paths that were changed on the command line, and texts that name another place, stay as they are.
    """
    found = _PATH.match(text)
    if found is None:
        return text
    path = found["path"]
    if any(path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.") for other in changed):
        return text
    steps: list[Step] = [int(step) if step.isdigit() else step for step in path.split(".")]
    line, column = parse(read_text(file), str(file)).place(tuple(steps))
    return f"{file}:{line}:{column}: {text}"
