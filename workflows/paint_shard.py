"""What a worker does with one shard: read, paint, encode, publish, mark."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.events import Bus, Counted, FrameDone, FrameRejected, ShardDone, ShardStarted
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.steady_root import SteadyRoot
from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.pipeline.turns import BusInTurns
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import StoreError
from paintpipe.schemas.painted import layer_arrays
from paintpipe.schemas.source import Root
from paintpipe.stages.paint.check import check_painted
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.choose_painter import AnyPainter
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.layer_painters import LayerPainters
from paintpipe.workflows.paint_frames import (
    FrameJob,
    Painted,
    PaintPlan,
    paint_by_pixels,
    paint_by_points,
    shard_jobs,
)
from paintpipe.workflows.paint_inputs import PaintInputs
from paintpipe.workflows.paint_layers import paint_by_layers
from paintpipe.workflows.painters import PixelPainter
from paintpipe.workflows.stores import OpenStore


@dataclass(frozen=True)
class ShardTask:
    """A shard and those of its targets (`points`, `layers/NAME`) that are not done; all that a worker is told of it.

    Attributes:
        shard: which frames.
        targets: what of it to do.
        catalog: the rows of those frames alone.
        images_repeated: its images that the shard before holds too.
    """

    shard: Shard
    targets: tuple[str, ...]
    catalog: Catalog
    images_repeated: int = 0

    def __str__(self) -> str:
        return f"{self.shard.sequence}, shard {self.shard.index}"


@dataclass(frozen=True)
class ShardPainter:
    """Paints one shard a call; safe for several threads."""

    root: Root
    painter: AnyPainter
    plan: PaintPlan
    opened: OpenStore
    bus: BusInTurns

    def __call__(self, task: ShardTask) -> list[RejectedRow]:
        """Paint, publish and mark a shard; returns what could not be used."""
        for target in task.targets:
            self.bus.emit(ShardStarted(target, task.shard.sequence, task.shard.index))
        files = FrameFiles(self.root, turns=self.bus.turns)
        jobs = shard_jobs(task.catalog, task.shard, self.plan.camera_names)
        painted = self._paint(task, jobs, files)
        if isinstance(self.root, SteadyRoot) and (retries := self.root.take_retries()):
            self.bus.emit(Counted("read_retries", retries))
        rejects = self._rejects(task.shard, jobs, files)
        for target in task.targets:
            self._commit(target, task, self._arrays(target, painted), rejects, files)
        return files.rejected

    def _paint(self, task: ShardTask, jobs: list[FrameJob], files: FrameFiles) -> list[Painted]:
        painter = self.painter
        paint = _how(painter, task.targets)
        painted = []
        for job, done in zip(jobs, paint(jobs, painter, self.plan, files, self.bus), strict=True):
            _check(job, done, self.plan)
            painted.append(done)
            self.bus.emit(FrameDone(task.shard.sequence, job.row.index))
        if not isinstance(painter, LayerPainters):
            self.bus.emit(Counted("images", len({row.image_path for job in jobs for row in job.images})))
            self.bus.emit(Counted("images_repeated_at_shard_borders", task.images_repeated))
        return painted

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
        task: ShardTask,
        arrays: list[Mapping[str, AnyArray] | None],
        rejects: dict[int, str],
        files: FrameFiles,
    ) -> None:
        opened, shard = self.opened, task.shard
        inputs = PaintInputs(task.catalog, self.root, self.painter, self.plan)
        rows = task.catalog.column("frames", shard.sequence, "num_points", shard.start, shard.stop)
        with self.bus.timed("encode", len(shard)):
            encoded = opened.store.encode_shard(target, shard, arrays)
        with self.bus.timed("publish", len(shard)):
            commit_shard(
                opened.store,
                opened.ledger,
                target,
                shard,
                encoded,
                inputs=inputs(target, shard),
                rows=tuple(rows),
                rejects=rejects,
                input_sha256s=dict(sorted(files.sha256.items())),
            )
        size = sum(map(len, encoded.values()))
        self.bus.emit(ShardDone(target, shard.sequence, shard.index, len(shard), size))


def _how(painter: AnyPainter, targets: tuple[str, ...]) -> Callable[..., Iterable[Painted]]:
    if targets == (POINTS_TARGET,):
        return _points_only
    if isinstance(painter, LayerPainters):
        return paint_by_layers
    return paint_by_pixels if isinstance(painter, PixelPainter) else paint_by_points


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
