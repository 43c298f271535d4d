"""Where a job runs: from the options of a command to the settings of an executor."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ConfigError

Gpus = tuple[int, ...] | Literal["all"]
MOST_IN_FLIGHT = 8


@dataclass(frozen=True)
class WorkerOptions:
    """What the user said about workers; None and "" where nothing.

    Attributes:
        executor: `serial`, `threads`, `processes` or `dask`.
        workers: processes, or threads where the executor is `threads`.
        in_flight: shards under way at once in each process.
        gpus: numbers of this machine's GPUs, or all of them; with dask: workers that offer a GPU.
        scheduler: address of a dask scheduler.
        scheduler_file: the file that a dask scheduler has written.
    """

    executor: str | None = None
    workers: int | None = None
    in_flight: int | None = None
    gpus: Gpus | None = None
    scheduler: str = ""
    scheduler_file: Path | None = None

    @property
    def name(self) -> str:
        """The executor: as said, else what the other options ask for, else threads.

        Raises:
            ConfigError: options that contradict each other.
        """
        joins = bool(self.scheduler or self.scheduler_file)
        name = self.executor or ("dask" if joins else "processes" if self.gpus or self.workers else "threads")
        if joins != (name == "dask"):
            todo = "give --scheduler ADDRESS or --scheduler-file FILE with the dask executor, and only with it"
            raise ConfigError(f"the {name} executor {'takes no' if joins else 'needs a'} scheduler", todo=todo)
        if self.scheduler and self.scheduler_file:
            raise ConfigError("--scheduler and --scheduler-file together", expected="one of them")
        if self.gpus and name in ("serial", "threads"):
            raise ConfigError(f"--gpus with the {name} executor", todo="use --device cuda:N, or leave --executor out")
        if self.workers and name in ("serial", "dask"):
            what = "has one worker" if name == "serial" else "takes the workers that the cluster has"
            raise ConfigError(f"--workers with the {name} executor", todo=f"it {what}: leave --workers out")
        if self.workers and self.gpus:
            raise ConfigError("--workers with --gpus", todo="there is one worker for each GPU: leave --workers out")
        if self.in_flight and name != "processes":
            raise ConfigError(f"--in-flight with the {name} executor", todo="leave --in-flight out")
        return name


def elsewhere(options: WorkerOptions) -> bool:
    """Whether workers are other processes."""
    return options.name in ("processes", "dask")


def check_workers(options: WorkerOptions, device: str) -> None:
    """Raises ConfigError for options that contradict each other, or GPUs that this machine lacks."""
    if options.name == "processes" and options.gpus:
        gpu_environments(options.gpus)
        if device not in ("auto", "cpu", "cuda", "cuda:0"):
            todo = "leave --device out: each worker sees one GPU alone, as cuda:0"
            raise ConfigError(f"--device {device} with --gpus", todo=todo)


def executor_settings(options: WorkerOptions, threads: int, on_gpu: bool = False) -> ExecutorSettings:
    """The executor's settings; numbers that the user leaves open follow from this machine's cores.

    Args:
        options: as the user gave them.
        threads: CPU threads a worker.
        on_gpu: whether the network runs on a GPU.

    Raises:
        ConfigError: options that contradict each other, or a GPU that this machine lacks.
    """
    name = options.name
    if name == "dask":
        file = str(options.scheduler_file.resolve()) if options.scheduler_file else ""
        resources = {"GPU": 1.0} if options.gpus else {}
        return ExecutorSettings(
            name, threads=threads, scheduler=options.scheduler, scheduler_file=file, resources=resources, start_s=60.0
        )
    if name != "processes":
        return ExecutorSettings(name, workers=options.workers or (_in_flight_on_gpu(1) if on_gpu else 2))
    environments = gpu_environments(options.gpus) if options.gpus else ()
    workers = len(environments) or options.workers or max(1, usable_cores() // threads)
    usual = _in_flight_on_gpu(workers) if on_gpu else 2  # one publishes while the other computes
    return ExecutorSettings(name, workers, options.in_flight or usual, threads=threads, environments=environments)


def _in_flight_on_gpu(workers: int) -> int:
    """Shards under way for each GPU: decoding and writing of some beside the forward pass of one."""
    return max(2, min(MOST_IN_FLIGHT, usable_cores() // (2 * workers)))


def gpu_environments(gpus: Gpus) -> tuple[dict[str, str], ...]:
    """For each GPU the environment of a worker that sees it alone.

    Raises:
        ConfigError: a number that this machine lacks, or one twice; the message lists those that it has.
    """
    from paintpipe.stages.segment.gpus import gpu_names

    names = gpu_names()
    if not names:
        raise ConfigError("this machine has no CUDA GPU", todo="leave --gpus out, or use --workers N for CPU workers")
    wanted = tuple(range(len(names))) if gpus == "all" else gpus
    unknown = [number for number in wanted if number not in range(len(names))]
    if unknown or len(set(wanted)) < len(wanted):
        what = f"there is no GPU {unknown[0]}" if unknown else "a GPU is named twice"
        expected = "all, or some of " + ", ".join(f"{number} ({name})" for number, name in enumerate(names))
        raise ConfigError(what, expected=expected)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    # CUDA counts within what is visible already.
    tokens = [token.strip() for token in visible.split(",")] if visible else [str(n) for n in range(len(names))]
    return tuple({"CUDA_VISIBLE_DEVICES": tokens[number]} for number in wanted)


def usable_cores() -> int:
    """Cores that this process may use: affinity and a container's share counted."""
    from dask.system import cpu_count

    return max(1, int(cpu_count()))
