"""What the YAML parser stumbled over, and the mend, in words for people who do not know YAML's grammar."""

from __future__ import annotations

import re
from typing import Any

_MENDS = (
    (
        "mapping values are not allowed here",
        "a ': ' that does not fit: put text that contains ': ' in quotes, or line the key up with its neighbours",
    ),
    ("'\\t' that cannot start", "a tab; indent with spaces"),
    ("expected ',' or ']'", "the list opened with '['{since} is not closed here; add ',' or ']'"),
    ("expected ',' or '}'", "the mapping opened with '{{'{since} is not closed here; add ',' or '}}'"),
    ("found unexpected end of stream", "the quotes opened{since} are never closed"),
    ("unknown escape character", "unknown escape in double quotes; use single quotes, or write \\\\ for a backslash"),
    ("found '<scalar>'", "text follows a value that has ended, often after a quote; put the whole value in quotes"),
    ("expected <block end>", "does not fit the lines begun{since}: indent it like them, and do not mix '- ' and keys"),
    ("sequence entries are not allowed", "a list item cannot start here; put '- ' on a line of its own, or use [a, b]"),
    ("could not find expected ':'", "a key without ': ' after it; write 'key: value'"),
    ("expected '<document start>'", "text follows the end of the scenario; is there a bracket too many?"),
    ("incompatible YAML", "written for another version of YAML; remove the line that starts with %YAML"),
    ("expected the node content", "a value is missing here"),
)


def misread(error: Any, text: str) -> tuple[int | None, int | None, str]:
    """Line, column and message of a parser's error."""
    problem = str(getattr(error, "problem", "") or "")
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unprintable(error, text)
    start = getattr(error, "context_mark", None)
    since = f" at line {start.line + 1}, column {start.column + 1}" if start is not None else ""
    message = next((mend.format(since=since) for sign, mend in _MENDS if sign in problem), "")
    letter = re.search(r"found character '(.)' that cannot start", problem)
    if not message and letter:
        message = f"a value cannot start with {letter[1]}; put it in quotes"
    return mark.line + 1, mark.column + 1, message or f"not readable as YAML: {problem}"


def _unprintable(error: Any, text: str) -> tuple[int | None, int | None, str]:
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return None, None, f"not readable as YAML: {error}"
    before = text[:position]
    code = ord(text[position]) if position < len(text) else 0
    message = f"an invisible control character (U+{code:04X}); remove it"
    return before.count("\n") + 1, position - before.rfind("\n"), message
