"""From catalog rows to painted frames: load ahead, segment each image once, paint frame by frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from paintpipe.pipeline.events import Bus
from paintpipe.pipeline.overlap import prefetch
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.schemas.pixels import PixelClasses
from paintpipe.schemas.settings import PaintSettings
from paintpipe.schemas.taxonomy import Mapping
from paintpipe.stages.paint.frame import paint_frame, paint_points
from paintpipe.stages.paint.temperature import temper_painted
from paintpipe.stages.taxonomies.apply import map_painted
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles, camera_view
from paintpipe.workflows.painters import PixelPainter, PointClasses, PointPainter


@dataclass(frozen=True)
class FrameJob:
    """The catalog rows of one frame; `images` holds only the cameras to paint from."""

    row: FrameRow
    images: tuple[ImageRow, ...]
    boxes: tuple[BoxRow, ...]

    @property
    def key(self) -> str:
        """Names the frame in hashes."""
        return f"{self.row.sequence}/{self.row.frame_id}"

    @property
    def paths(self) -> set[str]:
        """Every file of the frame."""
        found = {self.row.points_path, *(row.image_path for row in self.images)}
        return found | ({self.row.labels_path} if self.row.labels_path else set())


@dataclass(frozen=True)
class PaintPlan:
    """How the frames of a layer are painted, the same for every shard."""

    settings: PaintSettings
    camera_names: tuple[str, ...]
    num_classes: int
    mapping: Mapping | None = None

    @property
    def stored_classes(self) -> int:
        """Classes of the layer as it is stored."""
        return self.num_classes if self.mapping is None else len(self.mapping.target)


def shard_jobs(catalog: Catalog, shard: Shard, camera_names: tuple[str, ...]) -> list[FrameJob]:
    """The catalog rows of a shard, frame by frame."""
    span = (shard.sequence, shard.start, shard.stop)
    images = [row for row in catalog.images(*span) if row.camera in camera_names]
    boxes = catalog.boxes(*span)
    return [
        FrameJob(
            row,
            tuple(image for image in images if image.index == row.index),
            tuple(box for box in boxes if box.index == row.index),
        )
        for row in catalog.frames(*span)
    ]


Painted = tuple[Float32 | None, PaintedFrame | None]
"""The (N, F) points of a frame and its paint, each None where it could not be had."""


def paint_by_points(
    jobs: Sequence[FrameJob], painter: PointPainter, plan: PaintPlan, files: FrameFiles, bus: Bus
) -> Iterator[Painted]:
    """Paint frames with a painter that needs no image."""

    def load(job: FrameJob) -> tuple[Float32 | None, PointClasses | None]:
        with bus.timed("load"):
            points = files.points(job.row)
            return points, None if points is None else painter.classes(files, job.row, points, job.boxes)

    for job, (points, classes) in zip(jobs, prefetch(jobs, load, depth=2), strict=True):
        if points is None or classes is None:
            yield points, None
            continue
        with bus.timed("paint"):
            views = [camera_view(row) for row in job.images]
            frame = paint_points(points, classes, views, plan.camera_names, plan.num_classes, plan.settings)
            frame = finished(frame, points, plan)
        yield points, frame


def paint_by_pixels(
    jobs: Sequence[FrameJob], painter: PixelPainter, plan: PaintPlan, files: FrameFiles, bus: Bus
) -> Iterator[Painted]:
    """Paint frames with a painter that needs images; an image that several frames share is segmented once."""
    groups = _groups(jobs, painter.batch_size)
    last_use = {row.image_path: index for index, group in enumerate(groups) for job in group for row in job.images}
    known: dict[str, PixelClasses] = {}

    def load(item: tuple[list[FrameRow], list[ImageRow]]) -> _Loaded:
        with bus.timed("load", len(item[0])):
            return _load(item, painter, files)

    for index, loaded in enumerate(prefetch(_first_uses(groups), load, depth=2)):
        with bus.timed("network", len(loaded.images)):
            known |= _segment(loaded.images, painter)
        for job, points in zip(groups[index], loaded.points, strict=True):
            with bus.timed("paint"):
                frame = None if points is None else _paint(job, points, known, plan)
            yield points, frame
        known = {path: pixels for path, pixels in known.items() if last_use[path] > index}


@dataclass(frozen=True)
class _Loaded:
    points: list[Float32 | None]
    images: list[tuple[ImageRow, object]]


def _groups(jobs: Sequence[FrameJob], batch_size: int) -> list[list[FrameJob]]:
    """Runs of frames whose images fill a batch."""
    cameras = max([1, *(len(job.images) for job in jobs)])
    size = ceil(batch_size / cameras)
    return [list(jobs[start : start + size]) for start in range(0, len(jobs), size)]


def _first_uses(groups: Sequence[Sequence[FrameJob]]) -> list[tuple[list[FrameRow], list[ImageRow]]]:
    """Of each group, its frames and the images that no earlier group has loaded."""
    seen: set[str] = set()
    items = []
    for group in groups:
        fresh = {row.image_path: row for job in group for row in job.images if row.image_path not in seen}
        seen |= fresh.keys()
        items.append(([job.row for job in group], list(fresh.values())))
    return items


def _load(item: tuple[list[FrameRow], list[ImageRow]], painter: PixelPainter, files: FrameFiles) -> _Loaded:
    frames, images = item
    points = [files.points(row) for row in frames]
    loaded = [(row, painter.load(files, row)) for row in images]
    return _Loaded(points, [(row, image) for row, image in loaded if image is not None])


def _segment(images: Sequence[tuple[ImageRow, object]], painter: PixelPainter) -> dict[str, PixelClasses]:
    """The pixels of each image by path, in batches of one image size."""

    def size(item: tuple[ImageRow, object]) -> tuple[int, int]:
        return item[0].height_px, item[0].width_px

    known: dict[str, PixelClasses] = {}
    for _, run in groupby(sorted(images, key=size), key=size):
        same = list(run)
        for start in range(0, len(same), painter.batch_size):
            batch = same[start : start + painter.batch_size]
            pixels = painter.pixels([image for _, image in batch])
            known |= {row.image_path: classes for (row, _), classes in zip(batch, pixels, strict=True)}
    return known


def _paint(job: FrameJob, points: Float32, known: dict[str, PixelClasses], plan: PaintPlan) -> PaintedFrame:
    views = [camera_view(row) for row in job.images if row.image_path in known]
    pixels = {row.camera: known[row.image_path] for row in job.images if row.image_path in known}
    frame = paint_frame(points, views, pixels, plan.camera_names, plan.num_classes, plan.settings, job.key)
    return finished(frame, points, plan)


def finished(frame: PaintedFrame, points: Float32, plan: PaintPlan) -> PaintedFrame:
    """The frame as it is stored: scores by the plan's temperature, then in the taxonomy asked for."""
    frame = temper_painted(frame, plan.settings.temperature)
    return frame if plan.mapping is None else map_painted(frame, points, plan.mapping)
