"""What a run did and where its time went, as one JSON file for each run."""

import time
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import Event, RunEnded, RunStarted
from paintpipe.pipeline.machine import hardware, versions
from paintpipe.pipeline.tables import read_json, write_json
from paintpipe.pipeline.totals import FirstRejects, Totals
from paintpipe.schemas.errors import StoreError

MOST_REJECTS = 1000
"""Rejected frames listed in a report; the marks' `rejects` hold them all."""
_NAME = "%Y%m%dT%H%M%S_%fZ"


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
        self._totals, self._rejects = Totals(), FirstRejects(MOST_REJECTS)
        self.path: Path | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, RunStarted):
            self._started, self._begin_s, self._started_at = event, time.perf_counter(), datetime.now(UTC)
        self._totals(event)
        self._rejects(event)
        if isinstance(event, RunEnded):
            self._write(event)

    def content(self, error: str = "") -> dict[str, Any]:
        """The report so far, JSON-ready; seconds of a stage are summed over workers."""
        wall_s = time.perf_counter() - self._begin_s
        started, totals = self._started or RunStarted("", 0, 0), self._totals
        stages = {
            name: {
                "seconds": round(seconds, 4),
                "items": totals.items[name],
                "items_per_s": _rate(totals.items[name], seconds),
            }
            for name, seconds in sorted(totals.seconds.items())
        }
        return {
            "command": started.command,
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "settings": dict(started.settings),
            "planned": {"frames": started.frames, "shards": started.shards},
            "wall_s": round(wall_s, 4),
            "frames_per_s": _rate(totals.counts["frames"], wall_s),
            "stages": stages,
            "slowest_stage": totals.slowest_stage,
            "counts": dict(sorted(totals.counts.items())),
            "attempts_lost": totals.attempts_lost,
            "num_rejected": totals.num_rejected,
            "rejected": self._rejects.rows(),
            "versions": versions(),
            "hardware": hardware(),
            "error": error,
        }

    def _write(self, event: RunEnded) -> None:
        path = self._folder / f"{_after_all(self._folder, self._started_at):{_NAME}}.json"
        # Of a run that fails (a full disk, say) its own error is the one to tell.
        with suppress(StoreError) if event.error else nullcontext():
            write_json(path, self.content(event.error))
            self.path = path


def _after_all(folder: Path, began: datetime) -> datetime:
    """When the run began, or, where a report is there from a clock that ran ahead, the instant after that one.

    So names keep the order of runs, and none is written over: a lock lets one run at a time work here.
    """
    latest = max((path.stem for path in folder.glob("2*.json")), default="")
    with suppress(ValueError, OverflowError):
        began = max(began, datetime.strptime(latest, _NAME).replace(tzinfo=UTC) + timedelta(microseconds=1))
    return began


def last_report(folder: Path) -> dict[str, Any] | None:
    """The report of the run that began last of those that ended; None where there is none."""
    names = sorted(folder.glob("2*.json"), reverse=True)
    for path in names:
        try:
            content: dict[str, Any] = read_json(path)
        except (OSError, StoreError):
            continue
        return content
    return None


def read_reports(folder: Path, most: int) -> tuple[list[dict[str, Any]], int]:
    """The newest reports, at most `most`, the newest first, and how many there are; damaged ones are left out."""
    names = sorted(folder.glob("2*.json"), reverse=True)
    found: list[dict[str, Any]] = []
    for path in names:
        if len(found) == most:
            break
        with suppress(OSError, StoreError):
            content = read_json(path)
            found += [content] if isinstance(content, dict) else []
    return found, len(names)


def _rate(items: float, seconds: float) -> float:
    return round(items / seconds, 3) if seconds > 0 else 0.0
