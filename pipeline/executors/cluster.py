"""The executor that hands tasks to the workers of an existing dask cluster."""

import asyncio
import secrets
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import count, islice
from queue import Empty, SimpleQueue
from typing import Any, Generic

from paintpipe.pipeline.executors.attempts import lost_error
from paintpipe.pipeline.executors.cluster_calls import Connected
from paintpipe.pipeline.executors.cluster_connection import connect
from paintpipe.pipeline.executors.cluster_worker import JobPlugin, busy, close_job, work_on
from paintpipe.pipeline.executors.contract import Emit, Job, R, T
from paintpipe.pipeline.executors.pickles import pack, unpack
from paintpipe.pipeline.executors.settings import ExecutorSettings

_TICK_S = 0.5
_RECOUNT_S = 5.0


class DaskExecutor:
    """Keeps every thread of the cluster's workers busy, with a few more tasks waiting at each worker.

    The job travels once to each worker, and each sets it up once. Events arrive with the result of their task.

    Args:
        settings: scheduler, resources and patience.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self.settings = settings

    def run(self, tasks: Iterable[T], job: Job[T, R], emit: Emit) -> Generator[tuple[T, R], None, None]:
        """See `Executor.run`.

        Raises:
            ClusterError: no scheduler, no worker that fits, or workers that don't answer.
            WorkerMismatchError: a worker has another version of paintpipe.
            WorkerLostError: also where the scheduler dies.
        """
        with connect(self.settings, emit) as cluster:
            window: _Window[T, R] = _Window(cluster, self.settings, iter(tasks), job, emit)
            try:
                yield from window.run()
            finally:
                window.close()


class _Window(Generic[T, R]):
    def __init__(
        self, cluster: Connected, settings: ExecutorSettings, tasks: Iterator[T], job: Job[T, R], emit: Emit
    ) -> None:
        self._cluster, self._settings, self._tasks, self._emit = cluster, settings, tasks, emit
        # Not of the job's content: two runs of one job would then share tasks, and the first to end would end both.
        self._name = secrets.token_hex(16)
        self._plugin = JobPlugin(self._name, pack(job))
        self._bring()
        self._running: dict[Any, T] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._unsettled = list[Any]()
        self._numbers = count()
        self._room, self._counted_s = 0, 0.0
        self._failure: BaseException | None = None

    def _bring(self) -> None:
        """The job to all workers."""
        try:
            self._cluster.answers(self._cluster.client.register_plugin, self._plugin)
        except BaseException:
            with suppress(ValueError):  # the scheduler knows nothing of it yet
                self._cluster.tell(self._cluster.client.unregister_worker_plugin, self._plugin.name)
            raise

    def run(self) -> Iterator[tuple[T, R]]:
        results = list[tuple[T, R]]()
        while True:
            if self._failure is None:
                self._submit_some()
            yield from results  # workers have their next tasks already, however long the caller takes
            if not self._running:
                break
            results = self._collect(self._wait())
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Forget the job on all workers; what is still under way stops at its next event, or is left behind."""
        cluster, until = self._cluster, time.monotonic() + self._settings.grace_s
        under_way = list(self._running)
        self._running.clear()
        if under_way:
            cluster.tell(cluster.client.cancel, under_way)
        cluster.tell(cluster.client.unregister_worker_plugin, self._plugin.name)
        while under_way and time.monotonic() < until and any(cluster.ask(busy, self._name)):
            time.sleep(0.1)

    def _submit_some(self) -> None:
        for task in islice(self._tasks, max(0, self._measure_room() - len(self._running))):
            if self._cluster.lost():
                self._failure = self._cluster.lost_error()
                return
            self._submit(task)

    def _submit(self, task: T) -> None:
        key = f"{self._plugin.name}-{next(self._numbers)}"
        future = self._cluster.client.submit(
            work_on, self._name, pack(task), key=key, pure=False, resources=dict(self._settings.resources) or None
        )
        self._running[future] = task
        future.add_done_callback(self._ended.put)

    def _measure_room(self) -> int:
        """Tasks that may be under way: as many as run at once, and one more for each worker; workers come and go."""
        if time.monotonic() - self._counted_s > _RECOUNT_S:
            self._room, self._counted_s = max(2, self._cluster.room()), time.monotonic()
        return self._room

    def _wait(self) -> list[Any]:
        """Futures that have ended, or none within a moment."""
        ended, self._unsettled = self._unsettled, []
        try:
            ended.append(self._ended.get(timeout=_TICK_S))
            while True:
                ended.append(self._ended.get_nowait())
        except Empty:
            return ended

    def _collect(self, ended: list[Any]) -> list[tuple[T, R]]:
        if self._cluster.lost():
            raise self._cluster.lost_error()
        results = list[tuple[T, R]]()
        finished = [future for future in ended if future.status == "finished"]
        for future, packed in zip(finished, self._gather(finished), strict=True):
            result, events = unpack(packed)
            for event in events:
                self._emit(event)
            results.append((self._running.pop(future), result))
        for future in ended:
            if future not in self._running:
                continue  # it is collected, whatever has become of it since
            if future.status in ("error", "cancelled"):
                self._fail(self._error(future, self._running.pop(future)))
            else:
                self._unsettled.append(future)  # its worker died with the result: the cluster works on it once more
        return results

    def _fail(self, error: BaseException) -> None:
        """The first failure lets no worker begin another task; those that wait there come back as Stopped."""
        if self._failure is None:
            self._failure = error
            self._cluster.ask(close_job, self._name)

    def _gather(self, finished: list[Any]) -> list[Any]:
        try:
            found: list[Any] = self._cluster.client.gather(finished)
        except (CancelledError, asyncio.CancelledError) as error:
            raise self._cluster.lost_error() from error
        except OSError:
            if self._cluster.lost():
                raise self._cluster.lost_error() from None
            raise
        return found

    def _error(self, future: Any, task: T) -> BaseException:
        """What a future failed with."""
        from distributed import KilledWorker

        if future.status == "cancelled":
            return self._cluster.lost_error()
        error: BaseException = future.exception()
        if isinstance(error, KilledWorker):
            return lost_error(str(task), f"its worker died, {error.allowed_failures + 1} times (out of memory?)")
        error.add_note("in a dask worker:\n" + "".join(traceback.format_tb(future.traceback())))
        return error
