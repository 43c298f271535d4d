"""KITTI object labels: boxes in the rectified camera frame, taken to the LiDAR frame.

Format: the object development kit's readme.txt. A box stands on `location` (the middle of its bottom) in the rectified
frame of camera 0 (x right, y down, z forward), and `rotation_y` turns it about +y: at 0 it heads along +x.
"""

from dataclasses import dataclass
from math import cos, sin

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow, FrameRow
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import transform_points
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation

NUM_FIELDS = 15
DONT_CARE = "DontCare"
_MAX_OBJECTS = 10_000
_MAX_NUMBER = 1e9
"""Metres, pixels, radians; and a level of occlusion, which has to fit into int32."""
DIFFICULTIES = (("easy", 40.0, 0, 0.15), ("moderate", 25.0, 1, 0.30), ("hard", 25.0, 2, 0.50))
"""Name, smallest height of the 2-D box in px, largest occlusion level, largest truncation (KITTI's benchmark page)."""


@dataclass(frozen=True)
class KittiObject:
    """One line of a label file.

    Attributes:
        class_name: as published.
        truncation: share of the object outside the image, 0 to 1.
        occlusion: 0 visible, 1 partly, 2 largely, 3 unknown.
        alpha_rad: observation angle.
        box_2d_px: (4,) left, top, right, bottom.
        box: (7,) h, w, l, x, y, z, rotation_y in the rectified camera frame.
    """

    class_name: str
    truncation: float
    occlusion: int
    alpha_rad: float
    box_2d_px: Float64
    box: Float64


def parse_objects(text: str, where: str) -> list[KittiObject]:
    """The objects of a label file that have a 3-D box; `DontCare` regions have none and are left out.

    Raises:
        InputFileError: a line that is no object.
    """
    if text.count("\n") > _MAX_OBJECTS:
        raise InputFileError(f"more than {_MAX_OBJECTS:,} lines", where=where, expected="a line for each object")
    lines = enumerate(text.splitlines(), 1)
    objects = [_parse_object(line.split(), f"{where}: line {at}") for at, line in lines if line.strip()]
    return [item for item in objects if item.class_name != DONT_CARE]


def box_row(item: KittiObject, frame: FrameRow, lidar_SE3_rect: Float64) -> BoxRow:
    """A box of the catalog.

    The box's axes are turned as vectors, so that a LiDAR that does not stand exactly upright in the camera frame is
    accounted for: `rotation_wxyz` holds all of it, `yaw_rad` the heading's angle. For an upright one, yaw = -ry - pi/2.

    Args:
        item: the object as published.
        frame: the kept frame.
        lidar_SE3_rect: (4, 4), the inverse of R0_rect · Tr_velo_to_cam.
    """
    height_m, width_m, length_m, x_m, y_m, z_m, ry_rad = item.box.tolist()
    middle_rect_m = np.array([[x_m, y_m - height_m / 2, z_m]])  # y points down
    lidar_R_box = lidar_SE3_rect[:3, :3] @ _rect_R_box(ry_rad)
    return BoxRow(
        sequence=frame.sequence,
        index=frame.index,
        frame_id=frame.frame_id,
        class_name=item.class_name,
        center_m=transform_points(lidar_SE3_rect, middle_rect_m)[0],
        size_lwh_m=np.array([length_m, width_m, height_m]),
        yaw_rad=float(np.arctan2(lidar_R_box[1, 0], lidar_R_box[0, 0])),
        rotation_wxyz=quaternion_from_rotation(lidar_R_box),
        box_2d_px=item.box_2d_px,
        alpha_rad=item.alpha_rad,
        truncation=item.truncation,
        occlusion=item.occlusion,
        difficulty=difficulty(item),
        kitti_box=item.box,
    )


def _rect_R_box(ry_rad: float) -> Float64:
    """(3, 3) whose columns are the box's length, width (to the left) and height (up) in the rectified camera frame."""
    c, s = cos(ry_rad), sin(ry_rad)
    return np.array([[c, s, 0.0], [0.0, 0.0, -1.0], [-s, c, 0.0]])


def difficulty(item: KittiObject) -> str | None:
    """The easiest of KITTI's levels that counts an object, None where none does."""
    height_px = float(item.box_2d_px[3] - item.box_2d_px[1])
    for name, min_height_px, max_occlusion, max_truncation in DIFFICULTIES:
        if height_px >= min_height_px and item.occlusion <= max_occlusion and item.truncation <= max_truncation:
            return name
    return None


def _parse_object(words: list[str], where: str) -> KittiObject:
    expected = f"a class and {NUM_FIELDS - 1} finite numbers"
    if len(words) not in (NUM_FIELDS, NUM_FIELDS + 1):  # one more in a file of results: the score
        raise InputFileError(f"{len(words)} fields", where=where, expected=expected)
    try:
        numbers = np.array([float(word) for word in words[1:NUM_FIELDS]])
    except ValueError as error:
        raise InputFileError(str(error), where=where, expected=expected) from None
    if not (np.abs(numbers) <= _MAX_NUMBER).all():
        raise InputFileError(f"a number above {_MAX_NUMBER:g} or not finite", where=where, expected=expected)
    truncation, occlusion, alpha_rad = numbers[:3].tolist()
    return KittiObject(words[0], truncation, int(occlusion), alpha_rad, numbers[3:7], numbers[7:14])
