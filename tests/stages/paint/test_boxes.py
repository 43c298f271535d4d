from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import cloud, kitti_object, make_box

from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.paint.boxes import points_in_box
from paintpipe.stages.paint.project import project_points


def test_the_surface_counts() -> None:
    points = cloud((2, 1, 0.5), (-2, -1, -0.5), (2.0001, 0, 0), (0, 1.0001, 0), (0, 0, -0.5001), (0, 0, 0))
    assert points_in_box(points, make_box()).tolist() == [True, True, False, False, False, True]


def test_yaw_turns_length_from_x_to_y() -> None:
    box = make_box(yaw_rad=np.pi / 2, center_m=np.array([10.0, 0.0, 0.0]))
    assert points_in_box(cloud((10, 1.9, 0), (11.9, 0, 0), (10.9, 0, 0)), box).tolist() == [True, False, True]


def test_yaw_is_counterclockwise() -> None:
    box = make_box(yaw_rad=np.pi / 4)
    assert points_in_box(cloud((1.3, 1.3, 0), (1.3, -1.3, 0)), box).tolist() == [True, False]


def test_full_rotation_wins_over_yaw() -> None:
    # A quarter turn about +x: width points up, height points sideways.
    box = make_box(rotation_wxyz=np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0]), yaw_rad=1.0)
    assert points_in_box(cloud((0, 0, 0.9), (0, 0.9, 0), (1.9, 0, 0)), box).tolist() == [True, False, True]


def test_a_box_of_negative_size_holds_nothing() -> None:
    assert not points_in_box(cloud((0, 0, 0)), make_box(size_lwh_m=np.full(3, -1.0))).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_not_finite_is_in_no_box(bad: float) -> None:
    assert points_in_box(cloud((bad, 0, 0), (0, bad, 0), (0, 0, bad)), make_box()).sum() == 0


def test_no_points() -> None:
    assert points_in_box(np.zeros((0, 4), np.float32), make_box()).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_equal_to_moving_the_points_into_the_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotation, center = rng.normal(size=4), rng.normal(size=3) * 5
    box = make_box(rotation_wxyz=rotation, center_m=center, size_lwh_m=rng.random(3) * 6 + 0.1)
    points = (center + rng.normal(size=(300, 3)) * 3).astype(np.float32)
    lidar_SE3_box = se3_from_quaternion(rotation.tolist(), center.tolist())
    local = np.c_[points.astype(np.float64), np.ones(300)] @ np.linalg.inv(lidar_SE3_box).T
    clear = np.abs(np.abs(local[:, :3]) - box.size_lwh_m / 2).min(axis=1) > 1e-9
    expected = (np.abs(local[:, :3]) <= box.size_lwh_m / 2).all(axis=1)
    np.testing.assert_array_equal(points_in_box(points, box)[clear], expected[clear])


@pytest.mark.real
@pytest.mark.parametrize(
    ("frame", "counts"),
    [
        ("000000", [376]),
        ("000001", [70, 9, 18]),
        ("000002", [1351, 67]),
        ("000003", [680]),
        ("000004", [77, 26]),
        ("000005", [70]),
    ],
)
def test_visible_points_inside_real_boxes(real_data: Path, frame: str, counts: list[int]) -> None:
    points, view, rect_SE3_lidar = kitti_object(real_data, frame)
    visible = points[project_points(points, view).index]
    # In the rectified camera frame y points down, so "yaw" about z becomes a turn about y: no detour over LiDAR axes.
    rect = np.c_[visible[:, :3].astype(np.float64), np.ones(len(visible))] @ rect_SE3_lidar[:3].T
    found = []
    for line in (real_data / "kitti" / "training" / "label_2" / f"{frame}.txt").read_text().splitlines():
        kind, *numbers = line.split()
        if kind != "DontCare":
            h, w, length, x, y, z, ry = (float(number) for number in numbers[7:14])
            # x, z, -y is a right-handed frame with its third axis up, in which rotation_y turns the other way.
            box = make_box(center_m=np.array([x, z, h / 2 - y]), size_lwh_m=np.array([length, w, h]), yaw_rad=-ry)
            found.append(int(points_in_box(rect[:, [0, 2, 1]] * (1.0, 1.0, -1.0), box).sum()))
    assert found == counts
