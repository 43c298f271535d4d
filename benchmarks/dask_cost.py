"""What dask itself costs a frame: tasks that do nothing, of the size of real ones, through a scheduler and workers.

    python benchmarks/dask_cost.py [--tasks 500] [--frames-per-shard 16]

Starts `dask scheduler` and two `dask worker` processes on 127.0.0.1 and hands them tasks through the very executor
that `paintpipe paint --scheduler` uses; each task carries as many bytes as a shard's catalog rows, and tells as many
events as a painted shard. Beside the wall time a frame, the processor time of client, scheduler and workers is told:
where all of them share two cores, the wall time holds all of it; in a cluster only the client's and the scheduler's
share limits a run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from paintpipe.pipeline.events import FrameDone, StageTimed
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.settings import ExecutorSettings

TASK_BYTES = 12_000
"""A pickled ShardTask of 16 SemanticKITTI frames; one of nuScenes with six cameras takes about 60,000."""


@dataclass(frozen=True)
class Nothing:
    """A job that only tells what a painted shard tells."""

    frames: int

    def setup(self, emit: Emit) -> Callable[[bytes], list[object]]:
        """See `paintpipe.pipeline.executors.contract.Job`."""

        def work(_: bytes) -> list[object]:
            for frame in range(self.frames):
                for stage in ("load", "network", "paint"):
                    emit(StageTimed(stage, 0.01))
                emit(FrameDone("00", frame))
            return []

        return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--frames-per-shard", type=int, default=16)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        processes = _start_cluster(folder, stack)
        settings = ExecutorSettings("dask", scheduler_file=str(folder / "scheduler.json"))
        run(settings, 50, arguments.frames_per_shard)  # imports and connections
        before = [_cpu_s(process.pid) for process in processes] + [time.process_time()]
        wall_s = run(settings, arguments.tasks, arguments.frames_per_shard)
        after = [_cpu_s(process.pid) for process in processes] + [time.process_time()]
    frames = arguments.tasks * arguments.frames_per_shard
    spent = [1000 * (b - a) / frames for a, b in zip(before, after, strict=True)]
    print(f"{arguments.tasks} tasks of {arguments.frames_per_shard} frames")
    print(f"wall: {1000 * wall_s / frames:.3f} ms a frame")
    print(f"processor: scheduler {spent[0]:.3f}, client {spent[-1]:.3f}, workers {sum(spent[1:-1]):.3f} ms a frame")


def run(settings: ExecutorSettings, tasks: int, frames: int) -> float:
    """Seconds from the first result to the last, made those of all tasks: joining a cluster is no cost of a frame."""
    payload = ((number).to_bytes(8, "big") + os.urandom(TASK_BYTES) for number in range(tasks))
    begin, done = 0.0, 0
    for _ in executor(settings).run(payload, Nothing(frames), lambda event: None):
        done += 1
        if done == 1:
            begin = time.perf_counter()
    assert done == tasks
    return (time.perf_counter() - begin) * tasks / (tasks - 1)


def _start_cluster(folder: Path, stack: ExitStack) -> "list[subprocess.Popen[bytes]]":
    dask = str(Path(sys.executable).parent / "dask")
    file = folder / "scheduler.json"
    common = ["--host", "127.0.0.1", "--no-dashboard"]
    commands = [["scheduler", "--port", "0", "--scheduler-file", str(file), *common]]
    commands += [["worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", *common]] * 2
    started = []
    for words in commands:
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen([dask, *words], env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        started.append(process)
        while not (file.exists() and json.loads(file.read_text() or "{}")):
            time.sleep(0.05)
    return started


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    # Workers unpickle the job by the name of its module, which is not `__main__` there.
    from dask_cost import main as imported

    imported()
