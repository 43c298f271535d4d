"""Rigid transforms and projection matrices in float64.

A transform named `dst_SE3_src` takes homogeneous points of frame *src* to frame *dst*, so that a product checks
itself: `camera_SE3_lidar = camera_SE3_ego @ ego_SE3_lidar`.
"""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import CalibrationError


def se3(rotation: Float64, translation_m: Float64 | Sequence[float]) -> Float64:
    """(4, 4) transform from a (3, 3) rotation and a (3,) translation in metres."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation_m
    return matrix


def se3_from_quaternion(rotation_wxyz: Sequence[float], translation_m: Sequence[float]) -> Float64:
    """(4, 4) transform from a quaternion (w, x, y, z), normalised here, and a translation in metres.

    Raises:
        CalibrationError: the quaternion has no length or holds a number that is not finite.
    """
    quaternion = np.asarray(rotation_wxyz, dtype=np.float64)
    norm = float(np.linalg.norm(quaternion))
    if quaternion.shape != (4,) or not np.isfinite(norm) or norm < 1e-9:
        raise CalibrationError(f"rotation {list(rotation_wxyz)} is no quaternion", expected="4 finite numbers w x y z")
    w, x, y, z = quaternion / norm
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return se3(rotation, translation_m)


def invert_se3(dst_SE3_src: Float64) -> Float64:
    """(4, 4) `src_SE3_dst`.

    Published rotations are rounded to a few digits, so this inverts the matrix as it stands instead of transposing
    its rotation.

    Raises:
        CalibrationError: the matrix is singular.
    """
    try:
        inverse: Float64 = np.linalg.inv(dst_SE3_src)
    except np.linalg.LinAlgError:
        raise CalibrationError("singular transform", expected="an invertible 4x4 matrix") from None
    return inverse


def determinant(matrix: Float64) -> float:
    """The determinant of an (n, n) matrix of any numbers; not finite where it has no room, and no warning."""
    with np.errstate(all="ignore"):
        return float(np.linalg.det(matrix))


def image_from_lidar(K: Float64, camera_SE3_lidar: Float64) -> Float64:
    """(3, 4) matrix from homogeneous LiDAR points to homogeneous pixels: `K · camera_SE3_lidar[:3]`."""
    matrix: Float64 = K @ camera_SE3_lidar[:3]
    return matrix


def transform_points(dst_SE3_src: Float64, points_src_m: Float64) -> Float64:
    """(N, 3) points of frame *dst* from (N, 3) points of frame *src*, in float64."""
    moved: Float64 = points_src_m @ dst_SE3_src[:3, :3].T + dst_SE3_src[:3, 3]
    return moved
