"""A progress bar that listens to events."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from paintpipe.pipeline.events import Event, FrameDone, FrameRejected, RunEnded, RunStarted, StageTimed

T = TypeVar("T")


def track(
    items: Iterable[T], description: str, unit: str, *, quiet: bool = False, total: int | None = None
) -> Iterator[T]:
    """Yield `items` with a progress bar on standard error, for jobs without events."""
    from tqdm import tqdm

    with tqdm(items, desc=description, unit=unit, disable=quiet, total=total) as bar:
        yield from bar


class ProgressBar:
    """Frames done, frames a second and the stage that took the most time, on standard error.

    Args:
        quiet: show nothing.
        unit: what is counted.
    """

    def __init__(self, *, quiet: bool = False, unit: str = "frame") -> None:
        self._quiet, self._unit = quiet, unit
        self._bar: Any = None
        self._seconds: Counter[str] = Counter()
        self._rejected = 0

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                self._start(event)
            case StageTimed():
                self._seconds[event.stage] += event.seconds  # type: ignore[assignment]  # typeshed counts in int only
            case FrameRejected():
                self._rejected += 1
            case FrameDone():
                self._advance()
            case RunEnded():
                self._close()

    def _start(self, event: RunStarted) -> None:
        from tqdm import tqdm

        self._close()
        self._bar = tqdm(total=event.frames, desc=event.command, unit=self._unit, disable=self._quiet)

    def _advance(self) -> None:
        if self._bar is None:
            return
        notes = {"slowest": self._seconds.most_common(1)[0][0]} if self._seconds else {}
        if self._rejected:
            notes["rejected"] = str(self._rejected)
        self._bar.set_postfix(notes, refresh=False)
        self._bar.update(1)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
