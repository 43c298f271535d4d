"""Which points lie in which of many upright boxes: one pass over the points, each held against the boxes near it.

A frame has some seventy boxes, and its stacked sweeps three hundred thousand points: box after box that is twenty
million comparisons. Here a grid over the ground tells for each point which boxes come near its cell, most often none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32, Float64, Int64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.stages.paint.boxes import holds, reach_m, upright_R_lidar
from paintpipe.stages.paint.kernel import kernel

_CELL_M = 2.0
_CELLS = 128
"""A side of the grid, whose middle is the sensor; what lies beyond counts as in the outermost cells."""


def box_hits(points: AnyArray, boxes: Sequence[BoxRow]) -> tuple[Int64, Int64]:
    """(K,) rows of points and (K,) numbers of the boxes that they lie in, in the order of the rows, then of the boxes.

    The very points of `points_in_box` for each box, which is turned by its yaw alone.

    Args:
        points: (N, >=3) x, y, z in metres, in the frame of the boxes.
        boxes: closed; a box of negative size holds nothing, and no box holds a point that is not finite.
    """
    centers_m = np.array([box.center_m for box in boxes], dtype=np.float64).reshape(-1, 3)
    halves_m = np.array([box.size_lwh_m for box in boxes], dtype=np.float64).reshape(-1, 3) / 2.0
    turns = np.array([upright_R_lidar(box) for box in boxes], dtype=np.float64).reshape(-1, 3, 3)
    found: tuple[Int64, Int64] = _hits(np.ascontiguousarray(points, np.float32), centers_m, halves_m, turns)
    return found


@kernel
def _hits(points: Float32, centers_m: Float64, halves_m: Float64, turns: Float64) -> Any:
    starts, near, reaches = _near_boxes(centers_m, halves_m)
    rows, numbers = np.empty(points.shape[0] + 1, np.int64), np.empty(points.shape[0] + 1, np.int64)
    count = 0
    for row in range(points.shape[0]):
        if not (np.isfinite(points[row, 0]) and np.isfinite(points[row, 1]) and np.isfinite(points[row, 2])):
            continue
        cell = _cell(points[row, 0]) * _CELLS + _cell(points[row, 1])
        for place in range(starts[cell], starts[cell + 1]):
            box = near[place]
            x = points[row, 0] - centers_m[box, 0]
            y = points[row, 1] - centers_m[box, 1]
            z = points[row, 2] - centers_m[box, 2]
            if holds(x, y, z, reaches[box], halves_m[box], turns[box]):
                if count == len(rows):
                    rows = np.concatenate((rows, np.empty_like(rows)))
                    numbers = np.concatenate((numbers, np.empty_like(numbers)))
                rows[count], numbers[count] = row, box
                count += 1
    return rows[:count].copy(), numbers[:count].copy()


@kernel
def _near_boxes(centers_m: Float64, halves_m: Float64) -> Any:
    """Where each cell's boxes begin in a list of them, that list, and each box's reach."""
    boxes = centers_m.shape[0]
    reaches = np.empty(boxes, np.float64)
    spans = np.empty((boxes, 4), np.int64)  # of cells: first and last in x, then in y
    starts = np.zeros(_CELLS * _CELLS + 1, np.int64)
    for box in range(boxes):
        reaches[box] = reach_m(halves_m[box])
        for axis in range(2):
            spans[box, 2 * axis] = _cell(centers_m[box, axis] - reaches[box])
            spans[box, 2 * axis + 1] = _cell(centers_m[box, axis] + reaches[box])
        for column in range(spans[box, 0], spans[box, 1] + 1):
            starts[column * _CELLS + spans[box, 2] + 1 : column * _CELLS + spans[box, 3] + 2] += 1
    starts = np.cumsum(starts)
    near, filled = np.empty(starts[-1], np.int64), starts[:-1].copy()
    for box in range(boxes):
        for column in range(spans[box, 0], spans[box, 1] + 1):
            for cell in range(column * _CELLS + spans[box, 2], column * _CELLS + spans[box, 3] + 1):
                near[filled[cell]] = box
                filled[cell] += 1
    return starts, near, reaches


@kernel
def _cell(coordinate_m: float) -> Any:
    """Place along one side; it never falls where the coordinate grows. What is no number counts as the first cell."""
    place = np.floor(coordinate_m / _CELL_M) + _CELLS // 2
    if not place > 0:
        return 0
    return int(min(place, _CELLS - 1.0))
