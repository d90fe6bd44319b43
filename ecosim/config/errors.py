"""What is wrong with a scenario: every problem at once, each with its place and its mend."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


_LONGEST_PATH = 120
_MOST_LINES = 50


@dataclass(frozen=True)
class Problem:
    """One thing to mend. Lines and columns count from 1; all three are None where no text was read."""

    file: str | None
    line: int | None
    column: int | None
    path: str
    message: str
    value: object = None

    def __str__(self) -> str:
        """Write the place, the path and the message as one line, in the form editors can jump to."""
        place = ":".join(str(item) for item in (self.file, self.line, self.column) if item is not None)
        path = self.path if len(self.path) <= _LONGEST_PATH else f"{self.path[:_LONGEST_PATH]}..."
        return ": ".join(item for item in (place, path, self.message) if item)


class ScenarioError(InputError):
    """A scenario that cannot be used; ``problems`` lists everything to mend, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems; repeated ones are told once."""
        self.problems: list[Problem] = []
        seen: set[str] = set()
        for problem in problems:
            if str(problem) not in seen:
                seen.add(str(problem))
                self.problems.append(problem)
        # The list is the only argument, so that the error survives pickling between worker processes.
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem; a hostile text can have thousands, a reader wants the first."""
        lines = [str(problem) for problem in self.problems[:_MOST_LINES]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)


def refuse(path: str, message: str, value: object = None, *, file: str | None = None) -> ScenarioError:
    """Make the error for a single problem that has no place in a text."""
    return ScenarioError([Problem(file, None, None, path, message, value)])


def among(word: object, known: Iterable[str], plural: str) -> str:
    """Say what was probably meant by a misspelt word, or list what is known."""
    options = sorted(known)
    if not options:
        return f"there are no {plural}"
    close = difflib.get_close_matches(str(word).lower().replace("-", "_"), options, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"the {plural} are {', '.join(options)}"


def shown(value: object) -> str:
    """Write a value as YAML would, shortened."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "nothing")
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."
