import json
import threading
from pathlib import Path

import pytest

from paintpipe.pipeline.events import (
    Bus,
    Counted,
    Event,
    FrameDone,
    FrameRejected,
    RunEnded,
    RunStarted,
    ShardDone,
    ShardStarted,
    StageTimed,
)
from paintpipe.pipeline.progress import ProgressBar, track
from paintpipe.pipeline.report import RunReport

EVENTS: list[Event] = [
    RunStarted("paint", 4, 2, {"projection": "default"}),
    ShardStarted("layers/net", "00", 0),
    StageTimed("decode", 0.5, 2),
    StageTimed("forward", 1.5, 2),
    StageTimed("decode", 0.25, 1),
    FrameDone("00", 0),
    FrameDone("00", 1),
    FrameRejected("00", "000001", "image cut short"),
    ShardDone("layers/net", "00", 0, 2, 1000),
    Counted("images segmented again", 3),
    RunEnded(),
]


def test_every_subscriber_gets_every_event_in_order() -> None:
    bus, first, second = Bus(), list[Event](), list[Event]()
    bus.subscribe(first.append)
    bus.subscribe(second.append)
    for event in EVENTS:
        bus.emit(event)
    assert first == second == EVENTS


def test_events_from_many_threads_come_one_at_a_time() -> None:
    bus, inside = Bus(), threading.Lock()
    count = 0

    def subscriber(_: Event) -> None:
        nonlocal count
        assert inside.acquire(blocking=False)
        count += 1
        inside.release()

    bus.subscribe(subscriber)
    threads = [threading.Thread(target=lambda: [bus.emit(Counted("x")) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == 800


def test_a_timed_stage_is_told_also_where_it_raises() -> None:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    with pytest.raises(ZeroDivisionError), bus.timed("decode", 3):
        raise ZeroDivisionError
    (event,) = seen
    assert isinstance(event, StageTimed)
    assert (event.stage, event.items) == ("decode", 3)
    assert 0 <= event.seconds < 1


def test_the_report_adds_up(tmp_path: Path) -> None:
    report = RunReport(tmp_path / "runs")
    for event in EVENTS:
        report(event)
    assert report.path is not None
    (path,) = (tmp_path / "runs").iterdir()
    assert path == report.path
    content = json.loads(path.read_text())
    assert content["stages"]["decode"] == {"seconds": 0.75, "items": 3, "items_per_s": 4.0}
    assert content["slowest_stage"] == "forward"
    assert content["counts"] == {"bytes": 1000, "frames": 2, "images segmented again": 3, "shards": 1}
    assert content["rejected"] == [{"sequence": "00", "frame_id": "000001", "reason": "image cut short"}]
    assert (content["command"], content["planned"], content["error"]) == ("paint", {"frames": 4, "shards": 2}, "")
    assert content["settings"] == {"projection": "default"}
    again = RunReport(tmp_path / "runs")
    again(EVENTS[0])
    again(RunEnded("disk full"))
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_the_progress_bar_shows_frames_and_the_slowest_stage(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    for event in EVENTS:
        bar(event)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2/4" in shown.err
    assert "slowest=forward" in shown.err
    quiet = ProgressBar(quiet=True)
    for event in EVENTS:
        quiet(event)
    assert capsys.readouterr().err == ""


def test_tracking_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2], "ingest", "sequence")) == [1, 2]
    assert "2/2" in capsys.readouterr().err
    assert list(track([1, 2], "ingest", "sequence", quiet=True)) == [1, 2]
    assert capsys.readouterr().err == ""
