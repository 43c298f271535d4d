"""Events as JSON, one a line, for those who watch a run with their own tools."""

import json
import os
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from paintpipe.pipeline.events import AttemptLost, Event
from paintpipe.pipeline.faults import write_error

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class EventLog:
    """Appends each event to a file: `{"time": …, "event": "frame_done", …}` and the event's own fields.

    A line is one write to a file opened for appending: lines of two runs never mix, and what is written is there for
    whoever reads the file along (`tail -f`), also when this process is killed.

    Args:
        path: the file; made if it is not there.

    Raises:
        StoreError: it can't be written, now or when an event comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._end_torn_line()
        except OSError as error:
            raise write_error(error, path) from error

    def __call__(self, event: Event) -> None:
        """Take one event."""
        kind = _CAPITAL.sub("_", type(event).__name__).lower()
        fields = asdict(event)
        if isinstance(event, AttemptLost):
            fields["told"] = len(event.told)  # their lines are there already
        self._write({"time": datetime.now(UTC).isoformat(timespec="microseconds"), "event": kind, **fields})

    def close(self) -> None:
        """Close the file; takes no event afterwards."""
        os.close(self._file)

    def _write(self, row: dict[str, object]) -> None:
        line = (json.dumps(row, ensure_ascii=False, default=str) + "\n").encode()
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            raise write_error(error, self._path) from error

    def _end_torn_line(self) -> None:
        """After a run that was killed in mid-line, or on a full disk, begin on a line of our own."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
