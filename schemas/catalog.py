"""The catalog's tables: rows as records, and the Arrow schemas that they are written with."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.schemas.arrays import Float64

CATALOG_FORMAT = 1
"""Raised when the meaning or the columns of the tables change."""


_MATRIX = pa.list_(pa.float64())
"""Row-major, of no fixed size: pyarrow can't read nulls among fixed-size lists back from Parquet."""


def _schema(*columns: tuple[str, pa.DataType, bool]) -> pa.Schema:
    metadata = {"paintpipe.catalog_format": str(CATALOG_FORMAT)}
    return pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable in columns], metadata=metadata)


FRAMES = _schema(
    ("sequence", pa.string(), False),
    ("index", pa.int32(), False),
    ("frame_id", pa.string(), False),
    ("sample_token", pa.string(), True),
    ("sweep_token", pa.string(), True),
    ("timestamp_us", pa.int64(), True),
    ("split", pa.string(), True),
    ("is_keyframe", pa.bool_(), False),
    ("points_path", pa.string(), False),
    ("points_format", pa.string(), False),
    ("num_points", pa.int64(), False),
    ("point_features", pa.list_(pa.string()), False),
    ("labels_path", pa.string(), True),
    ("labels_format", pa.string(), True),
    ("ego_SE3_lidar", _MATRIX, True),
    ("global_SE3_ego", _MATRIX, True),
    ("global_SE3_lidar", _MATRIX, True),
    ("previous_sweeps", pa.list_(pa.string()), False),
)
IMAGES = _schema(
    ("sequence", pa.string(), False),
    ("index", pa.int32(), False),
    ("frame_id", pa.string(), False),
    ("camera", pa.string(), False),
    ("token", pa.string(), True),
    ("image_path", pa.string(), False),
    ("width_px", pa.int32(), False),
    ("height_px", pa.int32(), False),
    ("timestamp_us", pa.int64(), True),
    ("dt_us", pa.int64(), True),
    ("K", _MATRIX, False),
    ("camera_SE3_lidar", _MATRIX, False),
    ("global_SE3_ego", _MATRIX, True),
    ("image_from_lidar", _MATRIX, False),
    ("P_rect", _MATRIX, True),
    ("R_rect", _MATRIX, True),
    ("cam_SE3_velo", _MATRIX, True),
    ("velo_SE3_imu", _MATRIX, True),
)
BOXES = _schema(
    ("sequence", pa.string(), False),
    ("index", pa.int32(), False),
    ("frame_id", pa.string(), False),
    ("class_name", pa.string(), False),
    ("instance_token", pa.string(), True),
    ("annotation_token", pa.string(), True),
    ("center_m", _MATRIX, False),
    ("size_lwh_m", _MATRIX, False),
    ("yaw_rad", pa.float64(), False),
    ("rotation_wxyz", _MATRIX, True),
    ("velocity_mps", _MATRIX, True),
    ("box_2d_px", _MATRIX, True),
    ("alpha_rad", pa.float64(), True),
    ("truncation", pa.float64(), True),
    ("occlusion", pa.int32(), True),
    ("visibility", pa.string(), True),
    ("difficulty", pa.string(), True),
    ("attribute", pa.string(), True),
    ("num_lidar_points", pa.int64(), True),
    ("kitti_box", _MATRIX, True),
)
REJECTED = _schema(
    ("path", pa.string(), False),
    ("stage", pa.string(), False),
    ("reason", pa.string(), False),
)


@dataclass(frozen=True)
class FrameRow:
    """One LiDAR sweep. An unknown time or pose is None.

    Attributes:
        points_format: `float32` (raw little-endian records of `point_features`) or `npy`.
        labels_format: `semantickitti` (uint32, class in the low 16 bits), `uint8` (nuScenes lidarseg), `npy`.
        previous_sweeps: sweep tokens (or frame ids) before this frame, nearest first.
    """

    sequence: str
    index: int
    frame_id: str
    points_path: str
    num_points: int
    point_features: tuple[str, ...]
    points_format: str = "float32"
    sample_token: str | None = None
    sweep_token: str | None = None
    timestamp_us: int | None = None
    split: str | None = None
    is_keyframe: bool = True
    labels_path: str | None = None
    labels_format: str | None = None
    ego_SE3_lidar: Float64 | None = None
    global_SE3_ego: Float64 | None = None
    global_SE3_lidar: Float64 | None = None
    previous_sweeps: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageRow:
    """One image of one frame.

    Attributes:
        camera_SE3_lidar: rigid, from the sweep's LiDAR frame to the camera at the image's time (ego motion included).
        image_from_lidar: (3, 4), composed in float64.
        P_rect, R_rect, cam_SE3_velo, velo_SE3_imu: KITTI's own matrices as published (3x4, 3x3, 4x4, 4x4).
    """

    sequence: str
    index: int
    frame_id: str
    camera: str
    image_path: str
    width_px: int
    height_px: int
    K: Float64
    camera_SE3_lidar: Float64
    image_from_lidar: Float64
    token: str | None = None
    timestamp_us: int | None = None
    dt_us: int | None = None
    global_SE3_ego: Float64 | None = None
    P_rect: Float64 | None = None
    R_rect: Float64 | None = None
    cam_SE3_velo: Float64 | None = None
    velo_SE3_imu: Float64 | None = None


