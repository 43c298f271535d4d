"""What a run's events add up to; bar, report and `status` all read it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from paintpipe.pipeline.events import AttemptLost, Counted, Event, FrameDone, FrameRejected, ShardDone, StageTimed


class Totals:
    """Sums over events. What a lost attempt told is taken back, since it comes again with the next one.

    Attributes:
        seconds: by stage, over all workers.
        items: by stage.
        counts: `frames`, `shards`, `bytes`, and whatever was Counted.
        num_rejected: frames and images that could not be used.
        attempts_lost: tasks whose worker died.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.items: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.num_rejected = 0
        self.attempts_lost = 0

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._add(event, 1)

    @property
    def slowest_stage(self) -> str:
        """The stage that took most of the workers' time, "" before any."""
        return max(self.seconds, key=lambda name: self.seconds[name], default="")

    def _add(self, event: Event, sign: int) -> None:
        match event:
            case StageTimed():
                self.seconds[event.stage] = self.seconds.get(event.stage, 0.0) + sign * event.seconds
                self.items[event.stage] += sign * event.items
            case Counted():
                self.counts[event.name] += sign * event.amount
            case FrameDone():
                self.counts["frames"] += sign
            case ShardDone():
                self.counts["shards"] += sign
                self.counts["bytes"] += sign * event.num_bytes
            case FrameRejected():
                self.num_rejected += sign
            case AttemptLost():
                self.attempts_lost += 1
                for told in event.told:
                    self._add(told, -1)


class FirstRejects:
    """The first rejected frames as rows, so that memory stays bounded where all are; marks hold every one.

    Args:
        most: rows kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[FrameRejected] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, FrameRejected) and len(self._rows) < self._most:
            self._rows.append(event)
        elif isinstance(event, AttemptLost):
            self._take_back(event.told)

    def rows(self) -> list[dict[str, Any]]:
        """Sorted by sequence and frame."""
        rows = [{"sequence": row.sequence, "frame_id": row.frame_id, "reason": row.reason} for row in self._rows]
        return sorted(rows, key=lambda row: (row["sequence"], row["frame_id"]))

    def _take_back(self, told: Iterable[Event]) -> None:
        for event in told:
            if event in self._rows:
                self._rows.remove(event)
