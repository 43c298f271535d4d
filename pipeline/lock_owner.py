"""Who holds a lock, and whether that process still runs."""

import json
import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from paintpipe.schemas.errors import WorkspaceLockedError


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

    @classmethod
    def decode(cls, content: bytes) -> "Owner | None":
        """What a lock says; None for an empty or torn one, whose writer died while it wrote."""
        try:
            fields = json.loads(content)
            return cls(**{name: fields[name] for name in cls.__dataclass_fields__})
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.started_at}"

    def is_same_process(self, other: "Owner") -> bool:
        """Whether both name one process, which may have said at two times that it is at work."""
        return replace(self, started_at="") == replace(other, started_at="")

    def is_running(self) -> bool:
        """Whether the owner surely runs still; False for another host, which can't be asked."""
        return self.host == socket.gethostname() and not self.is_gone()

    def is_gone(self) -> bool:
        """Whether the owner surely runs no more; False for another host, which can't be asked."""
        if self.host != socket.gethostname():
            return False
        if self.boot_id != _boot_id():
            return True
        start = _process_start(self.pid)
        return start is None or (self.process_start not in (0, start) and start != 0)


def locked(where: str, owner: Owner | None) -> WorkspaceLockedError:
    """The error of a run that finds another at work."""
    what = "another run is starting here" if owner is None else f"another run works here: {owner}"
    return WorkspaceLockedError(what, where=where, todo="wait for it, or `paintpipe unlock` if that run is surely over")


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
