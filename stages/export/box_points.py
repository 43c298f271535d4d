"""The points of a keyframe and its sweeps that lie in its boxes: found once a frame, whatever tables are made of them.

The tables that loaders stack have hundreds of thousands of rows, of which objects are a part: they are never built
here. Which points they are, and in which order, is what cutting boxes out of `stacked` tables gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.export import ExportFrame
from paintpipe.stages.export.sweeps import compensated, is_close
from paintpipe.stages.paint.box_hits import box_hits


@dataclass(frozen=True)
class Cloud:
    """One of the clouds that a loader stacks.

    Attributes:
        points: (N, F) float32 in the cloud's own LiDAR frame.
        scores: (N, C) float32.
        frame_SE3_cloud: (4, 4) float64; None for the keyframe itself, also where it stands in for sweeps.
        lag_s: keyframe's time minus the cloud's.
    """

    points: Float32
    scores: Float32
    frame_SE3_cloud: Float64 | None
    lag_s: float


@dataclass(frozen=True)
class BoxPoints:
    """Points in boxes, box after box; in each the keyframe's first, then each sweep's, in the order of their files.

    Attributes:
        points: (K, F) float32, x y z in the keyframe's LiDAR frame.
        scores: (K, C) float32.
        box: (K,) int64 number of the box, never falling.
        cloud: (K,) int64 0 for the keyframe, then its sweeps, nearest first.
        lag_s: (K,) float32.
    """

    points: Float32
    scores: Float32
    box: Int64
    cloud: Int64
    lag_s: Float32


def clouds_of(frame: ExportFrame) -> tuple[Cloud, list[Cloud]]:
    """The keyframe as a cloud, and its sweeps."""
    own = Cloud(frame.points, frame.scores, None, 0.0)
    return own, [Cloud(s.points, s.scores, s.frame_SE3_sweep, s.lag_s) for s in frame.sweeps]


def box_points(own: Cloud, sweeps: Sequence[Cloud], boxes: Sequence[BoxRow]) -> BoxPoints:
    """What lies in the boxes, which stand upright; points close to the sensor are left out of sweeps.

    Args:
        own: the keyframe.
        sweeps: nearest first; one that is named again is looked at once.
        boxes: in the keyframe's LiDAR frame.
    """
    known = {id(sweep): _found(sweep, boxes, is_sweep=True) for sweep in {id(s): s for s in sweeps}.values()}
    found = [_found(own, boxes, is_sweep=False), *(known[id(sweep)] for sweep in sweeps)]
    counts = [len(one.box) for one in found]
    box = np.concatenate([one.box for one in found])
    order = stable_order(box)
    lags_s = np.array([one.lag_s for one in (own, *sweeps)]).astype(np.float32)
    return BoxPoints(
        points=np.concatenate([one.points for one in found])[order],
        scores=np.concatenate([one.scores for one in found])[order],
        box=box[order],
        cloud=np.repeat(np.arange(len(found)), counts)[order],
        lag_s=np.repeat(lags_s, counts)[order],
    )


def stable_order(keys: Int64) -> Int64:
    """What sorts small whole numbers from 0 on, equal ones as they come: of 16 bits numpy sorts them by digits."""
    order: Int64 = np.argsort(keys.astype(np.min_scalar_type(int(keys.max(initial=0)))), kind="stable")
    return order


@dataclass(frozen=True)
class _Found:
    points: Float32
    scores: Float32
    box: Int64


def _found(cloud: Cloud, boxes: Sequence[BoxRow], *, is_sweep: bool) -> _Found:
    moved = compensated(cloud.points[:, :3], cloud.frame_SE3_cloud)
    rows, box = box_hits(moved, boxes)
    if is_sweep:
        kept = ~is_close(cloud.points[rows, :2])
        rows, box = rows[kept], box[kept]
    points = cloud.points[rows]
    points[:, :3] = moved[rows]
    return _Found(points, cloud.scores[rows], box)
