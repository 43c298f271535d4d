"""The objects of a nuScenes keyframe as the older detectors' infos hold them, and their ground-truth database.

Boxes are x, y, z of the geometric centre, width, length, height, and −yaw − π/2, after SECOND: `_fill_trainval_infos`
in CenterPoint's det3d/datasets/nuscenes/nusc_common.py and BEVFusion's tools/data_converter/nuscenes_converter.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.stages.export.detection import NUSCENES_CLASSES, object_name
from paintpipe.stages.export.gt_database import relative
from paintpipe.stages.export.target import DoneFrame


@dataclass(frozen=True)
class Sample:
    """One object of the database.

    Attributes:
        number: its place among the boxes of its keyframe's info.
        name: its class.
        path: of its file in the export.
        num_points: rows of the file.
    """

    number: int
    name: str
    path: str
    num_points: int

    def to_json(self) -> list[Any]:
        """Small and plain, for the facts of a frame."""
        return [self.number, self.name, self.path, self.num_points]


def with_points(boxes: Iterable[BoxRow]) -> list[BoxRow]:
    """The boxes that hold a LiDAR point, or of which that is not known.

    Published infos also keep what radar alone has met; the catalog does not count radar points.
    """
    return [box for box in boxes if box.num_lidar_points != 0]


def object_names(boxes: Sequence[BoxRow]) -> list[str]:
    """The ten classes' names, `ignore` for all else."""
    return [object_name(box, "nuscenes") for box in boxes]


def second_boxes(boxes: Sequence[BoxRow]) -> Float64:
    """(N, 7) x y z, w l h, −yaw − π/2 in metres and radians, the centre being the geometric one."""
    rows = [
        [*box.center_m, box.size_lwh_m[1], box.size_lwh_m[0], box.size_lwh_m[2], -box.yaw_rad - np.pi / 2]
        for box in boxes
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 7)


def velocities(boxes: Sequence[BoxRow]) -> Float64:
    """(N, 2) in m/s along the LiDAR's x and y, NaN where unknown."""
    rows = [[np.nan, np.nan] if box.velocity_mps is None else box.velocity_mps[:2] for box in boxes]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class Objects:
    """A keyframe's objects and their points, as a loader makes a table of them.

    Attributes:
        samples: of the ten classes, with points.
        table: (K, W) float32 their rows one after the other, x y z first, in the keyframe's frame.
        origins_m: (K, 3) float64 the geometric centre of each row's box.
    """

    samples: tuple[Sample, ...]
    table: Float32
    origins_m: Float64

    def pieces(self, table: Float32) -> Iterator[Float32]:
        """The rows of each sample in a table that is as long as `table`."""
        begin = 0
        for sample in self.samples:
            yield table[begin : begin + sample.num_points]
            begin += sample.num_points


def objects_in(table: Float32, numbers: Int64, boxes: Sequence[BoxRow], path_of: Callable[[str, int], str]) -> Objects:
    """The objects of the ten classes that have points.

    Args:
        table: (K, W) float32, x y z first, in the frame of the boxes, of points in boxes alone, box after box.
        numbers: (K,) each row's box.
        boxes: of the keyframe's info, in its order.
        path_of: where the file of a class and number lies.
    """
    names, counts = object_names(boxes), np.bincount(numbers, minlength=len(boxes)).tolist()
    samples = [
        Sample(number, name, path_of(name, number), count)
        for number, (name, count) in enumerate(zip(names, counts, strict=True))
        if name in NUSCENES_CLASSES and count
    ]
    wanted = np.zeros(len(boxes), np.bool_)
    wanted[[sample.number for sample in samples]] = True
    kept = wanted[numbers]
    centers_m = np.array([box.center_m for box in boxes], dtype=np.float64).reshape(-1, 3)
    return Objects(tuple(samples), table if kept.all() else table[kept], centers_m[numbers[kept]])


def sample_files(objects: Objects) -> dict[str, bytes]:
    """The database's files: raw little-endian float32 relative to the boxes' centres, as `np.fromfile` reads them."""
    moved = relative(objects.table, objects.origins_m).astype("<f4", copy=False)
    return {s.path: rows.tobytes() for s, rows in zip(objects.samples, objects.pieces(moved), strict=True)}


def samples_of(frame: DoneFrame, form: str) -> list[Sample]:
    """The objects that a frame has in the database of a form, from its facts."""
    return [Sample(*item) for item in frame.facts.get("objects", {}).get(form, [])]


def add_db_infos(
    found: dict[str, list[dict[str, Any]]], samples: Sequence[Sample], boxes: Float32, image_idx: int | str
) -> None:
    """Add a keyframe's objects to the list of each class; an object is a group of its own.

    Keys as CenterPoint's and BEVFusion's `create_groundtruth_database` write them.

    Args:
        found: class → infos, in order of frames.
        samples: of the keyframe.
        boxes: (N, D) float32 of the keyframe's info.
        image_idx: the keyframe's number or token.
    """
    group = sum(map(len, found.values()))
    for offset, sample in enumerate(samples):
        found.setdefault(sample.name, []).append(
            {
                "name": sample.name,
                "path": sample.path,
                "image_idx": image_idx,
                "gt_idx": sample.number,
                "box3d_lidar": boxes[sample.number],
                "num_points_in_gt": sample.num_points,
                "difficulty": 0,
                "group_id": group + offset,
            }
        )
