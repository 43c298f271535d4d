"""Edge strength, rotations and motion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.geometry import se3
from paintpipe.stages.evaluate.alignment.edges import edge_strength
from paintpipe.stages.evaluate.alignment.motion import motion_known, moved_by, then_SE3_now
from paintpipe.stages.evaluate.alignment.offsets import Grid, camera_rotation, homographies, turned

K = np.array([[500.0, 0.0, 300.0], [0.0, 500.0, 100.0], [0.0, 0.0, 1.0]])
ANGLE = st.floats(-2.0, 2.0)


def test_an_upright_edge_is_felt_nearby_and_only_as_upright() -> None:
    image = np.full((100, 200, 3), 80, np.uint8)
    image[:, 120:] = 160
    upright, lying = edge_strength(image, 500.0, 0.004)
    assert (upright[10:90, 119:121] > 2.0).all()
    assert (np.diff(upright[50, 115:120]) > 0).all()
    assert not lying.any()
    across = edge_strength(image.swapaxes(0, 1).copy(), 500.0, 0.004)[1]
    np.testing.assert_allclose(across, upright.T, atol=1e-4)


def test_an_even_image_has_no_edges() -> None:
    assert not edge_strength(np.full((40, 60, 3), 200, np.uint8), 500.0, 0.002).any()


def test_brightness_and_contrast_of_an_image_hardly_matter() -> None:
    image = np.random.default_rng(0).integers(0, 100, (60, 80, 3)).astype(np.uint8)
    one, other = edge_strength(image, 300.0, 0.002), edge_strength(image * 2 + 20, 300.0, 0.002)
    np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize(
    ("angles", "direction"), [((0, 0.5, 0), (0, -1)), ((0, 0, 0.5), (1, 0)), ((0, -0.5, 0), (0, 1))]
)
def test_pitch_lifts_and_yaw_moves_right(angles: tuple[float, float, float], direction: tuple[int, int]) -> None:
    ahead = K @ camera_rotation(*angles) @ np.array([0.0, 0.0, 1.0])
    moved = ahead[:2] / ahead[2] - K[:2, 2]
    np.testing.assert_allclose(moved, 500.0 * np.tan(np.deg2rad(0.5)) * np.array(direction), atol=1e-9)


def test_roll_turns_clockwise() -> None:
    right = camera_rotation(90.0, 0.0, 0.0) @ np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(right, [0.0, 1.0, 0.0], atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(roll=ANGLE, pitch=ANGLE, yaw=ANGLE)
def test_a_homography_moves_pixels_as_the_turned_projection_does(roll: float, pitch: float, yaw: float) -> None:
    P = K @ np.column_stack([np.eye(3), [0.3, -0.2, 0.1]])
    (H,) = homographies(K, (np.array([roll]), np.array([pitch]), np.array([yaw])))
    point = np.array([2.0, -1.0, 9.0, 1.0])
    one, other = H @ P @ point, turned(P, K, (roll, pitch, yaw)) @ point
    np.testing.assert_allclose(one / one[2], other / other[2], rtol=1e-9)
    np.testing.assert_allclose(
        camera_rotation(roll, pitch, yaw) @ camera_rotation(roll, pitch, yaw).T, np.eye(3), atol=1e-12
    )


def test_the_grid_is_even_and_holds_zero() -> None:
    for axis in (*Grid(1.0).axes_deg, *Grid(3.0).coarse_axes_deg):
        assert axis[len(axis) // 2] == 0.0
        np.testing.assert_allclose(axis, -axis[::-1], atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6), st.floats(-2.0, 2.0))
def test_shares_of_a_motion_add_up(numbers: list[float], share: float) -> None:
    turn = camera_rotation(*(20.0 * value for value in numbers[:3]))
    motion = se3(turn, numbers[3:])
    np.testing.assert_allclose(moved_by(motion, 1.0), motion, atol=1e-9)
    np.testing.assert_allclose(moved_by(motion, share) @ moved_by(motion, 1.0 - share), motion, atol=1e-9)


def make_frame(index: int, x_m: float | None, time_us: int | None) -> FrameRow:
    pose = None if x_m is None else se3(np.eye(3), (x_m, 0.0, 0.0))
    return FrameRow("s", index, str(index), "p", 1, ("x", "y", "z"), timestamp_us=time_us, global_SE3_lidar=pose)


def test_the_lidar_a_moment_later_sees_things_nearer() -> None:
    before, now, after = (make_frame(i, x, 100_000 * i) for i, x in enumerate((0.0, 1.0, 3.0)))
    for shift_us, ahead_m in ((50_000.0, 1.0), (-50_000.0, -0.5), (0.0, 0.0)):
        moved = then_SE3_now(now, before, after, shift_us)
        assert moved is not None
        np.testing.assert_allclose(moved[:3, 3], [-ahead_m, 0.0, 0.0], atol=1e-12)
    only_before = then_SE3_now(now, before, None, 50_000.0)
    assert only_before is not None
    np.testing.assert_allclose(only_before[:3, 3], [-0.5, 0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(("x_m", "time_us"), [(None, 1), (1.0, None), (1.0, 0), (1.0, 3_000_000)])
def test_no_motion_without_time_and_pose_or_across_a_gap(x_m: float | None, time_us: int | None) -> None:
    now, other = make_frame(0, 0.0, 0), make_frame(1, x_m, time_us)
    assert not motion_known(now, other)
    assert then_SE3_now(now, None, other, 1000.0) is None
