import json
from datetime import UTC, datetime, timedelta

import pytest

from paintpipe.pipeline.steady_rate import steady_rate
from paintpipe.schemas.errors import ConfigError

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def write_log(path, *events):
    """(seconds, event, target, frames) each as a line."""
    rows = [
        {"time": (BEGIN + timedelta(seconds=at)).isoformat(), "event": name, "target": target, "frames": frames}
        for at, name, target, frames in events
    ]
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in [{"time": BEGIN.isoformat(), "event": "run_started"}, *rows])
    )
    return path


def started(at, target="layers/net"):
    return at, "shard_started", target, 0


def done(at, frames=16, target="layers/net"):
    return at, "shard_done", target, frames


def test_one_worker_counts_from_the_end_of_its_first_shard(tmp_path):
    # The first shard waits 60 s for the worker; then 10 s each.
    log = write_log(tmp_path / "log", started(0), done(70), started(70), done(80), started(80), done(90))
    found = steady_rate(log, "layers/net")
    assert (found.frames, found.seconds, found.in_flight) == (32, 20.0, 1)
    assert found.per_s == pytest.approx(1.6)


def test_two_workers_count_from_the_second_end(tmp_path):
    log = write_log(
        tmp_path / "log",
        *(started(0), started(1), done(40), started(40), done(41), started(41)),
        *(done(50), started(50), done(51), started(51), done(60), done(61, frames=8)),
    )
    found = steady_rate(log, "layers/net")
    # After second 41: 16 + 16 + 16 + 8 frames until second 61.
    assert (found.frames, found.seconds, found.in_flight) == (56, 20.0, 2)


def test_other_targets_do_not_count(tmp_path):
    points = (started(0, "points"), done(9, target="points"), done(10, target="points"))
    log = write_log(tmp_path / "log", *points, started(0), done(10), started(10), done(20))
    assert steady_rate(log, "layers/net").frames == 16


def test_too_few_shards_are_refused_with_what_to_do(tmp_path):
    log = write_log(tmp_path / "log", started(0), started(0), done(10), done(11))
    with pytest.raises(ConfigError, match=r"2 shards, 2 at once.*raise --frames"):
        steady_rate(log, "layers/net")
