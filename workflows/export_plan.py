"""Which shards an export consists of, and all that decides the bytes of each."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from paintpipe.pipeline.changes import digest_of
from paintpipe.pipeline.ledger import MARKS_AT_ONCE, Mark, encode_mark
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import POINTS_TARGET, layer_target
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import EXPORT_FORMAT, ExportFacts
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_sweeps import first_frame_needed
from paintpipe.workflows.stores import OpenStore

UNSPLIT = "none"
"""Split of a frame that the catalog gives none, where it gives others one."""
TRAIN = "train"
MOST_FRAMES = 4
"""Of a part: a KITTI sweep with 19 scores is 11 MB, and its file as much again."""


@dataclass(frozen=True)
class Wanted:
    """Which frames of the catalog belong to an export.

    Attributes:
        splits: () for all.
        sequences: () for all.
        limit: frames; the last part is taken whole.
        keyframes_only: whether frames between keyframes are left out.
        by_sequence: whether the target writes a file a sequence, so that a sequence is one shard.
    """

    splits: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    keyframes_only: bool = False
    by_sequence: bool = False


@dataclass(frozen=True)
class Part:
    """One shard of an export.

    Attributes:
        shard: which frames it is made from.
        frames: those of them that are exported.
        first: the earliest frame that it reads: a sweep before a keyframe, or the shard's own first.
        painted: digest of each painted shard that it reads, by its index.
        points: digest of each of their shards of points; empty where the points lie in the dataset.
        rejects: frame index → why it is left out.
    """

    shard: Shard
    frames: tuple[int, ...]
    first: int
    painted: Mapping[int, str] = field(default_factory=dict)
    points: Mapping[int, str] = field(default_factory=dict)
    rejects: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The parts of an export in catalog order, and how many frames are wanted that are not painted."""

    parts: tuple[Part, ...]
    num_unpainted: int

    def by_shard(self) -> dict[Shard, Part]:
        """Each part by its shard."""
        return {part.shard: part for part in self.parts}


def part_inputs(part: Part, catalog: Catalog, facts: ExportFacts, target: str, default_split: str) -> dict[str, Any]:
    """All that decides a part's bytes, JSON-ready; see `Mark.inputs`."""
    return {
        "export_format": EXPORT_FORMAT,
        "target": target,
        "card": dict(facts.card),
        "default_split": default_split,
        "frames": list(part.frames),
        "painted": digest_of({str(index): digest for index, digest in part.painted.items()}),
        "points": digest_of({str(index): digest for index, digest in part.points.items()}),
        "catalog": catalog.rows_digest(part.shard.sequence, part.first, part.shard.stop),
    }


def usual_split(catalog: Catalog) -> str:
    """The split of frames that the catalog gives none: `train`, or `none` where it says what belongs to `train`."""
    return UNSPLIT if TRAIN in _splits(catalog) else TRAIN


def has_unsplit(catalog: Catalog) -> bool:
    """Whether the catalog gives some frame no split."""
    return None in _splits(catalog)


def check_splits(catalog: Catalog, wanted: tuple[str, ...]) -> None:
    """Raises ConfigError for a split that no frame is in; the message lists those that there are."""
    there = {split or usual_split(catalog) for split in _splits(catalog)}
    unknown = [split for split in wanted if split not in there]
    if unknown:
        raise ConfigError(f"no frame is in split {unknown[0]!r}", expected="some of " + ", ".join(sorted(there)))


def check_sequences(catalog: Catalog, wanted: tuple[str, ...]) -> None:
    """Raises ConfigError for a sequence that the catalog lacks."""
    unknown = [name for name in wanted if name not in catalog.sequences]
    if unknown:
        raise ConfigError(f"no sequence {unknown[0]!r}", expected="some of " + ", ".join(catalog.sequences[:20]))


def make_plan(catalog: Catalog, opened: OpenStore, layer: str, wanted: Wanted, sweeps: int, also: set[Shard]) -> Plan:
    """The parts of an export.

    Args:
        catalog: of the dataset.
        opened: the painted store.
        layer: that is exported.
        wanted: which frames.
        sweeps: before each keyframe that come with it; a part whose sweeps are not painted waits for them.
        also: shards that are exported already, and stay.
    """
    painted = _Painted(opened, layer)
    parts, unpainted, left = list[Part](), 0, wanted.limit
    for shard, frames in _candidates(catalog, part_length(opened.store.frames_per_shard, sweeps), wanted):
        asked = (
            bool(frames) and shard.sequence in (wanted.sequences or (shard.sequence,)) and (left is None or left > 0)
        )
        if not frames or not (asked or shard in also):
            continue
        left = left - len(frames) if left is not None and asked else left
        part, lacking = _part(catalog, painted, shard, frames, sweeps)
        unpainted += lacking if asked else 0
        parts += [part] if part is not None else []
    return Plan(tuple(parts), unpainted)


