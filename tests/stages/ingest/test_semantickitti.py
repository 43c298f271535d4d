from pathlib import Path

import numpy as np
import pytest
from support.ingest import P2, TR, png_of, write, write_semantickitti
from support.roots import DirectoryRoot

from paintpipe.schemas.catalog import SequenceRows
from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset


def opened(path: Path, **options) -> Reader:
    return open_dataset("semantickitti", DirectoryRoot(path), IngestOptions(**options))


def read(path: Path, sequence: str = "00", limit: int | None = None) -> SequenceRows:
    return opened(path).read(sequence, limit)


def reasons(rows: SequenceRows) -> dict[str, str]:
    assert all(row.stage == "ingest" for row in rows.rejected)
    return {Path(row.path).name: row.reason for row in rows.rejected}


def test_a_whole_sequence(tmp_path: Path) -> None:
    write_semantickitti(tmp_path)
    reader = opened(tmp_path)
    assert (reader.dataset, reader.labels_taxonomy, reader.boxes_taxonomy) == ("semantickitti", "semantickitti19", None)
    assert (reader.sequences(), reader.rejected, reader.synthetic) == (["00"], [], False)
    rows = reader.read("00", None)
    assert rows.rejected == []
    assert rows.boxes == []
    assert [(frame.index, frame.frame_id, frame.num_points) for frame in rows.frames] == [
        (0, "000000", 10),
        (1, "000001", 11),
        (2, "000002", 12),
    ]
    frame = rows.frames[2]
    assert frame.points_path == "dataset/sequences/00/velodyne/000002.bin"
    assert frame.labels_path == "dataset/sequences/00/labels/000002.label"
    assert (frame.labels_format, frame.points_format) == ("semantickitti", "float32")
    assert (frame.timestamp_us, frame.split, frame.is_keyframe) == (200000, "train", True)
    assert frame.point_features == ("x", "y", "z", "intensity")
    image = rows.images[2]
    assert (image.index, image.frame_id, image.camera) == (2, "000002", "image_2")
    assert image.image_path == "dataset/sequences/00/image_2/000002.png"
    assert (image.width_px, image.height_px, image.timestamp_us, image.dt_us) == (60, 20, 200000, 0)


def test_poses_are_of_the_lidar(tmp_path: Path) -> None:
    """The camera moves 2 m along its z, which is the LiDAR's x: global_SE3_lidar = Tr⁻¹ · pose · Tr."""
    write_semantickitti(tmp_path)
    pose = read(tmp_path).frames[2].global_SE3_lidar
    assert pose is not None
    expected = np.eye(4)
    expected[0, 3] = 2.0
    np.testing.assert_allclose(pose, expected, atol=1e-12)


def test_projection_is_p2_times_tr(tmp_path: Path) -> None:
    write_semantickitti(tmp_path)
    image = read(tmp_path).images[0]
    P = np.array(P2.split(), dtype=float).reshape(3, 4)
    tr = np.vstack([np.array(TR.split(), dtype=float).reshape(3, 4), [0, 0, 0, 1]])
    np.testing.assert_array_equal(image.image_from_lidar, P @ tr)
    np.testing.assert_allclose(image.K @ image.camera_SE3_lidar[:3], P @ tr, atol=1e-12)
    assert image.P_rect is not None
    np.testing.assert_array_equal(image.P_rect, P)
    assert image.R_rect is None


@pytest.mark.parametrize("below", [".", "dataset", "dataset/sequences"])
def test_the_root_may_be_any_of_three_folders(tmp_path: Path, below: str) -> None:
    write_semantickitti(tmp_path)
    reader = opened(tmp_path / below)
    assert reader.sequences() == ["00"]
    rows = reader.read("00", None)
    assert len(rows.frames) == len(rows.images) == 3
    assert (tmp_path / below / rows.frames[0].points_path).is_file()


