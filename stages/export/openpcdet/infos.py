"""The lists over all frames: image sets, infos, and the index of the ground-truth database.

Rules: `custom_dataset.py` of OpenPCDet 0.6 (`get_infos`, `create_groundtruth_database`, `include_data`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts
from paintpipe.stages.export.detection import SPLITS, difficulty_level, frame_name, object_name, split_of
from paintpipe.stages.export.openpcdet.layout import box_array, class_names, column_names, is_sampled, sample_path
from paintpipe.stages.export.target import DoneFrame

_NAME_WIDTH = 20
"""Characters of a name, at least: evaluation writes KITTI's names over ours, and numpy would cut them off
(`kitti_utils.py`, `transform_annotations_to_kitti_format`)."""


@dataclass
class Lists:
    """What `finish` gathers.

    Attributes:
        names: of frames by split, in the order of the infos (`CustomDataset.__getitem__` counts on it).
        infos: by split.
        samples: entries of the database by class; every class of `CLASS_NAMES` is there, if empty
            (`database_sampler.py`, `DataBaseSampler.__init__` looks each of them up).
    """

    names: dict[str, list[str]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    infos: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def gather(frames: Iterable[DoneFrame], facts: ExportFacts) -> Lists:
    """The lists of all frames.

    Raises:
        ExportError: two frames have one name.
    """
    lists, dataset, seen = Lists(), facts.info.dataset, set()
    for frame in frames:
        name, split = frame_name(frame.row, dataset), split_of(frame.row)
        if name in seen:
            raise ExportError(f"two frames are called {name}", where=frame.row.sequence)
        seen.add(name)
        lists.names[split].append(name)
        lists.infos[split].append(_info(name, split, frame, facts))
        if split == "train":
            _add_samples(lists.samples, name, frame, dataset)
    classes = class_names(dataset, [item for info in lists.infos["train"] for item in info["annos"]["name"].tolist()])
    lists.samples = {item: lists.samples.get(item, []) for item in classes}
    return lists


def _info(name: str, split: str, frame: DoneFrame, facts: ExportFacts) -> dict[str, Any]:
    info: dict[str, Any] = {"point_cloud": {"num_features": len(column_names(facts)), "lidar_idx": name}}
    if facts.info.dataset == "nuscenes":
        info["metadata"] = {"token": name}
    if split == "test":
        return info
    names = [object_name(box, facts.info.dataset) for box in frame.boxes]
    width = max([_NAME_WIDTH, *(len(item) for item in names)])
    boxes = box_array(frame.boxes, with_velocity=facts.info.dataset == "nuscenes")
    info["annos"] = {
        "name": np.array(names, dtype=f"U{width}"),
        "gt_boxes_lidar": boxes.astype(np.float32),
        "num_points_in_gt": np.array(frame.facts["points_in_boxes"], np.int64),
    }
    return info


def _add_samples(samples: dict[str, list[dict[str, Any]]], name: str, frame: DoneFrame, dataset: str) -> None:
    boxes = box_array(frame.boxes, with_velocity=dataset == "nuscenes").astype(np.float32)
    counts: list[int] = frame.facts["points_in_boxes"]
    for number, (box, count) in enumerate(zip(frame.boxes, counts, strict=True)):
        class_name = object_name(box, dataset)
        if count and is_sampled(class_name, dataset):
            samples.setdefault(class_name, []).append(
                {
                    "name": class_name,
                    "path": sample_path(name, class_name, number),
                    "gt_idx": number,
                    "box3d_lidar": boxes[number],
                    "num_points_in_gt": count,
                    "difficulty": difficulty_level(box, dataset),
                }
            )
