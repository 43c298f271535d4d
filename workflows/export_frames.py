"""A frame of a painted layer as export targets are given it: mapped, chosen and cut as the user asks."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace

import numpy as np

from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.schemas.arrays import AnyArray, Float32, Int8, UInt8
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import PointsError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.schemas.painted import Flag
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Mapping
from paintpipe.stages.evaluate.fill import fill
from paintpipe.stages.export.columns import Columns, score_columns
from paintpipe.stages.taxonomies.apply import labels_from_scores, map_scores
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_sweeps import SweepLoader
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.layers import Layer, frame_arrays
from paintpipe.workflows.stores import OpenStore


@dataclass(frozen=True)
class PaintedPoints:
    """A frame's arrays as `ExportFrame` has them."""

    points: Float32
    scores: Float32
    label: UInt8
    camera: Int8
    flags: UInt8


@dataclass(frozen=True)
class FrameSource:
    """Where frames come from; safe for several threads.

    Attributes:
        opened: the painted store.
        layer: that is exported.
        root: of the dataset; None where neither points nor images are read from it.
        facts: of the export.
        mapping: from the layer's taxonomy to that of the export, None where it is the same.
        default_split: of frames whose split the catalog does not know.
    """

    opened: OpenStore
    layer: Layer
    root: Root | None
    facts: ExportFacts
    mapping: Mapping | None
    default_split: str

    def row(self, row: FrameRow) -> FrameRow:
        """The catalog's row, its split never left open."""
        return row if row.split else replace(row, split=self.default_split)

    def painted(self, row: FrameRow, points_stored: bool) -> PaintedPoints:
        """A frame's points and what the layer says of them.

        Args:
            row: of the catalog.
            points_stored: whether the store holds the points; else they are read from the dataset.

        Raises:
            PointsError: the points can't be read, now or when the frame was painted.
        """
        points, arrays = self._points(row, points_stored), frame_arrays(self.opened, self.layer, row)
        rows = np.flatnonzero(arrays["flags"] & Flag.PAINTED)
        scores, label = self._mapped(points, arrays, rows)
        columns = np.zeros((len(points), len(self.facts.channels)), dtype=np.float32)
        columns[rows] = self._columns.of(scores)
        if self.facts.settings.fill:
            label = fill(label, points, self.facts.settings.fill, self.facts.taxonomy)
        found = PaintedPoints(points, columns, label, arrays["camera"], arrays["flags"])
        return _in_view(found) if self.facts.settings.fov_only else found

    @property
    def _columns(self) -> Columns:
        return score_columns(self.facts.taxonomy, self.facts.settings)

    def _mapped(self, points: Float32, arrays: MappingType[str, AnyArray], rows: AnyArray) -> tuple[Float32, UInt8]:
        """Scores of the painted rows alone (an unpainted one maps to zeros), and labels of all."""
        stored, label = arrays["scores"][rows], arrays["label"]
        if self.mapping is None:
            return stored.astype(np.float32), label
        scores = map_scores(stored, points[rows], self.mapping)
        label = np.full(len(points), 255, dtype=np.uint8)
        label[rows] = labels_from_scores(scores, self.mapping.target)
        return scores, label

    def _points(self, row: FrameRow, stored: bool) -> Float32:
        if stored:
            points: Float32 = self.opened.store.read_frame(POINTS_TARGET, row.sequence, row.index)["points"]
            if not len(points) or not np.isnan(points).all():  # a sweep of no points is one, if a rare one
                return points
            raise PointsError("its points were not read when it was painted", where=f"{row.sequence}/{row.frame_id}")
        if self.root is None:
            raise PointsError("its points are not in the store", where=f"{row.sequence}/{row.frame_id}")
        files = FrameFiles(self.root)
        found = files.points(row)
        if found is None:
            raise PointsError(files.rejected[0].reason, where=f"{row.sequence}/{row.frame_id}")
        return found


@dataclass
class ShardFrames:
    """The frames of one shard; one thread at a time uses an instance.

    Attributes:
        source: where they come from.
        catalog: rows of the shard's frames, and of the sweeps before them.
        sequence: of the shard.
        start: first row of the catalog.
        stop: end of the shard.
        points_stored: see `FrameSource.painted`.
    """

    source: FrameSource
    catalog: Catalog
    sequence: str
    start: int
    stop: int
    points_stored: bool
    _sweeps: SweepLoader[PaintedPoints] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = self.source.facts.settings.sweeps or 0
        self._sweeps = SweepLoader(self.catalog, self.sequence, self.start, self.stop, count, self._sweep)

    def __call__(self, index: int) -> ExportFrame:
        """Frame `index`.

        Raises:
            PointsError: its points can't be read.
            ExportError: it has sweeps without poses or times.
        """
        row = self.catalog.frames(self.sequence, index, index + 1)[0]
        # What a keyframe's sweeps had of it already; what could not be read is read again, and raises.
        found = self._sweeps.painted(row) or self.source.painted(row, self.points_stored)
        return ExportFrame(
            row=self.source.row(row),
            images=tuple(self.catalog.images(self.sequence, index, index + 1)),
            boxes=tuple(self.catalog.boxes(self.sequence, index, index + 1)),
            points=found.points,
            scores=found.scores,
            label=found.label,
            camera=found.camera,
            flags=found.flags,
            sweeps=self._sweeps.load_sweeps(row),
        )

    def _sweep(self, row: FrameRow) -> PaintedPoints | None:
        try:
            return self.source.painted(row, self.points_stored)
        except PointsError:
            return None  # a keyframe does without a sweep that could not be read, as it does at a sequence's beginning


def _in_view(found: PaintedPoints) -> PaintedPoints:
    seen = (found.flags & Flag.VISIBLE) != 0
    return PaintedPoints(**{name: array[seen] for name, array in vars(found).items()})
