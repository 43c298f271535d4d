"""What of a BEVFusion configuration this export decides: the data and both pipelines, as YAML."""

from collections.abc import Mapping, Sequence
from typing import Any

from paintpipe.stages.export.bevfusion.layout import DB_INFOS, ROOT
from paintpipe.stages.export.bevfusion.tables import WIDTH
from paintpipe.stages.export.gt_database import MIN_POINTS
from paintpipe.stages.export.ten_scores import paste_groups

CONFIG_PATH = "paintpipe_bevfusion.yaml"
_MOST_SWEEPS = 9
"""`sweeps_num` of configs/nuscenes/default.yaml."""
_META = """\
      [camera_intrinsics, camera2ego, lidar2ego, lidar2camera, camera2lidar, lidar2image, img_aug_matrix,
       lidar_aug_matrix]"""
_HEAD = """\
# Data and pipelines of this export for BEVFusion, to put behind one of its configurations for LiDAR
# (configs/nuscenes/det/transfusion/secfpn/lidar/voxelnet_0p075.yaml with in_channels: {width}).
# Link this folder as {root} in BEVFusion's own, and beside what it holds nuScenes' samples and sweeps.
# Columns: x y z intensity time, {channels}, 0.
# The map segmentation's step is left out: infos of an export do not know the city.
dataset_root: {root}/
load_augmented: pointpainting
load_dim: {width}
use_dim: {width}
reduce_beams: 32
"""
_LOAD = """\
  - {type: LoadMultiViewImageFromFiles, to_float32: true}
  - {type: LoadPointsFromFile, coord_type: LIDAR, load_dim: "${load_dim}", use_dim: "${use_dim}",
     reduce_beams: "${reduce_beams}", load_augmented: "${load_augmented}"}
  - {type: LoadPointsFromMultiSweeps, sweeps_num: SWEEPS, load_dim: "${load_dim}", use_dim: "${use_dim}",
     reduce_beams: "${reduce_beams}", pad_empty_sweeps: true, remove_close: true,
     load_augmented: "${load_augmented}"}
  - {type: LoadAnnotations3D, with_bbox_3d: true, with_label_3d: true, with_attr_label: false}
"""
_PASTE = """\
  - type: ObjectPaste
    stop_epoch: ${{gt_paste_stop_epoch}}
    db_sampler:
      dataset_root: ${{dataset_root}}
      info_path: {root}/{db_infos}
      rate: 1.0
      prepare:
        filter_by_difficulty: [-1]
        filter_by_min_points: {{{least}}}
      classes: ${{object_classes}}
      sample_groups: {{{groups}}}
      points_loader: {{type: LoadPointsFromFile, coord_type: LIDAR, load_dim: "${{load_dim}}", use_dim: "${{use_dim}}"}}
"""
_AUGMENT = """\
  - {{type: ImageAug3D, final_dim: "${{image_size}}", resize_lim: "${{augment2d.resize[{test}]}}",
     bot_pct_lim: [0.0, 0.0], rot_lim: {image_rotation}, rand_flip: {train}, is_train: {train}}}
  - {{type: GlobalRotScaleTrans, resize_lim: {scale}, rot_lim: {rotation}, trans_lim: {shift}, is_train: {train}}}
"""
_RANGE = """\
  - {type: PointsRangeFilter, point_cloud_range: "${point_cloud_range}"}
"""
_OBJECTS = """\
  - {type: ObjectRangeFilter, point_cloud_range: "${point_cloud_range}"}
  - {type: ObjectNameFilter, classes: "${object_classes}"}
"""
_END = """\
  - {{type: ImageNormalize, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}
{shuffle}  - {{type: DefaultFormatBundle3D, classes: "${{object_classes}}"}}
  - type: Collect3D
    keys: [img, points, gt_bboxes_3d, gt_labels_3d]
    meta_keys:
{meta}
"""


def config_text(channels: Sequence[str], database: Mapping[str, Sequence[Mapping[str, Any]]], sweeps: int) -> str:
    """The fragment; keys and values as in configs/nuscenes/default.yaml, whose lists a child replaces whole.

    Args:
        channels: names of the ten score columns.
        database: class → infos of its objects.
        sweeps: before each keyframe that are exported; where there is none the loader would pad as many as it is told.
    """
    root = ROOT.rstrip("/")
    head = _HEAD.format(root=root, channels=" ".join(channels), width=WIDTH)
    groups = paste_groups(database)
    paste = _PASTE.format(
        root=root,
        db_infos=DB_INFOS,
        least=", ".join(f"{name}: {MIN_POINTS}" for name in groups),
        groups=", ".join(f"{name}: {count}" for name, count in groups.items()),
    )
    load = _LOAD.replace("SWEEPS", str(min(sweeps, _MOST_SWEEPS)))
    return f"{head}\ntrain_pipeline:\n{load}{_train(paste if groups else '')}\ntest_pipeline:\n{load}{_test()}"


def _train(paste: str) -> str:
    augment = _AUGMENT.format(
        test=0,
        train="true",
        image_rotation='"${augment2d.rotate}"',
        scale='"${augment3d.scale}"',
        rotation='"${augment3d.rotate}"',
        shift='"${augment3d.translate}"',
    )
    end = _END.format(meta=_META, shuffle="  - {type: PointShuffle}\n")
    return paste + augment + "  - {type: RandomFlip3D}\n" + _RANGE + _OBJECTS + end


def _test() -> str:
    augment = _AUGMENT.format(
        test=1, train="false", image_rotation="[0.0, 0.0]", scale="[1.0, 1.0]", rotation="[0.0, 0.0]", shift=0.0
    )
    return augment + _RANGE + _END.format(meta=_META, shuffle="")
