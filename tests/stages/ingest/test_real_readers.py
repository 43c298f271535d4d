"""The readers on real frames, against figures measured with independent float64 code."""

from pathlib import Path

import numpy as np
import pytest
from support.roots import DirectoryRoot

from paintpipe.schemas.catalog import (
    BOXES,
    FRAMES,
    IMAGES,
    BoxRow,
    FrameRow,
    ImageRow,
    SequenceRows,
    row_from_dict,
    rows_to_table,
)
from paintpipe.schemas.geometry import invert_se3, se3_from_quaternion, transform_points
from paintpipe.stages.ingest.formats import decode_labels, decode_points
from paintpipe.stages.ingest.reader import IngestOptions, open_dataset

pytestmark = pytest.mark.real


def in_view(folder: Path, frame: FrameRow, image: ImageRow) -> int:
    """Points in view by the rule `default`: depth > 0, 0 <= u < W, 0 <= v < H."""
    points = np.fromfile(folder / frame.points_path, dtype="<f4").reshape(-1, 4)
    assert len(points) == frame.num_points
    homogeneous = np.column_stack([points[:, :3].astype(np.float64), np.ones(len(points))])
    u_w, v_w, depth_m = (homogeneous @ image.image_from_lidar.T).T
    ahead = depth_m > 0
    u_px, v_px = u_w[ahead] / depth_m[ahead], v_w[ahead] / depth_m[ahead]
    return int(((u_px >= 0) & (u_px < image.width_px) & (v_px >= 0) & (v_px < image.height_px)).sum())


def read(name: str, folder: Path, sequence: str) -> SequenceRows:
    return open_dataset(name, DirectoryRoot(folder), IngestOptions()).read(sequence, None)


def test_kitti_object(real_data: Path) -> None:
    rows = read("kitti", real_data / "kitti", "training")
    assert rows.rejected == []
    assert [frame.num_points for frame in rows.frames] == [115384, 120268, 126891, 113110, 115976, 125086]
    images = [image for image in rows.images if image.camera == "image_2"]
    assert [(image.width_px, image.height_px) for image in images] == [(1224, 370), *[(1242, 375)] * 5]
    counts = [in_view(real_data / "kitti", frame, image) for frame, image in zip(rows.frames, images, strict=True)]
    assert counts == [20285, 18630, 20210, 18911, 19063, 19962]
    assert sum(image.camera == "image_3" for image in rows.images) == 6


def test_kitti_object_boxes_hold_their_points(real_data: Path) -> None:
    """Points of the sweep inside each box that the camera sees; the figures are those of the data's README."""
    rows = read("kitti", real_data / "kitti", "training")
    assert [box.class_name for box in rows.boxes if box.frame_id == "000001"] == ["Truck", "Car", "Cyclist"]
    expected = {"000000": [376], "000001": [70, 9, 18], "000002": [1351, 67], "000003": [680], "000004": [77, 26]}
    for frame_id, counts in (expected | {"000005": [70]}).items():
        [frame] = [frame for frame in rows.frames if frame.frame_id == frame_id]
        image = next(image for image in rows.images if image.frame_id == frame_id)
        points = np.fromfile(real_data / "kitti" / frame.points_path, dtype="<f4").reshape(-1, 4)[:, :3].astype(float)
        u_w, v_w, depth_m = (np.column_stack([points, np.ones(len(points))]) @ image.image_from_lidar.T).T
        inside_image = (u_w >= 0) & (u_w < image.width_px * depth_m) & (v_w >= 0) & (v_w < image.height_px * depth_m)
        points = points[inside_image & (depth_m > 0)]
        boxes = [box for box in rows.boxes if box.frame_id == frame_id]
        assert [int(inside(points, box).sum()) for box in boxes] == counts


def inside(points: np.ndarray, box: BoxRow) -> np.ndarray:
    assert box.rotation_wxyz is not None
    lidar_SE3_box = se3_from_quaternion(box.rotation_wxyz.tolist(), box.center_m.tolist())
    return (np.abs(transform_points(invert_se3(lidar_SE3_box), points)) <= box.size_lwh_m / 2).all(axis=1)


def test_semantickitti(real_data: Path) -> None:
    rows = read("semantickitti", real_data / "semantickitti", "00")
    assert [frame.num_points for frame in rows.frames] == [124668, 124605, 124478]
    [image] = rows.images
    assert (image.frame_id, image.width_px, image.height_px, image.dt_us) == ("000000", 1241, 376, 0)
    assert in_view(real_data / "semantickitti", rows.frames[0], image) == 19369
    assert [row.reason for row in rows.rejected] == ["absent for 2 of 3 frames (partial download?): left out"]
    assert [frame.timestamp_us for frame in rows.frames] == [0, 103736, 207338]
    data = (real_data / "semantickitti" / str(rows.frames[0].labels_path)).read_bytes()
    labels = decode_labels(data, "semantickitti", 124668, "a")
    assert {10, 40, 48, 50, 70} <= set(np.unique(labels)) <= set(range(260))


def test_semantickitti_poses_bring_scans_together(real_data: Path) -> None:
    """The third scan lies nearer to the first one when both are in the global frame than when neither is moved."""
    rows = read("semantickitti", real_data / "semantickitti", "00")
    folder = real_data / "semantickitti"
    sweeps = [decode_points((folder / frame.points_path).read_bytes(), 4, "a")[::40, :3] for frame in rows.frames]
    poles = [sweep[(sweep[:, 2] > -0.5) & (np.linalg.norm(sweep, axis=1) < 20)].astype(float) for sweep in sweeps]
    first, last = rows.frames[0].global_SE3_lidar, rows.frames[2].global_SE3_lidar
    assert first is not None
    assert last is not None
    np.testing.assert_allclose(first, np.eye(4), atol=1e-6)
    assert 1.0 < last[0, 3] < 2.0  # metres ahead after 0.2 s

    def apart(moved: np.ndarray) -> float:
        return float(np.median(np.linalg.norm(moved[:, None] - poles[0][None], axis=2).min(axis=1)))

    assert apart(transform_points(invert_se3(first) @ last, poles[2])) < 0.9 * apart(poles[2])


def test_kitti_raw(real_data: Path) -> None:
    rows = read("kitti-raw", real_data / "kitti_raw", "2011_09_26_drive_9999_sync")
    assert rows.rejected == []
    assert len(rows.frames) == len(rows.images) == 16
    for index, points, seen in ((0, 114278, 16333), (15, 112269, 15989)):
        assert rows.frames[index].num_points == points
        assert in_view(real_data / "kitti_raw", rows.frames[index], rows.images[index]) == seen
    assert rows.frames[0].timestamp_us is rows.images[0].dt_us is rows.frames[0].global_SE3_lidar is None


def test_rows_survive_the_catalog(real_data: Path) -> None:
    rows = read("kitti", real_data / "kitti", "training")
    for kind, items, schema in (
        (FrameRow, rows.frames, FRAMES),
        (ImageRow, rows.images, IMAGES),
        (BoxRow, rows.boxes, BOXES),
    ):
        again = [row_from_dict(kind, values) for values in rows_to_table(items, schema).to_pylist()]
        for row, original in zip(again, items, strict=True):
            for name, value in vars(original).items():
                np.testing.assert_array_equal(getattr(row, name), value)
