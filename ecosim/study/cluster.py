"""Runs on a cluster: Dask distributed by address, processes of a local Dask cluster, or a Dask client of one's own.

Dask moves batches and notices deaths; what is lived is kept by the workers themselves, in a folder that all share.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from ecosim.errors import InputError
from ecosim.study.job import Died
from ecosim.study.worker import batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.study.job import Event, Job, Setting

LOCAL = "local"
ATTEMPTS = 3  # to reach a cluster
CONNECT = 15  # seconds for each
FIRST_WORKER = 60  # seconds for a worker to come
AHEAD = 2  # batches a thread of a worker, so that none waits for the next
NEWS = 1.0  # seconds between two looks at who is there


class Cluster:
    """The workers of a Dask cluster; see `ecosim.study.hands.Hands`."""

    def __init__(self, setting: Setting, cluster: Any, workers: int | None) -> None:
        """Connect, and wait for a first worker."""
        self.distributed = _dask()
        self.address = cluster if isinstance(cluster, str) else str(cluster)
        self.own: list[Any] = []  # what was opened here and is closed here
        self.client = self._connected(cluster, workers)
        try:
            try:
                self.client.wait_for_workers(1, timeout=FIRST_WORKER)
            except TimeoutError:
                raise InputError(
                    f"--cluster {self.address}: no worker came within {FIRST_WORKER} s; start some, for example with "
                    f"dask worker {self.address}"
                ) from None
        except BaseException:
            self.close()
            raise
        self.waiting: dict[Any, tuple[int, ...]] = {}
        self.ended: Queue[Any] = Queue()
        self.looked, self.threads = -NEWS, 1
        self.setting = setting

    def _connected(self, cluster: Any, workers: int | None) -> Any:
        if isinstance(cluster, self.distributed.Client):
            return cluster
        said: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                if cluster == LOCAL:
                    cluster = self.distributed.LocalCluster(
                        n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
                    )
                    self.own.append(cluster)
                client = self.distributed.Client(cluster, timeout=CONNECT, set_as_default=False)
            except (OSError, ValueError) as error:
                said = error
            else:
                self.own.insert(0, client)
                return client
        raise InputError(
            f"--cluster {self.address}: no Dask scheduler answers there ({said}); give its address, such as "
            "tcp://host:8786, or local"
        )

    def room(self) -> int:
        """Batches that can be given so that nobody waits."""
        return max(AHEAD * self.count() - len(self.waiting), 0)

    def count(self) -> int:
        """Threads of all workers."""
        if time.monotonic() - self.looked > NEWS:
            self.threads = sum(self._asked(self.client.nthreads).values())
            self.looked = time.monotonic()
        return max(self.threads, 1)

    def give(self, jobs: Sequence[Job]) -> None:
        """Have a batch lived by whom Dask chooses."""
        future = self._asked(self.client.submit, batch, self.setting, list(jobs), pure=False)
        self.waiting[future] = tuple(job.run for job in jobs)
        future.add_done_callback(self.ended.put)

    def take(self, seconds: float) -> list[Event]:
        """What happened; batches that took several workers with them are told as died."""
        events = []
        with suppress(Empty):
            events.append(self._told(self.ended.get(timeout=seconds)))
            while True:
                events.append(self._told(self.ended.get_nowait()))
        return events

    def _told(self, future: Any) -> Event:
        runs = self.waiting.pop(future)
        try:
            event: Event = future.result(timeout=CONNECT)
        except self.distributed.KilledWorker:
            return Died(runs)
        except (self.distributed.CancelledError, OSError) as error:
            raise self._gone(error) from None
        except ModuleNotFoundError as error:
            raise InputError(
                f"--cluster {self.address}: its workers cannot import {error.name}; install the same version of ecosim "
                "there"
            ) from None
        return event

    def _asked(self, ask: Any, *given: Any, **named: Any) -> Any:
        try:
            return ask(*given, **named)
        except TimeoutError:
            raise
        except OSError as error:
            raise self._gone(error) from None

    def _gone(self, error: BaseException) -> InputError:
        return InputError(
            f"--cluster {self.address}: the scheduler went away ({error or type(error).__name__}); what was lived is "
            "kept, and the same command goes on"
        )

    def close(self) -> None:
        """Drop what is under way, and close what was opened here."""
        with suppress(Exception):
            self.client.cancel(list(getattr(self, "waiting", {})), force=True)
        for each in self.own:
            with suppress(Exception):
                each.close()


def _dask() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError("--cluster needs Dask; install it with: pip install 'ecosim[cluster]'") from None
    return distributed
