"""The real keyframe against the devkit: the same points in each camera, the same boxes."""

from pathlib import Path

import numpy as np
import pytest
from support.nuscenes_tables import open_small

from paintpipe.schemas.catalog import SequenceRows
from paintpipe.schemas.geometry import transform_points

POINTS_IN_VIEW = {
    "CAM_FRONT": 3053,
    "CAM_FRONT_RIGHT": 3076,
    "CAM_FRONT_LEFT": 3696,
    "CAM_BACK": 4820,
    "CAM_BACK_LEFT": 4089,
    "CAM_BACK_RIGHT": 3369,
}
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def root(real_data: Path) -> Path:
    return real_data / "nuscenes"


@pytest.fixture(scope="module")
def rows(root: Path) -> SequenceRows:
    return open_small(root).read("scene-0061", None)


@pytest.fixture(scope="module")
def devkit(root: Path):
    from nuscenes import NuScenes

    return NuScenes("v1.0-mini", str(root), verbose=False)


def test_one_keyframe_with_all_its_files(root: Path, rows: SequenceRows) -> None:
    reader = open_small(root)
    assert (reader.version, reader.sequences(), reader.rejected) == ("v1.0-mini", ["scene-0061"], [])
    assert (reader.labels_taxonomy, reader.boxes_taxonomy, reader.synthetic) == (None, "nuscenes-det11", False)
    assert rows.rejected == []
    assert [frame.num_points for frame in rows.frames] == [34688]
    assert (rows.frames[0].split, rows.frames[0].timestamp_us) == ("mini_train", 1532402927647951)
    assert [(row.camera, row.width_px, row.height_px) for row in rows.images] == [
        (camera, 1600, 900) for camera in sorted(POINTS_IN_VIEW)
    ]
    assert [row.dt_us for row in rows.images if row.camera == "CAM_FRONT"] == [1532402927612460 - 1532402927647951]


def test_the_very_points_of_the_devkit_in_every_camera(root: Path, rows: SequenceRows, devkit) -> None:
    points = np.fromfile(root / rows.frames[0].points_path, dtype=np.float32).reshape(-1, 5)[:, :3].astype(np.float64)
    homogeneous = np.column_stack([points, np.ones(len(points))])
    for image in rows.images:
        u, v, depth = image.image_from_lidar @ homogeneous.T
        with np.errstate(divide="ignore", invalid="ignore"):
            u, v = u / depth, v / depth
        seen = (depth > 1) & (u > 1) & (u < image.width_px - 1) & (v > 1) & (v < image.height_px - 1)
        expected, expected_depth, _ = devkit.explorer.map_pointcloud_to_image(rows.frames[0].frame_id, image.token)
        assert int(seen.sum()) == POINTS_IN_VIEW[image.camera] == expected.shape[1]
        # The devkit moves points in float32 through global coordinates of 1 km, and keeps their order.
        np.testing.assert_allclose(np.stack([u, v])[:, seen], expected[:2], atol=0.2)
        np.testing.assert_allclose(depth[seen], expected_depth, atol=1e-3)


def test_boxes_are_those_of_the_devkit(rows: SequenceRows, devkit) -> None:
    _, boxes, _ = devkit.get_sample_data(rows.frames[0].frame_id)
    expected = {box.token: box for box in boxes}
    assert len(rows.boxes) == len(expected) == 68
    for row in rows.boxes:
        box = expected[row.annotation_token]
        assert row.class_name == box.name
        np.testing.assert_allclose(row.center_m, box.center, atol=1e-6)
        np.testing.assert_allclose(row.size_lwh_m, box.wlh[[1, 0, 2]], atol=1e-12)
        w, x, y, z = row.rotation_wxyz
        assert abs(np.dot([w, x, y, z], box.orientation.elements)) == pytest.approx(1, abs=1e-9)
        heading = box.orientation.rotation_matrix[:, 0]
        assert row.yaw_rad == pytest.approx(np.arctan2(heading[1], heading[0]), abs=1e-6)
        assert row.velocity_mps is None


def test_boxes_hold_the_lidar_points_that_the_table_says(root: Path, rows: SequenceRows) -> None:
    points = np.fromfile(root / rows.frames[0].points_path, dtype=np.float32).reshape(-1, 5)[:, :3].astype(np.float64)
    inside, published = [], []
    for row in rows.boxes:
        turned = np.array(
            [[np.cos(row.yaw_rad), np.sin(row.yaw_rad), 0], [-np.sin(row.yaw_rad), np.cos(row.yaw_rad), 0]]
        )
        local = (points - row.center_m) @ np.vstack([turned, [0, 0, 1]]).T
        inside.append(int((np.abs(local) <= row.size_lwh_m / 2).all(axis=1).sum()))
        published.append(row.num_lidar_points)
    assert sum(published) > 900
    assert np.corrcoef(inside, published)[0, 1] > 0.99


def test_global_pose_is_the_product_of_the_published_ones(rows: SequenceRows, devkit) -> None:
    frame = rows.frames[0]
    record = devkit.get("sample_data", frame.frame_id)
    from nuscenes.utils.geometry_utils import transform_matrix
    from pyquaternion import Quaternion

    poses = []
    for table, field in (("ego_pose", "ego_pose_token"), ("calibrated_sensor", "calibrated_sensor_token")):
        published = devkit.get(table, record[field])
        poses.append(transform_matrix(published["translation"], Quaternion(published["rotation"])))
    np.testing.assert_allclose(frame.global_SE3_lidar, poses[0] @ poses[1], atol=1e-9)
    moved = transform_points(frame.global_SE3_lidar, np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(moved[0], (poses[0] @ poses[1] @ [1, 2, 3, 1])[:3], atol=1e-9)
