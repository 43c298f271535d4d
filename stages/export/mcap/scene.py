"""Labelled boxes as cubes that a click tells about."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.mcap.placement import LIDAR
from paintpipe.stages.export.mcap.values import rotation, stamp, vector
from paintpipe.stages.taxonomies.load import box_classes

BOXES = "/boxes"
_BOX_ALPHA = 0.35
_GREY = (160, 160, 160)


def boxes_message(frame: ExportFrame, facts: ExportFacts, time_ns: int) -> Any:
    """foxglove.SceneUpdate: the frame's boxes as cubes in the place of those before."""
    from foxglove.messages import SceneEntityDeletion, SceneEntityDeletionType, SceneUpdate

    everything = SceneEntityDeletion(timestamp=stamp(time_ns), type=SceneEntityDeletionType.All)
    entities = [_entity(box, number, facts, time_ns) for number, box in enumerate(solid_boxes(frame))]
    return SceneUpdate(deletions=[everything], entities=entities)


def solid_boxes(frame: ExportFrame) -> list[BoxRow]:
    """Boxes that have a size: KITTI's DontCare has none."""
    return [box for box in frame.boxes if (box.size_lwh_m > 0).all()]


def box_quaternion_wxyz(box: BoxRow) -> Float64:
    """(4,) the box's full rotation where the dataset gives one, else its yaw about +z."""
    if box.rotation_wxyz is not None:
        return box.rotation_wxyz
    return np.array([np.cos(box.yaw_rad / 2), 0.0, 0.0, np.sin(box.yaw_rad / 2)])


def box_colour(box: BoxRow, facts: ExportFacts) -> tuple[int, int, int]:
    """The colour of the class that points in the box should have, grey where the taxonomy has none."""
    channels = box_classes(facts.taxonomy.name).get(box.class_name, ())
    return facts.taxonomy.colors_rgb[channels[0]] if channels else _GREY


def _entity(box: BoxRow, number: int, facts: ExportFacts, time_ns: int) -> Any:
    from foxglove.messages import Color, CubePrimitive, KeyValuePair, Pose, SceneEntity

    red, green, blue = (value / 255 for value in box_colour(box, facts))
    pose = Pose(position=vector(box.center_m), orientation=rotation(box_quaternion_wxyz(box)))
    colour = Color(r=red, g=green, b=blue, a=_BOX_ALPHA)
    return SceneEntity(
        timestamp=stamp(time_ns),
        frame_id=LIDAR,
        id=f"{number} {box.instance_token or box.annotation_token or ''}".strip(),
        metadata=[KeyValuePair(key=key, value=value) for key, value in _told(box).items()],
        cubes=[CubePrimitive(pose=pose, size=vector(box.size_lwh_m), color=colour)],
    )


def _told(box: BoxRow) -> dict[str, str]:
    """What a click on a box shows."""
    every = {
        "class": box.class_name,
        "attribute": box.attribute,
        "visibility": box.visibility,
        "difficulty": box.difficulty,
        "lidar points": None if box.num_lidar_points is None else str(box.num_lidar_points),
    }
    return {key: value for key, value in every.items() if value is not None}
