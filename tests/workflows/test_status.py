"""`paintpipe status`: beside a run that works, one that was killed, and none."""

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.command import COMMAND, paintpipe, start, succeed

from paintpipe.pipeline.events import FrameDone, RunStarted, StageTimed
from paintpipe.pipeline.heartbeat import Heartbeat
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.workflows import done as done_module
from paintpipe.workflows.done import targets_done
from paintpipe.workflows.stores import existing_store

assert COMMAND.name == "paintpipe"


def state(workspace: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(succeed("status", "-w", workspace, "--json"))
    return found


def test_a_workspace_from_ingest_to_painted(workspace: Path, drive: Path) -> None:
    fresh = state(workspace)
    assert (fresh["layers"], fresh["lock"], fresh["running"], fresh["last_run"]) == ([], None, None, None)
    assert "nothing is painted yet" in succeed("status", "-w", workspace)
    masks = ("--from-masks", drive / "masks", "-q", "--frames-per-shard", 2)
    report = json.loads(succeed("paint", "-w", workspace, *masks, "--limit", 2, "--json"))["report"]
    found = state(workspace)
    points, layer = found["layers"]
    assert (points["target"], layer["target"]) == ("points", "layers/masks")
    assert layer["frames"] == {"done": 2, "all": fresh["frames"]}
    assert layer["shards"]["done"] == 1
    assert points["bytes"] + layer["bytes"] == report["counts"]["bytes"]
    assert found["last_run"]["counts"] == report["counts"]
    text = succeed("status", "-w", workspace)
    assert "no run works here now" in text
    assert "last run that ended: paint" in text


def test_beside_a_run_that_works_and_after_it_was_killed(workspace: Path) -> None:
    runs = workspace / "ledger" / "runs"
    with workspace_lock(workspace / "ledger"):
        assert "has begun no shard yet" in succeed("status", "-w", workspace)
        beat = Heartbeat(runs)
        # As where the network took a minute to load between the two.
        beat._owner = replace(beat._owner, started_at="2026-01-01T00:00:00+00:00")
        beat(RunStarted("paint", 100, 7))
        beat(StageTimed("network", 1.0))
        for frame in range(30):
            beat(FrameDone("08", frame))
        beat._written_s = 0.0
        beat(FrameDone("08", 30))
        text = succeed("status", "-w", workspace)
        assert "at work: paint, process " in text
        assert "31 of 100 frames" in text
        assert "slowest stage network" in text
        assert state(workspace)["running"]["done"]["frames"] == 31
    # The file of a run that was killed stays, and nobody takes it for one that works.
    assert state(workspace)["running"] is None


def test_a_killed_run_is_told_and_the_next_one_takes_over(workspace: Path) -> None:
    run = start("paint", "-w", workspace, "-q", "--frames-per-shard", 1, "--executor", "serial")
    lock = workspace / "ledger" / "lock"
    limit_s = time.monotonic() + 60
    while not lock.exists() and time.monotonic() < limit_s:
        time.sleep(0.01)
    assert state(workspace)["lock"]["pid"] == run.pid
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=30)
    assert "the last one was killed" in succeed("status", "-w", workspace)
    assert state(workspace)["lock"]["gone"] is True


def test_many_marks_are_counted_not_read(workspace: Path, drive: Path, monkeypatch: Any) -> None:
    masks = ("--from-masks", drive / "masks", "-q", "--frames-per-shard", 1)
    succeed("paint", "-w", workspace, *masks)
    opened = existing_store(workspace)
    exact = targets_done(opened, {"08": 5})
    assert all(target.exact for target in exact)
    monkeypatch.setattr(done_module, "MOST_READ", 2)
    (points, _) = targets_done(opened, {"08": 5})
    assert not points.exact
    assert points.num_bytes == pytest.approx(exact[0].num_bytes, rel=0.3)
    marks = workspace / "ledger" / "points" / "08"
    (marks / "99999.json").write_text("a shard of a longer catalog")
    (marks / "00000.json").write_text("torn")
    assert targets_done(opened, {"08": 5})[0].frames == 5


def test_no_catalog(tmp_path: Path) -> None:
    assert paintpipe("status", "-w", tmp_path).code == 2
