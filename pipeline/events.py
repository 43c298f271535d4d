"""What happens in a run, as records that progress bars and reports subscribe to."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class RunStarted:
    """A run begins.

    Attributes:
        command: such as `paint`.
        frames: to be done now.
        shards: to be done now.
        settings: JSON-ready, for the report.
    """

    command: str
    frames: int
    shards: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardStarted:
    """A worker begins a shard."""

    target: str
    sequence: str
    index: int


@dataclass(frozen=True)
class StageTimed:
    """A stage (`decode`, `forward`, `paint`, `encode`, `publish`) spent `seconds` on `items` things."""

    stage: str
    seconds: float
    items: int = 1


@dataclass(frozen=True)
class Counted:
    """Something worth a number in the report, such as images segmented twice at shard borders."""

    name: str
    amount: int = 1


@dataclass(frozen=True)
class FrameDone:
    """A frame is computed, though not yet durable; moves the progress bar."""

    sequence: str
    frame: int


@dataclass(frozen=True)
class ShardDone:
    """A shard is durable and marked."""

    target: str
    sequence: str
    index: int
    frames: int
    num_bytes: int


@dataclass(frozen=True)
class FrameRejected:
    """A frame that could not be used: a row of the report, never only a log line."""

    sequence: str
    frame_id: str
    reason: str


@dataclass(frozen=True)
class Warned:
    """Something that the user should know and that stops nothing."""

    message: str


@dataclass(frozen=True)
class AttemptLost:
    """A worker died over a task, which another one takes up from its beginning.

    Attributes:
        task: its name.
        reason: how the worker ended.
        told: the events of that attempt so far, which will come again: whoever counts takes them back.
    """

    task: str
    reason: str
    told: "tuple[Event, ...]" = ()


@dataclass(frozen=True)
class RunEnded:
    """A run is over; `error` is its one line, "" where it went well."""

    error: str = ""


Event: TypeAlias = (
    RunStarted
    | ShardStarted
    | StageTimed
    | Counted
    | FrameDone
    | ShardDone
    | FrameRejected
    | Warned
    | AttemptLost
    | RunEnded
)
Subscriber: TypeAlias = Callable[[Event], None]


class Bus:
    """Hands each event to every subscriber, one at a time, from whatever thread it comes."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._lock = threading.RLock()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Hand all later events to `subscriber`, which needs no lock of its own."""
        with self._lock:
            self._subscribers.append(subscriber)

    def emit(self, event: Event) -> None:
        """Tell every subscriber."""
        with self._lock:
            for subscriber in self._subscribers:
                subscriber(event)

    @contextmanager
    def timed(self, stage: str, items: int = 1) -> Iterator[None]:
        """Emit a StageTimed with the block's wall time, also where it raises."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.emit(StageTimed(stage, time.perf_counter() - begin, items))
