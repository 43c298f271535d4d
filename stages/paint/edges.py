"""Depth edges: where a camera and a LiDAR, looking from two places, may disagree about what lies at a pixel."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, Int32
from paintpipe.stages.paint.buckets import depth_ranges, fill_buckets
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.project import Projected

RADIUS_PX = 5.0
"""How near in the image a point of another depth must lie; also the side of a bucket."""
STEP_M = 0.5
STEP_RATIO = 0.05
"""A depth differs by more than the larger of STEP_M and STEP_RATIO times the point's own depth."""


def depth_edges(projected: Projected) -> Bool:
    """(M,) bool: another point of this view lies within 5 px and differs in depth by more than max(0.5 m, 5%).

    The distance is Euclidean in (u, v), 5 px included; the 5% are of the point's own depth, so that of two points
    the nearer may be on an edge and the farther not. Work grows with M, not with M squared: points are dropped in
    buckets of 5 px, and a bucket whose depths all fit is passed over unread.
    """
    if not len(projected):
        return np.zeros(0, np.bool_)
    # From u_px and not from col: u is rounded to float32, and distances are taken between rounded ones.
    cols = projected.u_px.astype(np.int32) // np.int32(RADIUS_PX)
    rows = projected.v_px.astype(np.int32) // np.int32(RADIUS_PX)
    found: Bool = _edges(projected.u_px, projected.v_px, projected.depth_m, cols, rows, cols.max() + 1, rows.max() + 1)
    return found


@kernel
def _edges(u_px: Float32, v_px: Float32, depth_m: Float32, cols: Int32, rows: Int32, width: int, height: int) -> Any:
    bucket = (rows * width + cols).astype(np.int32)
    start, members = fill_buckets(bucket, width * height)
    near, far = depth_ranges(bucket, depth_m, width * height)
    found = np.zeros(u_px.shape[0], np.bool_)
    for i in range(u_px.shape[0]):
        own = float(depth_m[i])
        step = max(STEP_M, STEP_RATIO * own)
        for row in range(max(rows[i] - 1, 0), min(rows[i] + 2, height)):
            for b in range(row * width + max(cols[i] - 1, 0), row * width + min(cols[i] + 2, width)):
                if (own - near[b] > step or far[b] - own > step) and not found[i]:
                    found[i] = _step_near(i, step, u_px, v_px, depth_m, members[start[b] : start[b + 1]])
    return found


@kernel
def _step_near(i: int, step_m: float, u_px: Float32, v_px: Float32, depth_m: Float32, others: Int32) -> Any:
    """Whether one of the others lies within RADIUS_PX of point i and more than `step_m` before or behind it."""
    for j in others:
        du, dv = np.float64(u_px[i]) - u_px[j], np.float64(v_px[i]) - v_px[j]
        if abs(depth_m[j] - np.float64(depth_m[i])) > step_m and du * du + dv * dv <= RADIUS_PX * RADIUS_PX:
            return True
    return False
