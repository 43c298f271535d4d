"""What frames, splits and objects are called in the files that detectors read."""

import re

from paintpipe.schemas.catalog import BoxRow, FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.taxonomies.load import load_taxonomy

KITTI_CLASSES = ("Car", "Pedestrian", "Cyclist")
NUSCENES_CLASSES = (
    "car",
    "truck",
    "construction_vehicle",
    "bus",
    "trailer",
    "barrier",
    "motorcycle",
    "bicycle",
    "pedestrian",
    "traffic_cone",
)
IGNORED = "ignore"
"""An object of nuScenes outside its detection classes (OpenPCDet `nuscenes_utils.py`)."""
SPLITS = ("train", "val", "test")
DIFFICULTIES = {"easy": 0, "moderate": 1, "hard": 2}
"""KITTI's levels as detectors number them, -1 for none (OpenPCDet `object3d_kitti.py`, `get_kitti_obj_level`)."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def split_of(row: FrameRow) -> str:
    """`train`, `val` or `test`: the mini version's splits count as those, and a frame without one is for training."""
    split = (row.split or "train").removeprefix("mini_")
    return split if split in SPLITS else "train"


def frame_name(row: FrameRow, dataset: str) -> str:
    """What a frame's files are called: the detectors' own name where the dataset has one, else with its sequence.

    Raises:
        ExportError: the name is no file name.
    """
    if dataset == "nuscenes":
        return checked_name(row.sample_token or row.frame_id, "frame")
    if dataset == "kitti" and row.sequence == "training":
        return checked_name(row.frame_id, "frame")
    return checked_name(f"{row.sequence}_{row.frame_id}", "frame")


def object_name(box: BoxRow, dataset: str) -> str:
    """The class of a box as detectors write it.

    nuScenes' categories become its detection classes as nuscenes-devkit's `category_to_detection_name`
    (`nuscenes/eval/detection/utils.py`) has them, the others `ignore`; KITTI's and other names stay.

    Raises:
        ExportError: the name is no file name, though objects' files are called by it.
    """
    if dataset != "nuscenes":
        return checked_name(box.class_name, "class")
    return load_taxonomy("nuscenes-det11").aliases.get(box.class_name, IGNORED)


def difficulty_level(box: BoxRow, dataset: str) -> int:
    """KITTI's level, -1 where the benchmark does not count the object; 0 for every object of other datasets."""
    return DIFFICULTIES.get(box.difficulty or "", -1) if dataset == "kitti" else 0


def checked_name(name: str, what: str) -> str:
    """`name`, if it may be part of a file's name and of a line of words."""
    if not _NAME.fullmatch(name):
        expected = "letters, digits and any of . _ + -"
        raise ExportError(f"{what} name {name!r} can't be part of a file's name", expected=expected)
    return name
