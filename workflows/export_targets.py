"""The formats that `paintpipe export --to` knows."""

from importlib import import_module
from typing import Any

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.export.target import FrameTarget, SequenceTarget

TARGETS = {
    "parquet": "paintpipe.stages.export.parquet:ParquetTarget",
    "las": "paintpipe.stages.export.las:LasTarget",
    "ply": "paintpipe.stages.export.ply:PlyTarget",
    "openpcdet": "paintpipe.stages.export.openpcdet.target:OpenPCDetTarget",
    "mmdet3d": "paintpipe.stages.export.mmdet3d.target:MMDet3DTarget",
    "centerpoint": "paintpipe.stages.export.centerpoint.target:CenterPointTarget",
    "bevfusion": "paintpipe.stages.export.bevfusion.target:BevFusionTarget",
    "semantickitti": "paintpipe.stages.export.submissions.semantickitti:SemanticKittiTarget",
    "nuscenes-lidarseg": "paintpipe.stages.export.submissions.nuscenes_lidarseg:NuscenesLidarsegTarget",
    "mcap": "paintpipe.stages.export.mcap.target:McapTarget",
}
"""Name → `module:class`, loaded when asked for."""

ABOUT = {
    "openpcdet": "OpenPCDet's custom dataset: points, labels, infos, ground-truth database, configuration",
    "mmdet3d": "MMDetection3D 1.x: .bin points (and sweeps), infos, ground-truth database, configuration",
    "centerpoint": "CenterPoint on nuScenes: painted sweeps, infos, ground-truth database",
    "bevfusion": "BEVFusion (mit-han-lab) on nuScenes: painted sweeps, infos, ground-truth database",
    "semantickitti": "a submission to SemanticKITTI's benchmark",
    "nuscenes-lidarseg": "a submission to nuScenes' lidarseg benchmark",
    "parquet": "points as Hive-partitioned Parquet for DuckDB, Polars and pandas",
    "las": "a LAS 1.4 file a frame for CloudCompare, QGIS and PDAL",
    "ply": "a binary PLY file a frame for CloudCompare, MeshLab, Open3D and Blender",
    "mcap": "a recording a sequence for Foxglove and rerun",
}
"""A line for each target, in the order in which they are listed."""


def target_names() -> list[str]:
    """Every target, in the order in which they are listed."""
    return [name for name in ABOUT if name in TARGETS] + [name for name in TARGETS if name not in ABOUT]


def load_target(name: str) -> FrameTarget | SequenceTarget:
    """The target of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TARGETS:
        raise ConfigError(f"no export target {name!r}", expected="one of " + ", ".join(target_names()))
    module, _, attribute = TARGETS[name].partition(":")
    made: Any = getattr(import_module(module), attribute)()
    target: FrameTarget | SequenceTarget = made
    return target


def by_sequence(target: FrameTarget | SequenceTarget) -> bool:
    """Whether a target writes a file for each sequence, and none for each frame."""
    return hasattr(target, "write")
