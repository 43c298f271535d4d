"""What a run did and where its time went, as one JSON file for each run."""

import os
import platform
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import (
    Counted,
    Event,
    FrameDone,
    FrameRejected,
    RunEnded,
    RunStarted,
    ShardDone,
    StageTimed,
)
from paintpipe.pipeline.tables import write_json

_PACKAGES = ("paintpipe", "torch", "numpy", "zarr")


class RunReport:
    """Adds up a run's events and writes `<folder>/<time>.json` when it ends; `path` is None until then.

    Args:
        folder: where reports go, such as `ledger/runs`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin_s = time.perf_counter()
        self._started_at = datetime.now(UTC)
        self._started: RunStarted | None = None
        self._stages: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._counts: Counter[str] = Counter()
        self._rejected: list[dict[str, str]] = []
        self.path: Path | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                self._started, self._begin_s, self._started_at = event, time.perf_counter(), datetime.now(UTC)
            case StageTimed():
                sums = self._stages[event.stage]
                sums[0] += event.seconds
                sums[1] += event.items
            case Counted():
                self._counts[event.name] += event.amount
            case FrameDone():
                self._counts["frames"] += 1
            case ShardDone():
                self._counts["shards"] += 1
                self._counts["bytes"] += event.num_bytes
            case FrameRejected():
                self._rejected.append({"sequence": event.sequence, "frame_id": event.frame_id, "reason": event.reason})
            case RunEnded():
                self._write(event)

    def content(self, error: str = "") -> dict[str, Any]:
        """The report so far, JSON-ready; seconds of a stage are summed over workers."""
        wall_s = time.perf_counter() - self._begin_s
        started = self._started or RunStarted("", 0, 0)
        stages = {
            name: {"seconds": round(seconds, 4), "items": int(items), "items_per_s": _rate(items, seconds)}
            for name, (seconds, items) in sorted(self._stages.items())
        }
        return {
            "command": started.command,
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "settings": dict(started.settings),
            "planned": {"frames": started.frames, "shards": started.shards},
            "wall_s": round(wall_s, 4),
            "frames_per_s": _rate(self._counts["frames"], wall_s),
            "stages": stages,
            "slowest_stage": max(self._stages, key=lambda name: self._stages[name][0], default=""),
            "counts": dict(sorted(self._counts.items())),
            "rejected": sorted(self._rejected, key=lambda row: (row["sequence"], row["frame_id"])),
            "versions": _versions(),
            "hardware": {"platform": platform.platform(), "cpus": os.cpu_count()},
            "error": error,
        }

    def _write(self, event: RunEnded) -> None:
        # Microseconds: two runs of one workspace never share an instant, since it has a lock.
        self.path = self._folder / f"{self._started_at:%Y%m%dT%H%M%S_%fZ}.json"
        write_json(self.path, self.content(event.error))


def _versions() -> dict[str, str]:
    """Of Python and the packages that matter most, as installed: nothing is imported for it."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # run from its sources, or another build of the package under another name
    return versions


def _rate(items: float, seconds: float) -> float:
    return round(items / seconds, 3) if seconds > 0 else 0.0
