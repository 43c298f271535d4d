"""Reading an export for CenterPoint back as its loader would, and comparing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.export import ExportFrame, ExportSettings
from paintpipe.stages.export import pickles
from paintpipe.stages.export.centerpoint.database import found_in, objects_of
from paintpipe.stages.export.centerpoint.infos import gt_boxes
from paintpipe.stages.export.centerpoint.layout import ROOT, Form, Layout
from paintpipe.stages.export.centerpoint.loader import load_sweep
from paintpipe.stages.export.centerpoint.tables import WIDTH, loaded
from paintpipe.stages.export.detection import split_of
from paintpipe.stages.export.nuscenes_objects import samples_of, with_points
from paintpipe.stages.export.object_check import db_infos_faults, guarded, object_faults
from paintpipe.stages.export.painted_points import same_bits
from paintpipe.stages.export.target import DoneFrame, ReadFile

_SWEEP = {"lidar_path", "transform_matrix", "time_lag"}
"""What `read_sweep` looks up."""


def sweep_faults(form: Form, frame: ExportFrame, read: ReadFile) -> Iterator[str]:
    """The sweep's file loaded, against the frame bit for bit."""
    path = frame.row.points_path
    yield from guarded(f"{path}, {form}", _table_faults(f"{path}, {form}", form, frame, read))


def _table_faults(name: str, form: Form, frame: ExportFrame, read: ReadFile) -> Iterator[str]:
    found = load_sweep(form, frame.row.points_path, frame.points, read)
    expected = loaded(form, frame.points, frame.scores)
    if found.shape != expected.shape or found.dtype != np.float32:
        yield f"{name}: loads as {found.dtype} {found.shape}, expected float32 {expected.shape}"
    elif not same_bits(found, expected):
        rows = np.flatnonzero((found.view(np.uint32) != expected.view(np.uint32)).any(axis=1))
        yield f"{name}: {len(rows)} points differ from the store, the first is row {rows[0]}"


def database_faults(
    forms: Sequence[Form], frame: ExportFrame, settings: ExportSettings, read: ReadFile
) -> Iterator[str]:
    """A training keyframe's objects, against the painted points of all its sweeps in each box."""
    found = found_in(frame, settings)
    for form in forms:
        yield from object_faults(objects_of(frame, form, settings, found), read)


def finish_faults(frames: Iterable[DoneFrame], layout: Layout, forms: Sequence[Form], read: ReadFile) -> Iterator[str]:
    """Infos and database infos, against the frames that are exported."""
    keyframes = [frame for frame in frames if frame.row.is_keyframe]
    for split in ("train", "val", "test"):
        wanted = [frame for frame in keyframes if split_of(frame.row) == split]
        if wanted or split != "test":
            path = layout.infos(split)
            yield from guarded(path, _infos_faults(path, wanted, layout, read))
    train = [frame for frame in keyframes if split_of(frame.row) == "train"]
    tables = [np.nan_to_num(gt_boxes(with_points(frame.boxes)).astype(np.float32), nan=0.0) for frame in train]
    for form in forms:
        samples = [sample for frame in train for sample in samples_of(frame, form)]
        boxes = [
            box
            for frame, table in zip(train, tables, strict=True)
            for box in table[[sample.number for sample in samples_of(frame, form)]]
        ]
        yield from db_infos_faults(layout.db_infos(form), samples, boxes, 4 * (WIDTH[form] + 1), read)


def _infos_faults(path: str, wanted: Sequence[DoneFrame], layout: Layout, read: ReadFile) -> Iterator[str]:
    infos = pickles.loads(read(path))
    if len(infos) != len(wanted):
        yield f"{path}: {len(infos)} keyframes, expected {len(wanted)}"
        return
    for info, frame in zip(infos, wanted, strict=True):
        yield from (f"{path}, {frame.row.frame_id}: {fault}" for fault in _info_faults(info, frame, layout))


def _info_faults(info: dict[str, Any], frame: DoneFrame, layout: Layout) -> Iterator[str]:
    """What `LoadPointCloudFromFile`, `LoadPointCloudAnnotations` and `load_infos` take from an entry."""
    if info["lidar_path"] != ROOT + frame.row.points_path:
        yield f"points of {info['lidar_path']}"
    if len(info["sweeps"]) != layout.num_sweeps - 1:
        yield f"{len(info['sweeps'])} sweeps, and the loader wants {layout.num_sweeps - 1}"
    if absent := {key for sweep in info["sweeps"] for key in _SWEEP - sweep.keys()} | {"token"} - info.keys():
        yield f"without {', '.join(sorted(absent))}"
    lags = [float(sweep["time_lag"]) for sweep in info["sweeps"]]
    if lags != sorted(lags) or any(lag < 0 for lag in lags):
        yield f"sweeps out of order: {lags}"
    if split_of(frame.row) == "test":
        return
    expected: Float32 = gt_boxes(with_points(frame.boxes)).astype(np.float32)
    found = info["gt_boxes"].astype(np.float32)
    if found.shape != expected.shape or found.tobytes() != expected.tobytes():
        yield f"boxes {found.shape} differ from the catalog's {expected.shape}"
    if {len(info[key]) for key in ("gt_names", "gt_boxes_token", "gt_boxes_velocity")} != {len(expected)}:
        yield "names, tokens and velocities are not one for each box"
