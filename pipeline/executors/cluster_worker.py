"""What runs in the workers of a dask cluster: a job, unpacked and set up once, and the work on one task."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from distributed import WorkerPlugin

from paintpipe.pipeline.events import Event, StageTimed
from paintpipe.pipeline.executors.pickles import pack, unpack
from paintpipe.pipeline.executors.stop import Stopped, StopSwitch

_jobs: "dict[str, _JobHere]" = {}
_lock = threading.Lock()


class JobPlugin(WorkerPlugin):
    """Brings a job to every worker, those that join later too, and takes it away again.

    Args:
        job_name: of the job in this one run.
        packed: the job.
    """

    def __init__(self, job_name: str, packed: bytes) -> None:
        self.name = f"paintpipe-{job_name}"
        self._job_name, self._packed = job_name, packed

    def setup(self, worker: Any) -> None:
        """On the worker's event loop: loads nothing yet."""
        with _lock:
            for job in _jobs.values():
                job.rest()  # perhaps of a coordinator that was killed: its network would stay loaded for good
            _jobs[self._job_name] = _JobHere(self._packed)

    def teardown(self, worker: Any) -> None:
        """Forget the job; its tasks still under way stop at their next event."""
        with _lock:
            job = _jobs.get(self._job_name)
            if job is not None:
                job.switch.turn_on()
        _drop_if_over(self._job_name)


class _JobHere:
    """A job in this process.

    Attributes:
        switch: stops its tasks.
        closed: whether no further task is begun.
        busy: tasks under way.
    """

    def __init__(self, packed: bytes) -> None:
        self.switch = StopSwitch()
        self.closed = False
        self.busy = 0
        self._packed = packed
        self._setting_up = threading.Lock()
        self._work: Callable[[Any], Any] | None = None
        self._here = threading.local()
        self._loose: deque[Event] = deque()

    def rest(self) -> None:
        """Unload what setup has loaded, if no task is under way; the next task would load it again."""
        if not self.busy:
            self._work = None

    def do(self, task: bytes) -> bytes:
        """The packed result and events of the task, with the events of threads that have no task of their own."""
        self._here.told = told = list[Event]()
        with self._setting_up:
            if self._work is None:
                self._work = unpack(self._packed).setup(self.switch.guard(self._tell))
            work = self._work
        result = work(unpack(task))
        while self._loose:
            told.append(self._loose.popleft())
        return pack((result, summed(told)))

    def _tell(self, event: Event) -> None:
        told: deque[Event] | list[Event] = getattr(self._here, "told", self._loose)
        told.append(event)


def summed(events: list[Event]) -> list[Event]:
    """The events with one StageTimed for each stage: they come all at once, and none is needed on its own."""
    others = [event for event in events if not isinstance(event, StageTimed)]
    stages: dict[str, StageTimed] = {}
    for event in events:
        if isinstance(event, StageTimed):
            known = stages.get(event.stage, StageTimed(event.stage, 0.0, 0))
            stages[event.stage] = StageTimed(event.stage, known.seconds + event.seconds, known.items + event.items)
    return [*stages.values(), *others]


def work_on(job_name: str, task: bytes) -> bytes:
    """Work on a packed task of the job of this name; its packed result and events."""
    with _lock:
        job = _jobs.get(job_name)
        if job is None or job.closed or job.switch.is_on:
            raise Stopped
        job.busy += 1
    try:
        return job.do(task)
    finally:
        with _lock:
            job.busy -= 1
        _drop_if_over(job_name)


def close_job(job_name: str) -> None:
    """Begin no further task of a job on this worker; those that wait end with Stopped."""
    with _lock:
        if job_name in _jobs:
            _jobs[job_name].closed = True


def busy(job_name: str) -> bool:
    """Whether this worker still has something of a job."""
    with _lock:
        return job_name in _jobs


def _drop_if_over(job_name: str) -> None:
    with _lock:
        job = _jobs.get(job_name)
        if job is not None and job.switch.is_on and not job.busy:
            del _jobs[job_name]
