"""Which runs are still to be lived, in which order, and when a point has replicates enough."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecosim.study.factors import Codes
    from ecosim.study.spec import Stop, StudySpec

BUILT_FROM = ("economy", "network", "seed")  # keys of a scenario that its network follows from
NOT_IN_TWINS = ("shocks", "policies")


def looks(stop: Stop, most: int) -> list[int]:
    """Numbers of replicates at which the rule looks at a point, the last being the most."""
    at = list(range(min(stop.at_least, most), most, stop.step))
    return [*at, most] if not at or at[-1] != most else at


def half_width(values: NDArray[np.float64], confidence: float) -> float:
    """Half-width of Student's interval of the mean; infinite below two values that are numbers."""
    from scipy.stats import t

    known = values[~np.isnan(values)]
    if len(known) < 2:
        return float("inf")
    quantile = float(t.ppf(0.5 + confidence / 2, len(known) - 1))
    return float(quantile * known.std(ddof=1) / np.sqrt(len(known)))


def enough(stop: Stop, values: NDArray[np.float64], most: int) -> int | None:
    """How many replicates a point needs, given the watched outcomes of its first ones, shape (replicates lived,).

    None where the rule cannot say yet: it looks at a prefix, in the order of replicates, so that what it says depends
    on nothing else.
    """
    for count in looks(stop, most):
        if count > len(values):
            return None
        if count == most or half_width(values[:count], stop.confidence) <= stop.half_width:
            return count
    return most


def numbered(spec: StudySpec) -> NDArray[np.int64]:
    """Numbers of all runs (point x replicates + replicate) in the order in which they are lived, shape (runs,).

    Runs that share a network stand together, and among them those that share a twin, so that a process makes each
    once.
    """
    codes, replicates = spec.codes, spec.replicates
    network: list[Codes] = []
    twin: list[Codes] = []
    rest: list[Codes] = []
    for at, path in enumerate(spec.varied):
        top = path.split(".")[0]
        (network if top in BUILT_FROM else rest if top in NOT_IN_TWINS else twin).append(
            np.repeat(codes[:, at], replicates)
        )
    runs = np.arange(len(codes) * replicates)
    keys = [*network, runs % replicates, *twin, *rest]  # the first counts most
    return runs[np.lexsort(tuple(reversed(keys)))]


class Agenda:
    """The runs to be lived next."""

    def __init__(self, spec: StudySpec, done: NDArray[np.int64], watched: NDArray[np.float64]) -> None:
        """Leave out the runs that are ``done``; ``watched`` are their outcomes that the stopping rule looks at."""
        self.stop, self.replicates, self.points = spec.stop, spec.replicates, len(spec.codes)
        self.order = numbered(spec)
        self.done = np.zeros(self.points * self.replicates, dtype=bool)
        self.done[done] = True
        self.back: deque[int] = deque()
        self.asked = np.full(self.points, self.replicates)
        if self.stop is not None:
            self.values = np.full((self.points, self.replicates), np.nan)
            self.values.flat[done] = watched
            self.asked[:] = looks(self.stop, self.replicates)[0]
            for point in range(self.points):
                self._look(point)
        self.order = self.order[self._wanted(self.order)]
        self.given = 0  # of that order
        self.more: deque[int] = deque()  # replicates that the stopping rule asked for since

    def _wanted(self, runs: NDArray[np.int64]) -> NDArray[np.bool_]:
        wanted: NDArray[np.bool_] = ~self.done[runs] & (runs % self.replicates < self.asked[runs // self.replicates])
        return wanted

    @property
    def total(self) -> int:
        """Runs of the study as far as is known now."""
        return int(self.asked.sum())

    @property
    def left(self) -> int:
        """Runs that wait to be given to somebody."""
        return len(self.order) - self.given + len(self.more) + len(self.back)

    def next(self, most: int) -> list[int]:
        """Take the next runs; one that came back is taken alone."""
        if self.back:
            return [self.back.popleft()]
        runs: list[int] = self.order[self.given : self.given + most].tolist()
        self.given += len(runs)
        return runs or [self.more.popleft() for _ in range(min(most, len(self.more)))]

    def put_back(self, runs: Sequence[int]) -> None:
        """Have runs lived once more, each alone, before the others."""
        self.back.extend(runs)

    def finished(self, run: int, watched: float) -> None:
        """Note a run that is kept; more replicates of its point may follow."""
        self.done[run] = True
        if self.stop is None:
            return
        point, replicate = divmod(run, self.replicates)
        self.values[point, replicate] = watched
        before = int(self.asked[point])
        self._look(point)
        new = point * self.replicates + np.arange(before, int(self.asked[point]))
        self.more.extend(new[~self.done[new]].tolist())

    def _look(self, point: int) -> None:
        """Ask for more replicates of a point until those lived are enough."""
        stop = self.stop
        assert stop is not None
        lived = self.done[point * self.replicates : (point + 1) * self.replicates]
        first = len(lived) if lived.all() else int(np.argmin(lived))
        found = enough(stop, self.values[point, :first], self.replicates)
        if found is not None:
            self.asked[point] = found
            return
        self.asked[point] = next(count for count in looks(stop, self.replicates) if count > first)
