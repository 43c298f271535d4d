"""A real dask cluster on this machine, started by the command line as users start one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DASK = Path(sys.executable).parent / "dask"
TESTS = Path(__file__).parents[1]


class Cluster:
    """A scheduler and two workers with a thread each.

    Attributes:
        file: for `--scheduler-file`.
        address: for `--scheduler`.
        scheduler: its process.
    """

    def __init__(self, folder: Path, scheduler: "subprocess.Popen[bytes]") -> None:
        self.file, self.scheduler = folder / "scheduler.json", scheduler
        while not (self.file.exists() and self.file.read_text().rstrip().endswith("}")):  # it is not written at once
            assert scheduler.poll() is None, "the scheduler did not start"
            time.sleep(0.02)
        self.address = json.loads(self.file.read_text())["address"]


@contextmanager
def dask_cluster(folder: Path, *worker_options: str, workers: int = 2) -> Iterator[Cluster]:
    """Workers find the modules of `tests/`, and each has a working folder of its own; all have joined."""
    local = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(folder / "scheduler.json"), "--no-dashboard")
    with ExitStack() as stack:
        cluster = Cluster(folder, stack.enter_context(_started(folder / "scheduler.log", "scheduler", *local)))
        for number in range(workers):
            options = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(folder))
            command = ("worker", cluster.address, *options, "--death-timeout", "20", *worker_options)
            stack.enter_context(_started(folder / f"worker{number}.log", *command))
        for number in range(workers):
            _joined(folder / f"worker{number}.log")
        yield cluster


def _joined(log: Path) -> None:
    """Wait for the line that says so: on a busy machine a run's own patience with a cluster would be over by then."""
    until = time.monotonic() + 120
    while b"Registered to:" not in log.read_bytes():
        assert time.monotonic() < until, log.read_text()[-2000:]
        time.sleep(0.05)


@contextmanager
def _started(log: Path, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(DASK), *arguments],
            env=os.environ | {"PYTHONPATH": paths},
            stdout=output,
            stderr=output,
            cwd=log.parent,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
