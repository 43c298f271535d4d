"""Running tasks: one contract, one executor a file, and the table of them."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Protocol, TypeVar

from paintpipe.schemas.errors import ConfigError

T = TypeVar("T")
R = TypeVar("R")

EXECUTORS = {
    "serial": "paintpipe.pipeline.executors.serial:SerialExecutor",
    "threads": "paintpipe.pipeline.executors.threads:ThreadsExecutor",
}
"""Name → `module:class`, loaded when asked for."""


class Executor(Protocol):
    """Runs `work` on every task, each once."""

    def run(self, tasks: Iterable[T], work: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """Yield each task with its result as it is done, in any order.

        The first failure starts no further task; those under way end and are yielded; then it is raised.
        Leaving the loop early does the same.
        """
        ...


def executor(name: str, workers: int) -> Executor:
    """The executor called `name`.

    Args:
        name: a key of `EXECUTORS`.
        workers: tasks under way at once.

    Raises:
        ConfigError: there is none of this name, or `workers` is not positive.
    """
    if name not in EXECUTORS:
        raise ConfigError(f"unknown executor {name!r}", expected="one of " + ", ".join(EXECUTORS))
    if workers < 1:
        raise ConfigError(f"{workers} workers", expected="at least 1")
    module, _, attribute = EXECUTORS[name].partition(":")
    made: Executor = getattr(import_module(module), attribute)(workers)
    return made
