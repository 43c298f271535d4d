"""The configuration fragment: a dataset and its pipelines, for a model's `_base_`.

Values are those of `configs/_base_/datasets/{kitti-3d-3class,nus-3d}.py` and `configs/centerpoint` of MMDetection3D
1.4; what differs is the width of the points, and that everything lies in the export's own folder (`fileDirname`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paintpipe.schemas.export import ExportFacts
from paintpipe.stages.export.gt_database import MIN_POINTS, NUSCENES_GROUPS, sampled_classes
from paintpipe.stages.export.mmdet3d.layout import TRAINED, num_columns

_HEAD = """# Written by paintpipe for MMDetection3D 1.x. Name it in a configuration's `_base_`, and give the network as
# many input channels as a point has: model = dict({encoder}=dict(in_channels={columns})).
# Columns: {names}.
dataset_type = '{kind}'
data_root = {root}
class_names = {classes!r}
metainfo = dict({metainfo})
point_cloud_range = {range_m!r}
input_modality = dict(use_lidar=True, use_camera=False)
backend_args = None
load_dim = {columns}
use_dim = list(range(load_dim))
data_prefix = dict({prefix})
points_loader = dict(
    type='LoadPointsFromFile', coord_type='LIDAR', load_dim=load_dim, use_dim=use_dim, backend_args=backend_args)
"""
_ROOT = 'r"""{{ fileDirname }}/"""'
"""The configuration's own folder. MMEngine puts its path between the quotes as it is (`_substitute_predefined_vars` of
`mmengine/config/config.py`), with slashes for backslashes: three quotes leave room for one, and the slash before them
for one at the end.
"""
_SAMPLER = """db_sampler = dict(
    data_root=data_root,
    info_path=data_root + '{dataset}_dbinfos_train.pkl',
    rate=1.0,
    prepare=dict(filter_by_difficulty=[-1], filter_by_min_points={min_points!r}),
    classes=class_names,
    sample_groups={groups!r},
    points_loader=points_loader,
    backend_args=backend_args)
"""
_SWEEPS = """dict(
    type='LoadPointsFromMultiSweeps',
    sweeps_num={sweeps},
    load_dim=load_dim,
    use_dim=use_dim,
    pad_empty_sweeps=True,
    remove_close=True,
    test_mode={test_mode},
    backend_args=backend_args)"""
_PIPELINES = """train_pipeline = [
    points_loader,
    {sweeps}dict(type='LoadAnnotations3D', with_bbox_3d=True, with_label_3d=True),
    {sampling}dict(type='GlobalRotScaleTrans', rot_range=[-{turn}, {turn}], scale_ratio_range=[0.95, 1.05]),
    dict(type='RandomFlip3D', flip_ratio_bev_horizontal=0.5),
    dict(type='PointsRangeFilter', point_cloud_range=point_cloud_range),
    dict(type='ObjectRangeFilter', point_cloud_range=point_cloud_range),
    dict(type='ObjectNameFilter', classes=class_names),
    dict(type='PointShuffle'),
    dict(type='Pack3DDetInputs', keys=['points', 'gt_bboxes_3d', 'gt_labels_3d']),
]
test_pipeline = [
    points_loader,
    {test_sweeps}dict(
        type='MultiScaleFlipAug3D',
        img_scale=(1333, 800),
        pts_scale_ratio=1,
        flip=False,
        transforms=[
            dict(
                type='GlobalRotScaleTrans', rot_range=[0, 0], scale_ratio_range=[1., 1.], translation_std=[0, 0, 0]),
            dict(type='RandomFlip3D'),
            dict(type='PointsRangeFilter', point_cloud_range=point_cloud_range),
        ]),
    dict(type='Pack3DDetInputs', keys=['points']),
]
"""
_LOADERS = """train_dataloader = dict(
    batch_size={batch},
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='{dataset}_infos_train.pkl',
        data_prefix=data_prefix,
        pipeline=train_pipeline,
        modality=input_modality,
        test_mode=False,
        metainfo=metainfo,
        box_type_3d='LiDAR',
        backend_args=backend_args))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='{dataset}_infos_val.pkl',
        data_prefix=data_prefix,
        pipeline=test_pipeline,
        modality=input_modality,
        test_mode=True,
        metainfo=metainfo,
        box_type_3d='LiDAR',
        backend_args=backend_args))
test_dataloader = val_dataloader
"""
_EVALUATORS = {
    "kitti": """# KITTI's DontCare regions are not in these infos: for official figures name what create_data.py makes.
val_evaluator = dict(
    type='KittiMetric', ann_file=data_root + 'kitti_infos_val.pkl', metric='bbox', backend_args=backend_args)
test_evaluator = val_evaluator
""",
    "nuscenes": """source_root = 'data/nuscenes/'  # the dataset as downloaded, for the devkit's evaluation
