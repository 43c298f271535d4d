from pathlib import Path

import numpy as np
import pytest
from support.ingest import P3, png_bytes, write, write_kitti
from support.roots import DirectoryRoot

from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset


def opened(path: Path, **options) -> Reader:
    return open_dataset("kitti", DirectoryRoot(path), IngestOptions(**options))


def test_a_whole_folder(tmp_path: Path) -> None:
    write_kitti(tmp_path)
    reader = opened(tmp_path)
    assert (reader.sequences(), reader.labels_taxonomy, reader.boxes_taxonomy) == (["training"], None, "kitti-det4")
    rows = reader.read("training", None)
    assert rows.rejected == []
    assert [(frame.index, frame.frame_id, frame.num_points) for frame in rows.frames] == [
        (0, "000000", 10),
        (1, "000001", 11),
        (2, "000002", 12),
    ]
    frame, image, box = rows.frames[1], rows.images[1], rows.boxes[1]
    assert (frame.sequence, frame.timestamp_us, frame.split, frame.labels_path) == ("training", None, None, None)
    assert frame.points_path == "training/velodyne/000001.bin"
    assert frame.ego_SE3_lidar is not None
    assert (image.image_path, image.camera, image.dt_us) == ("training/image_2/000001.png", "image_2", None)
    for matrix, shape in ((image.P_rect, (3, 4)), (image.R_rect, (3, 3)), (image.cam_SE3_velo, (4, 4))):
        assert matrix is not None
        assert matrix.shape == shape
    assert image.velo_SE3_imu is not None
    assert (box.frame_id, box.index, box.class_name) == ("000001", 1, "Car")
    assert len(rows.boxes) == 3


def test_rectification_comes_between(tmp_path: Path) -> None:
    """P2 · R0_rect · Tr, in that order, with an R0_rect that is far from the identity."""
    base = write_kitti(tmp_path, frames=1)
    calibration = (base / "calib" / "000000.txt").read_text()
    write(base / "calib" / "000000.txt", calibration.replace("1 0 0 0 1 0 0 0 1\n", "0 -1 0 1 0 0 0 0 1\n"))
    rows = opened(tmp_path).read("training", None)
    # (10, 2, 1) → camera 0 (-2, -1.1, 9.7) → rectified (1.1, -2, 9.7) → P2
    pixel = rows.images[0].image_from_lidar @ [10, 2, 1, 1]
    np.testing.assert_allclose(pixel, [110 + 30 * 9.7 + 5, -200 + 10 * 9.7 + 0.5, 9.7 + 0.25])
    # the car's middle (2, 0.25, 10), back through R0 and then Tr
    np.testing.assert_allclose(rows.boxes[0].center_m, [10.3, -0.25, 1.9], atol=1e-12)


def test_each_frame_has_its_own_calibration_and_size(tmp_path: Path) -> None:
    base = write_kitti(tmp_path, frames=2)
    write(base / "calib" / "000001.txt", (base / "calib" / "000001.txt").read_text().replace("P2: 100", "P2: 200"))
    write(base / "image_2" / "000001.png", png_bytes(80, 30))
    images = opened(tmp_path).read("training", None).images
    assert [image.K[0, 0] for image in images] == [100, 200]
    assert [(image.width_px, image.height_px) for image in images] == [(60, 20), (80, 30)]


def test_image_3_uses_p3(tmp_path: Path) -> None:
    base = write_kitti(tmp_path, frames=2)
    write(base / "image_3" / "000001.png", png_bytes())
    rows = opened(tmp_path).read("training", None)
    assert [(image.frame_id, image.camera) for image in rows.images] == [
        ("000000", "image_2"),
        ("000001", "image_2"),
        ("000001", "image_3"),
    ]
    assert rows.images[2].P_rect is not None
    assert rows.images[2].P_rect.ravel().tolist() == [float(word) for word in P3.split()]
    assert [(row.path, row.reason[:25]) for row in rows.rejected] == [("training/image_3", "absent for 1 of 2 frames ")]


def test_bad_frames_do_not_stop_the_others(tmp_path: Path) -> None:
    base = write_kitti(tmp_path, frames=6)
    write(base / "calib" / "000000.txt", "P2: 1 2 3\n")
    (base / "calib" / "000001.txt").unlink()
    write(base / "velodyne" / "000002.bin", b"\0" * 17)
    write(base / "label_2" / "000003.txt", "Car 0 0\n")
    write(base / "image_2" / "000004.png", b"")
    text = (base / "calib" / "000005.txt").read_text()
    write(base / "calib" / "000005.txt", text.replace("R0_rect", "R_rect"))
    rows = opened(tmp_path).read("training", None)
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [(0, "000003"), (1, "000004")]
    assert [(image.index, image.frame_id) for image in rows.images] == [(0, "000003")]
    assert [(box.index, box.frame_id) for box in rows.boxes] == [(1, "000004")]
    found = {row.path: row.reason for row in rows.rejected}
    assert "key R0_rect is missing" in found.pop("training/calib/000000.txt")
    assert found.pop("training/calib/000001.txt").startswith("absent")
    assert "truncated" in found.pop("training/velodyne/000002.bin")
    assert "line 1: 3 fields" in found.pop("training/label_2/000003.txt")
    assert "empty" in found.pop("training/image_2/000004.png")
    assert "key R0_rect is missing; expected R0_rect beside P2, P3, R_rect" in found.pop("training/calib/000005.txt")
    assert found == {}


def test_image_sets_give_the_split(tmp_path: Path) -> None:
    write_kitti(tmp_path, frames=4)
    write_kitti(tmp_path, frames=2, folder="testing")
    write(tmp_path / "ImageSets" / "train.txt", "000000\n000002\n")
    write(tmp_path / "ImageSets" / "val.txt", "000001\n")
    reader = opened(tmp_path)
    assert reader.sequences() == ["testing", "training"]
    assert [frame.split for frame in reader.read("training", None).frames] == ["train", "val", "train", None]
    assert [frame.split for frame in reader.read("testing", None).frames] == ["test", "test"]
    train = opened(tmp_path, split="train")
    assert train.sequences() == ["training"]
    rows = train.read("training", None)
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [(0, "000000"), (1, "000002")]
    assert [frame.frame_id for frame in train.read("training", 1).frames] == ["000000"]
    assert len(opened(tmp_path, split="training").read("training", None).frames) == 4
    for split in ("test", "testing"):
        assert opened(tmp_path, split=split).sequences() == ["testing"]
    with pytest.raises(ConfigError, match="unknown split 'valid'; expected one of test, testing, train, training, val"):
        opened(tmp_path, split="valid")
    with pytest.raises(ConfigError, match="no sequence drive"):
        opened(tmp_path, sequences=("drive",))


def test_without_image_sets_a_split_is_a_folder(tmp_path: Path) -> None:
    write_kitti(tmp_path, frames=1)
    with pytest.raises(ConfigError, match="unknown split 'train'; expected one of training"):
        opened(tmp_path, split="train")


def test_a_root_that_is_something_else(tmp_path: Path) -> None:
    base = write_kitti(tmp_path)
    with pytest.raises(InputFileError, match="give the folder above training/"):
        opened(base)


def test_folders_are_listed_once(tmp_path: Path) -> None:
    write_kitti(tmp_path, frames=5)
    root = DirectoryRoot(tmp_path)
    open_dataset("kitti", root, IngestOptions()).read("training", None)
    assert root.calls["list_dir"] <= 10
    assert root.calls["open_bytes"] == 3 * 5
