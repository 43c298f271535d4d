"""Letting reading and computing overlap inside one worker; writing overlaps with the next shard of another thread."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(items: Iterable[T], load: Callable[[T], R], depth: int, threads: int = 1) -> Generator[R, None, None]:
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
