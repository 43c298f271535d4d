"""The lists over all frames: infos by split, and the index of the ground-truth database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import numpy as np

from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts
from paintpipe.stages.export.detection import IGNORED, SPLITS, difficulty_level, object_name, split_of
from paintpipe.stages.export.gt_database import bottom_center_m
from paintpipe.stages.export.mmdet3d.boxes import database_box, upright_boxes
from paintpipe.stages.export.mmdet3d.kitti import kitti_info
from paintpipe.stages.export.mmdet3d.layout import CLASSES, KEYFRAMES, TRAINED, num_columns, points_path, sample_path
from paintpipe.stages.export.mmdet3d.nuscenes import nuscenes_info
from paintpipe.stages.export.target import DoneFrame

INFO_VERSION = "1.1"


@dataclass
class Lists:
    """What `finish` gathers.

    Attributes:
        infos: `data_list` by split.
        samples: entries of the database by class; every class that is trained is there, if empty.
        ignored: classes of boxes that no label stands for.
    """

    infos: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)


def gather(frames: Iterable[DoneFrame], facts: ExportFacts) -> Lists:
    """The lists of all frames.

    Raises:
        ExportError: two frames have one file, or a frame lacks what the format needs.
    """
    dataset = facts.info.dataset
    lists, seen = Lists(samples={name: [] for name in TRAINED[dataset]}), set()
    for frame in frames:
        path, split = points_path(frame.row, dataset), split_of(frame.row)
        if path in seen:
            raise ExportError("two frames have the same file", where=path)
        seen |= {path, *_written_sweeps(frame)}
        frame = _with_sweeps_in(frame, seen)
        infos, with_boxes = lists.infos[split], split != "test"
        if dataset == "kitti":
            infos.append(kitti_info(frame, len(infos), num_columns(facts), with_boxes))
        else:
            infos.append(nuscenes_info(frame, len(infos), facts, with_boxes))
        names = {object_name(box, dataset) for box in frame.boxes}
        lists.ignored |= names - set(CLASSES[dataset])
        if split == "train":
            _add_samples(lists.samples, frame, len(infos) - 1, dataset)
    return lists


def _written_sweeps(frame: DoneFrame) -> list[str]:
    """The files of a keyframe's sweeps that it has written itself; see `own_sweeps`."""
    paths = (sweep["path"] for sweep in frame.facts["sweeps"])
    return list(takewhile(lambda path: not path.startswith(KEYFRAMES), paths))


def _with_sweeps_in(frame: DoneFrame, written: Collection[str]) -> DoneFrame:
    """The frame with those of its sweeps that are there: those before a keyframe that is not exported are not."""
    sweeps = [sweep for sweep in frame.facts["sweeps"] if sweep["path"] in written]
    return replace(frame, facts={**frame.facts, "sweeps": sweeps})


def metainfo(lists: Lists, facts: ExportFacts) -> dict[str, Any]:
    """`metainfo` of an infos file."""
    dataset = facts.info.dataset
    categories = {name: label for label, name in enumerate(CLASSES[dataset])} | dict.fromkeys(sorted(lists.ignored), -1)
    found = {"categories": categories, "dataset": dataset, "info_version": INFO_VERSION}
    return found | ({"version": facts.info.version} if dataset == "nuscenes" else {})


def infos_file(split: str, lists: Lists, facts: ExportFacts) -> dict[str, Any]:
    """The content of `<dataset>_infos_<split>.pkl`."""
    return {"metainfo": metainfo(lists, facts), "data_list": lists.infos[split]}


def _add_samples(samples: dict[str, list[dict[str, Any]]], frame: DoneFrame, position: int, dataset: str) -> None:
    """The keys of `create_gt_database.py`, `create_groundtruth_database`; boxes and points are of the LiDAR frame."""
    counts: list[int] = frame.facts["points_in_samples"]
    for number, box in enumerate(upright_boxes(frame.boxes, frame.images, dataset)):
        name = object_name(box, dataset)
        if name == IGNORED or name not in samples or not counts[number]:
            continue
        samples[name].append(
            {
                "name": name,
                "path": sample_path(frame.row, dataset, name, number),
                "image_idx": position,
                "gt_idx": number,
                "box3d_lidar": np.array(database_box(box, bottom_center_m(box), dataset), np.float32),
                "num_points_in_gt": counts[number],
                "difficulty": difficulty_level(box, dataset),
                "group_id": sum(map(len, samples.values())),
            }
        )
