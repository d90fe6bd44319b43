"""What single agents decide by themselves: which firms follow a class of their own, and how to ask them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = np.ndarray[Any, np.dtype[Any]]


def is_number(value: object) -> bool:
    """Whether a value is a finite number; true is none, nor is a whole number beyond what a float holds."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def is_amount(value: object) -> bool:
    """Whether a value is a finite number of at least 0."""
    return isinstance(value, Real) and is_number(value) and float(value) >= 0


def told(value: object) -> str:
    """Write a value as Python would, also a whole number of more digits than Python writes."""
    try:
        return repr(value)
    except ValueError:
        return f"a number of type {type(value).__name__} that is too large"


def _nobody(row: int) -> Any:
    raise LookupError(f"no agents have been enrolled, so there is none of row {row}")


def _nothing(rows: Array) -> None:
    """Nobody has been enrolled, so there is nobody to forget."""


@dataclass
class Choices:
    """The firms whose class overrides a decision, and how to ask each of them.

    ``own`` maps a decision to rows in ascending order; ``agent`` returns the agent of a row; ``forget`` drops the
    agents of some rows, which somebody else takes over.
    """

    own: Mapping[str, Array] = field(default_factory=dict)
    agent: Callable[[int], Any] = _nobody
    forget: Callable[[Array], None] = _nothing

    def rows(self, decision: str) -> list[int]:
        """Rows of the firms that decide this by themselves."""
        found: list[int] = self.own[decision].tolist() if decision in self.own else []
        return found

    def ask(self, decision: str, row: int, *given: object) -> Any:
        """Answer of one firm to one decision."""
        return getattr(self.agent(row), decision)(*given)

    def amount(self, decision: str, row: int, *given: object) -> float:
        """Answer of one firm that must be a finite number of at least 0."""
        answer = self.ask(decision, row, *given)
        if not is_amount(answer):
            raise self.wrong(decision, row, answer, "a finite amount of at least 0")
        return float(answer)

    def wrong(self, decision: str, row: int, answer: object, wanted: str) -> InputError:
        """Error that names the class, the firm, the answer and what to return instead."""
        agent = self.agent(row)
        asked = f"{type(agent).__name__}.{decision}() of {agent.name!r} on day {agent._world.day}"
        return InputError(f"{asked} returned {told(answer)}; return {wanted}")
