"""Names of files, columns and classes, as MMDetection3D 1.4 has them."""

from pathlib import PurePosixPath

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.detection import checked_name, frame_name
from paintpipe.stages.export.painted_points import accumulated_table, painted_table

KITTI_CLASSES = ("Pedestrian", "Cyclist", "Car", "Van", "Truck", "Person_sitting", "Tram", "Misc")
"""`KittiDataset.METAINFO` (`mmdet3d/datasets/kitti_dataset.py`): labels count in these."""
KITTI_TRAINED = KITTI_CLASSES[:3]
NUSCENES_CLASSES = (
    "car",
    "truck",
    "trailer",
    "bus",
    "construction_vehicle",
    "bicycle",
    "motorcycle",
    "pedestrian",
    "traffic_cone",
    "barrier",
)
"""`NuScenesDataset.METAINFO` (`mmdet3d/datasets/nuscenes_dataset.py`)."""
CLASSES = {"kitti": KITTI_CLASSES, "nuscenes": NUSCENES_CLASSES}
TRAINED = {"kitti": KITTI_TRAINED, "nuscenes": NUSCENES_CLASSES}
TIME_COLUMN = 4
"""`LoadPointsFromMultiSweeps.transform` writes the lag into this column of every point, whatever is there."""
KEYFRAMES = "samples/"
"""Where nuScenes keeps keyframes."""
_COLUMNS = range(4)


def points_path(row: FrameRow, dataset: str) -> str:
    """Where a frame's points lie: `samples` for keyframes and `sweeps` for the others on nuScenes."""
    if dataset == "nuscenes":
        name = checked_name(PurePosixPath(row.points_path).name, "file")
        return f"{KEYFRAMES if row.is_keyframe else 'sweeps/'}LIDAR_TOP/{name}"
    return f"{points_folder(row)}/{checked_name(row.frame_id, 'frame')}.bin"


def points_folder(row: FrameRow) -> str:
    """KITTI's folder of painted points."""
    return f"{row.sequence}/velodyne_painted"


def sample_path(row: FrameRow, dataset: str, class_name: str, box: int) -> str:
    """`create_gt_database.py`, but the frame's name stands for its number; `box` counts all boxes of the frame."""
    return f"{dataset}_gt_database/{frame_name(row, dataset)}_{class_name}_{box}.bin"


def num_columns(facts: ExportFacts) -> int:
    """KITTI: x y z r and scores; nuScenes: x y z intensity time and scores."""
    return len(_COLUMNS) + (facts.info.dataset == "nuscenes") + len(facts.channels)


def frame_table(points: Float32, scores: Float32, facts: ExportFacts) -> Float32:
    """(N, W) float32 as they lie in the file; the time is 0, for a sweep belongs to more than one keyframe."""
    return painted_table(points, scores, _COLUMNS, with_time=facts.info.dataset == "nuscenes")


def scene_table(frame: ExportFrame, own: Float32, facts: ExportFacts) -> Float32:
    """(N', W) float32 as the pipeline hands them to `ObjectSample`: with the sweeps, moved and timed, on nuScenes.

    Args:
        frame: to be exported.
        own: its `frame_table`, which is all of it on KITTI.
        facts: of the export.
    """
    return accumulated_table(frame, _COLUMNS) if facts.info.dataset == "nuscenes" else own
