"""`paintpipe check-calibration` as a user runs it: wrong calibration files, wrong pairings, damaged data."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from support.benchmarks import load_benchmark
from support.command import paintpipe, start, succeed

from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.tables import CALIBRATION_CHECK, CALIBRATION_CURVES
from paintpipe.workflows.check_calibration import CheckResult

planting = load_benchmark("check_calibration")
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path, Callable[[Path], object]], Path]:
    """Ingest a copy of a dataset in which something was changed; returns the workspace."""

    def make(reader: str, source: Path, change: Callable[[Path], object] = lambda root: None) -> Path:
        folder = tmp_path_factory.mktemp("planted")
        planting.copy_tree(source, folder / "data")
        change(folder / "data")
        done = paintpipe("ingest", reader, folder / "data", "-w", folder / "workspace", "-q", "--allow-rejects")
        assert done.code == 0, done
        return folder / "workspace"

    return make


def checked(workspace: Path, *options: object, code: int = 0) -> dict[str, Any]:
    """The object of `--json`, its row of the first camera under `row`."""
    done = paintpipe("check-calibration", "-w", workspace, "-q", "--json", *options)
    assert done.code == code, done
    found: dict[str, Any] = json.loads(done.out)
    assert found["exit_code"] == code
    return {**found, "row": found["tables"]["calibration-check"][0]}


def test_a_right_drive_is_called_right(workspace: Path) -> None:
    text = succeed("check-calibration", "-w", workspace, "-q", "--executor", "serial")
    assert "image_2: ok\n" in text
    (row,) = read_parquet(workspace / "tables/calibration-check.parquet").to_pylist()
    assert (row["verdict"], row["views"], row["shift_unit"]) == ("ok", 5, "ms")
    for axis in ("roll", "pitch", "yaw"):
        assert abs(row[f"{axis}_deg"]) < 0.2
    assert abs(row["shift"]) < 20
    names = {path.name for path in (workspace / "tables").iterdir()}
    assert {f"calibration-check.{kind}" for kind in ("parquet", "csv", "md")} <= names
    picture = cv2.imread(str(workspace / "figures/calibration-check-image_2.png"))
    assert picture.shape[1] > 1500
    assert picture.std() > 10
    for name, schema in (("check", CALIBRATION_CHECK), ("curves", CALIBRATION_CURVES)):
        assert read_parquet(workspace / f"tables/calibration-{name}.parquet").schema.equals(schema)


@pytest.mark.parametrize(("axis", "size"), [("roll", 0.5), ("pitch", -0.5), ("yaw", 0.5)])
def test_a_rotation_in_calib_txt_is_found(drive: Path, copied: Make, axis: str, size: float) -> None:
    angles = tuple(size if name == axis else 0.0 for name in ("roll", "pitch", "yaw"))
    workspace = copied("semantickitti", drive, lambda root: planting.turn_odometry(root, angles))
    row = checked(workspace, "--limit", 3, code=1)["row"]
    assert row["verdict"] == "off"
    assert row[f"{axis}_deg"] == pytest.approx(-size, abs=0.15)
    assert f"turned by {axis} {'-' if size > 0 else '+'}0." in row["words"]
    # the same error, undone by the option
    undone = checked(workspace, "--limit", 3, "--rotate", ",".join(str(-angle) for angle in angles))["row"]
    assert undone["verdict"] == "ok"


@pytest.mark.parametrize("frames", [1, -1])
def test_a_shift_by_100_ms_is_found(drive: Path, copied: Make, frames: int) -> None:
    workspace = copied("semantickitti", drive, lambda root: planting.delay_odometry(root, frames))
    row = checked(workspace, code=1)["row"]
    assert (row["verdict"], row["shift_unit"]) == ("off", "ms")
    assert row["shift"] == pytest.approx(100.0 * frames, abs=15)
    assert ("later" if frames > 0 else "earlier") in row["words"]
    assert checked(workspace, "--shift-ms", 100 * frames)["row"]["verdict"] == "ok"


def test_every_executor_finds_the_same(workspace: Path) -> None:
    found = [
        checked(workspace, "--limit", 2, *options)["tables"]
        for options in (("--executor", "serial"), ("--workers", 2, "--executor", "processes"), ())
    ]
    assert found[0] == found[1] == found[2]


def test_images_that_show_something_else_tell_nothing(drive: Path, copied: Make) -> None:
    def paint_noise(root: Path) -> None:
        for number, path in enumerate(sorted(root.glob("sequences/*/image_2/*.png"))):
            shape = cv2.imread(str(path)).shape
            path.unlink()
            cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 256, shape).astype(np.uint8))

    row = checked(copied("semantickitti", drive, paint_noise))["row"]
    assert row["verdict"] == "cannot tell"


def test_a_missing_image_is_told_and_the_others_count(drive: Path, copied: Make) -> None:
    workspace = copied("semantickitti", drive)
    (workspace.parent / "data/sequences/08/image_2/000002.png").unlink()
    found = checked(workspace, code=1)
    assert found["row"]["verdict"] == "ok"
    assert found["row"]["views"] == 4
    (rejected,) = found["rejected"]
    assert rejected["path"].endswith("000002.png")
    assert found["num_rejected"] == 1
    row = RejectedRow(rejected["path"], "paint", rejected["reason"])
    table = pa.table(dict.fromkeys(("score_at_zero", "score_at_best", "chance", "jumps", "words"), pa.array([0.0])))
    text = CheckResult([], table, table, [row], 5, [], workspace).text()
    assert text.count("000002.png") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cameras", "image_9"), "no camera 'image_9'"),
        (("--sequences", "99"), "no sequence '99'"),
        (("--rotate", "1,2"), "ROLL,PITCH,YAW"),
        (("--rotate", "nan,0,0"), "ROLL,PITCH,YAW"),
        (("--rotate-lidar", "1,2"), "--rotate-lidar '1,2'"),
        (("--max-angle", "0"), "--max-angle"),
    ],
)
def test_mistakes(workspace: Path, options: tuple[str, ...], message: str) -> None:
    done = paintpipe("check-calibration", "-w", workspace, "-q", *options)
    assert done.code == 2
    assert message in done.err


def test_a_dataset_without_images_is_an_error(drive: Path, copied: Make) -> None:
    workspace = copied("semantickitti", drive, lambda root: shutil.rmtree(root / "sequences/08/image_2"))
    done = paintpipe("check-calibration", "-w", workspace, "-q")
    assert done.code == 2
    assert "no frame has an image" in done.err


def test_shifts_by_time_need_times_and_poses(drive: Path, copied: Make) -> None:
    workspace = copied("semantickitti", drive, lambda root: (root / "sequences/08/poses.txt").unlink())
    assert checked(workspace, "--limit", 1)["row"]["shift_unit"] == "frames"
    done = paintpipe("check-calibration", "-w", workspace, "-q", "--shift-ms", 50)
    assert done.code == 2
    assert "--shift-ms" in done.err


def test_the_scene_of_six_cameras(scene: Path, copied: Make) -> None:
    workspace = copied("nuscenes", scene, lambda root: planting.turn_nuscenes(root, (0.0, 0.0, 0.5)))
    found = checked(workspace, "--cameras", "CAM_BACK,CAM_FRONT", code=1)
    rows = found["tables"]["calibration-check"]
    assert [row["camera"] for row in rows] == ["CAM_BACK", "CAM_FRONT", "all cameras"]
    figures = {path.rsplit("/", 1)[1].removeprefix("calibration-check-") for path in found["figures"]}
    assert figures == {"CAM_BACK.png", "CAM_FRONT.png", "all-cameras.png"}
    np.testing.assert_allclose([row["yaw_deg"] for row in rows], -0.5, atol=0.2)


def test_a_lidar_that_is_turned_is_told_of_all_cameras_together(scene: Path, copied: Make) -> None:
    workspace = copied("nuscenes", scene, lambda root: planting.turn_lidar(root, (0.0, 0.0, 0.6)))
    together = checked(workspace, code=1)["tables"]["calibration-check"][-1]
    assert (together["camera"], together["verdict"]) == ("all cameras", "off")
    assert together["yaw_deg"] == pytest.approx(-0.6, abs=0.15)
    assert "if the LiDAR were turned by" in together["words"]
    undone = checked(workspace, "--rotate-lidar", "0,0,-0.6")["tables"]["calibration-check"]
    assert "off" not in {row["verdict"] for row in undone}
    one = copied("nuscenes", scene, lambda root: planting.turn_one(root, (0.0, 0.0, 0.6)))
    done = paintpipe("check-calibration", "-w", one, "-q", "--json")
    rows = {row["camera"]: row for row in json.loads(done.out)["tables"]["calibration-check"]}
    assert rows["all cameras"]["verdict"] != "off"
    assert rows["CAM_BACK_LEFT"]["yaw_deg"] == pytest.approx(-0.6, abs=0.2)


def test_images_of_a_later_moment_are_planted_across_samples_and_sweeps(tmp_path: Path) -> None:
    """By time, whatever the folder; the last has none after it."""
    for name in ("samples/CAM_A/x__CAM_A__3.jpg", "sweeps/CAM_A/x__CAM_A__1.jpg", "sweeps/CAM_A/x__CAM_A__2.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.stem[-1])
    planting.delay_nuscenes(tmp_path, 1)
    told = {path.stem[-1]: path.read_text() for path in tmp_path.rglob("*.jpg")}
    assert told == {"1": "2", "2": "3"}


def test_the_installed_command(workspace: Path) -> None:
    with start("check-calibration", "-w", workspace, "-q", "--limit", 1) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "image_2" in out


@pytest.mark.parametrize(("axis", "size"), [("roll", -0.5), ("pitch", 0.5), ("yaw", -0.5)])
def test_a_rotation_of_real_kitti_frames_is_found(real_data: Path, copied: Make, axis: str, size: float) -> None:
    angles = tuple(size if name == axis else 0.0 for name in ("roll", "pitch", "yaw"))
    workspace = copied("kitti", real_data / "kitti", lambda root: planting.turn_object(root, angles))
    row = checked(workspace, "--cameras", "image_2", "--limit", 4, code=1)["row"]
    assert row[f"{axis}_deg"] == pytest.approx(-size, abs=0.15)
    assert axis in row["words"]


def test_real_kitti_frames_are_called_right(real_data: Path, copied: Make) -> None:
    row = checked(copied("kitti", real_data / "kitti"), "--cameras", "image_2", "--limit", 4)["row"]
    assert row["verdict"] == "ok"
    assert row["shift"] == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("frames", [0, 1])
def test_a_shift_by_a_frame_in_the_real_drive_is_found(real_data: Path, copied: Make, frames: int) -> None:
    workspace = copied("kitti-raw", real_data / "kitti_raw", lambda root: planting.delay_raw(root, frames))
    row = checked(workspace, "--limit", 3, code=min(1, frames))["row"]
    assert row["shift"] == pytest.approx(frames, abs=0.3)
    assert (row["verdict"], row["shift_unit"]) == ("off" if frames else "ok", "frames")


def test_a_yaw_of_the_real_scene_is_found(real_data: Path, copied: Make) -> None:
    cameras = ("--cameras", "CAM_BACK,CAM_BACK_LEFT,CAM_FRONT_LEFT")
    plain = checked(copied("nuscenes", real_data / "nuscenes"), *cameras)["tables"]["calibration-check"]
    assert "off" not in {row["verdict"] for row in plain}
    turn = copied("nuscenes", real_data / "nuscenes", lambda root: planting.turn_nuscenes(root, (0.0, 0.0, 0.5)))
    planted = checked(turn, *cameras, code=1)["tables"]["calibration-check"]
    moved = [new["yaw_deg"] - old["yaw_deg"] for new, old in zip(planted, plain, strict=True)]
    assert planted[-1]["camera"] == "all cameras"
    assert "LiDAR were turned by yaw -0." in planted[-1]["words"]
    assert np.median(moved) == pytest.approx(-0.5, abs=0.05)
    assert sum("yaw" in row["words"] for row in planted if row["verdict"] == "off") >= 2
