"""The driver of a study: gives out batches, notes what is kept, and goes on where an earlier one was killed."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from ecosim.errors import InputError
from ecosim.folders import safe_name
from ecosim.study import folder as study_folder
from ecosim.study.agenda import Agenda
from ecosim.study.identity import code_version, run_id
from ecosim.study.job import KILLED, OK, Died, Job, Refused, Row, Setting
from ecosim.study.progress import Clock, Progress
from ecosim.study.reading import load, made
from ecosim.study.results import Study
from ecosim.study.spec import StudySpec
from ecosim.study.store import commit, compact, files, finished, sweep_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from ecosim.study.hands import Hands
    from ecosim.study.job import Event

BATCH_SECONDS = 2.0  # that a batch should take: what a kill can cost
BATCH_RUNS = 50
SHARE = 3  # batches that each worker should still get, so that all end together
DEATHS = 3  # of processes that lived a run alone, after which the run is to blame
MANY_FILES = 400  # that are put together while the study goes on
DAY = 86_400.0
PILOT = 60.0  # seconds that the first run is waited for alone, to say how long all will take before they begin
NEWS = 0.5  # seconds between two reports of progress
LOCK = ".lock"


def sweep(
    study: str | PathLike[str] | StudySpec | Mapping[str, Any],
    *,
    out: str | PathLike[str] | None = None,
    workers: int | None = None,
    cluster: Any = None,
    yes: bool = False,
    retry: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Study:
    """Live a study (a YAML file, a `StudySpec`, or its keys and values) and return what is in its folder.

    Runs are kept in ``out`` (studies/NAME by default) as they end. The same call goes on where an earlier one was
    interrupted, and ends with the same table. ``workers`` are processes of this machine, as many as it has cores by
    default. ``cluster`` is the address of a Dask scheduler, "local", or a Dask Client or cluster; the folder must then
    be one that all its workers see. ``retry`` lives runs again that failed. A study of more than a day is begun
    only with ``yes``. ``progress`` is called about twice a second.

    Raises InputError for a mistake in the study, for a folder that holds something else, and where the folder cannot
    be written to any more: what is there then is whole.
    """
    spec = _spec(study)
    place = Path(out) if out is not None else Path("studies") / safe_name(spec.name)
    study_folder.prepare(place, spec)
    with study_folder.alone(place, LOCK):
        sweep_up(place)
        _Driver(spec, place.absolute(), yes=yes, retry=retry, progress=progress).drive(workers, cluster)
    return Study.load(place)


def _spec(study: str | PathLike[str] | StudySpec | Mapping[str, Any]) -> StudySpec:
    if isinstance(study, StudySpec):
        return study
    return load(study) if isinstance(study, str | os.PathLike) else made(study)


class _Driver:
    """One drive through what is left of a study."""

    def __init__(
        self, spec: StudySpec, place: Path, *, yes: bool, retry: bool, progress: Callable[[Progress], None] | None
    ) -> None:
        self.spec, self.place, self.yes, self.told = spec, place, yes, progress
        self.factors = list(spec.varied.items())
        watched = None if spec.stop is None else spec.stop.outcome
        self.setting = Setting(str(place), code_version(), spec.base, spec.outcomes, spec.series, spec.limits, watched)
        kept = finished(place, watched)
        settled = kept.ok if retry else np.ones(len(kept.runs), dtype=bool)
        self.agenda = Agenda(spec, kept.runs[settled], kept.watched[settled])
        self.done, self.failed = int(settled.sum()), int((settled & ~kept.ok).sum())
        self.clock = Clock()
        self.under_way: set[int] = set()
        self.deaths: Counter[int] = Counter()
        self.reported, self.workers = 0.0, 0

    def drive(self, workers: int | None, cluster: Any) -> None:
        """Live what is left."""
        if self.agenda.left:
            hands = self._hands(workers, cluster)
            try:
                self._pilot(hands)
                self._until_done(hands)
            finally:
                hands.close()
                self._report(working=False)
        self._tidy()
        self._report(working=False)

    def _hands(self, workers: int | None, cluster: Any) -> Hands:
        if cluster is not None:
            from ecosim.study.cluster import Cluster

            return Cluster(self.setting, cluster, workers)
        from ecosim.resilience.pool import cores
        from ecosim.study.runner import Processes

        return Processes(self.setting, min(workers or cores(), self.agenda.left))

    def _pilot(self, hands: Hands) -> None:
        """Live one run alone, and say how long all will take; a study of days is refused before it begins."""
        if self.yes:
            return
        while hands.room() < 1:
            for event in hands.take(NEWS):
                self._note(event, hands)
        (run,) = self.agenda.next(1)
        self.under_way.add(run)
        hands.give([self._job(run)])
        started = time.monotonic()
        while self.clock.mean is None and self.under_way and time.monotonic() - started < PILOT:
            for event in hands.take(NEWS):
                self._note(event, hands)
            if self.clock.mean is None:
                self._dare(hands.count(), time.monotonic() - started)
        self.workers = hands.count()
        self._report(working=True)

    def _until_done(self, hands: Hands) -> None:
        while self.agenda.left or self.under_way:
            while self.agenda.left and hands.room() > 0:
                runs = self.agenda.next(self._batch(hands.count()))
                self.under_way.update(runs)
                hands.give([self._job(run) for run in runs])
            for event in hands.take(NEWS):
                self._note(event, hands)
            self.workers = hands.count()
            if time.monotonic() - self.reported > NEWS:
                self._report(working=True)

    def _batch(self, workers: int) -> int:
        """Runs of the next batch: long enough to cost little, short enough to lose little."""
        if self.clock.mean is None or not self.clock.warm:
            return 1
        by_time = int(BATCH_SECONDS / max(self.clock.mean, 1e-3))
        by_share = math.ceil(self.agenda.left / (SHARE * workers))
        return max(1, min(BATCH_RUNS, by_time, by_share))

    def _job(self, run: int) -> Job:
        point, replicate = divmod(run, self.spec.replicates)
        return Job(run, replicate, study_folder.changes(self.spec, point))

    def _note(self, event: Event, hands: Hands) -> None:
        if isinstance(event, Refused):
            raise InputError(
                f"{self.place}: cannot be written ({event.reason}); the {self.done:,} runs that are there are whole. "
                "Make room, and the same command goes on"
            )
        if isinstance(event, Died):
            self._bury(event)
            return
        for run, status, watched in event.runs:
            self._count(run, status == OK, watched)
        self.under_way.difference_update(event.left)
        self.agenda.put_back(event.left)
        self.clock.note(len(event.runs), event.seconds, first=event.first)
        self._dare(hands.count())
        if len(files(self.place)) > MANY_FILES:
            self._tidy()

    def _tidy(self) -> None:
        """Put small files together; where there is no room for that, they serve as they are."""
        with suppress(OSError):
            compact(self.place)

    def _count(self, run: int, ok: bool, watched: float) -> None:
        self.under_way.discard(run)
        if not self.agenda.done[run]:
            self.done += 1
            self.failed += not ok
            self.agenda.finished(run, watched if ok else math.nan)

    def _bury(self, event: Died) -> None:
        """Have the runs of a dead process lived again; one that killed several, and was alone, is recorded as such."""
        kept = finished(self.place, self.setting.watched, pc.field("run").isin(event.runs))
        for run, ok, watched in zip(kept.runs.tolist(), kept.ok.tolist(), kept.watched.tolist(), strict=True):
            self._count(run, ok, watched)
        lost = [run for run in event.runs if run in self.under_way]
        self.under_way.difference_update(lost)
        if len(event.runs) == 1:
            self.deaths.update(lost)
        again = [run for run in lost if self.deaths[run] < DEATHS]
        self.agenda.put_back(again)
        for run in set(lost).difference(again):
            self._record_killed(run)

    def _record_killed(self, run: int) -> None:
        job = self._job(run)
        name = run_id(self.setting.code, self.spec.base.with_(job.changes), job.replicate)
        error = f"the process that lived it was killed {DEATHS} times, perhaps by the system for want of memory"
        commit(self.place, [Row(run, name, KILLED, error)])
        self._count(run, False, math.nan)

    def _dare(self, workers: int, so_far: float = 0.0) -> None:
        """Refuse a study of days that nobody agreed to; a run that is not over yet took ``so_far`` at least."""
        left = so_far * self.agenda.left / max(workers, 1) if so_far else self.clock.left(self.agenda.left, workers)
        if not self.yes and left is not None and left > DAY:
            about = "more than" if so_far else "about"
            raise InputError(
                f"{self.agenda.total:,} runs will take {about} {left / 3600:,.0f} hours on {workers} workers; say that "
                f"you mean it with --yes, or take fewer. The {self.done:,} runs lived so far are kept"
            )

    def _report(self, *, working: bool) -> None:
        self.reported = time.monotonic()
        now = Progress(
            done=self.done,
            total=self.agenda.total,
            failed=self.failed,
            workers=self.workers,
            rate=self.clock.rate(self.workers),
            seconds_left=self.clock.left(self.agenda.total - self.done, self.workers),
            at=time.time(),
            working=working,
        )
        now.write(self.place)
        if self.told is not None:
            self.told(now)
