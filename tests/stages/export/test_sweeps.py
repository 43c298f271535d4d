import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.export_frames import make_export_frame

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.geometry import se3, se3_from_quaternion
from paintpipe.stages.export.sweeps import (
    SweepTable,
    compensated,
    export_sweep,
    frame_SE3_sweep,
    is_close,
    lag_s,
    padded,
    stacked,
)

TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""A quarter to the left."""


def make_row(**changed) -> FrameRow:
    values = {"global_SE3_lidar": np.eye(4), "timestamp_us": 1_500_000} | changed
    return FrameRow("s", 0, "f", "samples/LIDAR_TOP/f.bin", 1, ("x", "y", "z", "intensity", "ring"), **values)


def test_a_standing_post_stays_where_it_is_while_the_car_drives_on() -> None:
    """The car drives 2 m ahead (+x) and turns left: a post 10 m ahead is then 8 m to the right (−y)."""
    before, after = make_row(), make_row(global_SE3_lidar=se3(TURN, [2.0, 0.0, 0.0]))
    post = np.array([[10.0, 0.0, 1.0, 7.0]], dtype=np.float32)
    np.testing.assert_allclose(compensated(post, frame_SE3_sweep(after, before)), [[0.0, -8.0, 1.0, 7.0]], atol=1e-6)
    assert post[0, 0] == 10.0


def test_lag_is_positive_and_exact_for_times_since_1970() -> None:
    key_us = 1_533_151_603_547_590
    assert lag_s(make_row(timestamp_us=key_us), make_row(timestamp_us=key_us - 49_957)) == 49_957 * 1e-6


def test_a_square_around_the_sensor_is_close_whatever_the_height() -> None:
    points = [[0.99, -0.99, 50, 0], [1.0, 0.0, 0, 0], [0.0, -1.0, 0, 0], [-0.5, 0.5, -2, 0], [0.9, 3.0, 0, 0]]
    assert is_close(np.array(points, dtype=np.float32)).tolist() == [True, False, False, True, False]


def test_close_points_are_those_of_the_sweeps_own_frame_and_the_keyframe_keeps_its_own() -> None:
    own = np.array([[0.5, 0.5, 0, 1]], dtype=np.float32)
    moved_away, moved_here = np.array([[0.2, 0.2, 0, 2], [5, 0, 0, 3]], dtype=np.float32)
    sweep = SweepTable(np.stack([moved_away, moved_here]), se3(np.eye(3), [-5.0, 0.0, 0.0]), 0.05)
    expected = np.array([[0.5, 0.5, 0, 1, 0.0], [0.0, 0.0, 0, 3, np.float32(0.05)]], dtype=np.float32)
    table = stacked(own, [sweep])
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, expected)


def test_time_goes_into_a_column_where_the_loader_overwrites_one() -> None:
    own = np.array([[3, 4, 0, 9, 31]], dtype=np.float32)
    table = stacked(own, [SweepTable(own, None, 0.25)], time_column=4)
    np.testing.assert_array_equal(table, [[3, 4, 0, 9, 0], [3, 4, 0, 9, 0.25]])
    assert own[0, 4] == 31


def test_the_last_sweep_is_repeated_and_the_keyframe_stands_in_for_none() -> None:
    own = np.ones((2, 3), dtype=np.float32)
    near, far = SweepTable(own, np.eye(4), 0.05), SweepTable(own, np.eye(4), 0.1)
    itself = SweepTable(own, None, 0.0)
    assert padded(itself, [near, far], 4) == [near, far, far, far]
    assert padded(itself, [near, far], 1) == [near]
    assert padded(itself, [], 2) == [itself, itself]


@pytest.mark.parametrize("lacking", ["global_SE3_lidar", "timestamp_us"])
def test_what_is_unknown_is_named(lacking: str) -> None:
    frame = make_export_frame("nuscenes")
    row = make_row(**{lacking: None})
    for pair in ((row, make_row()), (make_row(), row)):
        with pytest.raises(ExportError, match=r"s/f: (pose|time) unknown"):
            export_sweep(*pair, frame.points, frame.scores)


metres = st.floats(-500, 500, width=32)


@given(
    quaternions=st.tuples(*[st.tuples(*[st.floats(-1, 1) for _ in range(4)]) for _ in range(2)]),
    places=st.tuples(*[st.tuples(metres, metres, metres) for _ in range(2)]),
    point=st.tuples(metres, metres, metres),
)
def test_motion_is_that_of_the_world(quaternions, places, point) -> None:
    """A point seen from both poses is one point of the world."""
    if min(np.linalg.norm(quaternion) for quaternion in quaternions) < 0.1:
        return
    key, sweep = (
        make_row(global_SE3_lidar=se3_from_quaternion(rotation, place))
        for rotation, place in zip(quaternions, places, strict=True)
    )
    moved = compensated(np.array([point], dtype=np.float32), frame_SE3_sweep(key, sweep))
    seen_by_sweep = sweep.global_SE3_lidar @ [*np.float32(point), 1.0]
    np.testing.assert_allclose(key.global_SE3_lidar @ [*moved[0], 1.0], seen_by_sweep, atol=1e-3)
