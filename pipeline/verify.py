"""Holding a store's files against the ledger's checksums."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paintpipe.pipeline.ledger import FileSum, Ledger, Mark, read_mark
from paintpipe.pipeline.publish import find_partial
from paintpipe.pipeline.store import Store


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
    for path in ledger.mark_paths(target):
        mark = read_mark(path)
        if mark is None or ledger.path(mark.target, mark.shard) != path:
            yield Problem(str(path), "the mark is damaged: its shard counts as not done", target)
            continue
        marked |= mark.files.keys()
        yield from verify_mark(store.root, mark)
    for name in sorted(store.shard_files(target) - marked):
        yield Problem(str(store.root / name), "no mark names this file: its shard was not finished", target)


def verify_leftovers(*roots: Path) -> Iterator[Problem]:
    """Unfinished files that killed runs left; the next `paint` deletes them."""
    for root in roots:
        yield from (Problem(str(path), "left by a run that was killed") for path in find_partial(root))


def verify_mark(root: Path, mark: Mark) -> Iterator[Problem]:
    """Hash every file that a mark names."""
    for name, expected in mark.files.items():
        what = _fault(root / name, expected)
        if what:
            yield Problem(str(root / name), f"{what} ({mark.shard.sequence}, shard {mark.shard.index})", mark.target)


def _fault(path: Path, expected: FileSum) -> str:
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, 2)
            if size != expected.size:
                return f"has {size} bytes instead of {expected.size}"
            handle.seek(0)
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read: {error.strerror}"
    return "" if found == expected.sha256 else f"has changed: sha256 {found[:12]}… instead of {expected.sha256[:12]}…"
