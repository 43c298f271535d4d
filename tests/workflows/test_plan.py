"""`paintpipe plan`: what it promises, what it warns of, and that it touches nothing."""

import json
import os
import shutil
from pathlib import Path

import pytest
from support.command import content, paintpipe, succeed

from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.workflows.plan_timing import Timing

MASKS = ("--layer", "masks", "--frames-per-shard", "2", "-q")


@pytest.fixture
def place(drive: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the small synthetic dataset, ingested into `w`."""
    shutil.copytree(drive, tmp_path / "data")
    succeed("ingest", "semantickitti", tmp_path / "data", "-w", tmp_path / "w", "-q")
    return tmp_path


def planned(place: Path, *more: object, code: int = 0) -> dict[str, object]:
    masks = ("--from-masks", place / "data" / "masks")
    done = paintpipe("plan", "-w", place / "w", *masks, *MASKS, "--json", *more)
    assert done.code == code, done
    found: dict[str, object] = json.loads(done.out)
    assert found["exit_code"] == code
    return found


def findings(found: dict[str, object], weight: str) -> list[str]:
    return [row["what"] for row in found["findings"] if row["weight"] == weight]  # type: ignore[attr-defined, index]


def test_what_is_planned_is_what_is_painted_and_nothing_is_written(place: Path) -> None:
    before = content(place)
    found = planned(place, "--frames", 2)
    assert content(place) == before
    masks = ("--from-masks", place / "data" / "masks")
    done = json.loads(succeed("paint", "-w", place / "w", *masks, *MASKS, "--json"))
    assert found["frames"] == {"planned": done["frames_painted"], "to_do": done["frames_painted"]}
    assert found["shards"] == done["shards"]
    assert found["store"] == done["store"]
    assert found["bytes"] == pytest.approx(done["report"]["counts"]["bytes"], rel=0.2)
    assert found["free_bytes"] > found["bytes"]
    assert found["seconds"] > 0
    assert found["timing"]["frames"] == 2
    assert found["files"]["checked"] == 2 * done["frames_painted"]
    assert (found["files"]["points"], found["files"]["bad"]) == (done_points(place), 0)
    again = planned(place)
    assert (again["frames"]["to_do"], again["shards"]["to_do"], again["findings"]) == (0, 0, [])


def done_points(place: Path) -> int:
    return int(json.loads((place / "w" / "catalog" / "dataset.json").read_text())["counts"]["points"])


def test_files_that_are_gone_or_cut_short_are_told_by_name(place: Path) -> None:
    images = sorted((place / "data" / "sequences").rglob("image_2/*.png"))
    points = sorted((place / "data").rglob("velodyne/*.bin"))
    images[0].unlink()
    with points[1].open("r+b") as file:
        file.truncate(64)
    found = planned(place, "--frames", 0, code=1)
    assert found["files"]["bad"] == 2
    assert found["files"]["bad_frames"] == 2
    (what,) = findings(found, "partial")
    assert f"{images[0].relative_to(place / 'data')}: no such file" in what
    assert f"{points[1].relative_to(place / 'data')}: 64 bytes, but the catalog says " in what
    text = paintpipe("plan", "-w", place / "w", "--oracle", "-q", "--frames", 0).out
    assert "PARTIAL" in text
    assert "some frames would stay unpainted" in text


def test_a_missing_mask_is_told(place: Path) -> None:
    next((place / "data" / "masks").rglob("*.png")).unlink()
    assert "no mask for this image" in findings(planned(place, "--frames", 0, code=1), "partial")[0]


def test_a_changed_setting_gives_the_message_of_paint(place: Path) -> None:
    masks = ("--from-masks", place / "data" / "masks")
    succeed("paint", "-w", place / "w", *masks, *MASKS)
    before = content(place)
    found = planned(place, "--projection", "openpcdet", code=2)
    done = paintpipe("paint", "-w", place / "w", *masks, *MASKS, "--projection", "openpcdet")
    assert done.code == 2
    assert done.err == f"paintpipe: {findings(found, 'stops')[0]}\n"
    assert planned(place, "--projection", "openpcdet", "--overwrite")["shards"]["to_do"] == found["shards"]["planned"]
    now = content(place)
    assert {name: now[name] for name in before if "paintpipe.toml" not in name} == {
        name: before[name] for name in before if "paintpipe.toml" not in name
    }


def test_a_locked_workspace_and_one_that_a_dead_run_left(place: Path) -> None:
    with workspace_lock(place / "w" / "ledger"):
        (what,) = findings(planned(place, "--frames", 0, code=2), "stops")
    assert f"process {os.getpid()}" in what


def test_absent_weights_are_told_beside_absent_files(place: Path) -> None:
    next((place / "data" / "sequences").rglob("image_2/*.png")).unlink()
    done = paintpipe("plan", "-w", place / "w", "--model", "bisenetv2-kitti", "-q")
    assert done.code == 2
    assert "weights of bisenetv2-kitti are not on this machine" in done.out
    assert "no such file" in done.out
    assert done.out.splitlines()[-1] == "paint would fail"


def test_gpus_that_are_not_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paintpipe.stages.segment.gpus.gpu_names", lambda: ["H100"])
    done = paintpipe("plan", "-w", place / "w", "--gpus", "0,3", "-q")
    assert done.code == 2
    assert "there is no GPU 3; expected all, or some of 0 (H100)" in done.out


def test_too_little_space(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(place)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage._replace(free=1000))
    (what,) = findings(planned(place, "--frames", 1, code=2), "stops")
    assert "are needed, 1.0 kB are free" in what


def test_no_permission_to_write(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda _path, mode: mode != os.W_OK)
    assert "no permission to write" in findings(planned(place, "--frames", 0, code=2), "stops")[0]


def test_no_catalog_is_an_error_as_ever(tmp_path: Path) -> None:
    done = paintpipe("plan", "-w", tmp_path, "--json")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["kind"] == "WorkspaceError"
    assert f"paintpipe: {error['line']}\n" == done.err


STAGES = {"load": 0.2, "network": 0.5, "paint": 0.1}


@pytest.mark.parametrize(
    ("settings", "cores", "frame_s"),
    [
        (ExecutorSettings("serial", workers=1), 8, 0.7),
        (ExecutorSettings("threads", workers=2), 8, 0.5),  # the network works on one shard at a time
        (ExecutorSettings("threads", workers=2), 1, 1.0),  # one core: all of its seconds, one after the other
        (ExecutorSettings("processes", workers=4), 8, 0.175),
        (ExecutorSettings("processes", workers=4, in_flight=2), 8, 0.125),
        (ExecutorSettings("processes", workers=64), 2, 0.5),  # the cores, not the workers
        (ExecutorSettings("dask", scheduler="tcp://x:1"), 1, 0.7),
    ],
)
def test_a_frames_time_with_workers(settings: ExecutorSettings, cores: int, frame_s: float) -> None:
    timing = Timing(4, 0.7, 1.0, STAGES, {"points": 1.0}, 0)
    assert timing.frame_s(settings, cores) == pytest.approx(frame_s)
    assert timing.slowest_stage == "network"
