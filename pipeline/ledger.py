"""Which shards are done, each with all that went into it.

One JSON file per (target, shard), written after the shard's files are durable. The bytes of a mark depend on the
shard alone: no time, no host, no attempt.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from json.encoder import encode_basestring
from typing import Any

from paintpipe.pipeline.changes import canonical_json, digest_of, explain_change
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.open import Place, open_folder
from paintpipe.pipeline.progress import track_checks
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import ChangedInputError

MARK_FORMAT = 1
"""Raised when the meaning of marks changes."""
MARKS_AT_ONCE = 256
"""A mark of 16 frames with six images names 100 files: those of a million frames would take gigabytes."""
_PAINT_AGAIN = "use another --layer, or --overwrite to paint it again"


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
    """The marks of one workspace and store; every method raises StoreError where disk or service refuse.

    Args:
        root: the ledger's folder, or its path or URL; it need not exist yet.
    """

    def __init__(self, root: Place) -> None:
        self.root: Folder = open_folder(root)

    def path(self, target: str, shard: Shard) -> str:
        """Where a shard's mark lies, relative to `root`."""
        return f"{target}/{shard.sequence}/{shard.index:05d}.json"

    def done(self, target: str, shard: Shard) -> Mark | None:
        """The shard's mark; None where it has none, or one that is torn, damaged or of another plan."""
        return self.find(target, [shard])[0]

    def find(self, target: str, shards: Sequence[Shard]) -> list[Mark | None]:
        """`done` of each shard, in few steps."""
        found = map(decode_mark, self.root.read_many([self.path(target, shard) for shard in shards]))
        return [
            mark if mark is not None and (mark.target, mark.shard) == (target, shard) else None
            for mark, shard in zip(found, shards, strict=True)
        ]

    def record(self, mark: Mark) -> None:
        """Write a mark atomically and durably."""
        self.root.mark(self.path(mark.target, mark.shard), encode_mark(mark))

    def forget(self, target: str, shard: Shard) -> None:
        """Remove a shard's mark durably; it counts as not done from now on."""
        self.root.remove(self.path(target, shard))

    def forget_sequence(self, target: str, sequence: str) -> None:
        """Remove all of a sequence's marks, readable or not."""
        folder = f"{target}/{sequence}"
        for name in self.root.names(folder).files:
            self.root.remove(f"{folder}/{name}")

    def pending(
        self,
        target: str,
        shards: Sequence[Shard],
        inputs_of: Callable[[Shard], Mapping[str, Any]],
        root: Folder,
        todo: str = _PAINT_AGAIN,
        *,
        quiet: bool = True,
    ) -> list[Shard]:
        """The shards that have still to be done: without a mark, or with files that are gone from `root`, the store's.

        Args:
            target: whose marks.
            shards: that are wanted.
            inputs_of: see `Mark.inputs`.
            root: folder of the files.
            todo: what to tell a user whose shards were made from other inputs.
            quiet: no progress on standard error; a million frames take minutes.

        Raises:
            ChangedInputError: a shard was made from other inputs; the message names what changed.
        """
        there = set(self.mark_paths(target))
        marked = [shard for shard in shards if self.path(target, shard) in there]
        done: set[Shard] = set()
        for mark in track_checks(self._whole(target, marked, root), target, len(marked), quiet=quiet):
            _check_unchanged(mark, inputs_of(mark.shard), todo)
            done.add(mark.shard)
        return [shard for shard in shards if shard not in done]

    def _whole(self, target: str, shards: Sequence[Shard], root: Folder) -> Iterator[Mark]:
        """The marks of these shards that can be read and whose files are there."""
        for start in range(0, len(shards), MARKS_AT_ONCE):
            marks = [mark for mark in self.find(target, shards[start : start + MARKS_AT_ONCE]) if mark is not None]
            broken = {mark.shard for mark, _ in missing_files(root, marks)}
            yield from (mark for mark in marks if mark.shard not in broken)

    def mark_paths(self, target: str) -> list[str]:
        """Every mark of a target, readable or not, relative to `root`, in order of sequence and shard."""
        depth = target.count("/") + 2
        return sorted(path for path in self.root.walk(target) if path.count("/") == depth and path.endswith(".json"))

    def marks(self, target: str) -> Iterator[tuple[str, Mark | None]]:
        """`mark_paths`, each with the mark that it holds, None where that is torn, damaged or of another place."""
        paths = self.mark_paths(target)
        for path, mark in zip(paths, map(decode_mark, self.root.read_many(paths)), strict=True):
            yield path, mark if mark is not None and self.path(mark.target, mark.shard) == path else None

    def targets(self) -> list[str]:
        """Targets that have marks: `points` first, then layers by name."""
        layers = [f"layers/{name}" for name in self.root.names("layers").folders]
        return [target for target in ("points", *layers) if self.mark_paths(target)]


def _check_unchanged(mark: Mark, inputs: Mapping[str, Any], todo: str) -> None:
    if mark.digest != digest_of(inputs):
        where = f"{mark.target} of {mark.shard.sequence}, shard {mark.shard.index}"
        what = f"was made from other inputs: {explain_change(mark.inputs, inputs)}"
        raise ChangedInputError(what, where=where, todo=todo)


def missing_files(root: Folder, marks: Iterable[Mark]) -> Iterator[tuple[Mark, str]]:
    """Those of the marks that name a file which is absent from the store or of another size, with the first such."""
    marks = list(marks)
    sizes = root.sizes(name for mark in marks for name in mark.files)
    for mark in marks:
        missing = next((name for name, file in mark.files.items() if sizes[name] != file.size), None)
        if missing is not None:
            yield mark, missing


def encode_mark(mark: Mark) -> bytes:
    """A mark's bytes: JSON with sorted keys, and a checksum over all of it."""
    content = {**vars(mark), "shard": asdict(mark.shard), "format": MARK_FORMAT, "digest": mark.digest}
    content["files"] = {path: {"sha256": file.sha256, "size": file.size} for path, file in mark.files.items()}
    content["rejects"] = {str(frame): reason for frame, reason in mark.rejects.items()}
    content["checksum"] = _checksum(content)
    text = json.dumps({**content, "files": {}}, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return (text.replace('\n "files": {}', f'\n "files": {_files_json(mark.files)}', 1) + "\n").encode()


def _files_json(files: Mapping[str, FileSum]) -> str:
    """As `json.dumps` indents them at their place in a mark, in a tenth of its time: a mark may name a thousand files.

    The library does without its compiled encoder wherever it indents.
    """
    quoted = encode_basestring
    lines = [
        f'  {quoted(path)}: {{\n   "sha256": {quoted(file.sha256)},\n   "size": {file.size}\n  }}'
        for path, file in sorted(files.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n }" if lines else "{}"


def decode_mark(encoded: bytes | None) -> Mark | None:
    """What `encode_mark` wrote, None for nothing and for what is torn, damaged or of another format."""
    if encoded is None:
        return None
    try:
        content = json.loads(encoded)
        if content.pop("checksum") != _checksum(content) or content.pop("format") != MARK_FORMAT:
            return None
        return _mark_of(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
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
