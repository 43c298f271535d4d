"""Tasks on their way through workers that may die."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic

from paintpipe.pipeline.events import AttemptLost, Event
from paintpipe.pipeline.executors.contract import T
from paintpipe.pipeline.executors.settings import ATTEMPTS
from paintpipe.schemas.errors import WorkerLostError


@dataclass
class Attempt(Generic[T]):
    """A task that is under way or waits for a worker.

    Attributes:
        number: tells it from the other tasks of the run.
        task: as taken from the caller.
        lost: workers that died over it.
        told: events of the present attempt.
    """

    number: int
    task: T
    lost: int = 0
    told: list[Event] = field(default_factory=list)

    def lose(self, why: str) -> AttemptLost:
        """Note that its worker died; the event takes back what this attempt has told."""
        self.lost += 1
        event = AttemptLost(str(self.task), why, tuple(self.told))
        self.told.clear()
        return event

    def error(self, why: str) -> WorkerLostError | None:
        """What to tell the user once it has been tried often enough, None before."""
        if self.lost < ATTEMPTS:
            return None
        return lost_error(str(self.task), f"its worker {why}, and so did {ATTEMPTS - 1} before it")


def lost_error(task: str, what: str) -> WorkerLostError:
    """What to tell the user where a task can't be done since its workers die."""
    todo = "give each worker more memory (fewer workers, a smaller --batch-size), then run the same command again"
    return WorkerLostError(what, where=task, todo=todo)


class Backlog(Generic[T]):
    """Tasks that have been taken from the caller, or given back by a dead worker, and wait for a worker."""

    def __init__(self, tasks: Iterator[T]) -> None:
        self._tasks = tasks
        self._taken: deque[Attempt[T]] = deque()
        self._count = 0

    def __len__(self) -> int:
        return len(self._taken)

    def take_one(self) -> bool:
        """Take one more task from the caller; False where there is none."""
        for task in self._tasks:
            self._taken.append(Attempt(self._count, task))
            self._count += 1
            return True
        return False

    def give_back(self, attempt: Attempt[T]) -> None:
        """Of a dead worker; it is next."""
        self._taken.appendleft(attempt)

    def next_for(self, busy: int, in_flight: int) -> Attempt[T] | None:
        """The next task for a worker with `busy` tasks under way, None where there is none for it now.

        A task that has lost a worker is tried alone: if it was the cause, it takes no other task with it again, and
        if memory was short, it has all of it.
        """
        if busy >= in_flight or not (self._taken or self.take_one()):
            return None
        return None if busy and self._taken[0].lost else self._taken.popleft()
