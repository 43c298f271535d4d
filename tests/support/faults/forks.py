"""Functions run in forked children: killed after a while, held below a size, two at once.

Only for processes without threads of their own (see `server`): a fork copies locks, but not the threads that hold them.
"""

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

RAISED = 70
"""Exit status of a child whose function raised."""


class Ended(NamedTuple):
    """How a child ended: what its function returned, the signal that killed it (0 for none), its last words.

    `seconds` went by; `cpu_s` it computed, which does not depend on what else the machine does.
    """

    value: Any
    signal: int
    error: str
    seconds: float
    cpu_s: float = 0.0

    @property
    def good(self) -> bool:
        return not self.signal and not self.error

    @property
    def last_words(self) -> str:
        """Why it did not end well, in one line."""
        lines = self.error.strip().splitlines() or [f"signal {self.signal}"]
        return lines[-1]

    def or_raise(self) -> Any:
        if not self.good:
            raise AssertionError(f"child ended by signal {self.signal}: {self.error}")
        return self.value


def in_child(
    function: Callable[..., Any],
    *args: Any,
    kill_after_s: float | None = None,
    timeout_s: float = 120.0,
    most_bytes: int | None = None,
    kill_others: bool = True,
) -> Ended:
    """Run a function in a forked child, in a session of its own so that its own children can be killed with it.

    Args:
        function: its result must be JSON-ready.
        args: of the function.
        kill_after_s: send SIGKILL to the whole session then, None for never.
        timeout_s: a child that still runs then is killed, and its error says so.
        most_bytes: address space beyond what the parent has, None for no limit.
        kill_others: whether the rest of its session is killed with it; else it alone is.
    """
    begin = time.perf_counter()
    pid, reading = _start(function, args, most_bytes)
    late = not _read_until(reading, begin + (timeout_s if kill_after_s is None else kill_after_s), parts := [])
    if late and not kill_others:
        os.kill(pid, signal.SIGKILL)
    elif late:
        kill_group(pid)
    _, status, used = os.wait4(pid, 0)
    if kill_others:
        kill_group(pid)  # what it started and left behind
    os.close(reading)
    ended = _told(b"".join(parts), status, time.perf_counter() - begin)._replace(cpu_s=used.ru_utime + used.ru_stime)
    return ended._replace(error=f"no end after {timeout_s} s") if late and kill_after_s is None else ended


def parallel(function: Callable[..., Any], items: Iterable[Any], width: int = 2) -> list[Any]:
    """`function(item)` of each item in order, in `width` children at once; raises where one fails."""
    work = list(items)
    lanes = [work[start::width] for start in range(min(width, len(work)))]
    started = [_start(lambda lane=lane: [function(item) for item in lane], (), None) for lane in lanes]
    results = []
    for pid, reading in started:
        with os.fdopen(reading, "rb") as stream:
            data = stream.read()
        results.append(_told(data, os.waitpid(pid, 0)[1], 0.0))
    values = [ended.or_raise() for ended in results]
    return [values[number % len(lanes)][number // len(lanes)] for number in range(len(work))]


def kill_group(pid: int) -> None:
    """SIGKILL to a child of `in_child` and to all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _start(function: Callable[..., Any], args: tuple[Any, ...], most_bytes: int | None) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(writing, function, args, most_bytes)
    os.close(writing)
    while os.getpgid(pid) != pid:  # its session is made before it may be killed
        time.sleep(0.0002)
    return pid, reading


def _child(writing: int, function: Callable[..., Any], args: tuple[Any, ...], most_bytes: int | None) -> NoReturn:
    code = RAISED
    try:
        os.setsid()
        if most_bytes is not None:
            limit = _address_space() + most_bytes
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        data = json.dumps(function(*args)).encode()
        code = 0
    except BaseException:
        data = traceback.format_exc().encode()
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(writing, view) :]
    finally:
        os._exit(code)


def _told(data: bytes, status: int, seconds: float) -> Ended:
    if os.WIFSIGNALED(status):
        return Ended(None, os.WTERMSIG(status), "", seconds)
    if os.WEXITSTATUS(status):
        return Ended(None, 0, data.decode(errors="replace") or f"exit status {os.WEXITSTATUS(status)}", seconds)
    return Ended(json.loads(data), 0, "", seconds)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _read_until(reading: int, until: float, parts: list[bytes]) -> bool:
    """Whether the child closed its pipe before a time; what it said goes into `parts`."""
    while (left := until - time.perf_counter()) > 0:
        if select.select([reading], [], [], left)[0]:
            part = os.read(reading, 1 << 16)
            if not part:
                return True
            parts.append(part)
    return False
