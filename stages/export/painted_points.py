"""The table of a painted cloud as detectors read it: chosen columns of the point file, perhaps a time, then scores."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.export import ExportFrame
from paintpipe.stages.export.sweeps import SweepTable, stacked


def painted_table(points: Float32, scores: Float32, columns: Sequence[int], with_time: bool = False) -> Float32:
    """(N, W) float32: those columns of the points as they are, a time of 0 where one is wanted, and the scores."""
    time = [np.zeros((len(points), 1), np.float32)] if with_time else []
    return np.hstack([points[:, list(columns)], *time, scores], dtype=np.float32)


def accumulated_table(frame: ExportFrame, columns: Sequence[int]) -> Float32:
    """(N', W) float32: the keyframe at time 0 and its sweeps moved to it, each with its lag in seconds; see `stacked`.

    The car's own points are left out of sweeps, as detectors leave them out: OpenPCDet `nuscenes_dataset.py`
    (`get_sweep`), MMDetection3D `loading.py` (`LoadPointsFromMultiSweeps`, with `remove_close`).
    """
    tables = (painted_table(sweep.points, sweep.scores, columns, with_time=True) for sweep in frame.sweeps)
    sweeps = [
        SweepTable(table, sweep.frame_SE3_sweep, sweep.lag_s) for table, sweep in zip(tables, frame.sweeps, strict=True)
    ]
    return stacked(painted_table(frame.points, frame.scores, columns, with_time=True), sweeps, len(columns))
