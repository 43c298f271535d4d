"""Reading an export for BEVFusion back as its loader would, and comparing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export import pickles
from paintpipe.stages.export.bevfusion.database import objects_of
from paintpipe.stages.export.bevfusion.infos import pasted_boxes
from paintpipe.stages.export.bevfusion.layout import DB_INFOS, ROOT, infos_path
from paintpipe.stages.export.bevfusion.loader import load_sweep
from paintpipe.stages.export.bevfusion.tables import WIDTH, table_of
from paintpipe.stages.export.detection import split_of
from paintpipe.stages.export.nuscenes_objects import samples_of, with_points
from paintpipe.stages.export.object_check import db_infos_faults, guarded, object_faults
from paintpipe.stages.export.painted_points import same_bits
from paintpipe.stages.export.target import DoneFrame, ReadFile

_POSES = ("lidar2ego_rotation", "lidar2ego_translation", "ego2global_rotation", "ego2global_translation")
_INFO = {"token", "lidar_path", "sweeps", "timestamp", "location", "cams", *_POSES}
_SENSOR = {"data_path", "sensor2lidar_rotation", "sensor2lidar_translation"}
_SWEEP = {*_SENSOR, "timestamp"}
_CAMERA = {*_SENSOR, "sensor2ego_rotation", "sensor2ego_translation", "camera_intrinsics", "cam_intrinsic"}
"""What `get_data_info` and `LoadPointsFromMultiSweeps` look up; of the intrinsics, each version one of two names."""
FORM = "painted"
"""The one form of the database, in the facts of frames."""


def sweep_faults(frame: ExportFrame, read: ReadFile) -> Iterator[str]:
    """The sweep's file loaded, against the frame bit for bit."""
    yield from guarded(frame.row.points_path, _table_faults(frame, read))


def _table_faults(frame: ExportFrame, read: ReadFile) -> Iterator[str]:
    path = frame.row.points_path
    found = load_sweep(path, frame.points, read)
    expected = table_of(frame.points, frame.scores)
    if not same_bits(found, expected):
        rows = np.flatnonzero((found.view(np.uint32) != expected.view(np.uint32)).any(axis=1))
        yield f"{path}: {len(rows)} points differ from the store, the first is row {rows[0]}"


def database_faults(frame: ExportFrame, settings: ExportSettings, read: ReadFile) -> Iterator[str]:
    """A training keyframe's objects, against the painted points of all its sweeps in each box."""
    yield from object_faults(objects_of(frame, settings), read)


def finish_faults(frames: Iterable[DoneFrame], read: ReadFile) -> Iterator[str]:
    """Infos and database infos, against the frames that are exported."""
    keyframes = [frame for frame in frames if frame.row.is_keyframe]
    for split in ("train", "val", "test"):
        wanted = [frame for frame in keyframes if split_of(frame.row) == split]
        if wanted or split != "test":
            yield from guarded(infos_path(split), _infos_faults(infos_path(split), wanted, read))
    train = [frame for frame in keyframes if split_of(frame.row) == "train"]
    samples = [sample for frame in train for sample in samples_of(frame, FORM)]
    boxes = [
        box
        for frame in train
        for box in pasted_boxes(with_points(frame.boxes))[[sample.number for sample in samples_of(frame, FORM)]]
    ]
    yield from db_infos_faults(DB_INFOS, samples, boxes, 4 * WIDTH, read)


def _infos_faults(path: str, wanted: Sequence[DoneFrame], read: ReadFile) -> Iterator[str]:
    infos = pickles.loads(read(path))["infos"]
    by_path = {info["lidar_path"]: info for info in infos}
    if len(infos) != len(wanted) or by_path.keys() != {ROOT + frame.row.points_path for frame in wanted}:
        yield f"{path}: {len(infos)} keyframes, expected {len(wanted)}"
        return
    for frame in wanted:
        info = by_path[ROOT + frame.row.points_path]
        yield from (f"{path}, {frame.row.frame_id}: {fault}" for fault in _info_faults(info, frame))


def _info_faults(info: dict[str, Any], frame: DoneFrame) -> Iterator[str]:
    """What `get_data_info`, `get_ann_info` and `LoadPointsFromMultiSweeps` take from an entry."""
    yield from _absent(info)
    times = [info["timestamp"], *(sweep["timestamp"] for sweep in info["sweeps"])]
    if times != sorted(times, reverse=True):
        yield f"sweeps out of order: {times}"
    if len(info["cams"]) != len(frame.images):
        yield f"{len(info['cams'])} cameras, expected {len(frame.images)}"
    if split_of(frame.row) == "test":
        return
    lengths = {len(info[key]) for key in ("gt_boxes", "gt_names", "gt_velocity", "num_lidar_pts", "valid_flag")}
    if lengths != {len(frame.boxes)}:
        yield f"boxes, names, velocities and counts of {sorted(lengths)}, expected {len(frame.boxes)}"
        return
    found = np.hstack([info["gt_boxes"], np.nan_to_num(info["gt_velocity"], nan=0.0)]).astype(np.float32)
    if found.tobytes() != pasted_boxes(frame.boxes).tobytes():
        yield "boxes differ from the catalog's"


def _absent(info: dict[str, Any]) -> Iterator[str]:
    entries = [("entry", _INFO, info), *(("sweep", _SWEEP, sweep) for sweep in info["sweeps"])]
    for what, keys, entry in [*entries, *(("camera", _CAMERA, camera) for camera in info["cams"].values())]:
        if keys - entry.keys():
            yield f"{what} without {', '.join(sorted(keys - entry.keys()))}"
