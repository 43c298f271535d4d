"""Each stage of painting, alone, by the calls that a run makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.events import Bus
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.stage_cost import StageCost, stage_cost
from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.schemas.arrays import AnyArray, Float32
from paintpipe.schemas.catalog import FrameRow, ImageRow
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.painted import layer_arrays
from paintpipe.schemas.pixels import PixelClasses
from paintpipe.schemas.source import Root
from paintpipe.stages.paint.check import check_painted
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.paint_frames import FrameJob, Painted, PaintPlan, paint_by_pixels
from paintpipe.workflows.painters import NetworkPainter
from paintpipe.workflows.stores import OpenStore

STAGES = ("read", "decode", "forward", "project + sample", "write")


@dataclass(frozen=True)
class StageInputs:
    """What the stages run with.

    Attributes:
        root: of the dataset.
        painter: the network.
        plan: how frames are painted.
        opened: a store, with the sequence and the layer of `targets` created.
        targets: what of each shard is written.
        devices: accelerators that the run spreads the network over, 0 where the cores run it.
        device: that the network runs on here.
    """

    root: Root
    painter: NetworkPainter
    plan: PaintPlan
    opened: OpenStore
    targets: tuple[str, ...]
    devices: int = 0
    device: str = "cpu"


@dataclass
class _HeldFiles(FrameFiles):
    """Files that were read before, and points that were decoded before."""

    held: Mapping[str, bytes] = field(default_factory=dict)
    decoded: Mapping[str, Float32] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        return self.held[path]

    def points(self, row: FrameRow) -> Float32 | None:
        return self.decoded[row.points_path] if self.decoded else super().points(row)


@dataclass(frozen=True)
class _KnownPixels:
    """A painter that holds the network's scores, so that all but the network is left."""

    network: NetworkPainter
    known: Mapping[str, PixelClasses]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def load(self, _files: FrameFiles, row: ImageRow) -> str:
        return row.image_path

    def pixels(self, loaded: Sequence[str]) -> list[PixelClasses]:
        return [self.known[path] for path in loaded]


def stage_costs(given: StageInputs, jobs: Sequence[FrameJob], shard: Shard) -> Iterator[StageCost]:
    """The cost of each of `STAGES` over these frames, with what the one before made.

    Args:
        given: what to run with.
        jobs: the frames of `shard`.
        shard: what is written.

    Raises:
        InputFileError: a file can't be used.
    """
    runs = _Stages(given, list(jobs), shard)
    for name, work in zip(STAGES, (runs.read, runs.decode, runs.forward, runs.paint, runs.write), strict=True):
        work()  # compiles, fills caches, and makes what the next stage takes
        yield stage_cost(name, len(jobs), work, devices=given.devices if name == "forward" else 0)


@dataclass
class _Stages:
    """One pass of each stage over the frames; each keeps what it made for the next."""

    given: StageInputs
    jobs: list[FrameJob]
    shard: Shard
    held: dict[str, bytes] = field(default_factory=dict)
    points: dict[str, Float32] = field(default_factory=dict)
    images: list[tuple[ImageRow, Any]] = field(default_factory=list)
    pixels: dict[str, PixelClasses] = field(default_factory=dict)
    painted: list[Painted] = field(default_factory=list)

    @property
    def rows(self) -> dict[str, ImageRow]:
        """Each image once, as a run segments it."""
        return {row.image_path: row for job in self.jobs for row in job.images}

    def read(self) -> None:
        files = FrameFiles(self.given.root)
        paths = [job.row.points_path for job in self.jobs] + list(self.rows)
        self.held = {path: files.read(path) for path in paths}

    def decode(self) -> None:
        files = _HeldFiles(self.given.root, held=self.held)
        points = {job.row.points_path: files.points(job.row) for job in self.jobs}
        self.images = [(row, self.given.painter.load(files, row)) for row in self.rows.values()]
        if files.rejected:
            rejected = files.rejected[0]
            raise InputFileError(rejected.reason, where=rejected.path, todo="bench takes the first frames: mend them")
        self.points = {path: array for path, array in points.items() if array is not None}

    def forward(self) -> None:
        painter = self.given.painter
        for batch in _batches(self.images, painter.batch_size):
            pixels = painter.pixels([image for _, image in batch])
            self.pixels |= {row.image_path: classes for (row, _), classes in zip(batch, pixels, strict=True)}
        if self.given.devices:
            import torch

            torch.cuda.synchronize(self.given.device)  # scores stay on a GPU, which may not have computed them yet

    def paint(self) -> None:
        files = _HeldFiles(self.given.root, decoded=self.points)
        known = _KnownPixels(self.given.painter, self.pixels)
        self.painted = list(paint_by_pixels(self.jobs, known, self.given.plan, files, Bus()))

    def write(self) -> None:
        """Check, encode, publish and mark, in as many shards as there are targets."""
        opened, rows = self.given.opened, tuple(job.row.num_points for job in self.jobs)
        for job, (_, frame) in zip(self.jobs, self.painted, strict=True):
            assert frame is not None
            assert not check_painted(frame, job.row.num_points, self.given.plan.stored_classes)
        for target in self.given.targets:
            files = opened.store.encode_shard(target, self.shard, [_arrays(target, each) for each in self.painted])
            commit_shard(opened.store, opened.ledger, target, self.shard, files, inputs={}, rows=rows)


def _batches(images: list[tuple[ImageRow, Any]], size: int) -> Iterator[list[tuple[ImageRow, Any]]]:
    """Runs of images of one size."""

    def extent(item: tuple[ImageRow, Any]) -> tuple[int, int]:
        return item[0].height_px, item[0].width_px

    for _, run in groupby(sorted(images, key=extent), key=extent):
        same = list(run)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _arrays(target: str, painted: Painted) -> Mapping[str, AnyArray]:
    points, frame = painted
    assert points is not None
    assert frame is not None
    return {"points": points} if target == POINTS_TARGET else layer_arrays(frame)
