from pathlib import Path

import numpy as np
import pytest
from support.ingest import IDENTITY_R, oxts_line, png_bytes, write, write_kitti_raw
from support.roots import DirectoryRoot

from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.stages.ingest.kitti_raw import parse_timestamps
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset

DRIVE = "2011_09_26_drive_0001_sync"


def opened(path: Path, **options) -> Reader:
    return open_dataset("kitti-raw", DirectoryRoot(path), IngestOptions(**options))


def test_a_whole_drive(tmp_path: Path) -> None:
    write_kitti_raw(tmp_path)
    reader = opened(tmp_path)
    assert (reader.sequences(), reader.labels_taxonomy, reader.boxes_taxonomy) == ([DRIVE], None, None)
    rows = reader.read(DRIVE, None)
    assert rows.rejected == []
    assert [(frame.index, frame.frame_id, frame.num_points) for frame in rows.frames] == [
        (0, "0000000000", 10),
        (1, "0000000001", 11),
        (2, "0000000002", 12),
    ]
    assert rows.frames[0].points_path == f"2011_09_26/{DRIVE}/velodyne_points/data/0000000000.bin"
    steps = [frame.timestamp_us - rows.frames[0].timestamp_us for frame in rows.frames]
    assert steps == [0, 100000, 200000]
    assert [image.dt_us for image in rows.images] == [10000, 10000, 10000]
    assert [(image.camera, image.width_px, image.height_px) for image in rows.images] == [("image_02", 60, 20)] * 3
    # (10, 2, 1) → camera 0 (-2, -1.1, 9.7), R_rect the identity, then P_rect_02
    pixel = rows.images[0].image_from_lidar @ [10, 2, 1, 1]
    np.testing.assert_allclose(pixel, [-200 + 30 * 9.7 + 5, -110 + 10 * 9.7 + 0.5, 9.7 + 0.25])


def test_rectification_comes_between(tmp_path: Path) -> None:
    write_kitti_raw(tmp_path)
    path = tmp_path / "2011_09_26" / "calib_cam_to_cam.txt"
    write(path, path.read_text().replace(f"R_rect_00: {IDENTITY_R}", "R_rect_00: 0 -1 0 1 0 0 0 0 1"))
    pixel = opened(tmp_path).read(DRIVE, 1).images[0].image_from_lidar @ [10, 2, 1, 1]
    np.testing.assert_allclose(pixel, [110 + 30 * 9.7 + 5, -200 + 10 * 9.7 + 0.5, 9.7 + 0.25])


def test_times_are_exact_and_belong_to_the_number(tmp_path: Path) -> None:
    times = parse_timestamps("2011-09-26 13:02:25.951199337\n2011-09-26 13:02:26.055\n\n", "a")
    assert times == [1317042145951199, 1317042146055000]
    drive = write_kitti_raw(tmp_path)
    (drive / "velodyne_points" / "data" / "0000000001.bin").unlink()
    frames = opened(tmp_path).read(DRIVE, None).frames
    assert [(frame.index, frame.frame_id) for frame in frames] == [(0, "0000000000"), (1, "0000000002")]
    assert frames[1].timestamp_us - frames[0].timestamp_us == 200000
    with pytest.raises(InputFileError, match=r"^a: .* expected a time a line"):
        parse_timestamps("yesterday\n", "a")


@pytest.mark.parametrize(
    "line",
    [
        "now",
        "NaT",
        "today",
        "2011",
        "2011-09-26",
        "99999-09-26 13:02:25.951199337",
        "9999-09-26 13:02:25.951199337",
        "1600-09-26 13:02:25.951199337",
        "2011-02-30 13:02:25",
        "2011-09-26 25:02:25",
        "2011-09-26 13:02:25.9511993370",
        "2011-09-26 13:02:25Z",
        "２０１１-09-26 13:02:25",
        "1317042145",
    ],
)
def test_a_line_that_is_no_time_names_itself(line: str) -> None:
    good = "2011-09-26 13:02:25.951199337"
    with pytest.raises(InputFileError, match=r"^a: line 2: .*expected a time a line"):
        parse_timestamps(f"{good}\n{line}\n{good}\n", "a")


def test_a_blank_line_is_a_time_unknown_and_moves_no_other(tmp_path: Path) -> None:
    drive = write_kitti_raw(tmp_path)
    path = drive / "velodyne_points" / "timestamps.txt"
    lines = path.read_text().splitlines()
    whole = [frame.timestamp_us for frame in opened(tmp_path).read(DRIVE, None).frames]
    write(path, "\n".join([lines[0], "", *lines[2:]]))
    rows = opened(tmp_path).read(DRIVE, None)
    assert [frame.timestamp_us for frame in rows.frames] == [whole[0], None, whole[2]]
    assert rows.rejected == []
    assert parse_timestamps("\n \n", "a") == []


def test_without_times_and_oxts(tmp_path: Path) -> None:
    drive = write_kitti_raw(tmp_path)
    (drive / "velodyne_points" / "timestamps.txt").unlink()
    rows = opened(tmp_path).read(DRIVE, None)
    assert rows.rejected == []
    frame, image = rows.frames[0], rows.images[0]
    assert (frame.timestamp_us, frame.global_SE3_ego, frame.global_SE3_lidar, image.dt_us) == (None, None, None, None)
    assert image.timestamp_us is not None
    assert frame.ego_SE3_lidar is not None
    np.testing.assert_allclose(frame.ego_SE3_lidar[:3, 3], [0.8, -0.3, 0.8])