def part_length(frames_per_shard: int, sweeps: int) -> int:
    """Frames of a part: few, since it holds them all at once, and so many that it never ends in another painted shard.

    Where sweeps come along it is the painted shard: most frames are no keyframes, and those that are share sweeps.
    """
    if sweeps:
        return frames_per_shard
    return next(length for length in range(MOST_FRAMES, 0, -1) if frames_per_shard % length == 0)


def _candidates(catalog: Catalog, length: int, wanted: Wanted) -> Iterator[tuple[Shard, list[int]]]:
    """Every shard of the catalog with those of its frames that the splits want."""
    counts, default = catalog.frame_counts(), usual_split(catalog)
    for sequence, count in counts.items():
        if not count:
            continue
        splits = catalog.column("frames", sequence, "split")
        keys = catalog.column("frames", sequence, "is_keyframe")
        for shard in plan_shards({sequence: count}, count if wanted.by_sequence else length):
            yield (
                shard,
                [
                    index
                    for index in range(shard.start, shard.stop)
                    if (not wanted.splits or (splits[index] or default) in wanted.splits)
                    and (keys[index] or not wanted.keyframes_only)
                ],
            )


def _part(
    catalog: Catalog, painted: "_Painted", shard: Shard, frames: list[int], sweeps: int
) -> tuple[Part | None, int]:
    """The part, None where nothing of it is painted; and how many of its frames are not."""
    length, count = painted.opened.store.frames_per_shard, catalog.frame_counts()[shard.sequence]
    first = first_frame_needed(catalog, shard.sequence, shard.start, shard.stop, sweeps) if sweeps else shard.start
    every = plan_shards({shard.sequence: count}, length)[first // length : -(-shard.stop // length)]
    marks = {mark.shard.index: mark for mark in painted.marks(every)}
    there = [index for index in frames if index // length in marks]
    sweeps_lack = sweeps and len(marks) < len(every)
    if not there or sweeps_lack:
        return None, len(frames)
    rejects = {
        index: reason for mark in marks.values() for index, reason in mark.rejects.items() if index in set(there)
    }
    points = painted.points(every) if len(marks) == len(every) else painted.points([m.shard for m in marks.values()])
    kept = tuple(index for index in there if index not in rejects)
    digests = {index: digest_of_mark(mark) for index, mark in sorted(marks.items())}
    part = Part(shard, kept, first, digests, points, rejects)
    return part, len(frames) - len(there)


@dataclass(frozen=True)
class _Painted:
    """Marks of the layer and of the points."""

    opened: OpenStore
    layer: str

    def marks(self, shards: list[Shard]) -> list[Mark]:
        return [mark for mark in self._find(layer_target(self.layer), shards) if mark is not None]

    def points(self, shards: list[Shard]) -> dict[int, str]:
        """Digests of the points' marks; none at all unless every shard has one, so that there is one place to look."""
        marks = list(self._find(POINTS_TARGET, shards))
        if not all(marks):
            return {}
        return {mark.shard.index: digest_of_mark(mark) for mark in marks if mark is not None}

    def _find(self, target: str, shards: list[Shard]) -> Iterator[Mark | None]:
        for start in range(0, len(shards), MARKS_AT_ONCE):
            some = self.opened.ledger.find(target, shards[start : start + MARKS_AT_ONCE])
            self.opened.check_whole(mark for mark in some if mark is not None)
            yield from some


def digest_of_mark(mark: Mark) -> str:
    """The sha256 of all that a mark says: inputs, files and their hashes, rejects."""
    return hashlib.sha256(encode_mark(mark)).hexdigest()


def layer_digest(parts: Iterable[Part]) -> str:
    """The sha256 over the digests of all painted shards that an export reads."""
    return digest_of(
        {f"{part.shard.sequence}/{index}": digest for part in parts for index, digest in part.painted.items()}
    )


def _splits(catalog: Catalog) -> set[str | None]:
    found: set[str | None] = set()
    for rows in catalog.tables["frames"].scan(["split"]):
        found.update(rows.column("split").unique().to_pylist())
    return found
