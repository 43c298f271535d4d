"""Jobs for the tests of executors: importable by worker processes, and telling by files what they did."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paintpipe.pipeline.events import Counted, FrameDone
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.schemas.errors import StoreError


class Fault(Exception):
    pass


class Unpicklable(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@dataclass(frozen=True)
class Toy:
    """Squares numbers, leaving a file for each setup, start and end in `folder`.

    Attributes:
        folder: where it tells what it did.
        sleep_s: how long a task takes.
        fails: tasks that raise.
        kills: tasks that kill their worker, the first `times` times that they are tried.
        freezes: the same, but the worker stops (SIGSTOP) instead.
        quick: tasks that take no time.
        sets_up: whether setup works; it kills its worker where -1 is among `kills`.
    """

    folder: Path
    sleep_s: float = 0.0
    fails: tuple[int, ...] = ()
    kills: tuple[int, ...] = ()
    freezes: tuple[int, ...] = ()
    quick: tuple[int, ...] = ()
    times: int = 1
    sets_up: bool = True

    def setup(self, emit: Emit) -> Callable[[int], int]:
        if self._note("setup") <= self.times and -1 in self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if not self.sets_up:
            raise StoreError("no network here")

        def work(task: int) -> int:
            attempt = self._note(f"start-{task}")
            emit(FrameDone("toy", task))
            if attempt <= self.times:
                if task in self.kills:
                    os.kill(os.getpid(), signal.SIGKILL)
                if task in self.freezes:
                    os.kill(os.getpid(), signal.SIGSTOP)
            if task in self.fails:
                raise Fault(str(task))
            until = time.monotonic() + self.sleep_s
            while time.monotonic() < until and task not in self.quick:
                time.sleep(0.01)
                emit(Counted("naps"))
            self._note(f"end-{task}")
            return task * task

        return work

    def _note(self, what: str) -> int:
        """How many such notes there are with this one."""
        (self.folder / f"{what}.{os.getpid()}.{time.monotonic_ns()}").touch()
        return len(list(self.folder.glob(f"{what}.*")))

    def noted(self, what: str) -> list[str]:
        """Tasks of which this (`start`, `end`) is noted, once for each note; of `start-5` and `setup` those alone."""
        pattern = f"{what}-*" if what in ("start", "end") else f"{what}.*"
        return sorted(path.name.split(".")[0].removeprefix(f"{what}-") for path in self.folder.glob(pattern))

    def pids(self) -> set[int]:
        """Processes that have worked or tried to."""
        return {int(path.name.split(".")[1]) for path in self.folder.iterdir()}


@dataclass(frozen=True)
class Raises:
    """Raises an error that can't be unpickled."""

    def setup(self, emit: Emit) -> Callable[[int], int]:
        def work(task: int) -> int:
            raise Unpicklable(task, 2)

        return work


@dataclass(frozen=True)
class Environment:
    """Tells the environment of its worker."""

    def setup(self, emit: Emit) -> Callable[[int], tuple[tuple[str, str], ...]]:
        def work(task: int) -> tuple[tuple[str, str], ...]:
            time.sleep(0.05)
            return tuple(sorted(os.environ.items()))

        return work


@contextmanager
def ended(pids: set[int], within_s: float = 10.0) -> Iterator[None]:
    """After the block, all of these processes end within this time."""
    yield
    until = time.monotonic() + within_s
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < until, f"still there: {[pid for pid in pids if runs(pid)]}"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
