"""The two loops of projection: a cheap pass that divides nothing, and an exact one over the few points left."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32
from paintpipe.stages.paint.kernel import kernel


@kernel
def near_frustum(
    points: Float32, matrix: Float64, offset_m: float, min_depth_m: float, right_px: float, bottom_px: float
) -> Any:
    """(K,) int32 rows of the points deep enough and within about a pixel of the image; holds every visible point.

    `-1 <= u <= right + 1` is tested as `-depth <= u · depth <= (right + 1) · depth`, which needs no division: five
    points in six leave here. The spare pixel is far more than any rounding.
    """
    m00, m01, m02, m03 = matrix[0]
    m10, m11, m12, m13 = matrix[1]
    m20, m21, m22, m23 = matrix[2]
    kept = np.empty(points.shape[0], np.int32)
    count = 0
    for i in range(points.shape[0]):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        depth = m20 * x + m21 * y + m22 * z + m23 - offset_m
        u = m00 * x + m01 * y + m02 * z + m03
        v = m10 * x + m11 * y + m12 * z + m13
        inside = (u >= -depth) & (u <= depth * (right_px + 1.0)) & (v >= -depth) & (v <= depth * (bottom_px + 1.0))
        # Writing always and stepping on by a truth value spares a branch that is hard to predict.
        kept[count] = i
        count += inside & (depth > min_depth_m) & (depth < np.inf)
    return kept[:count]


@kernel
def locate_pixels(
    points: Float32,
    matrix: Float64,
    offset_m: float,
    low_px: float,
    right_px: float,
    bottom_px: float,
    near: Int32,
) -> Any:
    """Index, column, row, u, v and depth of those `near` points with low <= u < right and low <= v < bottom."""
    m00, m01, m02, m03 = matrix[0]
    m10, m11, m12, m13 = matrix[1]
    m20, m21, m22, m23 = matrix[2]
    size = near.shape[0]
    index, col, row = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)
    u_px, v_px, depth_m = np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    count = 0
    for i in near:
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        depth = m20 * x + m21 * y + m22 * z + m23 - offset_m
        u = (m00 * x + m01 * y + m02 * z + m03) / depth
        v = (m10 * x + m11 * y + m12 * z + m13) / depth
        if u >= low_px and u < right_px and v >= low_px and v < bottom_px:
            index[count], col[count], row[count] = i, np.int32(np.floor(u)), np.int32(np.floor(v))
            u_px[count], v_px[count], depth_m[count] = u, v, depth
            count += 1
    return index[:count], col[:count], row[:count], u_px[:count], v_px[:count], depth_m[:count]
