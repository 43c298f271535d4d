"""Points in view of real frames, against figures measured with other code."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.paint import kitti_numbers, kitti_object, png_size

from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.geometry import image_from_lidar, invert_se3, se3_from_quaternion
from paintpipe.stages.paint.project import project_points

pytestmark = pytest.mark.real

KITTI_IN_VIEW = {
    "000000": (115384, 20285),
    "000001": (120268, 18630),
    "000002": (126891, 20210),
    "000003": (113110, 18911),
    "000004": (115976, 19063),
    "000005": (125086, 19962),
}


@pytest.mark.parametrize("frame", KITTI_IN_VIEW)
def test_kitti_object(real_data: Path, frame: str) -> None:
    points, view, _ = kitti_object(real_data, frame)
    assert (len(points), len(project_points(points, view))) == KITTI_IN_VIEW[frame]


@pytest.mark.parametrize("frame", KITTI_IN_VIEW)
def test_openpcdet_differs_a_little_from_the_default(real_data: Path, frame: str) -> None:
    points, view, _ = kitti_object(real_data, frame)
    default, openpcdet = (project_points(points, view, rule).index for rule in ("default", "openpcdet"))
    assert 10 <= len(np.setxor1d(default, openpcdet)) <= 26


@pytest.mark.parametrize("frame", KITTI_IN_VIEW)
def test_no_point_lies_behind_the_camera(real_data: Path, frame: str) -> None:
    points, view, rect_SE3_lidar = kitti_object(real_data, frame)
    found = project_points(points, view)
    rect = points[found.index, :3].astype(np.float64) @ rect_SE3_lidar[:3, :3].T + rect_SE3_lidar[:3, 3]
    assert rect[:, 2].min() > 0
    assert points[found.index, 0].min() > 0


def test_semantickitti(real_data: Path) -> None:
    folder = real_data / "semantickitti" / "dataset" / "sequences" / "00"
    calib = kitti_numbers(folder / "calib.txt")
    Tr = np.eye(4)
    Tr[:3] = calib["Tr"].reshape(3, 4)
    points = np.fromfile(folder / "velodyne" / "000000.bin", np.float32).reshape(-1, 4)
    view = CameraView("image_2", *png_size(folder / "image_2" / "000000.png"), calib["P2"].reshape(3, 4) @ Tr)
    assert (len(points), len(project_points(points, view))) == (124668, 19369)


@pytest.mark.parametrize(("frame", "size", "in_view"), [("0000000000", 114278, 16333), ("0000000015", 112269, 15989)])
def test_kitti_raw(real_data: Path, frame: str, size: int, in_view: int) -> None:
    day = real_data / "kitti_raw" / "2011_09_26"
    camera, velo = kitti_numbers(day / "calib_cam_to_cam.txt"), kitti_numbers(day / "calib_velo_to_cam.txt")
    R_rect, cam_SE3_velo = np.eye(4), np.eye(4)
    R_rect[:3, :3] = camera["R_rect_00"].reshape(3, 3)
    cam_SE3_velo[:3, :3], cam_SE3_velo[:3, 3] = velo["R"].reshape(3, 3), velo["T"]
    drive = next(path for path in day.iterdir() if path.is_dir())
    points = np.fromfile(drive / "velodyne_points" / "data" / f"{frame}.bin", np.float32).reshape(-1, 4)
    matrix = camera["P_rect_02"].reshape(3, 4) @ R_rect @ cam_SE3_velo
    view = CameraView("image_02", *png_size(drive / "image_02" / "data" / f"{frame}.png"), matrix)
    assert (len(points), len(project_points(points, view))) == (size, in_view)


def _nuscenes(real_data: Path) -> tuple[Path, dict[str, dict[str, dict[str, object]]], dict[str, dict[str, object]]]:
    root = real_data / "nuscenes"
    tables = {}
    for name in ("sample_data", "calibrated_sensor", "ego_pose", "sensor"):
        rows = json.loads((root / "v1.0-mini" / f"{name}.json").read_text())
        tables[name] = {row["token"]: row for row in rows}
    by_channel = {}
    for row in tables["sample_data"].values():
        sensor = tables["calibrated_sensor"][row["calibrated_sensor_token"]]["sensor_token"]
        by_channel[tables["sensor"][sensor]["channel"]] = row
    return root, tables, by_channel


CAMERAS = ("CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_FRONT_LEFT", "CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT")
IN_VIEW = dict(zip(CAMERAS, (3053, 3076, 3696, 4820, 4089, 3369), strict=True))


@pytest.mark.parametrize("camera", CAMERAS)
def test_nuscenes_devkit_selects_the_very_same_points(real_data: Path, camera: str) -> None:
    from nuscenes.utils.data_classes import LidarPointCloud
    from nuscenes.utils.geometry_utils import view_points
    from pyquaternion import Quaternion

    root, tables, rows = _nuscenes(real_data)
    lidar, image = rows["LIDAR_TOP"], rows[camera]

    def sensor(row: dict) -> dict:
        return tables["calibrated_sensor"][row["calibrated_sensor_token"]]

    def pose(row: dict) -> dict:
        return tables["ego_pose"][row["ego_pose_token"]]

    # The devkit's way (`map_pointcloud_to_image`), in its float32 and step by step.
    cloud = LidarPointCloud.from_file(str(root / lidar["filename"]))
    points = np.ascontiguousarray(np.fromfile(root / lidar["filename"], np.float32).reshape(-1, 5))
    for frame in (sensor(lidar), pose(lidar)):
        cloud.rotate(Quaternion(frame["rotation"]).rotation_matrix)
        cloud.translate(np.array(frame["translation"]))
    for frame in (pose(image), sensor(image)):
        cloud.translate(-np.array(frame["translation"]))
        cloud.rotate(Quaternion(frame["rotation"]).rotation_matrix.T)
    K = np.array(sensor(image)["camera_intrinsic"])
    uv = view_points(cloud.points[:3], K, normalize=True)
    inside = (uv[0] > 1) & (uv[0] < image["width"] - 1) & (uv[1] > 1) & (uv[1] < image["height"] - 1)
    expected = np.flatnonzero((cloud.points[2] > 1) & inside)

    ours = [se3_from_quaternion(frame["rotation"], frame["translation"]) for frame in (sensor(lidar), pose(lidar))]
    theirs = [se3_from_quaternion(frame["rotation"], frame["translation"]) for frame in (sensor(image), pose(image))]
    camera_SE3_lidar = invert_se3(theirs[0]) @ invert_se3(theirs[1]) @ ours[1] @ ours[0]
    view = CameraView(camera, image["width"], image["height"], image_from_lidar(K, camera_SE3_lidar))
    found = project_points(points, view, "nuscenes-devkit")
    np.testing.assert_array_equal(found.index, expected)
    assert len(found) == IN_VIEW[camera]
