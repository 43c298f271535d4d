"""Results of an executor in the order of their tasks."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from paintpipe.pipeline.executors.contract import R

N = TypeVar("N", bound=tuple[int, Any])


def in_order(done: Iterable[tuple[N, R]]) -> Iterator[R]:
    """Yield the results of tasks `(number, …)`, numbered from 0, in that order; those that came early are kept."""
    early: dict[int, R] = {}
    wanted = 0
    for task, result in done:
        early[task[0]] = result
        while wanted in early:
            yield early.pop(wanted)
            wanted += 1
