"""The tables that BEVFusion's loader makes of a sweep, and what lies on disk for it.

Source: mit-han-lab/bevfusion mmdet3d/datasets/pipelines/loading_utils.py, `load_augmented_point_cloud`. It puts the
rows of `real_points`, and a 0 behind them, into the rows `real_points_indice` of the sweep; rows that are not listed
get ones. Its fifth column is overwritten with the time when sweeps are stacked (`LoadPointsFromMultiSweeps`), so MVP's
own files, whose fifth column is the first class, lose that class there: these files have the ring in it and ten scores
behind.
"""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.stages.export.painted_points import side_by_side
from paintpipe.stages.export.virtual_points import make_item

WIDTH = 16
TIME = 4


def painted_item(points: Float32, scores: Float32) -> dict[str, Any]:
    """The dict of a sweep, every one of whose points is listed, so that an unpainted one has ten zeros and no ones.

    `real_points` (N, 15) float32 x y z intensity ring and ten scores; `real_points_indice` (N,) int64;
    `virtual_points` (0, 14).
    """
    return make_item(side_by_side(points, scores), np.arange(len(points)))


def loaded(points: Float32, item: dict[str, Any]) -> Float32:
    """(N, 16) the loader's table of a sweep, with `pointpainting`."""
    table, rows, real = np.ones((len(points), WIDTH), np.float32), item["real_points_indice"], item["real_points"]
    table[:, : points.shape[1]] = points
    table[rows] = side_by_side(real, np.zeros((len(real), 1), np.float32))
    return table


def table_of(points: Float32, scores: Float32) -> Float32:
    """(N, 16) float32 x y z intensity ring, ten scores, 0: what `loaded` makes of `painted_item`."""
    return side_by_side(points, scores, np.zeros((len(points), 1), np.float32))
