"""What every executor promises, and what it asks of a job."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeAlias, TypeVar

from paintpipe.pipeline.events import Event

T = TypeVar("T")
R = TypeVar("R")
Task = TypeVar("Task", contravariant=True)
Result = TypeVar("Result", covariant=True)

Emit: TypeAlias = Callable[[Event], None]
"""Takes an event from any thread. In a worker it raises Stopped once the run is being given up."""


class Job(Protocol[Task, Result]):
    """What is to be done with each task; a picklable record, since workers may be other processes or hosts."""

    def setup(self, emit: Emit) -> Callable[[Task], Result]:
        """Load what is loaded once a worker (a network) and return the work on one task, safe for several threads.

        Args:
            emit: takes the worker's events, here and in the work.
        """
        ...


class Executor(Protocol):
    """Runs a job on tasks, each once."""

    def run(self, tasks: Iterable[T], job: Job[T, R], emit: Emit) -> Generator[tuple[T, R], None, None]:
        """Yield each task with its result as it is done, in any order.

        Tasks are taken from `tasks` in the caller's thread, shortly before they are started, so that they may be made
        (and what they need created) one by one. The first failure starts no further task; those under way end and
        are yielded; then it is raised. Leaving the loop early and Ctrl-C start nothing further either, and end within
        seconds: what is under way is finished or dropped.

        A task whose worker dies is given to another worker, with an `AttemptLost` event; `str(task)` names it in
        messages.

        Args:
            tasks: what to do; pickled where workers are processes.
            job: how to do it.
            emit: takes the events of all workers.

        Raises:
            WorkerLostError: a task's workers died each time that it was tried.
        """
        ...
