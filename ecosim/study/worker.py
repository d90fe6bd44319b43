"""What a process does that works on a study, here or on a cluster: it lives a batch and keeps it itself.

Only a token goes back to the driver, never a result: what is told was already on the disk.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim.compiling import clock
from ecosim.errors import InputError
from ecosim.study.identity import code_version
from ecosim.study.job import MEMORY, TIME, Done, Refused
from ecosim.study.living import forget, live, watched
from ecosim.study.store import RUNS, commit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.study.job import Event, Job, Row, Setting

_one_at_a_time = threading.Lock()  # a Dask worker with several threads would otherwise mix up time and memory
_lived: list[int] = []  # batches that this process has lived


def batch(setting: Setting, jobs: Sequence[Job]) -> Event:
    """Live some runs and keep them. Raises InputError where the study cannot be worked on here."""
    with _one_at_a_time:
        _fit(setting)
        started, compiled = time.perf_counter(), clock.seconds()
        rows: list[Row] = []
        for job in jobs:
            rows.append(live(setting, job, lambda last: commit(setting.folder, [*rows, last])))
            if rows[-1].status in {TIME, MEMORY}:
                forget()
                break
        try:
            commit(setting.folder, rows)
        except OSError as error:
            return Refused(tuple(job.run for job in jobs), error.strerror or str(error))
        first = not _lived
        _lived.append(len(rows))
        return Done(
            tuple((row.run, row.status, watched(setting, row)) for row in rows),
            time.perf_counter() - started - (clock.seconds() - compiled),
            first=first,
            left=tuple(job.run for job in jobs[len(rows) :]),
            spent=rows[-1].status in {TIME, MEMORY},
        )


def _fit(setting: Setting) -> None:
    """Refuse to work where the code or the folder is another than the driver's."""
    if code_version() != setting.code:
        raise InputError(
            f"a worker has another version of ecosim ({code_version()}) than the driver ({setting.code}); "
            "install the same one everywhere"
        )
    if not (Path(setting.folder) / RUNS).is_dir():
        raise InputError(
            f"{setting.folder}: a worker does not see this folder; choose one with --out that all machines share"
        )
