"""Earlier sweeps of a keyframe: moved into its LiDAR frame, each with how long before it was taken.

The rules are those of the nuScenes devkit (`nuscenes/utils/data_classes.py`, `PointCloud.from_file_multisweep`), which
the detectors' loaders follow: points close to the sensor are removed in the sweep's own frame, the rest goes
lidar(t_key) ← ego(t_key) ← global ← ego(t_sweep) ← lidar(t_sweep), and a column holds the time lag in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, Float64
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportSweep
from paintpipe.schemas.geometry import invert_se3, transform_points

T = TypeVar("T")

CLOSE_M = 1.0
"""Half the side of the square around the sensor in which a sweep's points are removed: the car itself."""


@dataclass(frozen=True)
class SweepTable:
    """A sweep as a target's loader reads it from disk.

    Attributes:
        table: (M, W) float32, x y z first, in the sweep's own LiDAR frame.
        frame_SE3_sweep: (4, 4) float64; None for the keyframe itself, which stands in for sweeps that there are not.
        lag_s: keyframe's time minus the sweep's.
    """

    table: Float32
    frame_SE3_sweep: Float64 | None
    lag_s: float


def export_sweep(frame: FrameRow, sweep: FrameRow, points: Float32, scores: Float32) -> ExportSweep:
    """A sweep before `frame`, its points as they are. Raises ExportError where a pose or a time is unknown."""
    return ExportSweep(sweep, points, scores, frame_SE3_sweep(frame, sweep), lag_s(frame, sweep))


def frame_SE3_sweep(frame: FrameRow, sweep: FrameRow) -> Float64:
    """(4, 4) float64 from the sweep's LiDAR frame to the keyframe's, the car's motion between them included.

    Raises:
        ExportError: either pose is unknown.
    """
    if frame.global_SE3_lidar is None or sweep.global_SE3_lidar is None:
        unknown = frame if frame.global_SE3_lidar is None else sweep
        raise ExportError("pose unknown", where=_name(unknown), expected="global_SE3_lidar, to move sweeps by")
    moved: Float64 = invert_se3(frame.global_SE3_lidar) @ sweep.global_SE3_lidar
    return moved


def lag_s(frame: FrameRow, sweep: FrameRow) -> float:
    """Seconds from the sweep to the keyframe, the difference taken in whole microseconds.

    Raises:
        ExportError: either time is unknown.
    """
    if frame.timestamp_us is None or sweep.timestamp_us is None:
        raise ExportError("time unknown", where=_name(frame if frame.timestamp_us is None else sweep))
    return (frame.timestamp_us - sweep.timestamp_us) * 1e-6


def is_close(points: Float32, radius_m: float = CLOSE_M) -> Bool:
    """(N,) whether both |x| and |y| are below `radius_m`: a square, whatever the height.

    Args:
        points: (N, >=2) in the frame of the sensor.
        radius_m: half the square's side.
    """
    close: Bool = (np.abs(points[:, 0]) < radius_m) & (np.abs(points[:, 1]) < radius_m)
    return close


def compensated(table: Float32, frame_SE3_sweep: Float64 | None) -> Float32:
    """(M, W) float32 copy with x, y, z moved in float64 and rounded once; as it is where there is no transform."""
    moved = table.copy()
    if frame_SE3_sweep is not None:
        moved[:, :3] = transform_points(frame_SE3_sweep, table[:, :3].astype(np.float64))
    return moved


def stacked(own: Float32, sweeps: Iterable[SweepTable], time_column: int | None = None) -> Float32:
    """All points in the keyframe's LiDAR frame: its own (all of them), then each sweep's that are not close.

    Args:
        own: (N, W) the keyframe's table.
        sweeps: nearest first.
        time_column: which column the lag is written into; None for a new one at the end.

    Returns:
        (N + …, W) float32, or (N + …, W + 1).
    """
    parts = [_timed(own, 0.0, time_column)]
    for sweep in sweeps:
        kept = sweep.table[~is_close(sweep.table)]
        parts.append(_timed(compensated(kept, sweep.frame_SE3_sweep), sweep.lag_s, time_column))
    return np.concatenate(parts)


def padded(own: T, sweeps: list[T], count: int) -> list[T]:
    """`count` sweeps: the last is repeated where there are fewer, the keyframe itself (lag 0) where there are none.

    CenterPoint's infos do so (`det3d/datasets/nuscenes/nusc_common.py`, `_fill_trainval_infos`).
    """
    known = sweeps[:count] or [own]
    return (known + [known[-1]] * (count - len(known)))[:count]


def _timed(table: Float32, lag_s: float, time_column: int | None) -> Float32:
    lag = np.float32(lag_s)
    if time_column is None:
        return np.hstack([table, np.full((len(table), 1), lag)], dtype=np.float32)
    timed = table.copy()
    timed[:, time_column] = lag
    return timed


def _name(row: FrameRow) -> str:
    return f"{row.sequence}/{row.frame_id}"
