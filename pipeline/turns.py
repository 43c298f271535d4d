"""Taking turns at computing inside one worker, so that it keeps to the threads that it was given."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from paintpipe.pipeline.events import Bus

_SERIAL_STAGES = ("paint", "encode")
_ALL_THREADS_STAGES = ("network",)


class Turns:
    """At most `threads` threads compute at once, first come, first served; waiting for disks needs no turn.

    A worker has shards under way beside one another so that one computes while another waits for its files. Without
    turns each of them would take a core as well: as many workers as cores would then have several times as many
    threads at work as there are cores.

    Args:
        threads: None for no limit.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = self._free = threads
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, *, all_threads: bool = False) -> Iterator[None]:
        """Compute in the block with one thread, or with all of them, once it is this caller's turn."""
        if self._threads is None or self._free is None:
            yield
            return
        wanted, ticket = self._threads if all_threads else 1, object()
        with self._changed:
            self._queue.append(ticket)
            self._changed.wait_for(lambda: self._queue[0] is ticket and self._can(wanted))
            self._queue.popleft()
            self._free -= wanted
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()

    def _can(self, wanted: int) -> bool:
        return self._free is not None and self._free >= wanted


class BusInTurns(Bus):
    """A bus whose timed stages that compute wait for their turn first; the wait is not in their time.

    Args:
        turns: of this worker.
    """

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.turns = turns

    @contextmanager
    def timed(self, stage: str, items: int = 1) -> Iterator[None]:
        """See `Bus.timed`."""
        if stage not in _SERIAL_STAGES + _ALL_THREADS_STAGES:
            with super().timed(stage, items):
                yield
            return
        with self.turns.take(all_threads=stage in _ALL_THREADS_STAGES), super().timed(stage, items):
            yield
