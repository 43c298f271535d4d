"""The executor that says what every other one must do."""

from collections.abc import Generator, Iterable

from paintpipe.pipeline.executors.contract import Emit, Job, R, T
from paintpipe.pipeline.executors.settings import ExecutorSettings


class SerialExecutor:
    """Runs one task after the other in the caller's thread.

    Args:
        settings: taken for the sake of the contract; there is one worker.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self.settings = settings

    def run(self, tasks: Iterable[T], job: Job[T, R], emit: Emit) -> Generator[tuple[T, R], None, None]:
        """See `Executor.run`."""
        work = job.setup(emit)
        for task in tasks:
            yield task, work(task)
