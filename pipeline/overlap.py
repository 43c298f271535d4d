"""Letting reading, computing and writing overlap inside one worker."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(items: Iterable[T], load: Callable[[T], R], depth: int, threads: int = 1) -> Iterator[R]:
    """Yield `load(item)` in order while later items load in the background.

    Args:
        items: taken one by one in the caller's thread.
        load: runs in a background thread; what it raises comes out in the place of its item, and ends the iteration.
        depth: items loading or loaded ahead of the one last yielded, at most; this bounds the memory.
        threads: loaders at work at once.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="loader")
    ahead: deque[Future[R]] = deque()
    try:
        for item in items:
            ahead.append(pool.submit(load, item))
            if len(ahead) > depth:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class BackgroundWriter:
    """Runs jobs one after the other in a background thread, a few ahead at most.

    A job's error is raised by the next `submit` or `close`, and the jobs behind it are dropped. As a context manager
    it closes at the end, or, where the block raised, drops what has not begun.

    Args:
        depth: jobs that may wait or run; `submit` blocks beyond that, which bounds the memory.
    """

    def __init__(self, depth: int = 2) -> None:
        self._depth = max(1, depth)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: deque[Future[None]] = deque()
        self._failure: BaseException | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` in its turn; raises the error of an earlier job."""
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= self._depth):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._run, job))

    def close(self) -> None:
        """Wait for every job; raises the first error."""
        try:
            while self._waiting:
                self._waiting.popleft().result()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "BackgroundWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Callable[[], None]) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            job()
        except BaseException as error:
            self._failure = error
            raise
