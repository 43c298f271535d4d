"""What the coordinator and its worker processes say to each other, pickled, over a socket that they alone hold."""

from dataclasses import dataclass

from paintpipe.pipeline.events import Event


@dataclass(frozen=True)
class Hello:
    """To a worker, first of all.

    Attributes:
        job: the pickled job.
        in_flight: tasks at once.
        beat_s: seconds between signs of life.
        parent: process id of the coordinator; the worker ends when that is gone.
        dies_with_thread: whether the kernel may kill the worker with the thread that started it.
    """

    job: bytes
    in_flight: int
    beat_s: float
    parent: int
    dies_with_thread: bool


@dataclass(frozen=True)
class Do:
    """To a worker: work on a pickled task."""

    number: int
    task: bytes


@dataclass(frozen=True)
class GiveUp:
    """To a worker: drop what is under way at its next event, then end."""


@dataclass(frozen=True)
class End:
    """To a worker: end."""


@dataclass(frozen=True)
class Beat:
    """From a worker: it lives."""


@dataclass(frozen=True)
class Ready:
    """From a worker: the job is set up."""


@dataclass(frozen=True)
class Told:
    """From a worker: an event, with the number of the task whose own thread emitted it."""

    number: int | None
    event: Event


@dataclass(frozen=True)
class Done:
    """From a worker: a task's pickled result."""

    number: int
    result: bytes


@dataclass(frozen=True)
class Failed:
    """From a worker: the error of a task, or (number None) of the job's setup, with its traceback as text."""

    number: int | None
    error: BaseException
    trace: str


@dataclass(frozen=True)
class Gone:
    """Nothing further comes from this worker; not sent, but noticed."""


ToWorker = Hello | Do | GiveUp | End
FromWorker = Beat | Ready | Told | Done | Failed | Gone
