"""The one exception for what a user got wrong."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """A mistake in what the user gave. Its text names the value, the place and the mend, and stands alone."""


def hint(name: str, known: Iterable[str]) -> str:
    """Say what was probably meant by a name that is not known, or list the first of those that are."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
