"""What travels between the driver of a study and those who live its runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecosim.config import Scenario
    from ecosim.study.spec import Limits

#: What became of a run.
OK, ERROR, TIME, MEMORY, KILLED = STATUSES = ("ok", "error", "time", "memory", "killed")


@dataclass(frozen=True)
class Setting:
    """What all runs of a study have in common."""

    folder: str
    """Where runs are kept, the same path for everybody who works on the study."""
    code: str
    scenario: Scenario
    outcomes: tuple[str, ...] | None
    series: tuple[str, ...] | str
    limits: Limits
    watched: str | None = None
    """Outcome that decides when a point has replicates enough."""


@dataclass(frozen=True)
class Job:
    """One run: its number in the study, its replicate, and what it changes in the base scenario."""

    run: int
    replicate: int
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One run that was lived, or failed: what the store keeps of it."""

    run: int
    run_id: str
    status: str
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    outcomes: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Daily values by name, shape (days + 1,) each, from day -1."""


@dataclass(frozen=True)
class Done:
    """Runs of a batch that are kept: number, status and watched outcome of each; ``seconds`` is what they took.

    The batch ends early after a run that was over a limit, so that what it left behind burdens no other run.
    """

    runs: tuple[tuple[int, str, float], ...]
    seconds: float
    first: bool = False
    """Whether it was the first of its process, which has to load what the others find loaded."""
    left: tuple[int, ...] = ()
    """Runs of the batch that were not begun."""
    spent: bool = False
    """Whether its last run was over a limit, so that the process had better be replaced."""


@dataclass(frozen=True)
class Died:
    """The process that lived these runs is gone; some of them may be kept."""

    runs: tuple[int, ...]


@dataclass(frozen=True)
class Refused:
    """The store could not be written: no room, no right. Nothing of the batch is kept."""

    runs: tuple[int, ...]
    reason: str


Event = Done | Died | Refused
