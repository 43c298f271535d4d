"""Progress on standard error: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Protocol, TypeVar

from paintpipe.pipeline.events import AttemptLost, Event, FrameDone, RunEnded, RunStarted
from paintpipe.pipeline.rate import Rate
from paintpipe.pipeline.totals import Totals

T = TypeVar("T")
LINE_EVERY_S = 30.0
"""Where standard error is no terminal: a bar would fill a batch system's log with thousands of copies of itself."""

_UNSAID_S = 2.0
"""Checks of what is done are told of once they take longer."""


def track(
    items: Iterable[T],
    description: str,
    unit: str,
    *,
    quiet: bool = False,
    total: int | None = None,
    after_s: float = 0.0,
) -> Iterator[T]:
    """Yield `items` with their progress on standard error, for jobs without events; not of what ends in `after_s`."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    shown = _display(description, unit, total, quiet=quiet, after_s=after_s)
    try:
        for done, item in enumerate(items, 1):
            yield item
            shown.show(done, {})
    finally:
        shown.close()


def track_checks(items: Iterable[T], target: str, total: int, *, quiet: bool) -> Iterator[T]:
    """Yield `items`, one for each of `total` shards that are held against their marks, with their progress."""
    what = f"checking {total:,} painted shards of {target}"
    return track(items, what, "shard", quiet=quiet, total=total, after_s=_UNSAID_S)


class ProgressBar:
    """Frames done, frames a second, the stage that took the most time, and the time left, on standard error.

    Args:
        quiet: show nothing.
        unit: what is counted.
    """

    def __init__(self, *, quiet: bool = False, unit: str = "frame") -> None:
        self._quiet, self._unit = quiet, unit
        self._shown: _Display | None = None
        self._totals = Totals()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._totals(event)
        match event:
            case RunStarted():
                self._close()
                self._totals = Totals()
                self._shown = _display(event.command, self._unit, event.frames, quiet=self._quiet)
            case FrameDone() | AttemptLost():
                self._show()
            case RunEnded():
                self._close()

    def _show(self) -> None:
        if self._shown is None:
            return
        notes = {"slowest": self._totals.slowest_stage, "rejected": self._totals.num_rejected or ""}
        notes |= {"workers lost": self._totals.attempts_lost or ""}
        self._shown.show(self._totals.counts["frames"], {name: str(note) for name, note in notes.items() if note})

    def _close(self) -> None:
        if self._shown is not None:
            self._shown.close()
            self._shown = None


class _Display(Protocol):
    def show(self, done: int, notes: dict[str, str]) -> None: ...

    def close(self) -> None: ...


class _Nothing:
    def show(self, done: int, notes: dict[str, str]) -> None:
        pass

    def close(self) -> None:
        pass


class _Bar:
    """One tqdm bar, whose rate and time left are those of `Rate`."""

    def __init__(self, description: str, unit: str, total: int | None, after_s: float) -> None:
        from tqdm import tqdm

        rate = self._rate = Rate()

        class Bar(tqdm):
            @property
            def format_dict(self) -> dict[str, Any]:
                return {**super().format_dict, "rate": rate.per_s() or None}

        self._bar = Bar(total=total, desc=description, unit=unit, delay=after_s)

    def show(self, done: int, notes: dict[str, str]) -> None:
        self._rate.set(done)
        self._bar.set_postfix(notes, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line every half minute, and one at the end of what took that long."""

    def __init__(self, description: str, unit: str, total: int | None) -> None:
        self._description, self._unit, self._total = description, unit, total
        self._rate, self._notes = Rate(), dict[str, str]()
        self._said_s = time.monotonic()
        self._said = False

    def show(self, done: int, notes: dict[str, str]) -> None:
        self._rate.set(done)
        self._notes = notes
        if time.monotonic() - self._said_s >= LINE_EVERY_S:
            self._say()

    def close(self) -> None:
        if self._said:
            self._say()

    def _say(self) -> None:
        self._said, self._said_s = True, time.monotonic()
        done = f"{self._rate.total:,}" + (f" of {self._total:,}" if self._total else "")
        parts = [f"{self._description}: {done} {self._unit}s", f"{self._rate.per_s():.3g} {self._unit}s/s"]
        parts += [f"{name} {note}" for name, note in self._notes.items()]
        left_s = self._rate.left_s(self._total) if self._total else None
        parts += [] if left_s is None else [f"about {format_seconds(left_s)} left"]
        sys.stderr.write(", ".join(parts) + "\n")
        sys.stderr.flush()


def format_seconds(seconds: float) -> str:
    """A time as people read it, such as `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _display(description: str, unit: str, total: int | None, *, quiet: bool, after_s: float = 0.0) -> _Display:
    if quiet:
        return _Nothing()
    return _Bar(description, unit, total, after_s) if sys.stderr.isatty() else _Lines(description, unit, total)
