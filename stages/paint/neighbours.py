"""A point's nearest neighbours in space, among points that a LiDAR measured from one place."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32
from paintpipe.stages.paint.buckets import fill_buckets
from paintpipe.stages.paint.kernel import kernel

REACH = 0.03
"""A neighbour lies within REACH times the point's range: a few of the LiDAR's rays, whatever the range."""
MOST_NEIGHBOURS = 8

_RINGS = 2
_BIN_RAD = 1.0001 * float(np.arcsin(REACH)) / _RINGS
_COLUMNS, _ROWS = int(np.pi / _BIN_RAD) * 2 - 1, int(np.pi / _BIN_RAD) + 1
"""Bins of equal angles; an odd number of columns, so that as many lie to the left of one as to the right."""


@kernel
def bins_of(points: Float32, rows: Int32) -> Any:
    """(K,) int32 row and (K,) int32 column of these points' directions in a grid of equal angles."""
    row, col = np.empty(rows.shape[0], np.int32), np.empty(rows.shape[0], np.int32)
    for i in range(rows.shape[0]):
        p = rows[i]
        x, y, z = np.float64(points[p, 0]), np.float64(points[p, 1]), np.float64(points[p, 2])
        row[i] = min(int((np.arctan2(z, np.hypot(x, y)) + np.pi / 2) / _BIN_RAD), _ROWS - 1)
        col[i] = min(int((np.arctan2(y, x) + np.pi) * (_COLUMNS / (2 * np.pi))), _COLUMNS - 1)
    return row, col


@kernel
def by_bins(points: Float32, rows: Int32) -> Any:
    """First place of each bin, the rows of points ordered by bin, and (K, 3) float64 coordinates in that order."""
    row, col = bins_of(points, rows)
    start, members = fill_buckets(row * _COLUMNS + col, _ROWS * _COLUMNS)
    ordered, place_m = rows[members], np.empty((rows.shape[0], 3), np.float64)
    for i in range(ordered.shape[0]):
        for axis in range(3):
            place_m[i, axis] = points[ordered[i], axis]
    return start, ordered, place_m


@kernel
def nearest(
    own: int,
    own_m: Float64,
    row: int,
    col: int,
    start: Int32,
    ordered: Int32,
    place_m: Float64,
    found: Int32,
    d2: Float64,
) -> Any:
    """Fill `found` (places in `ordered`) and `d2` (m²) with the nearest others within reach, and count them.

    The nearest come first; of equally near ones, the one with the smaller x, y, z: never its place in the file. Bins
    are read ring by ring around the point's own: after ring k all that lies within k bins' angle has been seen, and
    what lies beyond is farther off than the sine of that angle times the range.
    """
    flat_m = np.hypot(own_m[0], own_m[1])
    range_m = np.hypot(flat_m, own_m[2])
    count, limit, inner = 0, (REACH * range_m) ** 2, -1
    for ring in range(_RINGS + 1):
        seen_m = np.sin(ring * _BIN_RAD) * range_m
        outer = _columns_within(flat_m, seen_m)
        for r in range(max(row - ring, 0), min(row + ring + 1, _ROWS)):
            skipped = inner if abs(r - row) < ring else -1
            for c in range(col - outer, col + outer + 1):
                if abs(c - col) <= skipped:
                    continue
                b = r * _COLUMNS + c % _COLUMNS
                for k in range(start[b], start[b + 1]):
                    away = (
                        (place_m[k, 0] - own_m[0]) ** 2
                        + (place_m[k, 1] - own_m[1]) ** 2
                        + (place_m[k, 2] - own_m[2]) ** 2
                    )
                    if away <= limit and ordered[k] != own:
                        count = _insert(k, away, count, place_m, found, d2)
                        limit = d2[count - 1] if count == MOST_NEIGHBOURS else limit
        inner = outer
        if count == MOST_NEIGHBOURS and limit < seen_m * seen_m:
            break
    return count


@kernel
def _columns_within(flat_m: float, reach_m: float) -> Any:
    """Columns to either side that hold all within reach: the more, the nearer the point is to the zenith."""
    if reach_m >= flat_m:
        return (_COLUMNS - 1) // 2
    return min(int(np.ceil(np.arcsin(reach_m / flat_m) * (_COLUMNS / (2 * np.pi)))), (_COLUMNS - 1) // 2)


@kernel
def _insert(k: int, away: float, count: int, place_m: Float64, found: Int32, d2: Float64) -> Any:
    """Put a neighbour at its place among the `count` found so far; returns how many there are now."""
    place = count
    while place > 0 and (away < d2[place - 1] or (away == d2[place - 1] and _before(k, found[place - 1], place_m))):
        place -= 1
    if place == MOST_NEIGHBOURS:
        return count
    now = min(count + 1, MOST_NEIGHBOURS)
    for later in range(now - 1, place, -1):
        found[later], d2[later] = found[later - 1], d2[later - 1]
    found[place], d2[place] = k, away
    return now


@kernel
def _before(one: int, other: int, place_m: Float64) -> Any:
    for axis in range(3):
        if place_m[one, axis] != place_m[other, axis]:
            return place_m[one, axis] < place_m[other, axis]
    return False
