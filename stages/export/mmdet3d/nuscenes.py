"""nuScenes' infos, version 1.1.

Rule: `tools/dataset_converters/update_infos_to_v2.py`, `update_nuscenes_infos`. Left out is what LiDAR detectors don't
read: boxes for each camera, and the count of radar points (so `bbox_3d_isvalid` counts LiDAR points alone).
"""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportSweep
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.export.detection import object_name
from paintpipe.stages.export.mmdet3d.boxes import geometric, velocity
from paintpipe.stages.export.mmdet3d.layout import NUSCENES_CLASSES, num_columns, points_path
from paintpipe.stages.export.target import DoneFrame


def sweep_facts(sweep: ExportSweep) -> dict[str, Any]:
    """What `nuscenes_info` needs to know of a sweep, JSON-ready."""
    return {
        "path": points_path(sweep.row, "nuscenes"),
        "token": sweep.row.sweep_token,
        "timestamp_us": sweep.row.timestamp_us,
        "frame_SE3_sweep": sweep.frame_SE3_sweep.tolist(),
    }


def lidar2sensor(frame_SE3_sweep: Float64) -> Float64:
    """(4, 4) such that the loader's own arithmetic moves a sweep's points where they belong.

    `LoadPointsFromMultiSweeps.transform` computes p · M[:3, :3] - M[:3, 3], which is R p + t for M = [Rᵀ | -t]. The
    true inverse, [Rᵀ | -Rᵀ t], which `update_infos_to_v2.py` writes, makes it R p + Rᵀ t: off by as much as the car
    turns times as far as it goes.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = frame_SE3_sweep[:3, :3].T
    matrix[:3, 3] = -frame_SE3_sweep[:3, 3]
    return matrix


def nuscenes_info(frame: DoneFrame, position: int, facts: ExportFacts, with_boxes: bool) -> dict[str, Any]:
    """An entry of `data_list`.

    Raises:
        ExportError: the frame has no time or no pose.
    """
    row = frame.row
    if row.timestamp_us is None or row.global_SE3_ego is None or row.ego_SE3_lidar is None:
        raise ExportError("no time or no pose", where=f"{row.sequence}/{row.frame_id}")
    info: dict[str, Any] = {
        "sample_idx": position,
        "token": row.sample_token or row.frame_id,
        "timestamp": row.timestamp_us / 1e6,
        "ego2global": row.global_SE3_ego.tolist(),
        "images": {image.camera: _camera(image, row) for image in frame.images},
        "lidar_points": {
            "num_pts_feats": num_columns(facts),
            "lidar_path": points_path(row, "nuscenes").rsplit("/", 1)[1],
            "lidar2ego": row.ego_SE3_lidar.tolist(),
        },
    }
    if frame.facts["sweeps"]:
        info["lidar_sweeps"] = [_sweep(sweep, num_columns(facts)) for sweep in frame.facts["sweeps"]]
    if with_boxes:
        counts: list[int] = frame.facts["points_in_boxes"]
        info["instances"] = [_instance(box, count, facts) for box, count in zip(frame.boxes, counts, strict=True)]
    return info


def _sweep(sweep: dict[str, Any], columns: int) -> dict[str, Any]:
    """The path names its folder, for `Det3DDataset.parse_data_info` looks for `samples` in it."""
    matrix = lidar2sensor(np.array(sweep["frame_SE3_sweep"]))
    points = {"num_pts_feats": columns, "lidar_path": sweep["path"], "lidar2sensor": matrix.tolist()}
    return {
        "timestamp": sweep["timestamp_us"] / 1e6,
        "sample_data_token": sweep["token"],
        "lidar_points": points,
    }


def _camera(image: ImageRow, row: FrameRow) -> dict[str, Any]:
    camera: dict[str, Any] = {
        "img_path": image.image_path.rsplit("/", 1)[-1],
        "height": image.height_px,
        "width": image.width_px,
        "cam2img": image.K.tolist(),
        "lidar2cam": image.camera_SE3_lidar.tolist(),
        "sample_data_token": image.token,
    }
    if image.timestamp_us is not None:
        camera["timestamp"] = image.timestamp_us / 1e6
    if image.global_SE3_ego is not None and row.global_SE3_lidar is not None:
        global_SE3_camera = row.global_SE3_lidar @ invert_se3(image.camera_SE3_lidar)
        camera["cam2ego"] = (invert_se3(image.global_SE3_ego) @ global_SE3_camera).tolist()
    return camera


def lidar_points_inside(box: BoxRow, count: int, fov_only: bool) -> int:
    """The annotation's own count, as in published infos; what was exported where that is less than all points."""
    return count if fov_only or box.num_lidar_points is None else box.num_lidar_points


def _instance(box: BoxRow, count: int, facts: ExportFacts) -> dict[str, Any]:
    name = object_name(box, "nuscenes")
    label = NUSCENES_CLASSES.index(name) if name in NUSCENES_CLASSES else -1
    inside = lidar_points_inside(box, count, facts.settings.fov_only)
    return {
        "bbox_label": label,
        "bbox_3d": geometric(box),
        "bbox_3d_isvalid": inside > 0,
        "bbox_label_3d": label,
        "num_lidar_pts": inside,
        "velocity": velocity(box),
    }
