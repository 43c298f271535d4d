"""The loops that look for what stands before a point."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32
from paintpipe.stages.paint.buckets import depth_ranges, fill_buckets
from paintpipe.stages.paint.kernel import kernel

STEP_M, STEP_RATIO = 1.0, 0.1
"""What hides a point is nearer by more than the larger of STEP_M and STEP_RATIO times the point's depth."""
LEAST_M = 1e-3
"""A depth above 0 may be 0 once it is a float32; footprints that near have reached their most."""


@kernel
def hidden(
    u_px: Float32, v_px: Float32, depth_m: Float32, scale_px_m: Float64, least_px: Float64, most_px: float, cell_px: int
) -> Any:
    """(M,) bool: a point nearer by a step covers this one with its footprint.

    Args:
        u_px: (M,).
        v_px: (M,).
        depth_m: (M,), not below 0.
        scale_px_m: (3,) how far a footprint reaches across, down and up at a depth of 1 m.
        least_px: (3,) the least of the same at any depth.
        most_px: the most.
        cell_px: side of a cell of the z-buffer.
    """
    cols, rows = (u_px / np.float32(cell_px)).astype(np.int32), (v_px / np.float32(cell_px)).astype(np.int32)
    width, height = cols.max() + 1, rows.max() + 1
    cell = (rows * width + cols).astype(np.int32)
    start, members = fill_buckets(cell, width * height)
    near, _ = depth_ranges(cell, depth_m, width * height)
    # no footprint is larger than that of the nearest point
    largest = np.minimum(np.maximum(scale_px_m / np.maximum(np.float64(depth_m.min()), LEAST_M), least_px), most_px)
    across, above, below = (np.ceil(largest / cell_px)).astype(np.int32)
    found = np.zeros(u_px.shape[0], np.bool_)
    for i in range(u_px.shape[0]):
        limit_m = depth_m[i] - max(STEP_M, STEP_RATIO * np.float64(depth_m[i]))
        first, last = max(cols[i] - across, 0), min(cols[i] + across + 1, width)
        for row in range(max(rows[i] - above, 0), min(rows[i] + below + 1, height)):
            for c in range(row * width + first, row * width + last):
                if near[c] < limit_m and not found[i]:
                    others = members[start[c] : start[c + 1]]
                    found[i] = _covered(i, limit_m, u_px, v_px, depth_m, scale_px_m, least_px, most_px, others)
    return found


@kernel
def _covered(
    i: int,
    limit_m: float,
    u_px: Float32,
    v_px: Float32,
    depth_m: Float32,
    scale_px_m: Float64,
    least_px: Float64,
    most_px: float,
    others: Int32,
) -> Any:
    """Whether one of the others that is nearer than `limit_m` covers point i with its footprint."""
    for j in others:
        if depth_m[j] >= limit_m:
            continue
        across_px, down_px = abs(np.float64(u_px[i]) - u_px[j]), np.float64(v_px[i]) - v_px[j]
        way = 1 if down_px >= 0.0 else 2
        near_m = np.maximum(np.float64(depth_m[j]), LEAST_M)
        if across_px <= min(max(scale_px_m[0] / near_m, least_px[0]), most_px) and abs(down_px) <= min(
            max(scale_px_m[way] / near_m, least_px[way]), most_px
        ):
            return True
    return False
