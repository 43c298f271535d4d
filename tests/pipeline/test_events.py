import json
import threading
from pathlib import Path

import pytest

from paintpipe.pipeline.events import (
    AttemptLost,
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
from paintpipe.pipeline.report import MOST_REJECTS, RunReport
from paintpipe.schemas.errors import StoreError

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


def test_a_report_lists_only_so_many_rejects_and_counts_them_all(tmp_path: Path) -> None:
    report = RunReport(tmp_path / "runs")
    for index in range(MOST_REJECTS + 5):
        report(FrameRejected("00", f"{index:06d}", "cut short"))
    content = report.content()
    assert (len(content["rejected"]), content["num_rejected"]) == (MOST_REJECTS, MOST_REJECTS + 5)


def test_a_report_takes_back_what_a_lost_attempt_told(tmp_path: Path) -> None:
    report = RunReport(tmp_path / "runs")
    told = tuple(EVENTS[1:-1])
    for event in (EVENTS[0], *told, AttemptLost("shard 0", "killed", told), *told):
        report(event)
    content = report.content()
    assert content["stages"]["decode"] == {"seconds": 0.75, "items": 3, "items_per_s": 4.0}
    assert content["counts"] == {"bytes": 1000, "frames": 2, "images segmented again": 3, "shards": 1}
    assert (content["num_rejected"], len(content["rejected"]), content["attempts_lost"]) == (1, 1, 1)


def test_a_report_tells_the_machine_and_the_packages(tmp_path: Path) -> None:
    content = RunReport(tmp_path).content()
    assert {"numpy", "zarr", "pyarrow", "dask", "numba", "python"} <= content["versions"].keys()
    machine = content["hardware"]
    assert machine["cpus"] >= machine["cpus_usable"] >= 1
    assert machine["memory_bytes"] > 100e6
    assert machine["cpu"]


def test_the_report_of_a_failed_run_does_not_hide_its_error(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.write_text("a file lies where the folder should")
    failed = RunReport(folder)
    failed(RunStarted("paint", 1, 1))
    failed(RunEnded("disk full"))
    assert failed.path is None
    with pytest.raises(StoreError):
        RunReport(folder)(RunEnded())
