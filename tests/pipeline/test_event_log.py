import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from paintpipe.pipeline.event_log import EventLog
from paintpipe.pipeline.events import FrameDone, RunEnded, RunStarted, StageTimed
from paintpipe.pipeline.monitor import monitored
from paintpipe.schemas.errors import StoreError


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_event_is_a_line_that_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log(RunStarted("paint", 4, 2, {"workers": 2, "weights": Path("w.pth")}))
    (row,) = lines(path)
    assert row["event"] == "run_started"
    assert (row["command"], row["frames"], row["settings"]) == ("paint", 4, {"workers": 2, "weights": "w.pth"})
    assert datetime.fromisoformat(str(row["time"])).tzinfo is not None
    log(FrameDone("00", 1))
    assert lines(path)[1] | {"time": ""} == {"time": "", "event": "frame_done", "sequence": "00", "frame": 1}
    log.close()


def test_a_second_run_appends_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "torn')
    with monitored(tmp_path / "runs", quiet=True, log_json=path) as (bus, report):
        bus.emit(RunStarted("paint", 1, 1))
        bus.emit(StageTimed("decode", 0.1))
        bus.emit(RunEnded())
    torn, *rows = path.read_text().splitlines()
    assert torn == '{"event": "torn'
    assert [json.loads(row)["event"] for row in rows] == ["run_started", "stage_timed", "run_ended"]
    assert report.path is not None
    assert report.path.is_file()


def test_a_log_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="events"), monitored(tmp_path, log_json=tmp_path / "absent" / "events"):
        raise AssertionError("the run began")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_is_one_clear_line() -> None:
    log = EventLog(Path("/dev/full"))
    with pytest.raises(StoreError, match="no space left"):
        log(RunEnded())
    log.close()
