"""A point's nearest neighbours in space, among points that a LiDAR measured from one place."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64, Int32, Int64
from paintpipe.stages.paint.directions import COLUMNS, REACH, RINGS
from paintpipe.stages.paint.kernel import kernel

MOST_NEIGHBOURS = 8


@kernel
def nearest(
    own: int,
    own_m: Float64,
    row: int,
    col: int,
    sines: Float64,
    columns: Int32,
    part: Int64,
    start: Int32,
    ordered: Int32,
    place_m: Float64,
    found: Int32,
    d2: Float64,
) -> Any:
    """Fill `found` (places in `ordered`) and `d2` (m²) with the nearest others within reach, and count them.

    The nearest come first; of equally near ones, the one with the smaller x, y, z: never its place in the file. Bins
    are read ring by ring around the point's own: after ring k all that lies within its angle has been seen, and what
    lies beyond is farther off than the sine of that angle times the range. Bins side by side in a row lie side by
    side in memory, so they are read in one run.

    Args:
        own: the point's row.
        own_m: (3,) where it is.
        row: of its bin.
        col: of its bin.
        sines: see `ring_sines`.
        columns: see `ring_columns`.
        part: which bins there are; see `by_bins`.
        start: first place of each of them.
        ordered: the rows of points in order of their bins.
        place_m: their coordinates.
        found: (MOST_NEIGHBOURS,) int32.
        d2: (MOST_NEIGHBOURS,) float64.
    """
    x, y, z = own_m[0], own_m[1], own_m[2]
    range_m = np.hypot(np.hypot(x, y), z)
    count, limit, inner = 0, (REACH * range_m) ** 2, -1
    for ring in range(RINGS + 1):
        outer = columns[row, ring]
        for r in range(max(row - ring, part[0]), min(row + ring, part[2]) + 1):
            read = inner if abs(r - row) < ring else -1
            bins = (r - part[0]) * (part[3] - part[1] + 1) - part[1]
            for way in range(1 if read < 0 else 2):  # the whole row, or what is left and right of the part read before
                low = col - outer if way == 0 else col + read + 1
                high = col + outer if way == 1 or read < 0 else col - read - 1
                for turn in range(-1 if high >= COLUMNS else 0, 2 if low < 0 else 1):
                    left, right = max(low + turn * COLUMNS, part[1]), min(high + turn * COLUMNS, part[3])
                    if left <= right:
                        for k in range(start[bins + left], start[bins + right + 1]):
                            away = (place_m[0, k] - x) ** 2 + (place_m[1, k] - y) ** 2 + (place_m[2, k] - z) ** 2
                            if away <= limit and ordered[k] != own:
                                count = _insert(k, away, count, place_m, found, d2)
                                limit = d2[count - 1] if count == MOST_NEIGHBOURS else limit
        inner = outer
        seen_m = sines[ring] * range_m
        if count == MOST_NEIGHBOURS and limit < seen_m * seen_m:
            break
    return count


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
        if place_m[axis, one] != place_m[axis, other]:
            return place_m[axis, one] < place_m[axis, other]
    return False
