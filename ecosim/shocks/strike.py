"""One strike of a shock: its day, and what of it is known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

GIVEN, CHANCE, SPREAD = 0, 1, 2  # where the day of an entry comes from: the scenario, chance, or contagion


class Strike(NamedTuple):
    """One time that a shock strikes."""

    day: int
    origin: int
    """`GIVEN` or `CHANCE`."""
    among: Array | None = None
    """Rows of the firms that can be hit, ascending; None for all."""
    severity: float | None = None
    """Share that is lost; None where the shock says it."""
    place: str = ""
    """Where it is written, where that is not the scenario."""


def refuse_late(day: int, world: World, where: str, told: str = "") -> None:
    """Raise InputError for a day that does not come; ``told`` says why it is that day."""
    last = world.horizon - 1
    if day > last:
        raise InputError(
            f"{where}: day {day}{told} is beyond the last day {last}; strike on an earlier day, or set days: {day + 1} "
            "or more"
        )
