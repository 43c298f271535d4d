"""How far apart a LiDAR's scan lines are, read from a sweep: no dataset says so for every frame."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.stages.paint.kernel import kernel

USUAL_RAD = 0.0075
"""Taken where a sweep is too small to tell: that of 64 lines over 27 degrees."""
_WEDGE = 0.005
"""Half the width of a wedge over its length: a few returns of each line."""
_LEAST_RAD, _MOST_RAD = 0.003, 0.025
"""Returns of one line differ by less; no spinning LiDAR's lines are farther apart."""
_ENOUGH = 16


def line_spacing_rad(points: Float32) -> float:
    """The usual angle between neighbouring scan lines of a sweep, in radians, from 0.003 to 0.025.

    Looked at are the points of four thin wedges ahead, behind, to the left and to the right. Sorted by elevation, the
    gaps between them are tiny within a line and large between two; the median of the large ones is the answer. The
    order of points does not matter.

    Args:
        points: (N, >=3) float32, metres in the LiDAR frame; points that are not finite are passed over.
    """
    elevation, wedge = _in_wedges(np.ascontiguousarray(points, dtype=np.float32))
    order = np.lexsort((elevation, wedge))
    gaps = np.diff(elevation[order])[np.diff(wedge[order]) == 0]
    between = gaps[gaps > _LEAST_RAD]
    if len(between) < _ENOUGH:
        return USUAL_RAD
    return float(min(np.median(between), _MOST_RAD))


@kernel
def _in_wedges(points: Float32) -> Any:
    """(K,) float64 elevation and (K,) int8 wedge of the points in any."""
    elevation, wedge = np.empty(points.shape[0], np.float64), np.empty(points.shape[0], np.int8)
    count = 0
    for i in range(points.shape[0]):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        along, across = max(abs(x), abs(y)), min(abs(x), abs(y))
        if across <= _WEDGE * along and 0.0 < along < np.inf and abs(z) < np.inf:
            elevation[count] = np.arctan(z / np.hypot(x, y))
            wedge[count] = (0 if x > 0.0 else 1) if abs(x) >= abs(y) else (2 if y > 0.0 else 3)
            count += 1
    return elevation[:count], wedge[:count]
