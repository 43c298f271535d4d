"""All that decides a shard's bytes, and what a layer says about itself."""

import hashlib
import json
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable, layer_table
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.painted import layer_specs
from paintpipe.schemas.settings import PAINT_FORMAT, POINTS_FORMAT, PaintSettings, settings_to_dict
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.layer_painters import LayerPainters
from paintpipe.workflows.paint_frames import PaintPlan, shard_jobs
from paintpipe.workflows.painters import Painter

_LIBRARIES = ("numpy", "numba", "torch", "zarr", "pyarrow", "opencv-python-headless")
ALL_CAMERAS = ("all",)
USUAL_CAMERAS = {"kitti": ("image_2",), "semantickitti": ("image_2",), "kitti-raw": ("image_02",)}
"""Painted from unless the user names cameras: KITTI's left colour camera, as its detectors do; elsewhere, all."""


def paint_plan(catalog: Catalog, painter: Painter, settings: PaintSettings) -> PaintPlan:
    """How every shard of a layer is painted.

    Raises:
        ConfigError: a camera that the catalog does not have.
        TaxonomyError: no mapping to the taxonomy asked for.
    """
    names = paint_cameras(catalog, settings.cameras)
    settings = replace(settings, cameras=names)
    mapping = load_mapping(painter.taxonomy.name, settings.taxonomy) if settings.taxonomy else None
    return PaintPlan(settings, names, len(painter.taxonomy), mapping)


def paint_cameras(catalog: Catalog, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The cameras to paint from. Raises ConfigError where the catalog does not have one that is wanted."""
    there = catalog.camera_names()
    if wanted == ALL_CAMERAS:
        return there
    unknown = [name for name in wanted if name not in there]
    if unknown:
        expected = "all, or some of " + ", ".join(there)
        raise ConfigError(f"no camera {unknown[0]!r} in the catalog", expected=expected)
    usual = USUAL_CAMERAS.get(catalog.info.dataset, ())
    return tuple(name for name in there if name in (wanted or usual)) or there


def stored_taxonomy(painter: Painter, plan: PaintPlan) -> Taxonomy:
    """The taxonomy that the layer is stored in."""
    return painter.taxonomy if plan.mapping is None else plan.mapping.target


def layer_description(layer: str, painter: Painter, plan: PaintPlan) -> LayerTable:
    """What the store keeps beside a layer's arrays."""
    taxonomy = stored_taxonomy(painter, plan)
    inputs = _layer_inputs(painter, plan)
    attributes = {
        "kind": "scores",
        "taxonomy": taxonomy.name,
        "painter": painter.identity,
        "settings": settings_to_dict(plan.settings),
        "projection": plan.settings.projection,
        "paint_format": PAINT_FORMAT,
        "digest": _digest(inputs),
        "versions": {"paintpipe": __version__, **{name: metadata.version(name) for name in _LIBRARIES}},
    }
    specs = layer_specs(plan.settings.provenance)
    return layer_table(layer, specs, taxonomy.classes, plan.camera_names, attributes)


@dataclass(frozen=True)
class PaintInputs:
    """(target, shard) → the inputs of that shard's mark."""

    catalog: Catalog
    root: Root
    painter: Painter
    plan: PaintPlan

    def __call__(self, target: str, shard: Shard) -> dict[str, Any]:
        """JSON-ready; never holds a path, a time or the release version."""
        frames = self.catalog.frames(shard.sequence, shard.start, shard.stop)
        paths = [row.points_path for row in frames]
        inputs: dict[str, Any] = {"paint_format": POINTS_FORMAT if target == POINTS_TARGET else PAINT_FORMAT}
        if target == POINTS_TARGET:
            inputs["catalog"] = _digest([[row.frame_id, row.num_points, *row.point_features] for row in frames])
        else:
            jobs = shard_jobs(self.catalog, shard, self.plan.camera_names)
            paths += [row.image_path for job in jobs for row in job.images]
            if isinstance(self.painter, LayerPainters):
                paths = []  # it reads layers, whose own marks hold what the dataset's files were
            own = {path: mark for job in jobs for path, mark in self.painter.own_files(job.row, job.images).items()}
            inputs["painter_files"] = _digest(own)
            inputs["catalog"] = self.catalog.rows_digest(shard.sequence, shard.start, shard.stop)
            inputs |= _layer_inputs(self.painter, self.plan)
        inputs["file_sizes"] = _digest({path: self.root.size(path) for path in paths})
        return inputs


def _layer_inputs(painter: Painter, plan: PaintPlan) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "painter": painter.identity,
        "settings": settings_to_dict(plan.settings),
        "classes": plan.stored_classes,
    }
    if plan.mapping is not None:
        matrix = [[float(value) for value in row] for row in plan.mapping.matrix]
        inputs["mapping"] = _digest([matrix, plan.mapping.cyclist_rule])
    return inputs


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
