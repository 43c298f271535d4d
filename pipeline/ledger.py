"""Which shards are done, each with all that went into it.

One JSON file per (target, shard), written after the shard's files are durable. The bytes of a mark depend on the
shard alone: no time, no host, no attempt.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from paintpipe.pipeline.changes import canonical_json, digest_of, explain_change
from paintpipe.pipeline.publish import publish_file, remove_file
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import ChangedInputError

MARK_FORMAT = 1
"""Raised when the meaning of marks changes."""


@dataclass(frozen=True)
class FileSum:
    """What a published file must be: its sha256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Mark:
    """One finished shard of one target.

    Attributes:
        target: `points` or `layers/<name>`.
        shard: which frames.
        inputs: all that decides the shard's bytes, JSON-ready (catalog rows' hash, file sizes, weights, settings,
            paint format). Never the release version, a time or a path.
        files: by path relative to the store's root.
        rows: points of each frame.
        rejects: frame index → why it was filled instead of painted.
        input_sha256s: content hashes of the inputs, by path relative to the dataset's root, taken while reading.
    """

    target: str
    shard: Shard
    inputs: Mapping[str, Any]
    files: Mapping[str, FileSum]
    rows: tuple[int, ...]
    rejects: Mapping[int, str] = field(default_factory=dict)
    input_sha256s: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The sha256 of `inputs`."""
        return digest_of(self.inputs)


class Ledger:
    """The marks of one workspace and store.

    Args:
        root: the ledger's folder; it need not exist yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, target: str, shard: Shard) -> Path:
        """Where a shard's mark lies."""
        return self.root / target / shard.sequence / f"{shard.index:05d}.json"

    def done(self, target: str, shard: Shard) -> Mark | None:
        """The shard's mark; None where it has none, or one that is torn, damaged or of another plan."""
        mark = read_mark(self.path(target, shard))
        return mark if mark is not None and (mark.target, mark.shard) == (target, shard) else None

    def record(self, mark: Mark) -> None:
        """Write a mark atomically and durably, over an older one. Raises StoreError."""
        publish_file(self.path(mark.target, mark.shard), encode_mark(mark))

    def forget(self, target: str, shard: Shard) -> None:
        """Remove a shard's mark durably; it counts as not done from now on. Raises StoreError."""
        remove_file(self.path(target, shard))

    def pending(
        self, target: str, shards: Sequence[Shard], inputs_of: Callable[[Shard], Mapping[str, Any]], root: Path
    ) -> list[Shard]:
        """The shards that have still to be done: without a mark, or with files that are gone from `root`, the store's.

        Raises:
            ChangedInputError: a shard was made from other inputs; the message names what changed.
        """
        waiting = []
        for shard in shards:
            mark = self.done(target, shard)
            if mark is None or missing_file(root, mark):
                waiting.append(shard)
            elif mark.digest != digest_of(inputs := inputs_of(shard)):
                where = f"{target} of {shard.sequence}, shard {shard.index}"
                what = f"was made from other inputs: {explain_change(mark.inputs, inputs)}"
                raise ChangedInputError(what, where=where, todo="use another --layer, or --overwrite to paint it again")
        return waiting

    def mark_paths(self, target: str) -> Iterator[Path]:
        """Every mark file of a target, readable or not, in order of sequence and shard."""
        yield from sorted((self.root / target).glob("*/*.json"))

    def targets(self) -> list[str]:
        """Targets that have marks: `points` first, then layers by name."""
        layers = sorted(path.relative_to(self.root).as_posix() for path in self.root.glob("layers/*") if path.is_dir())
        return [target for target in ("points", *layers) if next(self.mark_paths(target), None) is not None]


def missing_file(root: Path, mark: Mark) -> str:
    """The first of a mark's files that is absent or of another size, "" where all are there."""
    for name, file in mark.files.items():
        try:
            if (root / name).stat().st_size == file.size:
                continue
        except OSError:
            pass
        return name
    return ""


def encode_mark(mark: Mark) -> bytes:
    """A mark's bytes: JSON with sorted keys, and a checksum over all of it."""
    content = {**asdict(mark), "format": MARK_FORMAT, "digest": mark.digest}
    content["rejects"] = {str(frame): reason for frame, reason in mark.rejects.items()}
    content["checksum"] = _checksum(content)
    return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_mark(path: Path) -> Mark | None:
    """The mark in a file, None where there is none or where it is torn, damaged or of another format."""
    try:
        content = json.loads(path.read_bytes())
        if content.pop("checksum") != _checksum(content) or content.pop("format") != MARK_FORMAT:
            return None
        return _mark_of(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _mark_of(content: dict[str, Any]) -> Mark:
    return Mark(
        target=content["target"],
        shard=Shard(**content["shard"]),
        inputs=content["inputs"],
        files={path: FileSum(**file) for path, file in content["files"].items()},
        rows=tuple(content["rows"]),
        rejects={int(frame): reason for frame, reason in content["rejects"].items()},
        input_sha256s=content["input_sha256s"],
    )


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
