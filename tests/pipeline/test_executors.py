"""One suite over all executors: whatever differs from the serial one is a fault."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator

import pytest

from paintpipe.pipeline.executors import EXECUTORS, Executor, executor
from paintpipe.schemas.errors import ConfigError

each = pytest.mark.parametrize("name", sorted(EXECUTORS))


class Fault(Exception):
    pass


@each
@pytest.mark.parametrize("workers", [1, 3])
def test_each_task_once_with_its_result(name: str, workers: int) -> None:
    done: Executor = executor(name, workers)
    assert sorted(done.run(range(20), lambda task: task * task)) == [(task, task * task) for task in range(20)]
    assert list(done.run([], lambda task: task)) == []


@each
def test_the_first_failure_stops_the_rest_and_keeps_what_was_done(name: str) -> None:
    started: list[int] = []

    def work(task: int) -> int:
        started.append(task)
        if task == 5:
            raise Fault(str(task))
        time.sleep(0.002)
        return task

    results: list[tuple[int, int]] = []
    with pytest.raises(Fault, match="5"):
        results.extend(executor(name, 3).run(range(100), work))
    assert sorted(task for task, _ in results) == sorted(set(started) - {5})
    assert len(started) < 12


@each
def test_leaving_early_starts_nothing_more(name: str) -> None:
    started: list[int] = []
    results = executor(name, 2).run(range(100), lambda task: started.append(task))
    next(results)
    assert isinstance(results, Iterator)
    results.close()  # type: ignore[attr-defined]
    count = len(started)
    assert count <= 4
    time.sleep(0.02)
    assert len(started) == count
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


def test_threads_work_side_by_side_and_never_more_than_asked() -> None:
    together = threading.Barrier(3)
    inside, most, guard = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        together.wait(timeout=10)
        with guard:
            inside -= 1

    list(executor("threads", 3).run(range(9), work))
    assert most == 3


def test_threads_take_tasks_as_they_are_needed() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for task in range(50):
            taken.append(task)
            yield task

    for done, _ in enumerate(executor("threads", 2).run(tasks(), lambda task: task), 1):
        assert len(taken) <= done + 2


_INTERRUPTED = textwrap.dedent(
    """
    import sys, time
    from paintpipe.pipeline.executors import executor

    def work(task):
        print("begin", task, flush=True)
        time.sleep(0.5)
        print("end", task, flush=True)

    try:
        list(executor(sys.argv[1], 2).run(range(50), work))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
)


@each
def test_ctrl_c_ends_soon_and_hangs_nothing(name: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", _INTERRUPTED, name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("begin")
    process.send_signal(signal.SIGINT)
    lines = process.communicate(timeout=20)[0].splitlines()
    assert lines[-1] == "interrupted"
    assert sum(line.startswith("begin") for line in lines) <= 2


def test_unknown_names_and_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="serial, threads"):
        executor("mpi", 1)
    with pytest.raises(ConfigError, match="at least 1"):
        executor("threads", 0)
