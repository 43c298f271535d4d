"""What of each target is done, counted by the names of its marks: thousands of marks are counted, not read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.workflows.stores import OpenStore

_MARK = re.compile(r"(\d+)\.json")
MOST_READ = 100
"""Marks that are read for their bytes; those of all are worked out from them where there are more."""


@dataclass(frozen=True)
class TargetDone:
    """How far the points or a layer are, against all frames of the catalog.

    Attributes:
        target: `points` or `layers/<name>`.
        store_format: of the store.
        frames: done.
        all_frames: of the catalog.
        shards: done.
        all_shards: of the catalog.
        num_bytes: on disk, of the shards that are done.
        exact: whether the bytes are counted, not worked out from some shards.
    """

    target: str
    store_format: str
    frames: int
    all_frames: int
    shards: int
    all_shards: int
    num_bytes: int
    exact: bool

    def to_json(self) -> dict[str, Any]:
        """As `paintpipe status --json` has it."""
        return {
            "target": self.target,
            "format": self.store_format,
            "frames": {"done": self.frames, "all": self.all_frames},
            "shards": {"done": self.shards, "all": self.all_shards},
            "bytes": self.num_bytes,
            "bytes_exact": self.exact,
        }


def targets_done(opened: OpenStore, frame_counts: Mapping[str, int]) -> list[TargetDone]:
    """Points first, then layers by name; those of which a shard is done.

    Args:
        opened: the store.
        frame_counts: frames of each sequence of the catalog.
    """
    folder = opened.ledger.root
    targets = [POINTS_TARGET, *(f"layers/{name}" for name in folder.names("layers").folders)]
    found = (_done(folder, target, opened, frame_counts) for target in targets)
    return [done for done in found if done.shards]


def _done(folder: Folder, target: str, opened: OpenStore, frame_counts: Mapping[str, int]) -> TargetDone:
    length = opened.store.frames_per_shard
    paths: list[str] = []
    frames = 0
    for sequence in folder.names(target).folders:
        count = frame_counts.get(sequence, 0)  # a sequence that was ingested no more counts for nothing
        marks = {
            int(name[1]): name[0] for name in map(_MARK.fullmatch, folder.names(f"{target}/{sequence}").files) if name
        }
        there = {index: name for index, name in marks.items() if index * length < count}
        frames += sum(min(length, count - index * length) for index in there)
        paths += [f"{target}/{sequence}/{name}" for name in there.values()]
    num_bytes, exact = _bytes(folder, paths)
    return TargetDone(
        target,
        opened.store_format,
        frames,
        sum(frame_counts.values()),
        len(paths),
        sum(-(-count // length) for count in frame_counts.values()),
        num_bytes,
        exact,
    )


def _bytes(folder: Folder, marks: list[str]) -> tuple[int, bool]:
    """What the marks' files hold, by reading at most `MOST_READ` of them, evenly spread."""
    step = max(1, -(-len(marks) // MOST_READ))
    sizes = [size for size in map(_mark_bytes, folder.read_many(marks[::step])) if size is not None]
    total = sum(sizes)
    return (total, True) if len(sizes) == len(marks) else (round(total / max(1, len(sizes)) * len(marks)), False)


def _mark_bytes(mark: bytes | None) -> int | None:
    """Bytes of a mark's files; None for a mark that is damaged or was removed since it was listed."""
    try:
        return sum(file["size"] for file in json.loads(mark or b"")["files"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