val_evaluator = dict(
    type='NuScenesMetric',
    data_root=source_root,
    ann_file=data_root + 'nuscenes_infos_val.pkl',
    metric='bbox',
    backend_args=backend_args)
test_evaluator = val_evaluator
""",
}
_EXAMPLE = """# Written by paintpipe: PointPillars on painted points. Train with `mim train mmdet3d {name}`.
_base_ = [
    'mmdet3d::_base_/models/{model}.py',
    './{fragment}',
    'mmdet3d::_base_/schedules/{schedule}.py',
    'mmdet3d::_base_/default_runtime.py',
]
model = dict({change})
"""


@dataclass(frozen=True)
class _Usual:
    """What a dataset's configurations usually say.

    Attributes:
        kind: class of the dataset.
        range_m: of PointPillars, whose grid has to be a whole number of pillars.
        turn_rad: of GlobalRotScaleTrans, either way.
        batch: of training.
        groups: objects of each class in a scene, sampled ones included.
        model: in `_base_/models`.
        schedule: in `_base_/schedules`.
    """

    kind: str
    range_m: tuple[float, ...]
    turn_rad: float
    batch: int
    groups: Mapping[str, int]
    model: str
    schedule: str


_USUAL = {
    "kitti": _Usual(
        kind="KittiDataset",
        range_m=(0, -39.68, -3, 69.12, 39.68, 1),
        turn_rad=0.78539816,
        batch=6,
        groups={"Car": 15, "Pedestrian": 15, "Cyclist": 15},
        model="pointpillars_hv_secfpn_kitti",
        schedule="cyclic-40e",
    ),
    "nuscenes": _Usual(
        kind="NuScenesDataset",
        range_m=(-50, -50, -5, 50, 50, 3),
        turn_rad=0.3925,
        batch=4,
        groups=NUSCENES_GROUPS,
        model="pointpillars_hv_fpn_nus",
        schedule="schedule-2x",
    ),
}


def fragment_name(dataset: str) -> str:
    """File of the dataset's fragment."""
    return f"painted_{dataset}.py"


def example_name(dataset: str) -> str:
    """File of a whole configuration that uses it."""
    return f"pointpillars_painted_{dataset}.py"


def fragment(facts: ExportFacts, samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The dataset, its pipelines, loaders and evaluators; objects are sampled of classes that have some."""
    dataset, sweeps = facts.info.dataset, facts.settings.sweeps or 0
    usual = _USUAL[dataset]
    there = sampled_classes(samples, MIN_POINTS)
    sampler = _SAMPLER.format(
        dataset=dataset,
        min_points=dict.fromkeys(there, MIN_POINTS),
        groups={name: usual.groups[name] for name in there},
    )
    pipelines = _PIPELINES.format(
        turn=usual.turn_rad,
        sweeps=_step(sweeps, test_mode=False),
        test_sweeps=_step(sweeps, test_mode=True),
        sampling="dict(type='ObjectSample', db_sampler=db_sampler),\n    " if there else "",
    )
    loaders = _LOADERS.format(batch=usual.batch, dataset=dataset)
    return "".join([_head(facts, usual), sampler if there else "", pipelines, loaders, _EVALUATORS[dataset]])


def example(facts: ExportFacts) -> str:
    """PointPillars of MMDetection3D over the fragment."""
    dataset = facts.info.dataset
    usual = _USUAL[dataset]
    return _EXAMPLE.format(
        name=example_name(dataset),
        model=usual.model,
        fragment=fragment_name(dataset),
        schedule=usual.schedule,
        change=f"{_ENCODER[dataset]}=dict(in_channels={num_columns(facts)})",
    )


_ENCODER = {"kitti": "voxel_encoder", "nuscenes": "pts_voxel_encoder"}


def _head(facts: ExportFacts, usual: _Usual) -> str:
    dataset = facts.info.dataset
    version = f", version={facts.info.version!r}" if dataset == "nuscenes" else ""
    folders = {
        "kitti": "pts='training/velodyne_painted'",
        "nuscenes": "pts='samples/LIDAR_TOP', img='', sweeps='sweeps/LIDAR_TOP'",
    }
    own = ["x", "y", "z", "intensity", *(["time"] if dataset == "nuscenes" else [])]
    return _HEAD.format(
        columns=num_columns(facts),
        encoder=_ENCODER[dataset],
        names=" ".join([*own, *facts.channels]),
        root=_ROOT,
        kind=usual.kind,
        classes=list(TRAINED[dataset]),
        metainfo=f"classes=class_names{version}",
        range_m=list(usual.range_m),
        prefix=folders[dataset],
    )


def _step(sweeps: int, test_mode: bool) -> str:
    if not sweeps:
        return ""
    return _SWEEPS.format(sweeps=sweeps, test_mode=test_mode).replace("\n", "\n    ") + ",\n    "
