import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from paintpipe.pipeline import heartbeat
from paintpipe.pipeline.events import FrameDone, FrameRejected, RunEnded, RunStarted, ShardDone, StageTimed
from paintpipe.pipeline.heartbeat import Heartbeat, read_heartbeat
from paintpipe.pipeline.lock_owner import Owner

STARTED = RunStarted("paint", 100, 10, {"layer": "net"})


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.0)


@pytest.mark.usefixtures("hasty")
def test_it_says_how_far_the_run_is_and_goes_when_it_ends(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path / "runs")
    assert read_heartbeat(tmp_path / "runs") is None
    for event in (STARTED, StageTimed("network", 2.0), StageTimed("load", 1.0), FrameDone("00", 0)):
        beat(event)
    beat(FrameRejected("00", "1", "cut short"))
    beat(ShardDone("layers/net", "00", 0, 16, 1234))
    content = read_heartbeat(tmp_path / "runs")
    assert content is not None
    assert content["done"] == {"frames": 1, "shards": 1, "bytes": 1234}
    assert content["planned"] == {"frames": 100, "shards": 10}
    assert (content["slowest_stage"], content["num_rejected"]) == ("network", 1)
    assert content["settings"] == {"layer": "net"}
    assert content["owner"]["pid"] == Owner.current().pid
    beat(RunEnded())
    beat(FrameDone("00", 1))  # a worker's last word
    assert list((tmp_path / "runs").iterdir()) == []


def test_it_writes_every_few_seconds_not_every_frame(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path)
    beat(STARTED)
    before = beat.path.read_bytes()
    for frame in range(50):
        beat(FrameDone("00", frame))
    assert beat.path.read_bytes() == before


def test_a_killed_run_is_not_taken_for_one_that_works(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path)
    beat(STARTED)
    content = json.loads(beat.path.read_text())
    gone = replace(Owner.current(), process_start=1)
    beat.path.write_text(json.dumps(content | {"owner": asdict(gone)}))
    assert read_heartbeat(tmp_path) is None
    again = Heartbeat(tmp_path)  # the next run takes the file over
    again(replace(STARTED, frames=7))
    assert read_heartbeat(tmp_path)["planned"]["frames"] == 7  # type: ignore[index]


@pytest.mark.usefixtures("hasty")
def test_a_shorter_text_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path)
    beat(replace(STARTED, settings={"long": "x" * 20_000}))
    beat(STARTED)
    assert json.loads(beat.path.read_text())["settings"] == {"layer": "net"}
    assert len(beat.path.read_bytes()) == 4096


def test_a_torn_file_is_no_news(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text('{"owner": {"host"')
    assert read_heartbeat(tmp_path) is None


def test_a_folder_that_cannot_be_written_does_not_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    beat = Heartbeat(tmp_path / "runs")
    beat(STARTED)
    beat(RunEnded())
    assert (tmp_path / "runs").read_text() == "a file"
