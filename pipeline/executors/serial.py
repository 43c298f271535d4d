"""The executor that says what every other one must do."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class SerialExecutor:
    """Runs one task after the other in the caller's thread.

    Args:
        workers: taken for the sake of the contract; there is one.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = 1

    def run(self, tasks: Iterable[T], work: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """See `Executor.run`."""
        for task in tasks:
            yield task, work(task)
