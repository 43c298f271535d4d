"""When each frame is, in nanoseconds: what the dataset says, or 10 Hz where it says nothing."""

from dataclasses import dataclass

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError

ASSUMED_STEP_NS = 100_000_000
_LATEST_NS = (2**32 - 1) * 1_000_000_000
"""foxglove.Timestamp holds the seconds in 32 bits."""


@dataclass
class Clock:
    """Times of a sequence's frames, asked for in their order.

    Attributes:
        unknown: frames so far whose time the dataset does not give.
    """

    unknown: int = 0
    _index: int = 0
    _time_ns: int = 0

    def time_ns(self, row: FrameRow) -> int:
        """The frame's own time; without one, 0.1 s a frame after the one before it (from 0 at index 0).

        Raises:
            ExportError: the time is before 1970 or after 2106.
        """
        if row.timestamp_us is None:
            self.unknown += 1
            time_ns = self._time_ns + (row.index - self._index) * ASSUMED_STEP_NS
        else:
            time_ns = row.timestamp_us * 1000
        self._index, self._time_ns = row.index, checked_ns(time_ns, row)
        return time_ns

    def describe(self) -> str:
        """What the file says of its times."""
        if not self.unknown:
            return "of the dataset"
        return f"unknown for {self.unknown} frames, which come 0.1 s after the frame before them"


def checked_ns(time_ns: int, row: FrameRow) -> int:
    """The time, if the format can hold it; raises ExportError otherwise."""
    if 0 <= time_ns <= _LATEST_NS:
        return time_ns
    where = f"{row.sequence}, {row.frame_id}"
    raise ExportError(f"a time of {time_ns} ns", where=where, expected="one between 1970 and 2106")
