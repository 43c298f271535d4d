"""Points sorted by the direction in which the LiDAR sees them: a grid of equal angles, row by row."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32
from paintpipe.stages.paint.buckets import fill_buckets
from paintpipe.stages.paint.fast_math import arctan2_near
from paintpipe.stages.paint.kernel import kernel

REACH = 0.03
"""A neighbour lies within REACH times the point's range: a few of the LiDAR's rays, whatever the range."""
RINGS = 4
"""Bins from a point's own to the farthest that a neighbour may be in."""
_SLACK = 1.0001
"""Bins are larger than they need be by more than the error of their angles."""
_BIN_RAD = _SLACK * float(np.arcsin(REACH)) / RINGS
COLUMNS, ROWS = int(np.pi / _BIN_RAD) * 2 - 1, int(np.pi / _BIN_RAD) + 1
"""An odd number of columns, so that as many lie to the left of one as to the right."""


def ring_sines() -> Float64:
    """(RINGS + 1,) sine of the angle within which the bins of rings 0 to k hold everything."""
    return np.sin(np.arange(RINGS + 1) * (_BIN_RAD / _SLACK))


def ring_columns() -> Int32:
    """(ROWS, RINGS + 1) columns to either side that hold all within ring k's angle of any point of a row.

    The same angle spans the more columns, the nearer a row is to the zenith: within it, azimuths differ by no more
    than arcsin(sin(angle) / cos(elevation)).
    """
    lower = np.arange(ROWS)[:, None] * _BIN_RAD - np.pi / 2
    steepest = np.minimum(np.maximum(np.abs(lower), np.abs(lower + _BIN_RAD)), np.pi / 2)
    ratio = np.sin(np.arange(RINGS + 1) * _BIN_RAD) / np.maximum(np.cos(steepest), 1e-12)
    across_rad = np.where(ratio < 1.0, np.arcsin(np.minimum(ratio, 1.0)), np.pi)
    columns: Int32 = np.minimum(np.ceil(across_rad * (COLUMNS / (2 * np.pi))), (COLUMNS - 1) // 2).astype(np.int32)
    return columns


@kernel
def bins_of(place_m: Float64) -> Any:
    """(K,) int32 row and (K,) int32 column of (3, K) places."""
    count = place_m.shape[1]
    row, col = np.empty(count, np.int32), np.empty(count, np.int32)
    for i in range(count):
        x, y, z = place_m[0, i], place_m[1, i], place_m[2, i]
        up = arctan2_near(z, np.sqrt(x * x + y * y)) + np.pi / 2
        around = arctan2_near(y, x) + np.pi
        row[i] = min(max(np.int32(up * (1.0 / _BIN_RAD)), 0), ROWS - 1)
        col[i] = min(max(np.int32(around * (COLUMNS / (2 * np.pi))), 0), COLUMNS - 1)
    return row, col


@kernel
def places(points: Float32, rows: Int32) -> Any:
    """(3, K) float64 coordinates of the points of these rows."""
    place_m = np.empty((3, rows.shape[0]), np.float64)
    for i in range(rows.shape[0]):
        for axis in range(3):
            place_m[axis, i] = points[rows[i], axis]
    return place_m


@kernel
def by_bins(points: Float32, rows: Int32) -> Any:
    """Points ordered by bin, in the part of the grid where any are.

    Returns:
        (4,) int64 first row and column of that part and the last ones, (bins + 1,) int32 first place of each of its
        bins, (K,) int32 the rows of points in order of their bins, and (3, K) float64 their coordinates.
    """
    row, col = bins_of(places(points, rows))
    part = np.array([row.min(), col.min(), row.max(), col.max()], np.int64)
    wide, high = part[3] - part[1] + 1, part[2] - part[0] + 1
    start, members = fill_buckets(((row - part[0]) * wide + (col - part[1])).astype(np.int32), high * wide)
    ordered = rows[members]
    return part, start, ordered, places(points, ordered)
