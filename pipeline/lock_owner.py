"""Who holds a lock, and whether that process still runs."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from typing import Any

from paintpipe.pipeline.process_identity import FIRST_NAMESPACE, boot_id, machine_id, pid_namespace, process_start
from paintpipe.schemas.errors import WorkspaceLockedError


@dataclass(frozen=True)
class Owner:
    """Who holds a lock. Locks of older versions tell nothing of the last three.

    Attributes:
        host: its name.
        boot_id: differs after each boot of a host; "" where the system has none.
        pid: process id.
        process_start: when the process started, in clock ticks since boot; 0 where unknown. Tells a process from a
            later one with the same id.
        started_at: ISO time, for people.
        pid_namespace: the set of processes that the id counts in, each container's own; "" where unknown.
        machine_id: stays the same from boot to boot; "" where unknown.
        device: of the file system (its `st_dev`) where the process holds a kernel lock as well; 0 where it holds none.
    """

    host: str
    boot_id: str
    pid: int
    process_start: int
    started_at: str
    pid_namespace: str = ""
    machine_id: str = ""
    device: int = 0

    @classmethod
    def current(cls, device: int = 0) -> "Owner":
        """This process."""
        now, pid = datetime.now(UTC).isoformat(timespec="seconds"), os.getpid()
        start = process_start(pid) or 0
        return cls(socket.gethostname(), boot_id(), pid, start, now, pid_namespace(), machine_id(), device)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Owner":
        """From its fields, as older and newer versions write them. Raises TypeError, ValueError."""
        owner = cls(**{name: value for name, value in dict(fields).items() if name in cls.__dataclass_fields__})
        if any(type(getattr(owner, field.name)) is not field.type for field in dataclass_fields(cls)):
            raise TypeError("a field of another type")
        return owner

    @classmethod
    def decode(cls, content: bytes) -> "Owner | None":
        """What a lock says; None for an empty or torn one, whose writer died while it wrote."""
        try:
            return cls.of(json.loads(content))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.started_at}"

    def is_same_process(self, other: "Owner") -> bool:
        """Whether both name one process, which may have said at two times that it is at work."""
        return replace(self, started_at="", device=0) == replace(other, started_at="", device=0)

    def is_running(self) -> bool:
        """Whether the owner surely runs still; False where it can't be asked."""
        return self._runs() is True

    def is_gone(self) -> bool:
        """Whether the owner surely runs no more; False where it can't be asked."""
        return self._runs() is False

    def has_left(self, device: int) -> bool:
        """Whether the owner surely has let go of its kernel lock, given that this process holds that very lock now.

        It is the same lock where both hold it of one file system under one kernel, whatever the containers.
        """
        return self.device == device != 0 and self.boot_id == boot_id() != ""

    def _runs(self) -> bool | None:
        """None where that can't be known from here: another host, or a container whose processes are not seen."""
        here = Owner.current()
        if self.host != here.host:
            return None
        if self.boot_id != here.boot_id:
            return False if self._was_here(here) else None
        if self.pid_namespace and here.pid_namespace and self.pid_namespace != here.pid_namespace:
            return None
        start = process_start(self.pid)
        return not (start is None or (self.process_start not in (0, start) and start != 0))

    def _was_here(self, here: "Owner") -> bool:
        """Whether a host of this name is this machine before it was booted again, and not another one."""
        if self.machine_id and here.machine_id:
            return self.machine_id == here.machine_id
        return self.pid_namespace in ("", FIRST_NAMESPACE)  # containers on two machines may well share a name


def locked(where: str, owner: Owner | None) -> WorkspaceLockedError:
    """The error of a run that finds another at work."""
    what = "another run is starting here" if owner is None else f"another run works here: {owner}"
    return WorkspaceLockedError(what, where=where, todo="wait for it, or `paintpipe unlock` if that run is surely over")
