"""The export read back as OpenPCDet reads it."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.detection import SPLITS, frame_name, object_name, split_of
from paintpipe.stages.export.gt_database import compare, rows_in_boxes
from paintpipe.stages.export.openpcdet.infos import gather
from paintpipe.stages.export.openpcdet.layout import (
    box_array,
    frame_table,
    is_sampled,
    labels_path,
    points_path,
    sample_path,
)
from paintpipe.stages.export.painted_points import same_bits
from paintpipe.stages.export.pickles import equal, loads
from paintpipe.stages.export.target import DoneFrame, ReadFile


def frame_faults(frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """Points, labels and objects of one frame against the store."""
    name, table = frame_name(frame.row, facts.info.dataset), frame_table(frame, facts)
    yield from _point_faults(points_path(name), table, read)
    if split_of(frame.row) != "test":
        yield from _label_faults(labels_path(name), frame, facts, read)
    if split_of(frame.row) == "train":
        yield from _sample_faults(name, table, frame, facts, read)


def _point_faults(path: str, table: Float32, read: ReadFile) -> Iterator[str]:
    """`CustomDataset.get_lidar`: np.load."""
    points = _load_npy(read(path))
    if points is None or points.dtype != np.float32 or points.shape != table.shape:
        yield f"{path}: {'no array' if points is None else f'{points.dtype} {points.shape}'}, not float32 {table.shape}"
    elif not same_bits(points, table):
        rows = int((points.view(np.uint32) != table.view(np.uint32)).any(axis=1).sum())
        yield f"{path}: {rows} of {len(table)} points differ from the store"


def _load_npy(content: bytes) -> AnyArray | None:
    try:
        return np.load(BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):
        return None


def _label_faults(path: str, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """`CustomDataset.get_label`: words apart by one space, the last one the class, the others float32."""
    lines = [line.strip().split(" ") for line in read(path).decode().splitlines()]
    names = [object_name(box, facts.info.dataset) for box in frame.boxes]
    if [words[-1] for words in lines] != names:
        yield f"{path}: other classes than the catalog's boxes have"
        return
    boxes = np.array([words[:-1] for words in lines], dtype=np.float32).reshape(-1, 7)
    if boxes.tobytes() != box_array(frame.boxes, with_velocity=False).astype(np.float32).tobytes():
        yield f"{path}: other boxes than the catalog's"


def _sample_faults(name: str, table: Float32, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """`DataBaseSampler.add_sampled_boxes_to_scene`: fromfile, reshape, add the box's centre in float32."""
    for number, (box, rows) in enumerate(zip(frame.boxes, rows_in_boxes(table, frame.boxes), strict=True)):
        class_name = object_name(box, facts.info.dataset)
        if not len(rows) or not is_sampled(class_name, facts.info.dataset):
            continue
        path = sample_path(name, class_name, number)
        content = read(path)
        if len(content) % (4 * table.shape[1]):
            yield f"{path}: {len(content)} bytes, no multiple of {table.shape[1]} float32"
        elif compare(np.frombuffer(content, np.float32).reshape(-1, table.shape[1]), table[rows], box.center_m) is None:
            yield f"{path}: with the box's centre added, other points than those of the store in the box"


def list_faults(frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
    """Image sets, infos and the database's index against the catalog, and against each other."""
    lists = gather(frames, facts)
    for split in SPLITS:
        listed = [line.strip() for line in read(f"ImageSets/{split}.txt").decode().splitlines()]
        if listed != lists.names[split]:
            yield f"ImageSets/{split}.txt: other frames than were exported"
        yield from _info_faults(f"custom_infos_{split}.pkl", lists.infos[split], read)
    yield from _index_faults("custom_dbinfos_train.pkl", lists.samples, read)


def _info_faults(path: str, expected: list[dict[str, Any]], read: ReadFile) -> Iterator[str]:
    """`CustomDataset.include_data` and `__getitem__`: the keys that they look up, in the order of the image set."""
    infos = _plain(read(path))
    if not isinstance(infos, list) or len(infos) != len(expected):
        yield f"{path}: no list of {len(expected)} infos"
        return
    for found, wanted in zip(infos, expected, strict=True):
        if not equal(found, wanted):
            yield f"{path}: the info of {wanted['point_cloud']['lidar_idx']} is not that of the catalog"


def _index_faults(path: str, expected: dict[str, list[dict[str, Any]]], read: ReadFile) -> Iterator[str]:
    """`DataBaseSampler.__init__`: a list for each class."""
    index = _plain(read(path))
    if not isinstance(index, dict) or list(index) != list(expected):
        yield f"{path}: no lists for {', '.join(expected)}"
    elif not equal(index, expected):
        yield f"{path}: other objects than those of the frames for training"


def _plain(content: bytes) -> Any:
    try:
        return loads(content)
    except ExportError:
        return None
