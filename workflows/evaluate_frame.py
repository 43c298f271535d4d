"""Judging one painted frame by the ground truth that its dataset has."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import FrameRow, RejectedRow
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.boxes import BoxesTally, evaluate_boxes
from paintpipe.stages.evaluate.boxes_tables import boxes_tables
from paintpipe.stages.evaluate.fill import fill
from paintpipe.stages.evaluate.frames import FrameScore, frame_score, frames_table
from paintpipe.stages.evaluate.points import PointsTally, evaluate_frame
from paintpipe.stages.evaluate.points_tables import ScoredLayer, points_tables
from paintpipe.stages.evaluate.reliability import ReliabilityTally, reliability_frame
from paintpipe.stages.evaluate.reliability_tables import reliability_tables
from paintpipe.stages.taxonomies.load import box_classes, load_taxonomy
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.frame_truth import in_taxonomy, true_labels
from paintpipe.workflows.layers import Layer, frame_arrays, frame_points
from paintpipe.workflows.stores import OpenStore


@dataclass(frozen=True)
class Tally:
    """What was counted, against labels and against boxes; each None where there is none; what can't be read.

    Attributes:
        frames: a row for each frame that was looked at, in no order.
        reliability: of the scores, where there are labels.
    """

    points: PointsTally | None = None
    boxes: BoxesTally | None = None
    rejected: tuple[RejectedRow, ...] = ()
    frames: tuple[FrameScore, ...] = ()
    reliability: ReliabilityTally | None = None

    @property
    def empty(self) -> bool:
        """Whether there was no ground truth."""
        return self.points is None and self.boxes is None

    def __add__(self, other: "Tally") -> "Tally":
        rejected, frames = (*self.rejected, *other.rejected), (*self.frames, *other.frames)
        reliability = _sum(self.reliability, other.reliability)
        return Tally(_sum(self.points, other.points), _sum(self.boxes, other.boxes), rejected, frames, reliability)


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
        by_labels, reliability = self._by_labels(files, row, points, arrays)
        by_boxes, where = self._by_boxes(row, points, arrays), (sequence, frame, row.frame_id)
        score = frame_score(where, arrays["label"], arrays["flags"], by_labels, by_boxes, self.box_classes)
        return Tally(by_labels, by_boxes, tuple(files.rejected), (score,), reliability)

    def tables(self, tally: Tally) -> dict[str, pa.Table]:
        """The tables of the layer."""
        tables: dict[str, pa.Table] = {}
        if tally.points is not None and self.target is not None:
            layer = self.layer
            scored = ScoredLayer(layer.name, self.target, layer.camera_names, self.fill_rule or "", layer.tta)
            tables |= points_tables(tally.points, scored)
        if tally.reliability is not None:
            tables |= reliability_tables(tally.reliability, self.layer.name)
        if tally.boxes is not None:
            tables |= boxes_tables(tally.boxes, self.layer.name, self.box_taxonomy, self.box_classes)
        return {**tables, "frames": frames_table(tally.frames, self.layer.name)}

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
    ) -> tuple[PointsTally | None, ReliabilityTally | None]:
        truth = true_labels(files, row, self.catalog.info.labels_taxonomy, self.target)
        if truth is None or self.target is None:
            return None, None
        size = len(self.target)
        scores, labels = in_taxonomy(arrays["scores"], arrays["label"], points, self.layer.taxonomy.name, self.target)
        filled = fill(labels, points, self.fill_rule, self.target) if self.fill_rule else None
        tally = evaluate_frame(points, labels, truth, arrays["camera"], arrays["flags"], size, filled)
        return tally, reliability_frame(scores, labels, truth, size)

    def _by_boxes(self, row: FrameRow, points: Float32, arrays: dict[str, Any]) -> BoxesTally | None:
        if self.catalog.info.boxes_taxonomy is None or not row.is_keyframe:
            return None
        if not self.catalog.has_boxes(row.sequence):
            return None  # KITTI's `testing`: unlabelled, not empty
        boxes = self.catalog.boxes(row.sequence, row.index, row.index + 1)
        taxonomy = self.box_taxonomy
        labels = in_taxonomy(arrays["scores"], arrays["label"], points, self.layer.taxonomy.name, taxonomy).labels
        return evaluate_boxes(points, labels, arrays["flags"], boxes, self.box_classes, len(taxonomy))
