"""The executor that keeps several tasks under way in threads."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ThreadsExecutor:
    """Keeps up to `workers` tasks under way and takes the next one only when one has ended.

    Ctrl-C, a failure and a closed loop all end the same way: nothing further is started, and what is under way
    finishes, since a thread can't be stopped and a shard is soon done.

    Args:
        workers: threads.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers

    def run(self, tasks: Iterable[T], work: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """See `Executor.run`."""
        waiting = iter(tasks)
        running: dict[Future[R], T] = {}
        failure: BaseException | None = None
        with ThreadPoolExecutor(self.workers, thread_name_prefix="worker") as pool:
            while True:
                if failure is None:
                    free = self.workers - len(running)
                    running |= {pool.submit(work, task): task for task in islice(waiting, free)}
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
