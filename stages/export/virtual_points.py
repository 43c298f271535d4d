"""MVP's dict of a sweep (tianweiy/MVP virtual_gen.py, `main`), without virtual points."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Int64
from paintpipe.stages.export.ten_scores import NUM_SCORES

REAL_WIDTH = 5 + NUM_SCORES
"""Columns of `real_points`; what the five are beside the scores is each loader's own."""


def make_item(real_points: Float32, rows: Int64) -> dict[str, Any]:
    """The dict: `real_points` (M, 15), `real_points_indice` (M,) their rows in the sweep, `virtual_points` (0, 14)."""
    return {
        "virtual_points": np.zeros((0, REAL_WIDTH - 1), np.float32),
        "real_points": real_points.reshape(-1, REAL_WIDTH).astype(np.float32, copy=False),
        "real_points_indice": rows.astype(np.int64),
    }


def item_fault(item: Any, num_points: int) -> str:
    """What a loader would trip over in a dict that was read back, or "".

    Args:
        item: whatever was read.
        num_points: of the sweep.
    """
    keys = ("real_points", "real_points_indice", "virtual_points")
    if not isinstance(item, dict) or set(item) != set(keys):
        return f"other keys than {', '.join(keys)}"
    real, rows, virtual = (item[key] for key in keys)
    if not all(isinstance(array, np.ndarray) for array in (real, rows, virtual)) or rows.dtype != np.int64:
        return "other values than arrays"
    if real.shape != (len(rows), REAL_WIDTH) or virtual.shape != (0, REAL_WIDTH - 1) or real.dtype != np.float32:
        return f"real_points {real.dtype} {real.shape}, real_points_indice {rows.shape}, virtual_points {virtual.shape}"
    if len(rows) and (rows.min() < 0 or rows.max() >= num_points):
        return f"real_points_indice beyond the sweep's {num_points} points"
    return ""
