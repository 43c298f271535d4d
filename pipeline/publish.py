"""How files become visible on a local disk: whole, durable, or not at all.

Everything is written and synced in a staging folder on the same file system, then renamed into place, and then the
folders are synced. Only after that may a mark say that the files are there. A process that is killed leaves at most a
`*.partial` folder and files that no mark names.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from paintpipe.pipeline.faults import write_error
from paintpipe.schemas.errors import StoreError

PARTIAL = ".partial"
"""How the names of unfinished files and folders end (zarr's own too)."""
_SYNCS_AT_ONCE = 8
_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.ENOENT, errno.EBUSY)
"""What deleting a folder says where something is in it or on it, or where it is no folder or none any more."""


def publish(root: Path, files: Mapping[str, bytes], *, together: bool = False) -> None:
    """Write `files` (paths relative to `root`, with `/`) and return when they are durable.

    Readers see each file either as it was or whole. Safe for several threads with different files.

    Args:
        root: a folder; it need not exist yet.
        files: content by path.
        together: sync several at once: a journalling file system makes one commit of syncs that wait at the same time,
            so that many small files take a fifth of the time of one after the other.

    Raises:
        StoreError: the disk is full, read-only or refuses; nothing unfinished is left, and files that were replaced
            before the fault stay (no mark names them yet).
    """
    for path in files:
        _check_relative(path)
    try:
        _publish(root, files, together)
    except OSError as error:
        raise write_error(error, root, sum(map(len, files.values()))) from error


def publish_file(path: Path, content: bytes) -> None:
    """`publish` for one file; raises StoreError, also where a device or a pipe stands: a rename would end it."""
    try:
        special = path.exists() and not path.is_file()
    except OSError as error:
        raise write_error(error, path) from error
    if special:
        raise StoreError("is no regular file, so it is not replaced", where=str(path), todo="name another file")
    publish(path.parent, {path.name: content})


@contextmanager
def published_stream(root: Path, path: str) -> Iterator[BinaryIO]:
    """A file for what is too large to hold: it takes its place at `root/path`, durably, when the block ends well.

    Readers see the file either as it was or whole; where the block raises, nothing of it stays.

    Raises:
        StoreError: the disk is full, read-only or refuses.
    """
    _check_relative(path)
    target = root / path
    try:
        to_sync = make_folders(root) | make_folders(target.parent)
        staging = Path(tempfile.mkdtemp(prefix=".", suffix=PARTIAL, dir=root))
    except OSError as error:
        raise write_error(error, target) from error
    try:
        with (staging / "0").open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        (staging / "0").replace(target)
        for folder in sorted(to_sync | {parent for parent in target.parents if parent.is_relative_to(root)}):
            _sync_folder(folder)
    except OSError as error:
        raise error if isinstance(error, StoreError) else write_error(error, target) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def remove_file(path: Path) -> None:
    """Delete a file durably; one that is absent is fine.

    Raises:
        StoreError: the disk refuses.
    """
    try:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)  # also where it is absent: whoever deleted it may have died before this
    except FileNotFoundError:
        return  # not even the folder is there
    except OSError as error:
        raise write_error(error, path) from error


def remove_folder(root: Path, path: str) -> None:
    """Delete the folder `root/path` so that a kill leaves it whole or gone; one that is absent is fine.

    Raises:
        StoreError: the disk refuses.
    """
    folder = root / path
    if not folder.is_dir():
        return
    try:
        doomed = Path(tempfile.mkdtemp(prefix=".", suffix=PARTIAL, dir=root))
        _move_folder(folder, doomed)
        _sync_folder(folder.parent)
        shutil.rmtree(doomed)
    except OSError as error:
        raise write_error(error, folder) from error


