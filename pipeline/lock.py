"""One run at a time in a workspace."""

import errno
import fcntl
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from paintpipe.pipeline.faults import write_error
from paintpipe.schemas.errors import WorkspaceLockedError

_NO_FLOCK = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes:
        host: its name.
        boot_id: differs after each boot of a host; "" where the system has none.
        pid: process id.
        process_start: when the process started, in clock ticks since boot; 0 where unknown. Tells a process from a
            later one with the same id.
        started_at: ISO time, for people.
    """

    host: str
    boot_id: str
    pid: int
    process_start: int
    started_at: str

    @classmethod
    def current(cls) -> "Owner":
        """This process."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), _boot_id(), os.getpid(), _process_start(os.getpid()) or 0, now)

    def is_gone(self) -> bool:
        """Whether the owner surely runs no more; False for another host, which can't be asked."""
        if self.host != socket.gethostname():
            return False
        if self.boot_id != _boot_id():
            return True
        start = _process_start(self.pid)
        return start is None or (self.process_start not in (0, start) and start != 0)


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
        # Unlink while the kernel lock still holds: nobody else's file can lie at this path.
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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not self._is_current(descriptor):
                return False
            raise _locked(self.path, _read_owner(descriptor)) from None
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
        if not self._is_current(descriptor):
            return False
        owner = _read_owner(descriptor)
        if owner is not None and not owner.is_gone():
            raise _locked(self.path, owner)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, (json.dumps(asdict(Owner.current()), sort_keys=True) + "\n").encode(), 0)
        os.fsync(descriptor)
        return True

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


def workspace_lock(ledger: Path) -> WorkspaceLock:
    """The lock of the workspace whose ledger lies in this folder."""
    return WorkspaceLock(ledger / "lock")


def _locked(path: Path, owner: Owner | None) -> WorkspaceLockedError:
    what = "another run is starting here"
    if owner is not None:
        what = f"another run works here: process {owner.pid} on {owner.host} since {owner.started_at}"
    return WorkspaceLockedError(
        what, where=str(path), todo="wait for it, or delete this file if that run is surely over"
    )


def _read_owner(descriptor: int) -> Owner | None:
    """None for an empty or torn file: its writer died between creating and filling it."""
    try:
        return Owner(**json.loads(os.pread(descriptor, 65536, 0)))
    except (ValueError, TypeError):
        return None


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _process_start(pid: int) -> int | None:
    """Start of a process in clock ticks since boot, 0 where the system does not tell, None where it does not run."""
    try:
        # The name, in parentheses, may hold spaces and parentheses itself: fields count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _start_without_proc(pid)
    return None if fields[0] in "ZX" else int(fields[19])


def _start_without_proc(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0
