"""KITTI's infos, version 1.1.

Rule: `tools/dataset_converters/update_infos_to_v2.py`, `update_kitti_infos`. `DontCare` regions have no box and are not
in the catalog, so they are not here: evaluate with the infos that MMDetection3D's own tools make.
"""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow, ImageRow
from paintpipe.schemas.geometry import se3
from paintpipe.stages.export.detection import difficulty_level
from paintpipe.stages.export.mmdet3d.boxes import camera_box, front_camera, rect_SE3_lidar
from paintpipe.stages.export.mmdet3d.layout import KITTI_CLASSES, points_path
from paintpipe.stages.export.target import DoneFrame

_CAMERAS = {"image_2": "CAM2", "image_3": "CAM3"}


def kitti_info(frame: DoneFrame, position: int, num_columns: int, with_boxes: bool) -> dict[str, Any]:
    """An entry of `data_list`; boxes stay in the rectified camera frame, where `parse_ann_info` expects them."""
    image = front_camera(frame.images)
    assert image.cam_SE3_velo is not None
    images: dict[str, Any] = {_CAMERAS[item.camera]: _camera(item) for item in frame.images if item.camera in _CAMERAS}
    images["R0_rect"] = se3(np.eye(3) if image.R_rect is None else image.R_rect, (0.0, 0.0, 0.0)).tolist()
    lidar = {
        "num_pts_feats": num_columns,
        "lidar_path": points_path(frame.row, "kitti").rsplit("/", 1)[1],
        "Tr_velo_to_cam": image.cam_SE3_velo.tolist(),
    }
    if image.velo_SE3_imu is not None:
        lidar["Tr_imu_to_velo"] = image.velo_SE3_imu.tolist()
    number = int(frame.row.frame_id) if frame.row.frame_id.isdecimal() else position
    info = {"sample_idx": number, "images": images, "lidar_points": lidar}
    if with_boxes:
        counts: list[int] = frame.facts["points_in_boxes"]
        info["instances"] = [
            _instance(box, at, counts[at], _padded(image.P_rect)) for at, box in enumerate(frame.boxes)
        ]
    return info


def _camera(image: ImageRow) -> dict[str, Any]:
    P_rect, matrix = _padded(image.P_rect), rect_SE3_lidar(image)
    camera: dict[str, Any] = {"cam2img": P_rect.tolist(), "lidar2img": (P_rect @ matrix).tolist()}
    if image.camera == "image_2":
        camera |= {
            "img_path": image.image_path.rsplit("/", 1)[-1],
            "height": image.height_px,
            "width": image.width_px,
            "lidar2cam": matrix.tolist(),
        }
    return camera


def _padded(P_rect: Float64 | None) -> Float64:
    """(4, 4) from KITTI's (3, 4)."""
    matrix = np.eye(4)
    matrix[:3] = P_rect
    return matrix


def _instance(box: BoxRow, number: int, points: int, P_rect: Float64) -> dict[str, Any]:
    label = KITTI_CLASSES.index(box.class_name) if box.class_name in KITTI_CLASSES else -1
    values = camera_box(box)
    u, v, depth_m = P_rect[:3] @ [values[0], values[1] - values[4] / 2.0, values[2], 1.0]  # the box's middle; y is down
    return {
        "bbox": [0.0] * 4 if box.box_2d_px is None else box.box_2d_px.tolist(),
        "bbox_label": label,
        "bbox_3d": values,
        "bbox_label_3d": label,
        "center_2d": [float(u / depth_m), float(v / depth_m)],
        "depth": float(depth_m),
        "num_lidar_pts": points,
        "difficulty": difficulty_level(box, "kitti"),
        "truncated": -1.0 if box.truncation is None else box.truncation,
        "occluded": 3 if box.occlusion is None else box.occlusion,
        "alpha": -10.0 if box.alpha_rad is None else box.alpha_rad,
        "score": 0.0,
        "index": number,
        "group_id": number,
    }
