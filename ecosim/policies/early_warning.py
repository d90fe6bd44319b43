"""An early-warning trigger: firms stock up when the signals of a coming change rise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.policy import Measure
from ecosim.policies.trigger import Trigger
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class EarlyWarning(Measure):
    """Adaptive governance: an office watches, and when the signals rise firms are told, and paid, to stock up.

    The signal is that of the trigger ``warning``: before a system tips it comes back ever more slowly from small
    disturbances, so that its fluctuations grow and remember the day before (Scheffer et al. 2009). Equation: stock
    aimed at x (1 + ``extra``) while the alert lasts. Other policies follow it with ``trigger: {after:
    early_warning}``: they then act by the state of the system instead of by the calendar. A blow from outside gives
    no such signals, and who stocks up in a shortage takes goods from others.

    Channel ``buffer`` (the core).
    """

    kind: Literal["early_warning"] = "early_warning"
    trigger: Trigger = Trigger(warning=0.5)
    """When it begins; at an early warning above one half unless something else is said."""
    days: int | None = 60
    """Days that an alert lasts; null for ever."""
    repeat: bool = True
    """Whether there may be another alert when it is over."""
    extra: float = parameter(0.3, unit="share of the usual stock", source="assumption", low=0, high=20)
    """Stock that firms are told to add."""
    cost: float = parameter(0.0005, unit="share of output a day", source="assumption", low=0, high=1)
    """Telling firms, and what the extra stock costs them, while the alert lasts."""

    writes: ClassVar[tuple[str, ...]] = ("buffer",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "firms"

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Raise what firms aim at today."""
        world.sheet.multiply("buffer", rows, 1.0 + share * self.extra)
