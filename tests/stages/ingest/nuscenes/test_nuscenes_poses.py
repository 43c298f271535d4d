"""Batched poses against the one-at-a-time ones and against scipy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.ingest.nuscenes.poses import (
    conjugate,
    multiply,
    normalised,
    se3_batch,
    usable_quaternions,
    yaw_rad,
)

QUATERNIONS = arrays(np.float64, (3, 4), elements=st.floats(-2, 2)).filter(
    lambda values: bool((np.linalg.norm(values, axis=1) > 1e-2).all())
)


def scipy_rotation(rotation_wxyz: np.ndarray) -> Rotation:
    return Rotation.from_quat(rotation_wxyz[:, [1, 2, 3, 0]])


@given(QUATERNIONS)
def test_a_batch_equals_one_by_one(rotation_wxyz: np.ndarray) -> None:
    translation_m = np.arange(9.0).reshape(3, 3)
    expected = [se3_from_quaternion(turn, place) for turn, place in zip(rotation_wxyz, translation_m, strict=True)]
    np.testing.assert_allclose(se3_batch(rotation_wxyz, translation_m), expected, atol=1e-14)


@given(QUATERNIONS, QUATERNIONS)
def test_products_compose_rotations(left: np.ndarray, right: np.ndarray) -> None:
    left, right = normalised(left), normalised(right)
    expected = (scipy_rotation(left) * scipy_rotation(right)).as_matrix()
    np.testing.assert_allclose(scipy_rotation(multiply(left, right)).as_matrix(), expected, atol=1e-12)
    np.testing.assert_allclose(multiply(left, conjugate(left)), [[1.0, 0, 0, 0]] * 3, atol=1e-12)


@given(QUATERNIONS)
def test_yaw_is_the_heading_of_the_x_axis(rotation_wxyz: np.ndarray) -> None:
    unit = normalised(rotation_wxyz)
    heading = scipy_rotation(unit).as_matrix()[:, :2, 0]
    length = np.linalg.norm(heading, axis=1)
    turned = np.stack([np.cos(yaw_rad(unit)), np.sin(yaw_rad(unit))], axis=1)
    np.testing.assert_allclose(turned * length[:, None], heading, atol=1e-9)


def test_which_quaternions_can_be_used() -> None:
    rows = np.array([[1.0, 0, 0, 0], [0, 0, 0, 0], [np.nan, 0, 0, 1], [np.inf, 0, 0, 0], [0.1, 0, 0, 0]])
    assert usable_quaternions(rows).tolist() == [True, False, False, False, True]
    assert np.isnan(se3_batch(rows[1:2], np.zeros((1, 3)))[0, :3, :3]).all()
