"""Something that is validated: its name, what measures it, and how small it may be made to be quick."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ecosim.validation.check import Check


@dataclass(frozen=True)
class Subject:
    """A function that returns checks, with the arguments of its quick form (None where it has none)."""

    measure: Callable[..., list[Check]]
    quick: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Its name on the command line."""
        return self.measure.__name__.replace("_", "-")

    @property
    def story(self) -> str:
        """What it is about, in a line: the first of its module."""
        return (inspect.getdoc(sys.modules[self.measure.__module__]) or "").partition("\n")[0]

    def checks(self, *, quick: bool = False, **given: Any) -> list[Check]:
        """Measure, at full size or quickly; ``given`` are further arguments of its function."""
        return self.measure(**{**(self.quick or {} if quick else {}), **given})
