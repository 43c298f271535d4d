"""What tells a process, its host and its view of other processes from all others, as far as the system says."""

import hashlib
import os
from pathlib import Path

FIRST_NAMESPACE = "pid:[4026531836]"
"""The PID namespace that a Linux kernel boots with (PROC_PID_INIT_INO, 0xEFFFFFFC, in its include/linux/proc_ns.h):
whoever is in it is in no container that hides processes."""


def boot_id() -> str:
    """Differs after each boot of a host; "" where the system has none."""
    return _first_line("/proc/sys/kernel/random/boot_id")


def pid_namespace() -> str:
    """The set of processes that this one's ids count in, such as `pid:[4026531836]`; "" where the system has none."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def machine_id() -> str:
    """Stays the same from boot to boot; "" where the system has none, as in most containers.

    A hash: machine-id(5) of systemd asks that the id itself is not told to others.
    """
    found = _first_line("/etc/machine-id")
    return hashlib.sha256(b"paintpipe " + found.encode()).hexdigest()[:16] if len(found) == 32 else ""


def process_start(pid: int) -> int | None:
    """Start of a process in clock ticks since boot, 0 where the system does not tell, None where it does not run."""
    try:
        # The name, in parentheses, may hold anything, parentheses and half a letter too: fields count from its end.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except PermissionError:
        return 0
    except (FileNotFoundError, ProcessLookupError):
        return _start_without_proc(pid)  # hidden perhaps (proc(5), hidepid), which is not gone
    return None if fields[0] in b"ZX" else int(fields[19])


def _start_without_proc(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    return 0


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
