"""The dataset YAML, which OpenPCDet's `cfg_from_yaml_file` reads; strings are quoted as JSON, which YAML includes.

Ranges, voxels and augmentation are those of `tools/cfgs/dataset_configs/{kitti,nuscenes,custom}_dataset.yaml`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paintpipe.schemas.export import ExportFacts
from paintpipe.stages.export.gt_database import MIN_POINTS, NUSCENES_GROUPS, sampled_classes
from paintpipe.stages.export.openpcdet.layout import column_names


@dataclass(frozen=True)
class _Usual:
    """What a dataset's configurations usually say.

    Attributes:
        range_m: POINT_CLOUD_RANGE.
        voxel_m: VOXEL_SIZE.
        per_voxel: MAX_POINTS_PER_VOXEL.
        voxels: MAX_NUMBER_OF_VOXELS in training and in tests.
        flip: axes of random_world_flip.
        turn_rad: of random_world_rotation, either way.
        groups: objects of each class in a scene, sampled ones included; 15 for a class that is not listed.
        kitti_names: MAP_CLASS_TO_KITTI.
    """

    range_m: tuple[float, ...]
    voxel_m: tuple[float, float, float]
    per_voxel: int
    voxels: tuple[int, int]
    flip: tuple[str, ...]
    turn_rad: float
    groups: Mapping[str, int]
    kitti_names: Mapping[str, str]


_KITTI = _Usual(
    range_m=(0, -40, -3, 70.4, 40, 1),
    voxel_m=(0.05, 0.05, 0.1),
    per_voxel=5,
    voxels=(16000, 40000),
    flip=("x",),
    turn_rad=0.78539816,
    groups={"Car": 20, "Pedestrian": 15, "Cyclist": 15},
    kitti_names={"Car": "Car", "Pedestrian": "Pedestrian", "Cyclist": "Cyclist"},
)
_NUSCENES = _Usual(
    range_m=(-51.2, -51.2, -5.0, 51.2, 51.2, 3.0),
    voxel_m=(0.1, 0.1, 0.2),
    per_voxel=10,
    voxels=(60000, 60000),
    flip=("x", "y"),
    turn_rad=0.3925,
    groups=NUSCENES_GROUPS,
    kitti_names={"car": "Car", "pedestrian": "Pedestrian", "bicycle": "Cyclist", "truck": "Truck"},
)
_CUSTOM = _Usual(
    range_m=(-75.2, -75.2, -2, 75.2, 75.2, 4),
    voxel_m=(0.1, 0.1, 0.15),
    per_voxel=5,
    voxels=(150000, 150000),
    flip=("x", "y"),
    turn_rad=0.78539816,
    groups={},
    kitti_names={},
)
_USUAL = {"kitti": _KITTI, "nuscenes": _NUSCENES}


def dataset_yaml(facts: ExportFacts, samples: Mapping[str, list[dict[str, Any]]]) -> str:
    """The configuration of the exported dataset, to be named by a model's `_BASE_CONFIG_`.

    Args:
        facts: of the export.
        samples: the database's entries by class, every class of `CLASS_NAMES` as a key.
    """
    usual, columns, classes = _USUAL.get(facts.info.dataset, _CUSTOM), column_names(facts), list(samples)
    kitti_names = {
        name: usual.kitti_names.get(name, "Person_sitting" if usual.kitti_names else name) for name in classes
    }
    head = [
        "# Written by paintpipe. The model's configuration has to name CLASS_NAMES too: OpenPCDet reads them there.",
        'DATASET: "PaintedDataset"',
        'DATA_PATH: "../data/painted"',
        f"CLASS_NAMES: {_flow(classes)}",
        f"POINT_CLOUD_RANGE: {_flow(usual.range_m)}",
        f"MAP_CLASS_TO_KITTI: {_flow(kitti_names)}",
        f"PRED_VELOCITY: {_flow(facts.info.dataset == 'nuscenes')}",
        # Boxes without a point are annotated on nuScenes, and nobody can find them.
        f"FILTER_MIN_POINTS_IN_GT: {int(facts.info.dataset == 'nuscenes')}",
        'DATA_SPLIT: {"train": "train", "test": "val"}',
        'INFO_PATH: {"train": ["custom_infos_train.pkl"], "test": ["custom_infos_val.pkl"]}',
        "",
        "POINT_FEATURE_ENCODING:",
        '    encoding_type: "absolute_coordinates_encoding"',
        f"    used_feature_list: {_flow(columns)}",
        f"    src_feature_list: {_flow(columns)}",
    ]
    return "\n".join([*head, "", *_augmentor(usual, columns, samples), "", *_processor(usual), ""])


def _augmentor(usual: _Usual, columns: Sequence[str], samples: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    there = sampled_classes(samples, MIN_POINTS)
    prepare = {"filter_by_min_points": [f"{name}:{MIN_POINTS}" for name in samples], "filter_by_difficulty": [-1]}
    sampling = [
        '        - NAME: "gt_sampling"',
        "          USE_ROAD_PLANE: false",
        '          DB_INFO_PATH: ["custom_dbinfos_train.pkl"]',
        f"          PREPARE: {_flow(prepare)}",
        f"          SAMPLE_GROUPS: {_flow([f'{name}:{usual.groups.get(name, 15)}' for name in there])}",
        f"          NUM_POINT_FEATURES: {len(columns)}",
        "          DATABASE_WITH_FAKELIDAR: false",
        "          REMOVE_EXTRA_WIDTH: [0.0, 0.0, 0.0]",
        "          LIMIT_WHOLE_SCENE: true",
    ]
    return [
        "DATA_AUGMENTOR:",
        '    DISABLE_AUG_LIST: ["placeholder"]',
        "    AUG_CONFIG_LIST:",
        *(sampling if there else []),
        f'        - {{"NAME": "random_world_flip", "ALONG_AXIS_LIST": {_flow(usual.flip)}}}',
        f'        - {{"NAME": "random_world_rotation", "WORLD_ROT_ANGLE": {_flow((-usual.turn_rad, usual.turn_rad))}}}',
        '        - {"NAME": "random_world_scaling", "WORLD_SCALE_RANGE": [0.95, 1.05]}',
    ]


def _processor(usual: _Usual) -> list[str]:
    train, test = usual.voxels
    return [
        "DATA_PROCESSOR:",
        '    - {"NAME": "mask_points_and_boxes_outside_range", "REMOVE_OUTSIDE_BOXES": true}',
        '    - {"NAME": "shuffle_points", "SHUFFLE_ENABLED": {"train": true, "test": false}}',
        '    - NAME: "transform_points_to_voxels"',
        f"      VOXEL_SIZE: {_flow(usual.voxel_m)}",
        f"      MAX_POINTS_PER_VOXEL: {usual.per_voxel}",
        f"      MAX_NUMBER_OF_VOXELS: {_flow({'train': train, 'test': test})}",
    ]


def _flow(value: Any) -> str:
    r"""JSON in ASCII, since OpenPCDet opens the file in the machine's own encoding.

    Letters are escaped as YAML has it: JSON's two `\u` for one beyond 16 bits would be two letters there.
    """
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isascii() else f"\\U{ord(letter):08x}" for letter in text)
