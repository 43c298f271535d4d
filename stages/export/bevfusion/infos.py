"""BEVFusion's infos: a keyframe with its poses, cameras, sweeps and boxes, before MMDetection3D's 1.0 coordinates.

Source: mit-han-lab/bevfusion tools/data_converter/nuscenes_converter.py, `_fill_trainval_infos` and
`obtain_sensor2top`; what training reads of it: `get_data_info` and `get_ann_info` of
mmdet3d/datasets/nuscenes_dataset.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.export.bevfusion.layout import ROOT
from paintpipe.stages.export.detection import IGNORED, object_name
from paintpipe.stages.export.nuscenes_objects import second_boxes, velocities
from paintpipe.stages.export.sweeps import frame_SE3_sweep
from paintpipe.stages.export.target import DoneFrame
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation

NO_LOCATION = ""
"""The catalog does not know the city; only the map segmentation's step reads it, and has to be left out."""


def keyframe_info(frame: DoneFrame, sweeps: Sequence[FrameRow]) -> dict[str, Any]:
    """One entry of the infos, without boxes.

    Args:
        frame: the keyframe.
        sweeps: before it, nearest first, as many as are exported.

    Raises:
        ExportError: a pose is unknown.
    """
    row = frame.row
    mount, pose = _known(row.ego_SE3_lidar, row), _known(row.global_SE3_ego, row)
    return {
        "lidar_path": ROOT + row.points_path,
        "token": row.sample_token or row.frame_id,
        "sweeps": [_sweep(row, sweep) for sweep in sweeps],
        "cams": {image.camera: _camera(row, image) for image in frame.images},
        **_pose("lidar2ego", mount),
        **_pose("ego2global", pose),
        "timestamp": row.timestamp_us or 0,
        "location": NO_LOCATION,
    }


def annotations(boxes: Sequence[BoxRow]) -> dict[str, Any]:
    """The entries about all boxes; those without a LiDAR point are not `valid_flag`.

    Published infos also count what radar has met; the catalog does not, so `num_radar_pts` is 0.
    """
    counts = np.array([_count(box) for box in boxes], dtype=np.int64)
    return {
        "gt_boxes": second_boxes(boxes),
        "gt_names": np.array([_name(box) for box in boxes], dtype=np.str_),
        "gt_velocity": velocities(boxes),
        "num_lidar_pts": counts,
        "num_radar_pts": np.zeros(len(boxes), np.int64),
        "valid_flag": counts > 0,
    }


def pasted_boxes(boxes: Sequence[BoxRow]) -> Float32:
    """(N, 9) float32 x y z, w l h, −yaw − π/2, vx vy, an unknown velocity being 0: `get_ann_info`'s boxes."""
    table = np.hstack([second_boxes(boxes), np.nan_to_num(velocities(boxes), nan=0.0)])
    return table.astype(np.float32)


def _sweep(row: FrameRow, sweep: FrameRow) -> dict[str, Any]:
    mount, pose = _known(sweep.ego_SE3_lidar, sweep), _known(sweep.global_SE3_ego, sweep)
    token = sweep.sweep_token or sweep.frame_id
    moved = frame_SE3_sweep(row, sweep)
    return _sensor("lidar", sweep.points_path, token, sweep.timestamp_us, mount, pose, moved)


def _camera(row: FrameRow, image: ImageRow) -> dict[str, Any]:
    pose = row.global_SE3_ego if image.global_SE3_ego is None else image.global_SE3_ego
    lidar_SE3_camera = invert_se3(image.camera_SE3_lidar)
    ego_SE3_camera = invert_se3(_known(pose, row)) @ _known(row.global_SE3_lidar, row) @ lidar_SE3_camera
    token = image.token or image.image_path
    found = _sensor(
        image.camera, image.image_path, token, image.timestamp_us, ego_SE3_camera, _known(pose, row), lidar_SE3_camera
    )
    # The converter writes one name and some versions of `get_data_info` read the other.
    return found | {"camera_intrinsics": image.K, "cam_intrinsic": image.K}


def _sensor(
    kind: str,
    path: str,
    token: str,
    timestamp_us: int | None,
    ego_SE3_sensor: Float64,
    global_SE3_ego: Float64,
    lidar_SE3_sensor: Float64,
) -> dict[str, Any]:
    return {
        "data_path": ROOT + path,
        "type": kind,
        "sample_data_token": token,
        **_pose("sensor2ego", ego_SE3_sensor),
        **_pose("ego2global", global_SE3_ego),
        "timestamp": timestamp_us or 0,
        "sensor2lidar_rotation": lidar_SE3_sensor[:3, :3],
        "sensor2lidar_translation": lidar_SE3_sensor[:3, 3],
    }


def _pose(name: str, dst_SE3_src: Float64) -> dict[str, list[float]]:
    """As nuScenes writes poses: x, y, z and a quaternion w, x, y, z."""
    return {
        f"{name}_translation": [float(value) for value in dst_SE3_src[:3, 3]],
        f"{name}_rotation": [float(value) for value in quaternion_from_rotation(dst_SE3_src[:3, :3])],
    }


def _known(pose: Float64 | None, row: FrameRow) -> Float64:
    if pose is None:
        raise ExportError("pose unknown", where=f"{row.sequence}/{row.frame_id}")
    return pose


def _count(box: BoxRow) -> int:
    """LiDAR points; 1 where that is not known, so that the box counts."""
    return 1 if box.num_lidar_points is None else box.num_lidar_points


def _name(box: BoxRow) -> str:
    """A detection class, or the category as it is (`NameMapping` of mmdet3d/datasets/nuscenes_dataset.py)."""
    name = object_name(box, "nuscenes")
    return box.class_name if name == IGNORED else name
