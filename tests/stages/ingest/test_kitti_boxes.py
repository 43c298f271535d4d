from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest import CAR_LINE

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import invert_se3, se3, se3_from_quaternion, transform_points
from paintpipe.stages.ingest.kitti_boxes import box_row, difficulty, parse_objects

FRAME = FrameRow("training", 3, "000007", "training/velodyne/000007.bin", 1, ("x", "y", "z", "intensity"))
RECT_FROM_LIDAR = se3(np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]), (0.0, -0.1, -0.3))


def car(**changes: float) -> str:
    fields = CAR_LINE.split()
    names = [
        "class",
        "truncation",
        "occlusion",
        "alpha",
        "left",
        "top",
        "right",
        "bottom",
        "h",
        "w",
        "l",
        "x",
        "y",
        "z",
    ]
    for name, value in changes.items():
        fields[[*names, "ry"].index(name)] = repr(value)
    return " ".join(fields)


def test_a_box_by_hand() -> None:
    """Stands on (2, 1, 10) in the camera, 1.5 m high: its middle is at y = 0.25, so 0.35 m below the LiDAR."""
    box = box_row(parse_objects(CAR_LINE, "a.txt")[0], FRAME, invert_se3(RECT_FROM_LIDAR))
    np.testing.assert_allclose(box.center_m, [10.3, -2.0, -0.35], atol=1e-12)
    assert box.size_lwh_m.tolist() == [4.0, 1.6, 1.5]
    assert box.rotation_wxyz is not None
    np.testing.assert_allclose(box.rotation_wxyz, [np.sqrt(0.5), 0, 0, -np.sqrt(0.5)], atol=1e-12)
    assert box.yaw_rad == pytest.approx(-pi / 2)  # rotation_y 0 heads to the camera's right, which is -y of the LiDAR
    assert (box.sequence, box.index, box.frame_id, box.class_name) == ("training", 3, "000007", "Car")
    assert box.box_2d_px is not None
    assert box.box_2d_px.tolist() == [10, 5, 50, 45]
    assert (box.alpha_rad, box.truncation, box.occlusion, box.difficulty) == (-1.57, 0.0, 0, "easy")
    assert box.kitti_box is not None
    assert box.kitti_box.tolist() == [1.5, 1.6, 4.0, 2.0, 1.0, 10.0, 0.0]


@given(st.floats(-pi, pi), st.tuples(*[st.floats(-40, 40)] * 3), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_corners_agree_with_kittis_own_formula(ry: float, place, tilt: float, roll: float) -> None:
    """KITTI's corners, taken to the LiDAR, are the corners of the box that the catalog describes."""
    lean = np.array([[1, -roll, tilt], [roll, 1, 0], [-tilt, 0, 1]])
    turn = np.linalg.qr(lean)[0]
    turn = turn * np.sign(np.diag(np.linalg.qr(lean)[1]))
    rect_SE3_lidar = RECT_FROM_LIDAR @ se3(turn, (0.2, 0.1, -0.1))
    item = parse_objects(car(x=place[0], y=place[1], z=place[2], ry=ry), "a.txt")[0]
    box = box_row(item, FRAME, invert_se3(rect_SE3_lidar))
    h, w, length = 1.5, 1.6, 4.0
    corners = np.array([[sx * length / 2, sy, sz * w / 2] for sx in (-1, 1) for sy in (0, -h) for sz in (-1, 1)])
    about_y = np.array([[cos(ry), 0, sin(ry)], [0, 1, 0], [-sin(ry), 0, cos(ry)]])
    corners_lidar = transform_points(invert_se3(rect_SE3_lidar), corners @ about_y.T + place)
    np.testing.assert_allclose(box.center_m, corners_lidar.mean(axis=0), atol=1e-9)
    assert box.rotation_wxyz is not None
    lidar_SE3_box = se3_from_quaternion(box.rotation_wxyz.tolist(), box.center_m.tolist())
    own = np.array([[sx * length, sz * w, sy * h] for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]) / 2
    np.testing.assert_allclose(transform_points(lidar_SE3_box, own), corners_lidar, atol=1e-9)
    np.testing.assert_allclose(
        [cos(box.yaw_rad), sin(box.yaw_rad)],
        lidar_SE3_box[:2, 0] / np.linalg.norm(lidar_SE3_box[:2, 0]),
        atol=1e-9,
    )
    if tilt == roll == 0:
        assert cos(box.yaw_rad - (-ry - pi / 2)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"bottom": 45.0}, "easy"),
        ({"bottom": 44.9}, "moderate"),
        ({"occlusion": 1}, "moderate"),
        ({"occlusion": 2}, "hard"),
        ({"occlusion": 3}, None),
        ({"truncation": 0.15}, "easy"),
        ({"truncation": 0.16}, "moderate"),
        ({"truncation": 0.31}, "hard"),
        ({"truncation": 0.51}, None),
        ({"bottom": 30.0}, "moderate"),
        ({"bottom": 29.9}, None),
    ],
)
def test_difficulty(changes: dict[str, float], level: str | None) -> None:
    assert difficulty(parse_objects(car(**changes), "a.txt")[0]) == level


def test_dont_care_regions_and_blank_lines_are_no_boxes() -> None:
    dont_care = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
    assert [item.class_name for item in parse_objects(f"\n{dont_care}\n{CAR_LINE} 0.9\n\n", "a.txt")] == ["Car"]
    assert parse_objects("", "a.txt") == []


@pytest.mark.parametrize("line", ["Car 0 0", car(x=float("nan")), CAR_LINE.replace("1.50", "tall"), "DontCare 1"])
def test_a_line_that_is_no_object_names_its_number(line: str) -> None:
    with pytest.raises(InputFileError, match=r"^a\.txt: line 2: .* expected a class and 14 finite numbers"):
        parse_objects(f"{CAR_LINE}\n{line}\n", "a.txt")
