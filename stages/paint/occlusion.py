"""Occlusion: points that the LiDAR sees and a camera, which looks from another place, does not."""

import numpy as np

from paintpipe.schemas.arrays import Bool, Float64
from paintpipe.stages.paint.occlusion_kernels import hidden
from paintpipe.stages.paint.project import Projected

ACROSS_M, DOWN_M, UP_M = 0.03, 0.10, 0.03
"""How far a point's surface is taken to reach to either side, down and up."""
ACROSS_RAD = 0.006
DOWN_LINES, UP_LINES = 0.8, 0.4
"""The least of the same: as an angle, and in steps from one scan line to the next."""
MOST_RAD = 0.03
"""The most, however near the point is."""
CELL_PX = 4
"""Side of a cell of the z-buffer."""


def occluded(projected: Projected, focal_px: float, line_spacing_rad: float) -> Bool:
    """(M,) bool: a nearer point of this view stands before the point.

    Every point is taken for a piece of surface that faces the camera and hides what lies behind it by more than
    max(1 m, 10% of the hidden point's depth). The piece is some centimetres large, so it grows with nearness, and at
    least as large as the gap to the LiDAR's next ray. It reaches farther down than up: what stands on the ground goes
    on below any point of it; what is above may be its upper rim, and over ground that recedes at a grazing angle
    there is nothing at all. The z-buffer keeps the nearest depth of each cell, so that only cells with something near
    enough are read point by point.

    Args:
        projected: the points in view.
        focal_px: of the camera; at 0 nothing is hidden.
        line_spacing_rad: angle between the LiDAR's scan lines.
    """
    if not len(projected) or not focal_px > 0.0:
        return np.zeros(len(projected), np.bool_)
    least = np.array([ACROSS_RAD, DOWN_LINES * line_spacing_rad, UP_LINES * line_spacing_rad])
    found: Bool = hidden(
        projected.u_px,
        projected.v_px,
        projected.depth_m,
        focal_px * np.array([ACROSS_M, DOWN_M, UP_M]),
        focal_px * np.minimum(least, MOST_RAD),
        focal_px * MOST_RAD,
        CELL_PX,
    )
    return found


def focal_px(image_from_lidar: Float64) -> float:
    """Focal length along u, in pixels, of a (3, 4) projection matrix.

    With image_from_lidar = K · [R | t] the third row's first three numbers are r, the optical axis, and the first
    row's are f · a + c · r, with `a` of length 1 and at right angles to r: f² = |m0|² - (m0 · r)². A matrix may be
    scaled as a whole, so r is made of length 1 first.
    """
    m0, m2 = image_from_lidar[0, :3], image_from_lidar[2, :3]
    scale = float(np.sqrt(m2 @ m2))
    if not scale > 0.0:
        return 0.0
    along = float(m0 @ m2) / scale
    return float(np.sqrt(max(float(m0 @ m0) - along * along, 0.0))) / scale