@dataclass(frozen=True)
class BoxRow:
    """One labelled box, its geometric centre in the frame's LiDAR coordinates.

    Attributes:
        class_name: the dataset's own category, as published.
        center_m: (3,) geometric centre.
        size_lwh_m: (3,) length (along the heading), width, height.
        yaw_rad: about +z, from +x.
        rotation_wxyz: (4,) full rotation where the dataset gives more than a yaw.
        velocity_mps: (2,) in the LiDAR frame's x and y.
        box_2d_px: (4,) left, top, right, bottom.
        kitti_box: (7,) h, w, l, x, y, z, rotation_y as published.
    """

    sequence: str
    index: int
    frame_id: str
    class_name: str
    center_m: Float64
    size_lwh_m: Float64
    yaw_rad: float
    instance_token: str | None = None
    annotation_token: str | None = None
    rotation_wxyz: Float64 | None = None
    velocity_mps: Float64 | None = None
    box_2d_px: Float64 | None = None
    alpha_rad: float | None = None
    truncation: float | None = None
    occlusion: int | None = None
    visibility: str | None = None
    difficulty: str | None = None
    attribute: str | None = None
    num_lidar_points: int | None = None
    kitti_box: Float64 | None = None


@dataclass(frozen=True)
class RejectedRow:
    """One input that could not be used, and why."""

    path: str
    stage: str
    reason: str


@dataclass
class SequenceRows:
    """All that ingest found in one sequence; `frames` are in order of `index`, which counts from 0 without gaps."""

    frames: list[FrameRow] = field(default_factory=list)
    images: list[ImageRow] = field(default_factory=list)
    boxes: list[BoxRow] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def rows_to_table(rows: Iterable[FrameRow | ImageRow | BoxRow | RejectedRow], schema: pa.Schema) -> pa.Table:
    """An Arrow table with `schema` from row records; matrices are flattened row-major."""
    kept = list(rows)
    columns = [pa.array([_plain(getattr(row, name)) for row in kept], schema.field(name).type) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)


def row_from_dict(kind: type[Any], values: dict[str, Any]) -> Any:
    """The row record of `kind` from one dict of `table.to_pylist()`; matrices get their shape back."""
    return kind(**{item.name: _shaped(item.name, values[item.name]) for item in fields(kind)})


_SHAPES = {"K": (3, 3), "R_rect": (3, 3), "image_from_lidar": (3, 4), "P_rect": (3, 4)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [float(item) for item in value.reshape(-1)]
    return list(value) if isinstance(value, tuple) else value


def _shaped(name: str, value: Any) -> Any:
    if isinstance(value, list):
        if (value and isinstance(value[0], str)) or not value:
            return tuple(value)
        array = np.asarray(value, dtype=np.float64)
        return array.reshape(_SHAPES.get(name, (4, 4) if array.size == 16 else (-1,)))
    return value


@dataclass(frozen=True)
class DatasetInfo:
    """`catalog/dataset.json`.

    Attributes:
        dataset: `semantickitti`, `kitti`, `kitti-raw`, `nuscenes` or `custom`.
        version: the dataset's own, such as `v1.0-mini`, or "".
        root: absolute path or URL of the dataset.
        labels_taxonomy: taxonomy of the point labels, None where the dataset has none.
        boxes_taxonomy: taxonomy that box classes are evaluated in, None where there are no boxes.
        synthetic: made by `paintpipe synth`.
        counts: frames, images, boxes, rejected, points.
        digest: sha256 over the four tables' content.
        options: what ingest was asked for, for the record (sweeps, sequences, split, limit).
    """

    dataset: str
    version: str
    root: str
    labels_taxonomy: str | None
    boxes_taxonomy: str | None
    synthetic: bool
    counts: dict[str, int]
    digest: str
    options: dict[str, Any] = field(default_factory=dict)
    catalog_format: int = CATALOG_FORMAT
