"""How fast a run goes once all its workers are at work, from the log of its events."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from paintpipe.schemas.errors import ConfigError


@dataclass(frozen=True)
class SteadyRate:
    """The part of a run that counts.

    Attributes:
        frames: of the shards that ended in it.
        seconds: its wall time.
        in_flight: shards under way at once; as many, the first to end, are left out.
    """

    frames: int
    seconds: float
    in_flight: int

    @property
    def per_s(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds


def steady_rate(log: Path, target: str) -> SteadyRate:
    """Frames a second from the moment that every worker has ended its first shard until the last shard ends.

    What comes before (starting workers, loading a network, compiling) does not count. In that moment the other shards
    under way are part done, as at the end some worker has nothing left to do: the two even out.

    Args:
        log: of a run, as `paintpipe.pipeline.event_log.EventLog` writes it.
        target: the marks to count, such as `layers/NAME`.

    Raises:
        ConfigError: too few shards to tell.
    """
    events = [event for event in _events(log) if event.get("target") == target]
    in_flight = _most_at_once(events)
    done = [(datetime.fromisoformat(event["time"]), event["frames"]) for event in _named(events, "shard_done")]
    if len(done) <= in_flight:
        what = f"{len(done)} shards, {in_flight} at once"
        raise ConfigError(f"too short a run to tell its speed ({what})", todo="raise --frames")
    seconds = (done[-1][0] - done[in_flight - 1][0]).total_seconds()
    return SteadyRate(sum(frames for _, frames in done[in_flight:]), max(seconds, 1e-9), in_flight)


def _most_at_once(events: list[dict[str, Any]]) -> int:
    now = most = 0
    for event in events:
        now += {"shard_started": 1, "shard_done": -1}.get(event["event"], 0)
        most = max(most, now)
    return max(1, most)


def _named(events: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


def _events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
