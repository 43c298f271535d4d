"""One run at a time in a workspace."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.lock_owner import Owner, locked

if TYPE_CHECKING:
    from paintpipe.pipeline.folders.objects import ObjectFolder

LOCK = "lock"
"""The name of the lock among the marks."""

_NO_FLOCK = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}


class WorkspaceLock:
    """An exclusive lock as a context manager: a file that says who holds it, and a kernel lock on that file.

    The kernel lock goes with its process, so that of two runs that find a dead owner's file one alone takes it over.
    Where the file system knows no such locks, the file's words alone count.

    Args:
        path: the lock file.

    Raises:
        WorkspaceLockedError: on entering, another run holds the lock.
        StoreError: on entering, the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def __enter__(self) -> "WorkspaceLock":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._acquire()
        except OSError as error:
            raise write_error(error, self.path) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Unlink while the kernel lock still holds. Where there are no such locks, `paintpipe unlock` may have given the
        # workspace to another run: then its file lies here.
        if self._is_current(self._descriptor):
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _acquire(self) -> int:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                if self._try_take(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _try_take(self, descriptor: int) -> bool:
        """False where the file was removed by its owner between our opening and our locking it."""
        device = os.fstat(descriptor).st_dev
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not self._is_current(descriptor):
                return False
            raise locked(str(self.path), _read_owner(descriptor)) from None
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            device = 0
        if not self._is_current(descriptor):
            return False
        owner = _read_owner(descriptor)
        if owner is not None and not (owner.is_gone() or owner.has_left(device)):
            raise locked(str(self.path), owner)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, (json.dumps(asdict(Owner.current(device)), sort_keys=True) + "\n").encode(), 0)
        os.fsync(descriptor)
        return True

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


def workspace_lock(ledger: Path | Folder) -> AbstractContextManager[object]:
    """The lock of the workspace or store whose ledger lies in this folder."""
    folder = open_folder(ledger)
    if isinstance(folder, LocalFolder):
        return WorkspaceLock(folder.path / LOCK)
    from paintpipe.pipeline.object_lock import ObjectLock

    return ObjectLock(cast("ObjectFolder", folder), LOCK)


def lock_owner(ledger: Path | Folder) -> Owner | None:
    """Who holds that lock or died with it, None where nobody does; takes no lock."""
    content = next(open_folder(ledger).read_many([LOCK]))
    return None if content is None else Owner.decode(content)


def _read_owner(descriptor: int) -> Owner | None:
    return Owner.decode(os.pread(descriptor, 65536, 0))


def remove_lock(ledger: Folder, owner: Owner | None) -> None:
    """Remove a lock, if it is still `owner`'s and its owner isn't surely at work.

    Raises:
        WorkspaceLockedError: the owner runs on this host, or the lock has changed hands.
        StoreError: disk or service refuse.
    """
    with _kernel_lock(ledger) as free:
        now = lock_owner(ledger)
        if not free or now != owner or (owner is not None and owner.is_running()):
            raise locked(ledger.where(LOCK), now)
        ledger.remove(LOCK)


@contextmanager
def _kernel_lock(ledger: Folder) -> Iterator[bool]:
    """Hold the kernel's lock on a lock file, so that no run takes it over meanwhile; False where a process has it."""
    try:
        descriptor = os.open(ledger.path / LOCK, os.O_RDWR | os.O_CLOEXEC) if isinstance(ledger, LocalFolder) else -1
    except OSError:
        descriptor = -1
    if descriptor < 0:
        yield True  # there is no such lock: the file's words alone count
        return
    try:
        yield _is_free(descriptor)
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without such locks
    return True
