"""Painting a shard's frames from layers that are painted already."""

from collections.abc import Iterator, Sequence

from paintpipe.pipeline.events import Bus
from paintpipe.pipeline.overlap import prefetch
from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.workflows.frame_io import FrameFiles, camera_view
from paintpipe.workflows.layer_painters import LayerPainters
from paintpipe.workflows.paint_frames import FrameJob, Painted, PaintPlan, finished


def paint_by_layers(
    jobs: Sequence[FrameJob], painter: LayerPainters, plan: PaintPlan, files: FrameFiles, bus: Bus
) -> Iterator[Painted]:
    """Paint frames with a painter that reads layers; of images it needs where they look, not what they show."""

    def load(job: FrameJob) -> tuple[Float32 | None, list[PaintedFrame]]:
        with bus.timed("load"):
            return painter.sources.points(files, job.row), painter.sources.frames(files, job.row)

    for job, (points, stored) in zip(jobs, prefetch(jobs, load, depth=2), strict=True):
        if points is None:
            yield points, None
            continue
        with bus.timed("paint"):
            views = [camera_view(row) for row in job.images]
            frame = painter.frame(stored, points, views, plan.camera_names, plan.settings, job.key)
            yield points, finished(frame, points, plan)
