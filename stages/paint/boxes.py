"""Which points lie in a labelled box."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Bool, Float32, Float64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.paint.kernel import kernel


def points_in_box(points: AnyArray, box: BoxRow) -> Bool:
    """(N,) bool: the point lies in the closed box, its surface included.

    The box is turned by its full rotation where the dataset gives one, by its yaw otherwise. A box with a negative
    size (KITTI's DontCare) holds nothing, nor does any box hold a point that is not finite.

    Args:
        points: (N, >=3) x, y, z in metres, in the frame of the box.
        box: with `center_m`, `size_lwh_m` and `rotation_wxyz` or `yaw_rad`.
    """
    found: Bool = _inside(
        np.ascontiguousarray(points, dtype=np.float32),
        np.asarray(box.center_m, dtype=np.float64),
        np.asarray(box.size_lwh_m, dtype=np.float64) / 2.0,
        np.ascontiguousarray(box_R_lidar(box)),
    )
    return found


def box_R_lidar(box: BoxRow) -> Float64:
    """(3, 3) rotation from LiDAR axes to the box's length, width and height."""
    if box.rotation_wxyz is not None:
        return se3_from_quaternion([float(part) for part in box.rotation_wxyz], [0.0, 0.0, 0.0])[:3, :3].T
    return upright_R_lidar(box)


def upright_R_lidar(box: BoxRow) -> Float64:
    """`box_R_lidar` of a box that is turned by its yaw alone."""
    cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


@kernel
def reach_m(half_m: Float64) -> Any:
    """Half the side of a cube around a box in any attitude; a part in a million more covers rounding."""
    return np.sqrt(half_m[0] ** 2 + half_m[1] ** 2 + half_m[2] ** 2) * 1.000001 + 1e-9


@kernel
def holds(x: float, y: float, z: float, reach: float, half_m: Float64, box_R_lidar: Float64) -> Any:
    """Whether a closed box holds the point x, y, z, which is relative to its centre."""
    # The cube turns away nearly all points with one comparison or two.
    if not (abs(x) <= reach and abs(y) <= reach and abs(z) <= reach):
        return False
    inside = True
    for axis in range(3):
        along = box_R_lidar[axis, 0] * x + box_R_lidar[axis, 1] * y + box_R_lidar[axis, 2] * z
        inside = inside and abs(along) <= half_m[axis]
    return inside


@kernel
def _inside(points: Float32, center_m: Float64, half_m: Float64, box_R_lidar: Float64) -> Any:
    found = np.zeros(points.shape[0], np.bool_)
    reach = reach_m(half_m)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - center_m[0], points[i, 1] - center_m[1], points[i, 2] - center_m[2]
        found[i] = holds(x, y, z, reach, half_m, box_R_lidar)
    return found
