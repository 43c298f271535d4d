"""The objects of a nuScenes keyframe as the older detectors' infos hold them, and their ground-truth database.

Boxes are x, y, z of the geometric centre, width, length, height, and −yaw − π/2, after SECOND: `_fill_trainval_infos`
in CenterPoint's det3d/datasets/nuscenes/nusc_common.py and BEVFusion's tools/data_converter/nuscenes_converter.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.stages.export.detection import NUSCENES_CLASSES, object_name
from paintpipe.stages.export.gt_database import relative, rows_in_boxes
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


def cut_out(table: Float32, boxes: Sequence[BoxRow], path_of: Callable[[str, int], str]) -> dict[Sample, Float32]:
    """Each object of the ten classes that has points → its rows of `table`, relative to the box's geometric centre.

    Args:
        table: (N, W) float32, x y z first, in the frame of the boxes.
        boxes: of the keyframe's info, in its order.
        path_of: where the file of a class and number lies.
    """
    names = object_names(boxes)
    samples: dict[Sample, Float32] = {}
    for number, (box, name, rows) in enumerate(zip(boxes, names, rows_in_boxes(table, boxes), strict=True)):
        if name in NUSCENES_CLASSES and len(rows):
            sample = Sample(number, name, path_of(name, number), len(rows))
            samples[sample] = relative(table[rows], box.center_m)
    return samples


def sample_files(samples: Mapping[Sample, Float32]) -> dict[str, bytes]:
    """The database's files: raw little-endian float32, as `np.fromfile` reads them."""
    return {sample.path: rows.astype("<f4").tobytes() for sample, rows in samples.items()}


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
