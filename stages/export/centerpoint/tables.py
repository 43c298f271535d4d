"""The tables that CenterPoint's loader makes of a sweep, and what lies on disk for it.

Sources: tianweiy/CenterPoint det3d/datasets/pipelines/loading.py, `read_file` (with `painted`, and since MVP with
`virtual`); tianweiy/MVP virtual_gen.py, `process_one_frame` and `main`.
"""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Int64
from paintpipe.stages.export.centerpoint.layout import Form
from paintpipe.stages.export.painted_points import fill_columns, side_by_side
from paintpipe.stages.export.virtual_points import make_item
from paintpipe.stages.paint.kernel import kernel

_RING = 4
_REFLECTANCE = 3
RAW_FLAG, PAINTED_FLAG, VIRTUAL_FLAG = 1.0, 0.0, -1.0
"""Last column but the time: a point as published, a painted one, one that is made up."""
WIDTH: dict[Form, int] = {"painted": 14, "virtual": 15}
"""Columns of a loaded sweep before its time."""


def painted_table(points: Float32, scores: Float32) -> Float32:
    """(N, 15) float32 x y z intensity ring and ten scores, a row for each point of the sweep."""
    return side_by_side(points, scores)


def foreground_rows(scores: Float32) -> Int64:
    """(M,) rows whose best score is above all that the ten columns leave over, background for the most part.

    MVP lists the points inside an instance; here it is those whose best class is one of the ten.
    """
    rows: Int64 = _foreground(np.ascontiguousarray(scores, np.float32))
    return rows


@kernel
def _foreground(scores: Float32) -> Any:
    rows, count = np.empty(scores.shape[0], np.int64), 0
    for row in range(scores.shape[0]):
        best: Any = 0.0
        total: Any = 0.0
        for column in range(scores.shape[1]):
            score = np.float64(scores[row, column])
            best, total = max(best, score), total + score
        if best > 1.0 - total and best > 0:
            rows[count] = row
            count += 1
    return rows[:count].copy()


def virtual_item(points: Float32, scores: Float32) -> dict[str, Any]:
    """MVP's dict without virtual points.

    `real_points` (M, 15) float32: x y z reflectance, ten scores, and the best score where MVP has its detector's;
    `real_points_indice` (M,) int64: their rows in the sweep; `virtual_points` (0, 14).
    """
    rows = foreground_rows(scores)
    return make_item(_real_points(points[rows], scores[rows]), rows)


def _real_points(points: Float32, scores: Float32) -> Float32:
    best = np.ascontiguousarray(scores.T).max(axis=0, initial=0.0)[:, np.newaxis]
    return side_by_side(points[:, :_RING], scores, best)


def loaded_painted(table: Float32) -> Float32:
    """(N, 14) what the loader keeps of a painted table: all but the ring."""
    return side_by_side(table[:, :_RING], table[:, _RING + 1 :])


def loaded_virtual(points: Float32, item: dict[str, Any]) -> Float32:
    """(N + M + V, 15) every point padded with ones, then the painted without reflectance, then the virtual."""
    real, virtual = item["real_points"], item["virtual_points"]
    painted, made = len(points), len(points) + len(real)
    table = np.full((made + len(virtual), WIDTH["virtual"]), RAW_FLAG, dtype=np.float32)
    table[:painted, :_RING] = points[:, :_RING]
    table[painted:made, :_REFLECTANCE], table[painted:made, _REFLECTANCE:-1] = real[:, :_REFLECTANCE], real[:, _RING:]
    table[painted:made, -1] = PAINTED_FLAG
    table[made:, :-1], table[made:, -1] = virtual, VIRTUAL_FLAG
    return table


def loaded_rows(form: Form, scores: Float32) -> Int64:
    """Which of the (N,) points each row of `loaded` is."""
    every = np.arange(len(scores))
    return every if form == "painted" else np.concatenate([every, foreground_rows(scores)])


def loaded(form: Form, points: Float32, scores: Float32, rows: Int64 | None = None) -> Float32:
    """The table that the loader makes of a sweep of that form, `WIDTH` columns wide, without its way through a file.

    Args:
        form: of the file.
        points: (N, 5) of the sweep.
        scores: (N, 10).
        rows: from `loaded_rows`, where they are known.
    """
    if form == "painted":
        return side_by_side(points[:, :_RING], scores)
    rows = loaded_rows(form, scores) if rows is None else rows
    every, painted = len(points), rows[len(points) :]
    table = np.full((len(rows), WIDTH["virtual"]), RAW_FLAG, dtype=np.float32)
    real = _real_points(points[painted], scores[painted])
    fill_columns(table[:every, :_RING], points[:, :_RING])
    fill_columns(table[every:, :_REFLECTANCE], real[:, :_REFLECTANCE])
    fill_columns(table[every:, _REFLECTANCE:-1], real[:, _RING:])
    table[every:, -1] = PAINTED_FLAG
    return table