def test_poses_from_oxts(tmp_path: Path) -> None:
    """The car heads north and goes 2 m; the ego frame is the IMU, whose frame at the first packet is global."""
    drive = write_kitti_raw(tmp_path)
    two_metres_deg = np.degrees(2.0 / 6378137.0)
    for index in range(3):
        line = oxts_line(49 + index * two_metres_deg, 8.4, 110.0, 0.0, 0.0, np.pi / 2)
        write(drive / "oxts" / "data" / f"{index:010d}.txt", line)
    write(drive / "oxts" / "data" / "0000000001.txt", "no numbers here")
    rows = opened(tmp_path).read(DRIVE, None)
    first, broken, last = rows.frames
    assert first.global_SE3_ego is not None
    assert last.global_SE3_ego is not None
    assert last.global_SE3_lidar is not None
    np.testing.assert_allclose(first.global_SE3_ego, np.eye(4), atol=1e-8)
    np.testing.assert_allclose(last.global_SE3_ego[:3, 3], [4.0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(last.global_SE3_lidar[:3, 3], [4.8, -0.3, 0.8], atol=1e-4)
    assert broken.global_SE3_ego is broken.global_SE3_lidar is None
    assert rows.images[2].global_SE3_ego is last.global_SE3_ego
    assert [Path(row.path).name for row in rows.rejected] == ["0000000001.txt"]


def test_the_root_may_be_a_day_or_hold_several(tmp_path: Path) -> None:
    write_kitti_raw(tmp_path, frames=1)
    write_kitti_raw(tmp_path, frames=1, date="2011_09_28", drive=2)
    assert opened(tmp_path).sequences() == [DRIVE, "2011_09_28_drive_0002_sync"]
    day = opened(tmp_path / "2011_09_28")
    assert day.sequences() == ["2011_09_28_drive_0002_sync"]
    assert len(day.read("2011_09_28_drive_0002_sync", None).images) == 1
    assert opened(tmp_path, sequences=(DRIVE,)).sequences() == [DRIVE]
    with pytest.raises(ConfigError, match="no --split, since this dataset has none"):
        opened(tmp_path, split="train")
    with pytest.raises(InputFileError, match="no KITTI raw drive is here"):
        opened(tmp_path / "2011_09_28" / "2011_09_28_drive_0002_sync")


def test_unrectified_drives_are_rejected(tmp_path: Path) -> None:
    write_kitti_raw(tmp_path, frames=1)
    (tmp_path / "2011_09_26" / "2011_09_26_drive_0001_extract").mkdir()
    reader = opened(tmp_path)
    assert reader.sequences() == [DRIVE]
    assert [row.path for row in reader.rejected] == ["2011_09_26/2011_09_26_drive_0001_extract"]


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("calib_cam_to_cam.txt", "P_rect_02", "P_02", "key P_rect_02 is missing"),
        ("calib_cam_to_cam.txt", "R_rect_00", "R_00", "key R_rect_00 is missing"),
        ("calib_velo_to_cam.txt", "T:", "t:", "key T is missing"),
        ("calib_velo_to_cam.txt", "0 -1 0 0 0 -1 1 0 0", "0 0 0 0 0 0 0 0 0", "singular"),
        ("calib_velo_to_cam.txt", "-0.3", "inf", "not finite"),
    ],
)
def test_a_day_whose_calibration_is_broken(tmp_path: Path, name: str, old: str, new: str, reason: str) -> None:
    write_kitti_raw(tmp_path)
    write_kitti_raw(tmp_path, frames=1, date="2011_09_28", drive=2)
    path = tmp_path / "2011_09_26" / name
    write(path, path.read_text().replace(old, new))
    reader = opened(tmp_path)
    rows = reader.read(DRIVE, None)
    assert rows.frames == []
    assert [row.path for row in rows.rejected] == [f"2011_09_26/{name}"]
    assert reason in rows.rejected[0].reason
    assert len(reader.read("2011_09_28_drive_0002_sync", None).frames) == 1


def test_without_the_imu_calibration_frames_have_no_pose(tmp_path: Path) -> None:
    drive = write_kitti_raw(tmp_path, frames=1)
    write(drive / "oxts" / "data" / "0000000000.txt", oxts_line(49, 8, 100, 0, 0, 0))
    (tmp_path / "2011_09_26" / "calib_imu_to_velo.txt").unlink()
    rows = opened(tmp_path).read(DRIVE, None)
    assert rows.frames[0].ego_SE3_lidar is rows.frames[0].global_SE3_lidar is None
    assert [row.path for row in rows.rejected] == ["2011_09_26/calib_imu_to_velo.txt"]


def test_images_of_another_size_than_the_calibration_are_rejected(tmp_path: Path) -> None:
    drive = write_kitti_raw(tmp_path)
    write(drive / "image_02" / "data" / "0000000001.png", png_bytes(30, 10))
    (drive / "image_02" / "data" / "0000000002.png").unlink()
    rows = opened(tmp_path).read(DRIVE, None)
    assert [image.frame_id for image in rows.images] == ["0000000000"]
    assert [row.reason.split(";")[0] for row in rows.rejected] == [
        "30x10 px, but the calibration is for 60x20",
        "absent for 1 of 3 frames (partial download?): left out",
    ]
