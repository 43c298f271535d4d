"""How a run is spread over workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paintpipe.schemas.errors import ConfigError

ATTEMPTS = 3
"""How often a task is tried whose workers die."""


@dataclass(frozen=True)
class ExecutorSettings:
    """The executor and its workers; none of it changes the bytes of what is written.

    Attributes:
        name: a key of `EXECUTORS`.
        workers: threads: tasks under way at once; processes: processes.
        in_flight: processes: tasks under way at once in each.
        threads: CPU threads that each process may compute with (OpenMP, BLAS, numba and OpenCV are held to it).
        environments: processes: extra environment variables of each worker, () for none; as many as workers. This is
            how a worker is pinned to a GPU.
        scheduler: dask: address such as `tcp://host:8786`, "" where a file names it.
        scheduler_file: dask: the JSON file that `dask scheduler --scheduler-file` writes, "" for none.
        resources: dask: what a worker must offer for a task, such as {"GPU": 1}.
        silence_s: processes: seconds without a sign of life after which a worker counts as frozen and is replaced.
        start_s: the same for a worker that is still starting, and the patience with a dask cluster.
        answer_s: dask: seconds that all workers may take to answer before a run begins.
        grace_s: seconds that work under way may take to end after Ctrl-C before its worker is killed.
    """

    name: str = "threads"
    workers: int = 2
    in_flight: int = 1
    threads: int = 1
    environments: tuple[Mapping[str, str], ...] = ()
    scheduler: str = ""
    scheduler_file: str = ""
    resources: Mapping[str, float] = field(default_factory=dict)
    silence_s: float = 60.0
    start_s: float = 600.0
    answer_s: float = 30.0
    grace_s: float = 5.0

    def __post_init__(self) -> None:
        for name, value in (("workers", self.workers), ("tasks in flight", self.in_flight), ("threads", self.threads)):
            if value < 1:
                raise ConfigError(f"{value} {name}", expected="at least 1")
        if self.environments and len(self.environments) != self.workers:
            raise ConfigError(f"{len(self.environments)} environments for {self.workers} workers")
