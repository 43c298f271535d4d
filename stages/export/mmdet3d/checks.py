"""The export read back as MMDetection3D reads it."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.detection import SPLITS, split_of
from paintpipe.stages.export.gt_database import compare
from paintpipe.stages.export.mmdet3d.frame import Objects, frame_objects, own_sweeps
from paintpipe.stages.export.mmdet3d.infos import gather, infos_file
from paintpipe.stages.export.mmdet3d.layout import frame_table, points_path
from paintpipe.stages.export.painted_points import same_bits
from paintpipe.stages.export.pickles import equal, loads
from paintpipe.stages.export.target import DoneFrame, ReadFile


def frame_faults(frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """Points, sweeps and objects of one frame against the store."""
    dataset = facts.info.dataset
    own = frame_table(frame.points, frame.scores, facts)
    yield from _point_faults(points_path(frame.row, dataset), own, read)
    for sweep in own_sweeps(frame):
        yield from _point_faults(points_path(sweep.row, dataset), frame_table(sweep.points, sweep.scores, facts), read)
    if split_of(frame.row) == "train":
        yield from _sample_faults(frame_objects(frame, own, facts), read)


def _point_faults(path: str, table: Float32, read: ReadFile) -> Iterator[str]:
    """`LoadPointsFromFile`: float32 from the buffer, reshape(-1, load_dim)."""
    found = _table(read(path), table.shape[1])
    if found is None or found.shape != table.shape:
        yield f"{path}: no {len(table)} rows of {table.shape[1]} float32"
    elif not same_bits(found, table):
        rows = int((found.view(np.uint32) != table.view(np.uint32)).any(axis=1).sum())
        yield f"{path}: {rows} of {len(table)} points differ from the store"


def _sample_faults(objects: Objects, read: ReadFile) -> Iterator[str]:
    """`DataBaseSampler.sample_all`: the points loader, then `translate` by the box's bottom in float32."""
    for item in objects.items:
        found = _table(read(item.path), objects.table.shape[1])
        if found is None:
            yield f"{item.path}: no rows of {objects.table.shape[1]} float32"
        elif compare(found, objects.table[item.rows], item.bottom_m) is None:
            yield f"{item.path}: with the box's bottom added, other points than those of the store in the box"


def _table(content: bytes, columns: int) -> Float32 | None:
    if len(content) % (4 * columns):
        return None
    return np.frombuffer(content, np.float32).reshape(-1, columns)


def list_faults(frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """Infos and the database's index against the catalog."""
    lists, dataset = gather(frames, facts), facts.info.dataset
    for split in SPLITS:
        path = f"{dataset}_infos_{split}.pkl"
        yield from _info_faults(path, infos_file(split, lists, facts), read)
    path = f"{dataset}_dbinfos_train.pkl"
    if not equal(_plain(read(path)), lists.samples):
        yield f"{path}: other objects than those of the frames for training"


def _info_faults(path: str, wanted: dict[str, Any], read: ReadFile) -> Iterator[str]:
    """`BaseDataset.load_data_list` of MMEngine: a dict with `metainfo` and `data_list`."""
    found = _plain(read(path))
    if not isinstance(found, dict) or not {"metainfo", "data_list"} <= set(found):
        yield f"{path}: no dict of metainfo and data_list"
    elif not equal(found["metainfo"], wanted["metainfo"]):
        yield f"{path}: other metainfo"
    elif len(found["data_list"]) != len(wanted["data_list"]):
        yield f"{path}: {len(found['data_list'])} frames, not {len(wanted['data_list'])}"
    else:
        for at, (one, other) in enumerate(zip(found["data_list"], wanted["data_list"], strict=True)):
            if not equal(one, other):
                yield f"{path}: entry {at} ({other['lidar_points']['lidar_path']}) is not that of the catalog"


def _plain(content: bytes) -> Any:
    try:
        return loads(content)
    except ExportError:
        return None
