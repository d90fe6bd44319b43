"""How YAML 1.2 reads a plain word: null, true, a number, or text (its core schema, and nothing more)."""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_FIXED: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_LONGEST = 400  # digits; no parameter needs more, and Python itself refuses to read thousands


def scalar(word: str) -> Scalar:
    """Read one unquoted word.

    ``no``, ``on`` and ``12:30`` stay text, ``1e-3`` is a number. Raises ValueError for an absurdly long number.
    """
    if word in _FIXED:
        return _FIXED[word]
    if _INFINITE.fullmatch(word):
        return -math.inf if word.startswith("-") else math.inf
    base = 10 if _WHOLE.fullmatch(word) else 8 if _OCTAL.fullmatch(word) else 16 if _HEX.fullmatch(word) else 0
    if not base and not _DECIMAL.fullmatch(word):
        return word
    if len(word) > _LONGEST:
        msg = f"a number of {len(word)} digits is too long; {_LONGEST} is the most"
        raise ValueError(msg)
    if base == 10:
        return int(word)
    return int(word[2:], base) if base else float(word)