def test_sequences_and_splits(tmp_path: Path) -> None:
    for name in ("00", "08", "11", "mine"):
        write_semantickitti(tmp_path, name, frames=1)
    assert opened(tmp_path).sequences() == ["00", "08", "11", "mine"]
    assert opened(tmp_path, sequences=("mine", "08")).sequences() == ["08", "mine"]
    assert opened(tmp_path, split="valid").sequences() == ["08"]
    assert opened(tmp_path, split="test").sequences() == ["11"]
    assert [opened(tmp_path).read(name, None).frames[0].split for name in ("00", "08", "11", "mine")] == [
        "train",
        "valid",
        "test",
        None,
    ]
    with pytest.raises(ConfigError, match="no sequence 05; expected some of 00, 08, 11, mine"):
        opened(tmp_path, sequences=("05",))
    with pytest.raises(ConfigError, match="unknown split 'val'; expected one of test, train, valid"):
        opened(tmp_path, split="val")
    with pytest.raises(ConfigError, match="no sequence of split 'test'"):
        opened(tmp_path, sequences=("00",), split="test")


def test_limit_counts_kept_frames(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path, frames=4)
    write(folder / "velodyne" / "000000.bin", b"")
    rows = read(tmp_path, limit=2)
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [(0, "000001"), (1, "000002")]
    assert [(image.index, image.frame_id) for image in rows.images] == [(0, "000001"), (1, "000002")]


def test_bad_scans_are_left_out_without_gaps(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path, frames=4)
    write(folder / "velodyne" / "000001.bin", b"\0" * 33)
    write(folder / "velodyne" / "000002.bin", b"")
    rows = read(tmp_path)
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [(0, "000000"), (1, "000003")]
    assert [(image.index, image.frame_id) for image in rows.images] == [(0, "000000"), (1, "000003")]
    assert [frame.timestamp_us for frame in rows.frames] == [0, 300000]
    assert "truncated, 33 bytes" in reasons(rows)["000001.bin"]
    assert "empty sweep" in reasons(rows)["000002.bin"]
    assert [row.path for row in rows.rejected] == [f"dataset/sequences/00/velodyne/00000{at}.bin" for at in (1, 2)]


def test_bad_labels_leave_the_frame(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path)
    write(folder / "labels" / "000001.label", b"\0" * 4 * 10)
    (folder / "labels" / "000002.label").unlink()
    rows = read(tmp_path)
    assert [frame.labels_path is not None for frame in rows.frames] == [True, False, False]
    assert [frame.labels_format for frame in rows.frames] == ["semantickitti", None, None]
    assert reasons(rows)["000001.label"].startswith("10 labels for 11 points")
    assert reasons(rows)["labels"].startswith("absent for 1 of 3 frames")


def test_bad_images_leave_the_frame(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path, frames=4)
    write(folder / "image_2" / "000000.png", b"")
    write(folder / "image_2" / "000001.png", png_of(30000, 30000, 8, 2, b""))
    (folder / "image_2" / "000002.png").unlink()
    rows = read(tmp_path)
    assert len(rows.frames) == 4
    assert [image.frame_id for image in rows.images] == ["000003"]
    found = reasons(rows)
    assert found["000000.png"].startswith("the file is empty")
    assert "64 megapixels" in found["000001.png"]
    assert found["image_2"] == "absent for 1 of 4 frames (partial download?): left out"


def test_a_download_without_images_labels_poses_and_times(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path)
    for name in ("image_2", "labels"):
        for file in (folder / name).iterdir():
            file.unlink()
        (folder / name).rmdir()
    (folder / "poses.txt").unlink()
    (folder / "times.txt").unlink()
    reader = opened(tmp_path)
    rows = reader.read("00", None)
    assert reader.labels_taxonomy is None
    assert len(rows.frames) == 3
    frame = rows.frames[0]
    assert (frame.timestamp_us, frame.global_SE3_lidar, frame.labels_path) == (None, None, None)
    assert list(reasons(rows)) == ["image_2"]


