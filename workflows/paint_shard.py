"""What a worker does with one shard: read, paint, encode, publish, mark."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.events import Bus, Counted, FrameDone, FrameRejected, ShardDone, ShardStarted
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import StoreError
from paintpipe.schemas.painted import check_painted, layer_arrays
from paintpipe.schemas.source import Root
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.paint_frames import FrameJob, Painted, PaintPlan, paint_by_pixels, paint_by_points
from paintpipe.workflows.painters import PixelPainter, PointPainter
from paintpipe.workflows.stores import OpenStore

Inputs = Callable[[str, Shard], dict[str, Any]]
"""(target, shard) → all that decides the bytes of that shard."""


@dataclass(frozen=True)
class ShardTask:
    """A shard and those of its targets (`points`, `layers/NAME`) that are not done."""

    shard: Shard
    targets: tuple[str, ...]


@dataclass(frozen=True)
class ShardPainter:
    """Paints one shard a call; safe for several threads."""

    catalog: Catalog
    root: Root
    painter: PixelPainter | PointPainter
    plan: PaintPlan
    opened: OpenStore
    inputs: Inputs
    bus: Bus

    def __call__(self, task: ShardTask) -> list[RejectedRow]:
        """Paint, publish and mark a shard; returns what could not be used."""
        for target in task.targets:
            self.bus.emit(ShardStarted(target, task.shard.sequence, task.shard.index))
        files = FrameFiles(self.root)
        jobs = shard_jobs(self.catalog, task.shard, self.plan.camera_names)
        painted = self._paint(task, jobs, files)
        rejects = self._rejects(task.shard, jobs, files)
        for target in task.targets:
            self._commit(target, task.shard, self._arrays(target, painted), rejects, files)
        return files.rejected

    def _paint(self, task: ShardTask, jobs: list[FrameJob], files: FrameFiles) -> list[Painted]:
        painter: Any = self.painter
        paint: Callable[..., Iterable[Painted]] = (
            paint_by_pixels if isinstance(painter, PixelPainter) else paint_by_points
        )
        if task.targets == (POINTS_TARGET,):
            paint = _points_only
        painted = []
        for job, done in zip(jobs, paint(jobs, painter, self.plan, files, self.bus), strict=True):
            _check(job, done, self.plan)
            painted.append(done)
            self.bus.emit(FrameDone(task.shard.sequence, job.row.index))
        self._count_images(task.shard, jobs)
        return painted

    def _count_images(self, shard: Shard, jobs: list[FrameJob]) -> None:
        """Images segmented, and those of them that the shard before has segmented too."""
        images = {row.image_path for job in jobs for row in job.images}
        earlier = self.catalog.images(shard.sequence, max(0, shard.start - len(shard)), shard.start)
        self.bus.emit(Counted("images", len(images)))
        self.bus.emit(Counted("images_repeated_at_shard_borders", len(images & {row.image_path for row in earlier})))

    def _rejects(self, shard: Shard, jobs: list[FrameJob], files: FrameFiles) -> dict[int, str]:
        """Frame index → what of it could not be used."""
        reasons: dict[int, str] = {}
        for job in jobs:
            paths = job.paths
            found = sorted({row.reason for row in files.rejected if row.path in paths})
            if found:
                reasons[job.row.index] = "; ".join(found)
                self.bus.emit(FrameRejected(shard.sequence, job.row.frame_id, reasons[job.row.index]))
        return reasons

    def _arrays(self, target: str, painted: list[Painted]) -> list[Mapping[str, AnyArray] | None]:
        if target == POINTS_TARGET:
            return [None if points is None else {"points": points} for points, _ in painted]
        return [None if frame is None else layer_arrays(frame) for _, frame in painted]

    def _commit(
        self,
        target: str,
        shard: Shard,
        arrays: list[Mapping[str, AnyArray] | None],
        rejects: dict[int, str],
        files: FrameFiles,
    ) -> None:
        opened, rows = self.opened, tuple(self.catalog.column("frames", shard.sequence, "num_points"))
        with self.bus.timed("encode", len(shard)):
            encoded = opened.store.encode_shard(target, shard, arrays)
        with self.bus.timed("publish", len(shard)):
            commit_shard(
                opened.store,
                opened.ledger,
                target,
                shard,
                encoded,
                inputs=self.inputs(target, shard),
                rows=rows[shard.start : shard.stop],
                rejects=rejects,
                input_sha256s=dict(sorted(files.sha256.items())),
            )
        size = sum(map(len, encoded.values()))
        self.bus.emit(ShardDone(target, shard.sequence, shard.index, len(shard), size))


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


def _points_only(
    jobs: list[FrameJob], _painter: object, _plan: PaintPlan, files: FrameFiles, bus: Bus
) -> list[Painted]:
    with bus.timed("read", len(jobs)):
        return [(files.points(job.row), None) for job in jobs]


def _check(job: FrameJob, done: Painted, plan: PaintPlan) -> None:
    _, frame = done
    fault = "" if frame is None else check_painted(frame, job.row.num_points, plan.stored_classes)
    if fault:
        raise StoreError(f"refused to store a wrong frame: {fault}", where=job.key, todo="please report this")
