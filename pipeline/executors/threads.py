"""The executor that keeps several tasks under way in threads."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from paintpipe.pipeline.executors.contract import Emit, Job, R, T
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.pipeline.executors.stop import StopSwitch


class ThreadsExecutor:
    """Keeps up to `workers` tasks under way and takes the next one only when one has ended.

    After a failure, what is under way finishes first. After Ctrl-C or in a closed loop it is dropped at its next
    event, since a thread can't be stopped from outside.

    Args:
        settings: `workers` counts.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self.workers = settings.workers

    def run(self, tasks: Iterable[T], job: Job[T, R], emit: Emit) -> Generator[tuple[T, R], None, None]:
        """See `Executor.run`."""
        switch = StopSwitch()
        work = job.setup(switch.guard(emit))
        pool, active = ThreadPoolExecutor(self.workers, thread_name_prefix="worker"), _Active()
        try:
            yield from self._window(iter(tasks), lambda task: pool.submit(active.call, work, task))
        finally:
            switch.turn_on()
            pool.shutdown(wait=True, cancel_futures=True)
            active.wait()

    def _window(self, waiting: Iterator[T], submit: Callable[[T], Future[R]]) -> Iterator[tuple[T, R]]:
        running: dict[Future[R], T] = {}
        failure: BaseException | None = None
        while True:
            if failure is None:
                running |= {submit(task): task for task in islice(waiting, self.workers - len(running))}
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, error = running.pop(future), future.exception()
                if error is None:
                    yield task, future.result()
                else:
                    failure = failure or error
        if failure is not None:
            raise failure


class _Active:
    """Counts the calls under way: Ctrl-C in the instant that a thread starts hides that thread from its pool."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def call(self, work: Callable[[T], R], task: T) -> R:
        with self._changed:
            self._count += 1
        try:
            return work(task)
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0)
