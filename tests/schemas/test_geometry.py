"""Rigid transforms: known answers, properties, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.schemas.errors import CalibrationError
from paintpipe.schemas.geometry import (
    determinant,
    image_from_lidar,
    invert_se3,
    se3,
    se3_from_quaternion,
    transform_points,
)

numbers = st.floats(-100, 100, allow_nan=False)
quaternions = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 1e-3)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    turn = se3_from_quaternion((np.sqrt(0.5), 0, 0, np.sqrt(0.5)), (1, 2, 3))
    np.testing.assert_allclose(transform_points(turn, np.array([[1.0, 0, 0]])), [[1, 3, 3]], atol=1e-12)


@given(quaternions, st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_there_and_back_is_where_one_was(q: tuple[float, ...], t: tuple[float, ...], p: tuple[float, ...]) -> None:
    dst_SE3_src = se3_from_quaternion(q, t)
    np.testing.assert_allclose(dst_SE3_src[:3, :3] @ dst_SE3_src[:3, :3].T, np.eye(3), atol=1e-9)
    there = transform_points(dst_SE3_src, np.array([p]))
    np.testing.assert_allclose(transform_points(invert_se3(dst_SE3_src), there), [p], atol=1e-6)


def test_a_matrix_that_is_not_quite_a_rotation_is_inverted_as_it_stands() -> None:
    published = se3(np.eye(3) * 1.0001, [1, 2, 3])
    np.testing.assert_allclose(invert_se3(published) @ published, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("wxyz", [(0, 0, 0, 0), (float("nan"), 0, 0, 1), (1, 0, 0)])
def test_what_is_no_quaternion_is_refused(wxyz: tuple[float, ...]) -> None:
    with pytest.raises(CalibrationError):
        se3_from_quaternion(wxyz, (0, 0, 0))


def test_a_singular_transform_is_refused() -> None:
    with pytest.raises(CalibrationError, match="singular"):
        invert_se3(np.zeros((4, 4)))


def test_a_point_on_the_optical_axis_lands_on_the_principal_point() -> None:
    K = np.array([[700.0, 0, 600], [0, 700, 180], [0, 0, 1]])
    camera_SE3_lidar = se3(np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]), [0, 0, 0])
    pixel = image_from_lidar(K, camera_SE3_lidar) @ [10.0, 0, 0, 1]
    np.testing.assert_allclose(pixel, [6000, 1800, 10])


def test_determinants_of_hostile_numbers_come_without_a_warning() -> None:
    assert determinant(np.array([[2.0, 1], [0, 3]])) == pytest.approx(6)
    assert abs(determinant(np.array([[0, -1e-320, 0], [0, 0, -1], [1, 0, 0]]))) < 1e-300
    assert not np.isfinite(determinant(np.diag([1e200, 1e200, 1e200])))
