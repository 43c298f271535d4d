"""One suite over all executors: whatever differs from the serial one is a fault."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.dask_cluster import TESTS
from support.toy_jobs import Fault, Raises, Toy, ended

from paintpipe.pipeline.events import Event, FrameDone
from paintpipe.pipeline.executors import EXECUTORS, executor
from paintpipe.pipeline.executors.contract import Executor
from paintpipe.pipeline.executors.ordered import in_order
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ConfigError, StoreError

Make = Callable[..., Executor]
each = pytest.mark.parametrize("name", sorted(EXECUTORS))
WINDOW = {"serial": 0, "threads": 2, "processes": 6, "dask": 16}
"""Tasks that may have been taken beyond those done: under way, waiting, or done and about to be told."""
SQUARES = [(task, task * task) for task in range(20)]


def quiet(_: Event) -> None:
    pass


@each
def test_each_task_once_with_its_result_and_its_events(name: str, make: Make, tmp_path: Path) -> None:
    toy, events = Toy(tmp_path), list[Event]()
    assert sorted(make(name, workers=2, in_flight=2).run(range(20), toy, events.append)) == SQUARES
    assert toy.noted("end") == sorted(str(task) for task in range(20))
    assert 1 <= len(toy.noted("setup")) <= 2
    assert sorted(event.frame for event in events if isinstance(event, FrameDone)) == list(range(20))


@each
def test_no_task_is_no_work(name: str, make: Make, tmp_path: Path) -> None:
    assert list(make(name).run([], Toy(tmp_path), quiet)) == []
    assert Toy(tmp_path).noted("start") == []


@each
def test_the_first_failure_stops_the_rest_and_keeps_what_was_done(name: str, make: Make, tmp_path: Path) -> None:
    toy, results = Toy(tmp_path, sleep_s=0.03, fails=(5, 6)), list[tuple[int, int]]()
    with pytest.raises(Fault, match=r"5|6"):
        results.extend(make(name, workers=3).run(range(100), toy, quiet))
    assert sorted(str(task) for task, _ in results) == sorted(toy.noted("end"))
    assert len(toy.noted("start")) < 12


@each
def test_a_job_that_can_not_be_set_up_says_why(name: str, make: Make, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no network here"):
        list(make(name).run(range(9), Toy(tmp_path, sets_up=False), quiet))
    assert Toy(tmp_path).noted("start") == []


@each
def test_leaving_early_starts_nothing_more(name: str, make: Make, tmp_path: Path) -> None:
    toy = Toy(tmp_path, sleep_s=0.02)
    results = make(name).run(range(100), toy, quiet)
    next(results)
    results.close()
    count = len(toy.noted("start"))
    assert count <= 10
    time.sleep(0.1)
    assert len(toy.noted("start")) == count
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


@each
def test_work_under_way_is_dropped_at_its_next_event_when_the_loop_is_closed(
    name: str, make: Make, tmp_path: Path
) -> None:
    toy = Toy(tmp_path, sleep_s=60, quick=(0,))
    at_once = {"threads": {"workers": 2}, "processes": {"workers": 1, "in_flight": 2}}
    results = make(name, **at_once.get(name, {})).run(range(9), toy, quiet)
    next(results)
    until = time.monotonic() + 20
    while name != "serial" and len(toy.noted("start")) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    begin = time.monotonic()
    results.close()
    assert time.monotonic() - begin < 5
    assert toy.noted("end") == ["0"]


@each
def test_tasks_are_taken_as_they_are_needed(name: str, make: Make, tmp_path: Path) -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for task in range(30):
            taken.append(task)
            yield task

    for done, _ in enumerate(make(name, workers=2).run(tasks(), Toy(tmp_path), quiet), 1):
        assert len(taken) <= done + WINDOW[name]


@each
def test_an_error_of_any_class_arrives(name: str, make: Make) -> None:
    with pytest.raises(Exception, match="1 and 2"):
        list(make(name).run([1], Raises(), quiet))


def test_threads_work_side_by_side_and_never_more_than_asked() -> None:
    together = threading.Barrier(3)
    inside, most, guard = 0, 0, threading.Lock()

    class Side:
        def setup(self, _emit: object) -> Callable[[int], None]:
            return self

        def __call__(self, _: int) -> None:
            nonlocal inside, most
            with guard:
                inside += 1
                most = max(most, inside)
            together.wait(timeout=10)
            with guard:
                inside -= 1

    list(executor(ExecutorSettings("threads", workers=3)).run(range(9), Side(), quiet))
    assert most == 3


_INTERRUPTED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from support.toy_jobs import Toy
    from paintpipe.pipeline.executors import executor
    from paintpipe.pipeline.executors.settings import ExecutorSettings

    name, folder, scheduler_file = sys.argv[1:]
    settings = ExecutorSettings(name, workers=2, scheduler_file=scheduler_file, grace_s=2)
    try:
        list(executor(settings).run(range(50), Toy(Path(folder), sleep_s=60), print))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
)


@each
def test_ctrl_c_ends_soon_and_hangs_nothing(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    file = str(request.getfixturevalue("cluster").file) if name == "dask" else ""
    words = [sys.executable, "-c", _INTERRUPTED, name, str(tmp_path), file]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(TESTS)})
    toy = Toy(tmp_path)
    while not toy.noted("start"):
        assert process.poll() is None
        time.sleep(0.02)
    with ended(set() if name == "dask" else toy.pids()):
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        lines = process.communicate(timeout=20)[0].splitlines()
    assert lines[-1] == "interrupted"
    assert time.monotonic() - begin < 8
    assert toy.noted("end") == []
    assert len(toy.noted("start")) <= 4


def test_results_come_back_in_order() -> None:
    done = [((2, "c"), "C"), ((0, "a"), "A"), ((3, "d"), "D"), ((1, "b"), "B")]
    assert list(in_order(done)) == ["A", "B", "C", "D"]


def test_unknown_names_and_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="serial, threads, processes, dask"):
        executor(ExecutorSettings("mpi"))
    with pytest.raises(ConfigError, match="at least 1"):
        ExecutorSettings("threads", workers=0)
    with pytest.raises(ConfigError, match="1 environments for 2 workers"):
        ExecutorSettings("processes", workers=2, environments=({},))
