"""Names of files and columns, and the arrays of boxes, as OpenPCDet's `CustomDataset` has them.

Rules: `pcdet/datasets/custom/custom_dataset.py` and `docs/CUSTOM_DATASET_TUTORIAL.md` of OpenPCDet 0.6.
"""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.detection import KITTI_CLASSES, NUSCENES_CLASSES
from paintpipe.stages.export.painted_points import accumulated_table, painted_table

TIME = "timestamp"
LEFT_OUT = ("ring",)
"""Point columns that OpenPCDet leaves out of nuScenes (`nuscenes_dataset.py`, `get_lidar_with_sweeps`)."""


def points_path(name: str) -> str:
    """`CustomDataset.get_lidar`."""
    return f"points/{name}.npy"


def labels_path(name: str) -> str:
    """`CustomDataset.get_label`."""
    return f"labels/{name}.txt"


def sample_path(name: str, class_name: str, box: int) -> str:
    """`CustomDataset.create_groundtruth_database`; `box` counts all boxes of the frame."""
    return f"gt_database/{name}_{class_name}_{box}.bin"


def kept_columns(features: Sequence[str]) -> list[int]:
    """Which columns of the point file are written."""
    return [column for column, name in enumerate(features) if name not in LEFT_OUT]


def column_names(facts: ExportFacts) -> list[str]:
    """`src_feature_list`: x, y, z first (`point_feature_encoder.py`, `PointFeatureEncoder`), scores last."""
    kept = [facts.features[column] for column in kept_columns(facts.features)]
    return [*kept, *([TIME] if facts.settings.sweeps else []), *(f"score_{name}" for name in facts.channels)]


def frame_table(frame: ExportFrame, facts: ExportFacts) -> Float32:
    """(N, W) float32, columns as `column_names`: the frame's points, and its sweeps' where they are asked for."""
    columns = kept_columns(facts.features)
    if facts.settings.sweeps:
        return accumulated_table(frame, columns)
    return painted_table(frame.points, frame.scores, columns)


def class_names(dataset: str, seen: Sequence[str]) -> tuple[str, ...]:
    """`CLASS_NAMES`: those of the benchmark; all that were seen, sorted, where the dataset is people's own."""
    known = {"kitti": KITTI_CLASSES, "nuscenes": NUSCENES_CLASSES}
    return known.get(dataset) or tuple(sorted(set(seen)))


def is_sampled(class_name: str, dataset: str) -> bool:
    """Whether objects of a class go to the database."""
    return class_name in class_names(dataset, [class_name])


def box_array(boxes: Sequence[BoxRow], with_velocity: bool) -> Float64:
    """(B, 7) or (B, 9) `gt_boxes_lidar`: centre, dx dy dz = length width height, heading about +z from +x, velocity.

    The unified box definition of OpenPCDet's README: x forward, y left, z up in KITTI; nuScenes' boxes are in its LiDAR
    frame as it is (`nuscenes_utils.py`, `fill_trainval_infos`). A velocity that nuScenes does not know is 0, which is
    what `SET_NAN_VELOCITY_TO_ZEROS` makes of it in training.
    """
    width = 9 if with_velocity else 7
    rows = [[*box.center_m, *box.size_lwh_m, box.yaw_rad, *_velocity(box)][:width] for box in boxes]
    return np.array(rows, np.float64).reshape(len(rows), width)


def _velocity(box: BoxRow) -> list[float]:
    return [0.0, 0.0] if box.velocity_mps is None else np.nan_to_num(box.velocity_mps).tolist()
