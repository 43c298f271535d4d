"""Judging one painted frame by the ground truth that its dataset has."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.catalog import FrameRow, RejectedRow
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Mapping, Taxonomy
from paintpipe.stages.evaluate.boxes import BoxesTally, evaluate_boxes
from paintpipe.stages.evaluate.boxes_tables import boxes_tables
from paintpipe.stages.evaluate.fill import fill
from paintpipe.stages.evaluate.images import labels_mapped
from paintpipe.stages.evaluate.points import PointsTally, evaluate_frame
from paintpipe.stages.evaluate.points_tables import ScoredLayer, points_tables
from paintpipe.stages.paint.oracle import oracle_from_labels
from paintpipe.stages.taxonomies.apply import labels_from_scores, map_scores
from paintpipe.stages.taxonomies.load import box_classes, load_mapping, load_taxonomy
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.layers import Layer, frame_arrays, frame_points
from paintpipe.workflows.stores import OpenStore


@dataclass(frozen=True)
class Tally:
    """What was counted, against labels and against boxes; each None where there is none; and what can't be read."""

    points: PointsTally | None = None
    boxes: BoxesTally | None = None
    rejected: tuple[RejectedRow, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there was no ground truth."""
        return self.points is None and self.boxes is None

    def __add__(self, other: "Tally") -> "Tally":
        rejected = (*self.rejected, *other.rejected)
        return Tally(_sum(self.points, other.points), _sum(self.boxes, other.boxes), rejected)


def _sum(one: Any, other: Any) -> Any:
    return one + other if one is not None and other is not None else (other if one is None else one)


@dataclass(frozen=True)
class FrameJudge:
    """Judges a frame a call; safe for several threads."""

    catalog: Catalog
    opened: OpenStore
    layer: Layer
    root: Root
    taxonomy: str | None = None
    fill_rule: str | None = None

    def __call__(self, place: tuple[str, int]) -> Tally:
        """The tally of (sequence, frame index); empty where the frame has no ground truth or no points."""
        sequence, frame = place
        row = self.catalog.frames(sequence, frame, frame + 1)[0]
        files = FrameFiles(self.root)
        points = frame_points(self.opened, files, row)
        if points is None:
            return Tally(rejected=tuple(files.rejected))
        arrays = frame_arrays(self.opened, self.layer, row)
        by_labels = self._by_labels(files, row, points, arrays)
        return Tally(by_labels, self._by_boxes(row, points, arrays), tuple(files.rejected))

    def tables(self, tally: Tally) -> dict[str, pa.Table]:
        """The tables of the layer."""
        tables: dict[str, pa.Table] = {}
        if tally.points is not None and self.target is not None:
            layer = self.layer
            scored = ScoredLayer(layer.name, self.target, layer.camera_names, self.fill_rule or "", layer.tta)
            tables |= points_tables(tally.points, scored)
        if tally.boxes is not None:
            tables |= boxes_tables(tally.boxes, self.layer.name, self.box_taxonomy, self.box_classes)
        return tables

    @cached_property
    def target(self) -> Taxonomy | None:
        """The taxonomy that labels are compared in."""
        name = self.taxonomy or self.catalog.info.labels_taxonomy
        return load_taxonomy(name) if name and self.catalog.info.labels_taxonomy else None

    @cached_property
    def box_taxonomy(self) -> Taxonomy:
        """The taxonomy that points in boxes are judged in: the layer's own unless the user asks for another."""
        return load_taxonomy(self.taxonomy) if self.taxonomy else self.layer.taxonomy

    @cached_property
    def box_classes(self) -> Any:
        """Box category → classes that are right inside it."""
        return box_classes(self.box_taxonomy.name)

    def _by_labels(
        self, files: FrameFiles, row: FrameRow, points: Float32, arrays: dict[str, Any]
    ) -> PointsTally | None:
        raw, source = files.labels(row), self.catalog.info.labels_taxonomy
        if raw is None or source is None or self.target is None:
            return None
        truth = oracle_from_labels(raw, load_taxonomy(source))
        if self.target.name != source:
            truth = labels_mapped(truth, load_mapping(source, self.target.name))
        labels = self._labels(points, arrays, self.target)
        filled = fill(labels, points, self.fill_rule, self.target) if self.fill_rule else None
        return evaluate_frame(points, labels, truth, arrays["camera"], arrays["flags"], len(self.target), filled)

    def _by_boxes(self, row: FrameRow, points: Float32, arrays: dict[str, Any]) -> BoxesTally | None:
        if self.catalog.info.boxes_taxonomy is None or not row.is_keyframe:
            return None
        if not self.catalog.has_boxes(row.sequence):
            return None  # KITTI's `testing`: unlabelled, not empty
        boxes = self.catalog.boxes(row.sequence, row.index, row.index + 1)
        labels = self._labels(points, arrays, self.box_taxonomy)
        taxonomy = self.box_taxonomy
        return evaluate_boxes(points, labels, arrays["flags"], boxes, self.box_classes, len(taxonomy))

    def _labels(self, points: Float32, arrays: dict[str, Any], target: Taxonomy) -> UInt8:
        """(N,) classes in `target`, 255 where unpainted."""
        if target.name == self.layer.taxonomy.name:
            stored: UInt8 = arrays["label"]
            return stored
        mapping: Mapping = load_mapping(self.layer.taxonomy.name, target.name)
        return labels_from_scores(map_scores(arrays["scores"], points, mapping), mapping.target)
