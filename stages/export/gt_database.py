"""The ground-truth database: the painted points of each labelled object, relative to a point of its box.

Detectors paste these objects into other frames (`gt_sampling`, `ObjectSample`, `db_sampler`): they read the file as
float32 and add the box's place to x, y and z. Which place that is, is the target's rule: the geometric centre or the
middle of the bottom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, Float64, Int64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.stages.paint.box_hits import box_hits

MIN_POINTS = 5
"""Points that an object of the database has to have to be pasted, for every class of every configuration."""
NUSCENES_GROUPS = {
    "car": 2,
    "truck": 3,
    "construction_vehicle": 7,
    "bus": 4,
    "trailer": 6,
    "barrier": 2,
    "motorcycle": 6,
    "bicycle": 6,
    "pedestrian": 2,
    "traffic_cone": 2,
}
"""Objects that training fills a frame up to, by class: the same in all four detectors' published configurations."""


def rows_in_boxes(points: Float32, boxes: Sequence[BoxRow]) -> list[Int64]:
    """Rows of the points inside each box, in their order; boxes are in full precision and stand upright.

    Detectors turn their boxes about +z alone, so a nuScenes box's slight roll and pitch are left out here.

    Args:
        points: (N, >=3) float32 in the frame of the boxes.
        boxes: closed; a box of negative size holds nothing.
    """
    rows, numbers = box_hits(points, boxes)
    ends = np.cumsum(np.bincount(numbers, minlength=len(boxes)))
    return np.split(rows[np.argsort(numbers, kind="stable")], ends[:-1]) if len(boxes) else []


def bottom_center_m(box: BoxRow) -> Float64:
    """(3,) the middle of the box's lower face in the LiDAR frame."""
    return np.asarray(box.center_m, np.float64) - [0.0, 0.0, float(box.size_lwh_m[2]) / 2.0]


def relative(table: Float32, origin_m: Float64) -> Float32:
    """(M, W) float32: the rows with x, y, z relative to `origin_m`, subtracted in float64 and rounded once.

    Loaders add the origin in float32, so it is rounded to float32 first; `restored` then gives the points back bit for
    bit wherever float32 has room. It has none where a coordinate lies nearer to 0 than to its origin (z near 0, a car
    beside the sensor): the relative coordinate is the larger of the two, and its steps are the coarser. Such a
    coordinate comes back at most one step of the relative coordinate off: 2.4e-7 m for up to 4 m.
    """
    moved, origin = table.copy(), np.asarray(origin_m, np.float64).astype(np.float32)
    for axis in range(3):
        moved[:, axis] = table[:, axis].astype(np.float64) - origin[..., axis]
    return moved


def restored(sample: Float32, origin_m: Float64) -> Float32:
    """(M, W) float32: what a loader makes of `relative` rows, adding in float32."""
    table, origin = sample.copy(), np.asarray(origin_m, np.float64).astype(np.float32)
    for axis in range(3):
        table[:, axis] += origin[..., axis]
    return table


def sampled_classes(samples: Mapping[str, Sequence[Mapping[str, Any]]], min_points: int) -> list[str]:
    """Classes with an object that the samplers' filters leave: enough points, and a difficulty that counts.

    All samplers end in an error on a class without any (`np.stack` of nothing: OpenPCDet `database_sampler.py`,
    `DataBaseSampler.__call__`; `sample_class_v2` of MMDetection3D's and BEVFusion's `dbsampler.py` and of CenterPoint's
    `sample_ops.py`), so configurations sample from these.

    Args:
        samples: the database's index: entries with `num_points_in_gt` and `difficulty` by class.
        min_points: that an object has to have.
    """
    return [
        name
        for name, items in samples.items()
        if any(item["num_points_in_gt"] >= min_points and item["difficulty"] >= 0 for item in items)
    ]


@dataclass(frozen=True)
class Restored:
    """How the coordinates of objects come back from the database.

    Attributes:
        coordinates: in all.
        exact: that are those of the store, bit for bit.
        worst_m: the largest difference.
    """

    coordinates: int
    exact: int
    worst_m: float


def compare(sample: Float32, table: Float32, origin_m: Float64) -> Restored | None:
    """How a sample's coordinates come back, None where it is no sample of these rows at all.

    Args:
        sample: (M, W) float32 read from the database.
        table: (M, W) float32 of the frame's rows in the box.
        origin_m: (3,) what the loader adds.
    """
    if sample.shape != table.shape or strays(sample, table, origin_m).any():
        return None
    found, true = restored(sample, origin_m)[:, :3], table[:, :3]
    difference_m = np.abs(found.astype(np.float64) - true)
    return Restored(true.size, int((found == true).sum()), float(difference_m.max(initial=0.0)))


def strays(sample: Float32, table: Float32, origins_m: Float64) -> Bool:
    """(M,) rows that do not come back: more than one step of the relative coordinate off, or other values beside it.

    Args:
        sample: (M, W) float32 read from the database.
        table: (M, W) float32 of the frame's rows in the box.
        origins_m: (3,) or (M, 3) what the loader adds.
    """
    bits = np.ascontiguousarray(sample).view(np.uint32)[:, 3:], np.ascontiguousarray(table).view(np.uint32)[:, 3:]
    found, stray = restored(sample[:, :3], origins_m), np.zeros(len(table), np.bool_)
    for axis in range(3):
        places = np.flatnonzero(found[:, axis] != table[:, axis])  # nearly all come back as they are
        difference_m = np.abs(found[places, axis].astype(np.float64) - table[places, axis])
        stray[places] |= ~(difference_m <= np.spacing(np.abs(sample[places, axis])))
    if not np.array_equal(*bits):
        stray |= (bits[0] != bits[1]).any(axis=1)
    return stray
