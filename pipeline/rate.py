"""How fast a run goes, from counts that may arrive in bursts."""

import time
from collections import deque
from collections.abc import Callable

LEAST_WINDOW_S, MOST_WINDOW_S = 60.0, 600.0
_STEP_S = 1.0
"""Counts within this time are kept as one, which bounds the memory."""


class Rate:
    """Things a second over the recent past.

    Workers of their own process report a shard's frames at once: a mean over a few of them would swing between
    nothing and thousands. The window is therefore half of the run so far, one minute to ten.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.total = 0
        self._begin_s = clock()
        self._known: deque[tuple[float, int]] = deque([(self._begin_s, 0)])

    def set(self, total: int) -> None:
        """So many are done now."""
        self.total = total
        now_s = self._clock()
        if now_s - self._known[-1][0] >= _STEP_S:
            self._known.append((now_s, self.total))

    def per_s(self) -> float:
        """Things a second, 0 before anything is done."""
        now_s = self._clock()
        window_s = min(max((now_s - self._begin_s) / 2, LEAST_WINDOW_S), MOST_WINDOW_S)
        while len(self._known) > 1 and self._known[1][0] <= now_s - window_s:
            self._known.popleft()
        since_s, before = self._known[0]
        return (self.total - before) / (now_s - since_s) if now_s > since_s else 0.0

    def left_s(self, total: int) -> float | None:
        """Seconds until `total` are done at this rate, None where nobody can tell."""
        rate = self.per_s()
        return (total - self.total) / rate if rate > 0 else None
