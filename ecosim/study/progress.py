"""How far a study is: for the one who waits, and in its folder for whoever looks on."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

FILE = "progress.json"
STALE = 30.0  # seconds without news after which nobody is at work
WEIGHT = 0.2  # of the last batch in the running mean


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


@dataclass(frozen=True)
class Progress:
    """How far a study is. Times in seconds; ``rate`` in runs a second; None where nothing was measured yet."""

    done: int
    total: int
    failed: int
    workers: int
    rate: float | None
    seconds_left: float | None
    at: float
    """When this was so, in seconds since 1970."""
    working: bool = True
    """Whether somebody was at work."""

    @classmethod
    def of(cls, folder: str | Path) -> Self | None:
        """Progress of a study by its folder; None where none was written."""
        try:
            found = cls(**json.loads((Path(folder) / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        working = found.working and time.time() - found.at < STALE
        return cls(**{**asdict(found), "working": working})

    def write(self, folder: Path) -> None:
        """Leave it in the folder; a full disk is no reason to stop."""
        half = folder / f".{FILE}"
        with suppress(OSError):
            half.write_text(json.dumps(asdict(self)), encoding="utf-8")
            half.replace(folder / FILE)
        with suppress(OSError):
            os.unlink(half)  # noqa: PTH108 - of a write that failed


class Clock:
    """Mean seconds of a run, measured on batches as they end."""

    def __init__(self) -> None:
        """Know nothing."""
        self.mean: float | None = None
        self.warm = False

    def note(self, runs: int, seconds: float, *, first: bool) -> None:
        """Take in a batch; the first of a process counts only as long as there is no other."""
        if not runs or (first and self.mean is not None):
            return
        each = seconds / runs
        self.mean = each if self.mean is None or not self.warm else (1 - WEIGHT) * self.mean + WEIGHT * each
        self.warm = not first

    def left(self, runs: int, workers: int) -> float | None:
        """Seconds that so many runs take so many workers."""
        return None if self.mean is None else self.mean * runs / max(workers, 1)

    def rate(self, workers: int) -> float | None:
        """Runs a second."""
        return None if not self.mean else workers / self.mean