def test_image_3_is_read_where_it_is(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path, frames=1)
    write(folder / "image_3" / "000000.jpg", (folder / "image_2" / "000000.png").read_bytes())
    images = read(tmp_path).images
    assert [image.camera for image in images] == ["image_2", "image_3"]
    assert [image.image_from_lidar[0, 3] for image in images] == [5 - 30 * 0.3, -40 - 30 * 0.3]


@pytest.mark.parametrize(
    ("calibration", "reason"),
    [
        (f"P2: {P2}\n", "key Tr is missing; expected Tr beside P2; "),
        (f"Tr: {TR}\n", "key P2 is missing"),
        (f"P2: {P2}\nTr: {'0 ' * 12}\n", "singular"),
        (f"P2: {'0 ' * 12}\nTr: {TR}\n", "singular"),
        (f"P2: {P2}\nTr: {TR.replace('-0.3', 'nan')}\n", "not finite"),
        ("\x00\xff", "key Tr is missing"),
        (None, "absent"),
    ],
)
def test_a_calibration_that_cannot_be_used_rejects_its_sequence_only(
    tmp_path: Path, calibration: str | None, reason: str
) -> None:
    folder = write_semantickitti(tmp_path)
    write_semantickitti(tmp_path, "01")
    if calibration is None:
        (folder / "calib.txt").unlink()
    else:
        write(folder / "calib.txt", calibration)
    rows = read(tmp_path)
    assert rows.frames == rows.images == []
    assert [row.path for row in rows.rejected] == ["dataset/sequences/00/calib.txt"]
    assert reason in rows.rejected[0].reason
    assert len(read(tmp_path, "01").frames) == 3


def test_broken_poses_are_rejected_and_the_frames_stay(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path)
    write(folder / "poses.txt", "1 2 3\n")
    write(folder / "times.txt", "0.0\n")
    rows = read(tmp_path)
    assert [frame.global_SE3_lidar for frame in rows.frames] == [None] * 3
    assert [frame.timestamp_us for frame in rows.frames] == [0, None, None]
    assert [image.dt_us for image in rows.images] == [0, None, None]
    assert list(reasons(rows)) == ["poses.txt"]


def test_a_symlink_out_of_the_root_is_a_reject(tmp_path: Path) -> None:
    folder = write_semantickitti(tmp_path / "data")
    outside = write(tmp_path / "outside.bin", b"\0" * 160)
    (folder / "velodyne" / "000001.bin").unlink()
    (folder / "velodyne" / "000001.bin").symlink_to(outside)
    rows = read(tmp_path / "data")
    assert [frame.frame_id for frame in rows.frames] == ["000000", "000002"]
    assert "leads out" in reasons(rows)["000001.bin"]


def test_sequences_without_scans_are_named_once(tmp_path: Path) -> None:
    write_semantickitti(tmp_path)
    for name in ("01", "02"):
        write(tmp_path / "dataset/sequences" / name / "calib.txt", "")
    assert [row.reason for row in opened(tmp_path).rejected] == [
        "no velodyne folder in 01, 02 (partial download?): left out"
    ]
    assert opened(tmp_path, sequences=("00",)).rejected == []


def test_a_root_that_is_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"no SemanticKITTI sequence is here; expected .*velodyne"):
        opened(tmp_path)


def test_the_marker_of_synth(tmp_path: Path) -> None:
    write_semantickitti(tmp_path)
    write(tmp_path / "paintpipe-synth.json", "{}")
    assert opened(tmp_path).synthetic


def test_each_file_is_looked_at_once(tmp_path: Path) -> None:
    """Per frame one size each of points and labels and one open of the image; folders are listed once."""
    calls = []
    for frames in (2, 6):
        write_semantickitti(tmp_path / str(frames), frames=frames)
        root = DirectoryRoot(tmp_path / str(frames))
        open_dataset("semantickitti", root, IngestOptions()).read("00", None)
        calls.append(root.calls)
    growth = {name: calls[1][name] - calls[0][name] for name in calls[0]}
    assert growth == {"open_bytes": 4, "size": 8, "list_dir": 0}
