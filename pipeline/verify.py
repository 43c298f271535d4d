"""Holding a store's files against the ledger's checksums."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.ledger import FileSum, Ledger, Mark
from paintpipe.pipeline.seal import broken_seal
from paintpipe.pipeline.store import Store
from paintpipe.schemas.errors import PaintpipeError


@dataclass(frozen=True)
class Problem:
    """Something that is not as the ledger says.

    Attributes:
        where: a file or folder.
        what: what is wrong with it.
        target: `points`, `layers/<name>`, or "" where it belongs to none.
    """

    where: str
    what: str
    target: str = ""


def verify_target(store: Store, ledger: Ledger, target: str) -> Iterator[Problem]:
    """Check every mark of a target and every file that its marks name, and find files that no mark names."""
    marked: set[str] = set()
    for path, mark in ledger.marks(target):
        if mark is None:
            yield Problem(ledger.root.where(path), "the mark is damaged: its shard counts as not done", target)
            continue
        marked |= mark.files.keys()
        yield from verify_mark(store.root, mark)
    for name in sorted(store.shard_files(target) - marked):
        yield Problem(store.root.where(name), "no mark names this file: its shard was not finished", target)


def verify_metadata(store: Store) -> Iterator[Problem]:
    """Check what the store says of its sequences and layers: each JSON file's own checksum, and that tables are read.

    Whoever goes on to read shards may rely on nothing that this finds fault with.
    """
    paths = sorted(store.metadata_files())
    for path, content in zip(paths, store.root.read_many(paths), strict=True):
        what = "is missing" if content is None else broken_seal(content)
        if what:
            yield Problem(store.root.where(path), what)
    for sequence in store.sequences():
        try:
            store.sequence_table(sequence)
            for layer in store.layers(sequence):
                store.layer_table(sequence, layer)
        except PaintpipeError as error:
            yield Problem(error.where, error.what)


def verify_leftovers(*roots: Folder) -> Iterator[Problem]:
    """Unfinished files that killed runs left; the next `paint` deletes them."""
    for root in roots:
        yield from (Problem(root.where(path), "left by a run that was killed") for path in root.leftovers())


def verify_mark(root: Folder, mark: Mark) -> Iterator[Problem]:
    """Hash every file that a mark names."""
    for name, expected in mark.files.items():
        what = _fault(root, name, expected)
        if what:
            yield Problem(root.where(name), f"{what} ({mark.shard.sequence}, shard {mark.shard.index})", mark.target)


def _fault(root: Folder, name: str, expected: FileSum) -> str:
    try:
        size = root.size(name)
        if size is not None and size != expected.size:
            return f"has {size} bytes instead of {expected.size}"
        found = hashlib.sha256(root.read(name)).hexdigest()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    return "" if found == expected.sha256 else f"has changed: sha256 {found[:12]}… instead of {expected.sha256[:12]}…"
