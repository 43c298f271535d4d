"""The records of nuScenes' JSON tables, cut down to the fields that a catalog needs.

Layout: https://www.nuscenes.org/nuscenes#data-format. Fields that are not named here are skipped by the decoder.
"""

from typing import Annotated

import msgspec

Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""Metres, pixels and shares of one: products of a few of them stay finite."""
Vector3 = tuple[Number, Number, Number]
Quaternion = tuple[Number, Number, Number, Number]
Microseconds = Annotated[int, msgspec.Meta(ge=-(1 << 62), le=(1 << 62) - 1)]
"""A time; the difference of any two fits into int64."""
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]
"""What fits into an int32 column; -1 stands there for a number that the table does not say."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """What every table's records share; `gc=False` since no record can hold a cycle."""

    token: str


class Scene(Record, frozen=True, gc=False):
    """One drive of about 20 s."""

    name: str


class Sample(Record, frozen=True, gc=False):
    """One keyframe time, at 2 Hz."""

    timestamp: Microseconds
    scene_token: str


class SampleData(Record, frozen=True, gc=False):
    """One sensor file. `prev` is "" at the start of the sensor's chain."""

    sample_token: str
    ego_pose_token: str
    calibrated_sensor_token: str
    timestamp: Microseconds
    is_key_frame: bool
    filename: str
    prev: str = ""
    width: Count = 0
    height: Count = 0


class EgoPose(Record, frozen=True, gc=False):
    """global_SE3_ego at one time: metres (Vector3) and (w, x, y, z) (Quaternion), not parsed yet."""

    translation: msgspec.Raw
    rotation: msgspec.Raw


class CalibratedSensor(Record, frozen=True, gc=False):
    """ego_SE3_sensor, and K (rows) for a camera or [] for another sensor."""

    sensor_token: str
    translation: Vector3
    rotation: Quaternion
    camera_intrinsic: list[list[Number]]


class Sensor(Record, frozen=True, gc=False):
    """A sensor's name, such as LIDAR_TOP."""

    channel: str


class SampleAnnotation(Record, frozen=True, gc=False):
    """One box at one keyframe in the global frame; `size` is width, length, height in metres."""

    sample_token: str
    instance_token: str
    translation: Vector3
    size: Vector3
    rotation: Quaternion
    visibility_token: str = ""
    attribute_tokens: tuple[str, ...] = ()
    prev: str = ""
    next: str = ""
    num_lidar_pts: Count | None = None


class Instance(Record, frozen=True, gc=False):
    """One object through a scene."""

    category_token: str


class Named(Record, frozen=True, gc=False):
    """A category or an attribute."""

    name: str


class Visibility(Record, frozen=True, gc=False):
    """A visibility level, such as `v80-100`."""

    level: str


class Lidarseg(Record, frozen=True, gc=False):
    """A file of point labels for one LIDAR_TOP sample_data."""

    sample_data_token: str
    filename: str