def remove_empty_folders(root: Path, paths: Iterable[str]) -> None:
    """Delete the folders of these files that are empty, and theirs, up to `root`, which stays; none behind a link.

    Not synced: a crash can bring back nothing but an empty folder.

    Raises:
        StoreError: the disk refuses, or a path leaves the root.
    """
    folders = set[PurePosixPath]()
    for path in paths:
        _check_relative(path)
        folders.update(folder for folder in PurePosixPath(path).parents if folder.name)
    whole = root.resolve()
    inside = [folder for folder in folders if (root / folder).resolve() == whole / folder]
    for folder in sorted(inside, key=lambda folder: len(folder.parts), reverse=True):
        try:
            (root / folder).rmdir()
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise write_error(error, root / folder) from error


def find_partial(root: Path) -> Iterable[Path]:
    """What killed writers left under `root`: files and folders whose names end in `.partial`, outermost only."""
    for folder, subfolders, names in os.walk(root):
        yield from (Path(folder, name) for name in sorted(names + subfolders) if name.endswith(PARTIAL))
        subfolders[:] = sorted(name for name in subfolders if not name.endswith(PARTIAL))


def clean_staging(root: Path) -> int:
    """Delete what killed writers left under `root` and return how many there were.

    Only for the one run that holds the workspace's lock: another writer's staging folder would go too.

    Raises:
        StoreError: the disk refuses.
    """
    leftovers = list(find_partial(root))
    try:
        for path in leftovers:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise write_error(error, root) from error
    return len(leftovers)


def _move_folder(folder: Path, target: Path) -> None:
    """Rename; an error is settled by looking, as in `_move`."""
    try:
        folder.replace(target)
    except OSError:
        if folder.exists():
            shutil.rmtree(target, ignore_errors=True)  # still the empty folder that was to be replaced
            raise


def make_folders(folder: Path) -> set[Path]:
    """Create a folder and its parents; returns those folders that gained an entry and have yet to be synced."""
    gained: set[Path] = set()
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        gained.add(path.parent)
    return gained


def _publish(root: Path, files: Mapping[str, bytes], together: bool) -> None:
    to_sync = make_folders(root)
    staging = Path(tempfile.mkdtemp(prefix=".", suffix=PARTIAL, dir=root))
    try:
        staged = {path: staging / str(number) for number, path in enumerate(files)}
        for path, content in files.items():
            _write(staged[path], content, synced=not together)
        if together:
            _sync_together(_sync_file, staged.values())
        for parent in {root / folder for folder in {os.path.dirname(path) for path in files}}:  # noqa: PTH120
            make_folders(parent)
            # Folders that exist already too: another thread may have made them and not synced them yet.
            to_sync.update(folder for folder in (parent, *parent.parents) if folder.is_relative_to(root))
        for path, source in staged.items():
            _move(source, root / path, files[path])
        if together:
            _sync_together(_sync_folder, sorted(to_sync))
        else:
            for folder in sorted(to_sync):
                _sync_folder(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(source: Path, target: Path, content: bytes) -> None:
    """Rename; an error is settled by reading back.

    An NFS client whose answer was lost asks again, and is told that the file which it has just moved is not there.
    """
    try:
        source.replace(target)
    except OSError:
        if source.exists() or not target.is_file() or target.read_bytes() != content:
            raise


def _write(path: Path, content: bytes, *, synced: bool) -> None:
    with path.open("xb") as handle:
        handle.write(content)
        handle.flush()
        if synced:
            os.fsync(handle.fileno())


def _sync_together(sync: Callable[[Path], None], paths: Iterable[Path]) -> None:
    waiting = list(paths)

    def sync_some(start: int) -> None:
        for path in waiting[start::_SYNCS_AT_ONCE]:
            sync(path)

    threads = min(_SYNCS_AT_ONCE, len(waiting)) or 1
    with ThreadPoolExecutor(threads, thread_name_prefix="sync") as pool:
        for done in [pool.submit(sync_some, start) for start in range(threads)]:
            done.result()


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems know no sync of folders
            raise
    finally:
        os.close(descriptor)


def _check_relative(path: str) -> None:
    parts = set(path.split("/"))
    if parts <= {"", "."} or path.startswith("/") or ".." in parts or "\0" in path:
        raise StoreError("not a path inside the store", where=repr(path), expected="a relative path")
