"""CenterPoint's infos: what a keyframe is, which sweeps go with it, and its boxes.

Source: tianweiy/CenterPoint det3d/datasets/nuscenes/nusc_common.py, `_fill_trainval_infos`. What MVP adds for its own
painter (`all_cams_*`) is left out: these points are painted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow, FrameRow
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.export.centerpoint.layout import ROOT
from paintpipe.stages.export.nuscenes_objects import object_names, second_boxes, velocities, with_points
from paintpipe.stages.export.sweeps import frame_SE3_sweep, lag_s
from paintpipe.stages.export.target import DoneFrame

_FRONT = "CAM_FRONT"


def gt_boxes(boxes: Sequence[BoxRow]) -> Float64:
    """(N, 9) x y z, w l h, vx vy, −yaw − π/2; the velocity is NaN where unknown."""
    second = second_boxes(boxes)
    return np.hstack([second[:, :6], velocities(boxes), second[:, 6:]])


def keyframe_info(frame: DoneFrame, sweeps: Sequence[FrameRow], count: int) -> dict[str, Any]:
    """One entry of the infos.

    Args:
        frame: the keyframe.
        sweeps: before it, nearest first, as many as are exported.
        count: sweeps that the entry is to have.
    """
    row = frame.row
    info: dict[str, Any] = {"lidar_path": ROOT + row.points_path, "token": row.sample_token or row.frame_id}
    info |= _front(frame) | _poses(row)
    info["timestamp"] = 1e-6 * (row.timestamp_us or 0)
    info["sweeps"] = _sweeps(row, sweeps, count)
    return info


def annotations(boxes: Sequence[BoxRow]) -> dict[str, Any]:
    """The entries about the boxes that hold LiDAR points (`filter_True`), for all but the test set."""
    kept = with_points(boxes)
    planar = velocities(kept)
    return {
        "gt_boxes": gt_boxes(kept),
        "gt_boxes_velocity": np.hstack([planar, np.where(np.isnan(planar[:, :1]), np.nan, 0.0)]),
        "gt_names": np.array(object_names(kept), dtype=np.str_),
        "gt_boxes_token": np.array([box.annotation_token or "" for box in kept], dtype=np.str_),
    }


def _sweeps(row: FrameRow, sweeps: Sequence[FrameRow], count: int) -> list[dict[str, Any]]:
    """Exactly `count`: the last one repeated, or the keyframe itself where there is none before it."""
    known = [_sweep(row, sweep) for sweep in sweeps[:count]]
    if not known:
        itself = {"lidar_path": ROOT + row.points_path, "sample_data_token": row.sweep_token or row.frame_id}
        known = [{**itself, "transform_matrix": None, "time_lag": 0}]
    return (known + [known[-1]] * (count - len(known)))[:count]


def _sweep(row: FrameRow, sweep: FrameRow) -> dict[str, Any]:
    found: Mapping[str, Any] = {
        "lidar_path": ROOT + sweep.points_path,
        "sample_data_token": sweep.sweep_token or sweep.frame_id,
        "transform_matrix": frame_SE3_sweep(row, sweep),
        "global_from_car": sweep.global_SE3_ego,
        "car_from_current": sweep.ego_SE3_lidar,
        "time_lag": lag_s(row, sweep),
    }
    return dict(found)


def _front(frame: DoneFrame) -> dict[str, Any]:
    image = next((image for image in frame.images if image.camera == _FRONT), None)
    path = None if image is None else ROOT + image.image_path
    return {"cam_front_path": path, "cam_intrinsic": None if image is None else image.K}


def _poses(row: FrameRow) -> dict[str, Any]:
    known = (row.ego_SE3_lidar, row.global_SE3_ego)
    ref_from_car, car_from_global = (None if pose is None else invert_se3(pose) for pose in known)
    return {"ref_from_car": ref_from_car, "car_from_global": car_from_global}
