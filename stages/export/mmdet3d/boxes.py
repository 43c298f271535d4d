"""Boxes as MMDetection3D has them: standing on the middle of their bottom, turned about +z alone."""

from collections.abc import Sequence
from dataclasses import replace
from math import floor, pi

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow, ImageRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.geometry import invert_se3, se3, transform_points


def front_camera(images: Sequence[ImageRow]) -> ImageRow:
    """KITTI's `image_2`, whose calibration all of its infos refer to.

    Raises:
        ExportError: the frame has no such image, or its catalog rows lack KITTI's matrices.
    """
    for image in images:
        if image.camera == "image_2" and image.cam_SE3_velo is not None and image.P_rect is not None:
            return image
    raise ExportError("no image_2", expected="the camera that KITTI's boxes are given in, for its calibration")


def rect_SE3_lidar(image: ImageRow) -> Float64:
    """(4, 4) `lidar2cam` of `update_infos_to_v2.py`: R0_rect · Tr_velo_to_cam, the same for all cameras of a frame."""
    R_rect = np.eye(3) if image.R_rect is None else image.R_rect
    assert image.cam_SE3_velo is not None
    product: Float64 = se3(R_rect, (0.0, 0.0, 0.0)) @ image.cam_SE3_velo
    return product


def camera_box(box: BoxRow) -> list[float]:
    """`bbox_3d` of KITTI's infos, as published: the bottom's x y z in the rectified camera frame, l h w, rotation_y."""
    if box.kitti_box is None:
        raise ExportError("a box without KITTI's own numbers", where=box.frame_id)
    h, w, l, x, y, z, ry = box.kitti_box.tolist()  # noqa: E741 - the benchmark's own letters
    return [x, y, z, l, h, w, ry]


def kitti_upright(boxes: Sequence[BoxRow], images: Sequence[ImageRow]) -> list[BoxRow]:
    """The boxes as the loader turns KITTI's: the bottom's middle goes to the LiDAR frame, and the box stands up there.

    `Box3DMode.convert` (`mmdet3d/structures/bbox_3d/box_3d_mode.py`), which `KittiDataset.parse_ann_info` calls:
    yaw = -rotation_y - pi/2, the LiDAR's slight tilt against the camera left out.
    """
    if not boxes:
        return []
    lidar_SE3_rect = invert_se3(rect_SE3_lidar(front_camera(images)))
    upright = []
    for box in boxes:
        x, y, z, length_m, height_m, width_m, ry_rad = camera_box(box)
        bottom_m = transform_points(lidar_SE3_rect, np.array([[x, y, z]]))[0]
        upright.append(
            replace(
                box,
                center_m=bottom_m + np.array([0.0, 0.0, height_m / 2.0]),
                size_lwh_m=np.array([length_m, width_m, height_m]),
                yaw_rad=_limited(-ry_rad - pi / 2),
                rotation_wxyz=None,
            )
        )
    return upright


def upright_boxes(boxes: Sequence[BoxRow], images: Sequence[ImageRow], dataset: str) -> list[BoxRow]:
    """The boxes as the loader sees them in the LiDAR frame."""
    return kitti_upright(boxes, images) if dataset == "kitti" else [replace(box, rotation_wxyz=None) for box in boxes]


def geometric(box: BoxRow) -> list[float]:
    """`bbox_3d` of nuScenes' infos: centre, l w h, yaw (`NuScenesDataset.parse_ann_info` moves it to the bottom)."""
    return [*box.center_m.tolist(), *box.size_lwh_m.tolist(), float(box.yaw_rad)]


def velocity(box: BoxRow) -> list[float]:
    """`velocity` of nuScenes' infos, NaN where unknown."""
    return [float("nan")] * 2 if box.velocity_mps is None else box.velocity_mps.tolist()


def database_box(box: BoxRow, bottom_m: Float64, dataset: str) -> list[float]:
    """`box3d_lidar` of the database: bottom, l w h, yaw, and on nuScenes the velocity, 0 where unknown."""
    values = [*bottom_m.tolist(), *box.size_lwh_m.tolist(), float(box.yaw_rad)]
    return values if dataset == "kitti" else values + np.nan_to_num(velocity(box)).tolist()


def _limited(angle_rad: float) -> float:
    """`limit_period` of a full turn: into [-pi, pi)."""
    return angle_rad - floor(angle_rad / (2 * pi) + 0.5) * 2 * pi
