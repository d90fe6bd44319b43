"""Who lives the runs of a study: what the driver asks of processes here and of a cluster alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.study.job import Event, Job


class Hands(Protocol):
    """Takes batches and tells what became of them, in any order."""

    def room(self) -> int:
        """How many batches can be given now."""

    def count(self) -> int:
        """How many runs can be lived at once."""

    def give(self, jobs: Sequence[Job]) -> None:
        """Have a batch lived."""

    def take(self, seconds: float) -> list[Event]:
        """What happened since the last time; waits for something to happen, but no longer than ``seconds``."""

    def close(self) -> None:
        """Let go of everybody at once; what they have not kept is lived again another time."""
