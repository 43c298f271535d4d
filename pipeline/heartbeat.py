"""A small file that says how far the run is that works now, for `paintpipe status`."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import Event, RunEnded, RunStarted
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.pipeline.rate import Rate
from paintpipe.pipeline.totals import Totals

NAME = "current.json"
EVERY_S = 2.0
_PAGE = 4096


class Heartbeat:
    """Writes `<folder>/current.json` every few seconds while events come, and removes it when the run ends.

    The file is written in place, padded to whole pages: nothing is left beside it when the process dies, and a reader
    that meets half of it tries again. It says who wrote it, so that a run that was killed is not taken for one that
    works. Nothing is synced and no failure to write it matters: it is news, not a record.

    Args:
        folder: such as `ledger/runs`.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._owner = Owner.current()
        self._started: RunStarted | None = None
        self._started_at = ""
        self._rate = Rate()
        self._totals = Totals()
        self._written_s = 0.0

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._totals(event)
        self._rate.set(self._totals.counts["frames"])
        match event:
            case RunStarted():
                self._started, self._started_at = event, _now()
                self._rate, self._totals = Rate(), Totals()
                self._write()
            case RunEnded():
                self._started = None
                with suppress(OSError):
                    self.path.unlink(missing_ok=True)
        if self._started is not None and time.monotonic() - self._written_s >= EVERY_S:
            self._write()

    def _write(self) -> None:
        self._written_s = time.monotonic()
        data = json.dumps(self._content(), sort_keys=True).encode()
        data = data.ljust(-(-len(data) // _PAGE) * _PAGE)
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                os.pwrite(file, data, 0)
                os.ftruncate(file, len(data))
            finally:
                os.close(file)

    def _content(self) -> dict[str, Any]:
        assert self._started is not None
        left_s = self._rate.left_s(self._started.frames)
        return {
            "owner": asdict(self._owner),
            "command": self._started.command,
            "settings": dict(self._started.settings),
            "started_at": self._started_at,
            "updated_at": _now(),
            "planned": {"frames": self._started.frames, "shards": self._started.shards},
            "done": {name: self._totals.counts[name] for name in ("frames", "shards", "bytes")},
            "attempts_lost": self._totals.attempts_lost,
            "num_rejected": self._totals.num_rejected,
            "frames_per_s": round(self._rate.per_s(), 3),
            "left_s": None if left_s is None else round(left_s, 1),
            "slowest_stage": self._totals.slowest_stage,
        }


def read_heartbeat(folder: Path) -> dict[str, Any] | None:
    """What the run that works now says, None where none does: no file, or one of a process that is gone."""
    for _ in range(5):
        try:
            content: dict[str, Any] = json.loads((folder / NAME).read_bytes())
            owner = Owner.of(content["owner"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            time.sleep(0.02)  # met in the midst of a write
            continue
        return None if owner.is_gone() else content
    return None


def seconds_old(content: Mapping[str, Any]) -> float:
    """How long ago a file of this content was written."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(content["updated_at"])).total_seconds())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
