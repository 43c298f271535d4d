"""Whether the dataset's files are there and as long as the catalog says, by their sizes alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.overlap import prefetch
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import PaintpipeError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest.formats import LABEL_BYTES
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.counted import FIRST_REJECTS
from paintpipe.workflows.file_painters import MaskPainter, OraclePainter, PredictionPainter
from paintpipe.workflows.paint_frames import shard_jobs

_AT_ONCE = 8
"""Folders of the dataset may lie on a network, where asking for one size after the other takes hours."""


@dataclass(frozen=True)
class FilesFound:
    """What a look at the dataset's files has told.

    Attributes:
        points: in the sweeps, by the catalog.
        images: painted from, each counted as often as a frame has it.
        checked: files that were looked at.
        bad: those of them that can't be used.
        bad_frames: frames that have any such file.
        first: what is wrong with the first of them.
    """

    points: int = 0
    images: int = 0
    checked: int = 0
    bad: int = 0
    bad_frames: int = 0
    first: tuple[str, ...] = ()

    def __add__(self, other: "FilesFound") -> "FilesFound":
        sums = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return FilesFound(**sums | {"first": sums["first"][:FIRST_REJECTS]})


def check_files(
    catalog: Catalog, root: Root, shards: Sequence[Shard], cameras: tuple[str, ...], painter: Any, quiet: bool
) -> FilesFound:
    """Look at every file that these shards need: absent, empty, or of another length than its points or labels make.

    Args:
        catalog: of the dataset.
        root: of the dataset.
        shards: to be painted.
        cameras: painted from.
        painter: for the files that it has of its own; None where it could not be built.
        quiet: no progress bar.
    """

    def look(shard: Shard) -> FilesFound:
        return sum((_look(root, *frame) for frame in _wanted(catalog, shard, cameras, painter)), FilesFound())

    found = prefetch(shards, look, depth=4 * _AT_ONCE, threads=_AT_ONCE)
    return sum(track(found, "files", "shard", quiet=quiet, total=len(shards)), FilesFound())


def _look(root: Root, points: int, images: int, sizes: dict[str, int | None], faults: list[str]) -> FilesFound:
    faults = faults + [fault for path, size in sizes.items() if (fault := _fault(root, path, size))]
    return FilesFound(points, images, len(sizes), len(faults), int(bool(faults)), tuple(faults))


def _wanted(
    catalog: Catalog, shard: Shard, cameras: tuple[str, ...], painter: Any
) -> Iterator[tuple[int, int, dict[str, int | None], list[str]]]:
    """For each frame its points, its images, how long each of its files must be, and what its painter misses."""

    def columns(table: str, *names: str) -> Iterator[tuple[Any, ...]]:
        values = [catalog.column(table, shard.sequence, name, shard.start, shard.stop) for name in names]
        return zip(*values, strict=True)

    images: dict[int, list[str]] = defaultdict(list)
    for index, camera, path in columns("images", "index", "camera", "image_path"):
        if camera in cameras:
            images[index].append(path)
    missing = _missing(catalog, shard, cameras, painter)
    names = ("index", "num_points", "points_path", "points_format", "point_features", "labels_path", "labels_format")
    for index, count, path, kind, features, labels, labels_kind in columns("frames", *names):
        sizes: dict[str, int | None] = {path: 4 * len(features) * count if kind == "float32" else None}
        if not isinstance(painter, OraclePainter | PredictionPainter):
            sizes |= dict.fromkeys(images[index])
        if isinstance(painter, OraclePainter) and painter.from_labels and labels:
            label_bytes = LABEL_BYTES.get(labels_kind or "")
            sizes[labels] = label_bytes and label_bytes * count
        yield count, len(images[index]), sizes, missing.get(index, [])


def _missing(catalog: Catalog, shard: Shard, cameras: tuple[str, ...], painter: Any) -> dict[int, list[str]]:
    """By frame, what a painter that reads files of its own does not find."""
    if not isinstance(painter, MaskPainter | PredictionPainter):
        return {}
    return {job.row.index: painter.absent(job.row, job.images) for job in shard_jobs(catalog, shard, cameras)}


def _fault(root: Root, path: str, expected: int | None) -> str:
    """What is wrong with a file, "" where nothing is; `expected` bytes, None where any number but 0 will do."""
    try:
        size = root.size(path)
    except (PaintpipeError, OSError) as error:
        return error.line() if isinstance(error, PaintpipeError) else f"{path}: {error.strerror or error}"
    if size is None:
        return f"{path}: no such file"
    if expected is None:
        return f"{path}: empty" if size == 0 else ""
    return "" if size == expected else f"{path}: {size:,} bytes, but the catalog says {expected:,}"
